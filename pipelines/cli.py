"""The command line. Nothing heavy is imported until a command needs it, so that `--help` answers at once."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

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

EXIT_DONE, EXIT_BAD_INPUT, EXIT_LEAK, EXIT_NOT_EQUAL, EXIT_INTERRUPTED = 0, 2, 3, 4, 5

Home = Annotated[
    Path | None,
    typer.Option(help="Where runs/ and mlflow.db stand. Default: the --config file's folder, else the current one."),
]
Tracking = Annotated[
    str | None,
    typer.Option(
        help="MLflow server or store, or `local` for mlflow.db in --home. Default: $MLFLOW_TRACKING_URI, else local."
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as one line of JSON, last; all else goes to stderr.")
]


@app.command()
def run(
    task: Annotated[str | None, typer.Argument(help="weather, or forecast for any series of your own.")] = None,
    source: Annotated[
        str | None, typer.Option(help="A CSV or Parquet file, a data set's name, or `sample` for the built-in one.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file laid over the task's own configuration.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, such as model.encoder.0.units=128. Repeatable.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where named data sets are looked for. Default: $SEQLAYERS_DATA.")
    ] = None,
    home: Home = None,
    tracking: Tracking = None,
    as_json: AsJson = False,
) -> None:
    """Train, evaluate beside the baselines, track, export, verify and report.

    [bold]Examples[/]

      seqlayers run weather --source sample
      seqlayers run weather --source weather.csv.xz --set train.epochs=10
      seqlayers run forecast --source sales.csv --set data.target=units
      seqlayers run --config my.yaml

    Interrupted runs go on with the same command. Exit codes: 0 done, 2 bad input or configuration, 3 leak found,
    4 an export not equal to the model, 5 interrupted.
    """

    def work(screen: Any) -> dict[str, Any]:
        from pipelines import config as configurations
        from pipelines.store import check_server, uri_of

        configuration = configurations.load(task, config, set_ or ())
        chosen = source or configuration.source
        if not chosen:
            raise configurations.ConfigurationError(
                "--source", "no data named.", "a file, a data set's name, or sample"
            )
        place = (home or (config.parent if config else Path.cwd())).resolve()
        _track(tracking)
        check_server(uri_of(place))
        screen.say("Starting TensorFlow")
        from pipelines.run import run as start

        return start(
            configuration, chosen, place, screen, data_dir=data_dir, command=shlex.join(["seqlayers", *sys.argv[1:]])
        )

    def tell(screen: Any, record: dict[str, Any]) -> None:
        folder = Path(record["folder"])
        screen.heading("Done")
        screen.say(f"Report   {folder / 'report.html'}")
        screen.say(f"Exports  {folder / 'exports'}")
        screen.say(f"Forecast with  seqlayers predict {_near(folder)} --input recent.csv")

    _perform(work, tell, as_json)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A run's folder, a SavedModel folder, or a .tflite file.")],
    input: Annotated[Path, typer.Option(help="Recent readings, at least as many as the model looks back.")],
    output: Annotated[Path | None, typer.Option(help="Where the forecast goes as CSV. Default: forecast.csv.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Where its picture goes. Default: beside the CSV, as PNG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast from recent readings with an exported model."""

    def work(screen: Any) -> Any:
        from pipelines.predict import predict as answer

        table = output or Path("forecast.csv")
        return answer(model, input, output=table, picture=picture or table.with_suffix(".png"))

    def tell(screen: Any, result: Any) -> None:
        for line in result.lines():
            screen.say(line)

    _perform(work, tell, as_json)


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

    _perform(work, tell, as_json)


