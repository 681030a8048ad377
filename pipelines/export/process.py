"""A script of this folder, run in a process of its own: what it crashes, it crashes alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

#: Seconds after which a conversion or a check is given up.
TIMEOUT = 900

#: A graphics card stays with the process that trains.
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


class ProcessFailed(Exception):
    """The process crashed, ran out of time, or reported an error: the message says which, in one line."""


def fresh(script: Path, *arguments: str | Path) -> dict[str, Any]:
    """Run `script` with this interpreter and none of this process's state; returns the JSON of its last line.

    The script runs by its path and without the current folder on the module path, so it imports what it names and
    nothing of ours.
    """
    command = [sys.executable, "-P", str(script), *map(str, arguments)]
    try:
        done = subprocess.run(
            command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, errors="replace", timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise ProcessFailed(f"{script.stem} gave no answer within {TIMEOUT} s") from None
    if done.returncode < 0:
        raise ProcessFailed(f"{script.stem} crashed ({signal.Signals(-done.returncode).name})")
    try:
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        said = done.stderr.strip().splitlines() or ["no message"]
        raise ProcessFailed(f"{script.stem} ended with {done.returncode}: {said[-1]}") from None
    if "error" in answer:
        raise ProcessFailed(answer["error"])
    return answer
