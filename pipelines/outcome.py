"""How a command ends: its result shown, or one clear message and the exit code that says what kind of end it was."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

EXIT_DONE, EXIT_BAD_INPUT, EXIT_LEAK, EXIT_NOT_EQUAL, EXIT_INTERRUPTED = 0, 2, 3, 4, 5


def perform(work: Callable[[Any], Any], tell: Callable[[Any, Any], None], as_json: bool) -> None:
    """Do the work; turn what goes wrong into one clear message and the exit code that says which kind it was."""
    import tempfile

    from pipelines.allocator import keep_pages
    from pipelines.screen import Screen, noise_to

    keep_pages()
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
    if not isinstance(record, dict) or "run_id" not in record or "source" not in record:
        return record
    *baselines, model = record["summary"] if "folds" in record else record["metrics"]
    folder = Path(record["folder"]) if "folder" in record else None

    def figures(row: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in row.items() if k not in ("name", "role", "seconds")}

    def at(path: str) -> str:
        return str(folder / path) if folder else path

    told = {
        "task": record["task"],
        "run_id": record["run_id"],
        "status": record["status"],
        "source": record["source"]["name"],
        "sample": record["source"]["sample"],
        "metrics": figures(model),
        "baselines": {row["name"]: figures(row) for row in baselines},
        "skill": model["skill"],
        "seconds": round(record["seconds"], 1),
    }
    if "folds" in record:
        files = {"report": at("report.html"), "backtest": at("backtest.json")}
        return told | {"folds": len(record["folds"]), "artifacts": files}
    proven = [r for r in record["exports"] if r["status"] == "proven"]
    return told | {
        "chosen": record["chosen"]["name"],
        "artifacts": {
            "report": at("report.html"),
            "saved_model": next((at(r["path"]) for r in proven if r["format"] == "saved_model"), None),
            "litert": [at(r["path"]) for r in proven if r["format"].startswith("litert")],
        },
    }