@app.command()
def compare(
    task: Annotated[str, typer.Argument(help="weather, forecast, …")],
    limit: Annotated[int, typer.Option(help="How many runs to show.")] = 20,
    sort: Annotated[str, typer.Option(help="started, mae, skill or seconds.")] = "started",
    home: Home = None,
    tracking: Tracking = None,
    as_json: AsJson = False,
) -> None:
    """Show the tracked runs of a task as a table."""

    def work(screen: Any) -> Any:
        from pipelines import compare as comparison

        _track(tracking)
        return comparison.runs((home or Path.cwd()).resolve(), task, limit=limit, sort=sort)

    def tell(screen: Any, rows: Any) -> None:
        from pipelines import compare as comparison

        comparison.show(screen.console, rows)

    _perform(work, tell, as_json)


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


def _track(tracking: str | None) -> None:
    """Put --tracking where MLflow looks for it."""
    if tracking == "local":
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    elif tracking:
        os.environ["MLFLOW_TRACKING_URI"] = tracking


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _perform(work: Callable[[Any], Any], tell: Callable[[Any, Any], None], as_json: bool) -> None:
    """Do the work; turn what goes wrong into one clear message and the exit code that says which kind it was."""
    import tempfile

    from pipelines.screen import Screen, noise_to

    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    screen = Screen(to_stderr=as_json)
    with tempfile.NamedTemporaryFile(prefix="seqlayers-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    code, kept = EXIT_DONE, False
    with noise_to(log):
        try:
            result = work(screen)
            tell(screen, result)
            if as_json:
                print(json.dumps(summary(result)))
        except KeyboardInterrupt:
            screen.say("Interrupted.")
            code = EXIT_INTERRUPTED
            if as_json:
                print(json.dumps({"status": "failed", "error": "interrupted"}))
        except Exception as error:
            known = exit_code(error)
            if known is None:
                screen.say(f"What the libraries wrote is in {log}")
                kept = True
                raise
            code = known
            record = getattr(error, "record", None)
            screen.failure(f"{error} Report: {record['folder']}/report.html" if record else str(error))
            if as_json:
                print(json.dumps(summary(record) | {"status": "failed", "error": str(error)}))
        finally:
            if not kept:
                log.unlink(missing_ok=True)
    raise typer.Exit(code)


def exit_code(error: Exception) -> int | None:
    """The exit code of an expected error; None for one that deserves its traceback."""
    names = {c.__name__ for c in type(error).__mro__}
    if "LeakError" in names:
        return EXIT_LEAK
    if "ExportError" in names:
        return EXIT_NOT_EQUAL
    if "Interrupted" in names:
        return EXIT_INTERRUPTED
    expected = {
        "ConfigurationError",
        "DataError",
        "TrackingError",
        "WorkspaceError",
        "PredictError",
        "Refused",
        "FloatingPointError",
    }
    return EXIT_BAD_INPUT if names & expected else None


def summary(record: Any) -> Any:
    """What `--json` prints of a run's record; other results are printed as they are."""
    if record is None:
        return {}
    if hasattr(record, "to_json"):
        return record.to_json()
    if not isinstance(record, dict) or "metrics" not in record:
        return record
    folder = Path(record["folder"]) if "folder" in record else None
    model, proven = record["metrics"][-1], [r for r in record["exports"] if r["status"] == "proven"]

    def at(path: str) -> str:
        return str(folder / path) if folder else path

    return {
        "task": record["task"],
        "run_id": record["run_id"],
        "status": record["status"],
        "source": record["source"]["name"],
        "sample": record["source"]["sample"],
        "metrics": {k: v for k, v in model.items() if k not in ("name", "role", "seconds")},
        "baselines": {r["name"]: {k: r[k] for k in ("mae", "rmse", "mase", "skill")} for r in record["metrics"][:-1]},
        "skill": model["skill"],
        "artifacts": {
            "report": at("report.html"),
            "saved_model": next((at(r["path"]) for r in proven if r["format"] == "saved_model"), None),
            "litert": [at(r["path"]) for r in proven if r["format"].startswith("litert")],
        },
        "seconds": round(record["seconds"], 1),
    }


if __name__ == "__main__":
    main()
