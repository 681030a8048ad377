"""The command line. Nothing heavy is imported until a command needs it, so that `--help` answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.generate.command import generate
from pipelines.options import (
    AsJson,
    Asked,
    Classical,
    ConfigFile,
    DataDir,
    Home,
    Settings,
    SourceName,
    TaskName,
    Tracking,
    Unlabelled,
    Window,
    track,
)
from pipelines.outcome import perform

app = typer.Typer(
    name="seqlayers",
    help="""Sequence models from raw data to a proven export.

    One configuration trains a model beside the strong simple ones it has to beat, tracks the run in MLflow, exports
    it to SavedModel and LiteRT, proves each file equal to the model, and writes a report.

    Start with:  seqlayers run weather --source sample
    """,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def run(
    task: TaskName = None,
    source: SourceName = None,
    config: ConfigFile = None,
    set_: Settings = None,
    classical: Classical = None,
    unlabelled: Unlabelled = None,
    data_dir: DataDir = None,
    home: Home = None,
    tracking: Tracking = None,
    as_json: AsJson = False,
) -> None:
    """Train, evaluate beside the baselines, track, export, verify and report.

    [bold]Examples[/]

      seqlayers run weather --source sample
      seqlayers run weather --source weather.csv.xz --set train.epochs=10
      seqlayers run forecast --source sales.csv --set data.target=units
      seqlayers run sentiment --source sample
      seqlayers run classify --source tickets.csv
      seqlayers run text --source shakespeare
      seqlayers run music --source my-midi-files
      seqlayers run --config my.yaml

    Interrupted runs go on with the same command. Exit codes: 0 done, 2 bad input or configuration, 3 leak found,
    4 an export not equal to the model, 5 interrupted.
    """

    def work(screen: Any) -> dict[str, Any]:
        asked = Asked(task, source, config, set_, classical, data_dir, home, tracking, unlabelled)
        order = asked.order(screen)
        from pipelines.run import run as start

        return start(order, screen)

    def tell(screen: Any, record: dict[str, Any]) -> None:
        folder = Path(record["folder"])
        screen.heading("Done")
        screen.say(f"Report   {folder / 'report.html'}")
        if any(row["status"] == "proven" for row in record["exports"]):
            screen.say(f"Exports  {folder / 'exports'}")
            screen.say(_usage(record, _near(folder)))

    perform(work, tell, as_json)


@app.command()
def backtest(
    task: TaskName = None,
    source: SourceName = None,
    folds: Annotated[int, typer.Option(min=2, help="How many folds, each tested on the stretch after it.")] = 5,
    window: Annotated[
        Window, typer.Option(help="Training on all that came before a fold, or on a stretch of fixed length.")
    ] = Window.expanding,
    embargo: Annotated[
        str, typer.Option(help="Time left out between training, validation and test, such as 24h, or a number of rows.")
    ] = "0",
    config: ConfigFile = None,
    set_: Settings = None,
    classical: Classical = None,
    data_dir: DataDir = None,
    home: Home = None,
    tracking: Tracking = None,
    as_json: AsJson = False,
) -> None:
    """Train and test on one fold of time after another: how far can the figures of a single test part be trusted?

    In each fold every transform, baseline and model is fitted anew on what came before the fold's test part; the
    report shows each candidate's error with its spread over the folds.

    [bold]Examples[/]

      seqlayers backtest weather --source sample --folds 3
      seqlayers backtest weather --source weather.csv.xz --window sliding --embargo 24h --classical ets

    Interrupted backtests go on with the same command, from the last complete epoch. Exit codes as for run.
    """

    def work(screen: Any) -> dict[str, Any]:
        order = Asked(task, source, config, set_, classical, data_dir, home, tracking).order(screen)
        from pipelines.backtest import backtest as start
        from pipelines.job import Folding

        return start(order, screen, Folding(folds, window.value, embargo))

    def tell(screen: Any, record: dict[str, Any]) -> None:
        screen.heading("Done")
        screen.say(f"Report   {Path(record['folder']) / 'report.html'}")

    perform(work, tell, as_json)


@app.command()
def diagnose(
    task: TaskName = None,
    encoder: Annotated[
        str, typer.Option(help="Encoders with commas between: kinds, or {kind: gru, units: 64} with settings.")
    ] = "simple_rnn,lstm,gru,min_gru,transformer",
    source: SourceName = None,
    steps: Annotated[
        int | None, typer.Option(min=0, help="Training steps between the two measurements. Default: 200; 0 for none.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="The same in epochs.")] = None,
    units: Annotated[
        int | None, typer.Option(min=1, help="Features of each encoder. Default: as the task's own model has them.")
    ] = None,
    gain: Annotated[
        str | None,
        typer.Option(
            help="What recurrent weights are multiplied with at first, such as 1,1.5,2, a curve each. "
            "Default: 1, and 2.5 for simple_rnn too, whose gradient explodes then."
        ),
    ] = None,
    config: ConfigFile = None,
    set_: Settings = None,
    data_dir: DataDir = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Draw how far the gradient reaches back through each encoder: where it vanishes, where it explodes.

    Each encoder stands alone between the embedding and the head of the task's model. The report shows the norm of the
    loss's gradient by lag, at initialisation and after a short training, before and after clipping (train.clip_norm),
    and recurrences unrolled. Nothing is tracked or exported. Without --source: the built-in sample.

    [bold]Examples[/]

      seqlayers diagnose weather
      seqlayers diagnose weather --source weather.csv.xz --encoder gru,min_gru --steps 1000
      seqlayers diagnose weather --encoder simple_rnn --gain 0.5,1,1.5,2 --steps 0

    Interrupted diagnoses go on with the same command, from the last complete encoder. Exit codes as for run.
    """

    def work(screen: Any) -> Any:
        asked = Asked(task, source, config, set_, None, data_dir, home, None)
        order = asked.order(screen, tracked=False, otherwise="sample")
        from pipelines.diagnose import diagnose as start
        from pipelines.rows import question

        return start(order, screen, question(encoder, gain, steps, epochs, units))

    def tell(screen: Any, found: Any) -> None:
        from pipelines.diagnose import show

        show(screen.console, found.record)
        screen.say(f"Report   {found.folder / 'report.html'}")

    perform(work, tell, as_json)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A run's folder, a SavedModel folder, or a .tflite file.")],
    input: Annotated[
        Path | None, typer.Option(help="Recent readings, at least as many as the model looks back; or a file of texts.")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="A text to classify, or whose next word is asked for. Repeatable.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Where the answers go as CSV. Default: forecast.csv, or labels.csv for a file of texts."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Where a forecast's picture goes. Default: beside the CSV, as PNG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast from recent readings, classify texts, or tell the next word, with an exported model.

    [bold]Examples[/]

      seqlayers predict runs/weather/latest --input recent.csv
      seqlayers predict runs/sentiment/latest --text "The best film I have seen."
      seqlayers predict runs/classify/latest/exports/model_int8.tflite --input tickets.csv
      seqlayers predict runs/text/latest --text "This morning I took my cat for a"
    """

    def work(screen: Any) -> Any:
        from pipelines.predict import answer

        return answer(model, input=input, texts=text, output=output, picture=picture)

    def tell(screen: Any, result: Any) -> None:
        for line in result.lines():
            screen.say(line)

    perform(work, tell, as_json)


app.command()(generate)


@app.command()
def slots(
    name: Annotated[str | None, typer.Argument(help="A kind such as lstm, or a slot such as encoder.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every slot and kind with its arguments and what is searched; name a kind to read about it."""

    def work(screen: Any) -> Any:
        from pipelines import listing

        return listing.kinds(name)

    def tell(screen: Any, found: Any) -> None:
        from pipelines import listing

        listing.show(screen.console, found, name)

    perform(work, tell, as_json)


@app.command()
def compare(
    task: Annotated[str, typer.Argument(help="weather, forecast, …")],
    limit: Annotated[int, typer.Option(help="How many runs to show.")] = 20,
    sort: Annotated[str, typer.Option(help="started, loss, mae, accuracy, skill or seconds.")] = "started",
    home: Home = None,
    tracking: Tracking = None,
    as_json: AsJson = False,
) -> None:
    """Show the tracked runs of a task as a table."""

    def work(screen: Any) -> Any:
        from pipelines import compare as comparison

        track(tracking)
        return comparison.runs((home or Path.cwd()).resolve(), task, limit=limit, sort=sort)

    def tell(screen: Any, rows: Any) -> None:
        from pipelines import compare as comparison

        comparison.show(screen.console, rows)

    perform(work, tell, as_json)


@app.command()
def ui(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1.")] = 5000,
) -> None:
    """Open MLflow's pages on the runs below --home."""
    from pipelines.ui import ui as serve

    raise typer.Exit(serve((home or Path.cwd()).resolve(), port))


def main() -> None:
    """The `seqlayers` command."""
    app()


def _usage(record: dict[str, Any], folder: Path) -> str:
    """How what a run exports is used."""
    if record["family"] == "classify":
        return f'Classify with  seqlayers predict {folder} --text "…"'
    if record["family"] == "generate":
        prompt = "" if record["unit"] in ("frame", "event") else ' --prompt "…"'
        return f"Generate with  seqlayers generate {folder}{prompt}"
    return f"Forecast with  seqlayers predict {folder} --input recent.csv"


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    main()
