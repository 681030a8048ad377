"""The command `seqlayers generate`; like all of the command line, it imports nothing heavy before it is run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.options import AsJson
from pipelines.outcome import perform


def generate(
    model: Annotated[Path, typer.Argument(help="A run's folder, a SavedModel folder, or a .tflite file.")],
    prompt: Annotated[str | None, typer.Option(help="The text that is continued.")] = None,
    length: Annotated[
        int | None, typer.Option(help="Tokens, or frames of music. Default: 400; of frames 64 quarter notes.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Below 1 the likely become likelier. Default: 1.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Only so many of the likeliest may come.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Only the likeliest of this probability together.")] = None,
    min_p: Annotated[
        float | None, typer.Option(help="Only what is at least this share as likely as the first.")
    ] = None,
    repetition_penalty: Annotated[
        float | None, typer.Option(help="Above 1, what has come before becomes less likely.")
    ] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Take the likeliest each time.")] = False,
    beam: Annotated[int | None, typer.Option(help="Search for the likeliest whole, keeping so many.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text, from any file of the model.")] = 0,
    samples: Annotated[int | None, typer.Option(help="How many, with seeds that count on. Default: 1.")] = None,
    stop: Annotated[str | None, typer.Option(help="A text at which to stop.")] = None,
    opening: Annotated[Path | None, typer.Option(help="A MIDI file that is continued.")] = None,
    given: Annotated[Path | None, typer.Option(help="A MIDI file whose top line is harmonised.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="A file, or folder, for text; for music the MIDI file. Default: generated.mid for music."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write text or compose music with an exported model; text appears as it is written.

    Music becomes a MIDI file, a WAV file and a picture, side by side.

    [bold]Examples[/]

      seqlayers generate runs/text/latest --prompt "ROMEO:" --length 300 --temperature 0.8
      seqlayers generate runs/text/latest/exports/model_int8.tflite --top-p 0.95 --seed 7
      seqlayers generate runs/music/latest --samples 3 --output chorales/new.mid
      seqlayers generate runs/music/latest --opening hymn.mid
    """

    def work(screen: Any) -> Any:
        def show(piece: str) -> None:
            screen.console.file.write(piece)
            screen.console.file.flush()

        from pipelines.generate.make import make
        from pipelines.generate.order import Order

        order = Order(
            prompt=prompt,
            length=length,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            repetition_penalty=repetition_penalty,
            greedy=greedy,
            beam=beam,
            seed=seed,
            samples=samples,
            stop=stop,
            opening=opening,
            given=given,
            output=output,
        )
        return make(model, order, show)

    def tell(screen: Any, result: Any) -> None:
        for line in result.lines():
            screen.say(line)

    perform(work, tell, as_json)
