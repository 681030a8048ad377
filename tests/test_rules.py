"""The rules that hold over the whole tree: who may import whom, and what is not to be in the repository."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"seqlayers", "data", "pipelines", "tests"}
#: What each room may import of ours, and of others; None: anything.
MAY_IMPORT = {
    "seqlayers": ({"seqlayers"}, {"keras", "numpy", "pydantic"}),
    "data": ({"data"}, {"tensorflow", "pandas", "numpy", "pydantic", "pyarrow", "pretty_midi", "scipy", "tokenizers"}),
    "pipelines": ({"pipelines", "data", "seqlayers"}, None),
}


def imported(file: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_downwards_only(room):
    ours, others = MAY_IMPORT[room]
    files = list((ROOT / room).rglob("*.py"))
    assert files
    for file in files:
        names = imported(file)
        upwards = names & (OURS - ours)
        assert not upwards, f"{file.relative_to(ROOT)} imports {upwards}"
        strange = names - OURS - set(sys.stdlib_module_names)
        assert others is None or strange <= others, f"{file.relative_to(ROOT)} imports {strange - others}"


def test_the_mlflow_folder_does_not_stand_in_the_way_of_the_package():
    assert not list((ROOT / "mlflow").rglob("*.py"))


def test_no_tracked_file_is_larger_than_a_mebibyte():
    git = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if git.returncode or not git.stdout:
        pytest.skip("not a git checkout")
    tracked = [ROOT / name for name in git.stdout.split("\0") if name]
    assert [f for f in tracked if f.is_file() and f.stat().st_size > 2**20] == []
