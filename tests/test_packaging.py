"""What is installed is the whole of the three rooms and nothing else, and works from anywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = ("seqlayers", "data", "pipelines")


def sources() -> set[str]:
    """Every file of the three rooms."""
    files = (file for room in ROOMS for file in (ROOT / room).rglob("*"))
    return {f.relative_to(ROOT).as_posix() for f in files if f.is_file() and "__pycache__" not in f.parts}


def test_every_folder_is_listed_as_a_package():
    folders = {name.rpartition("/")[0].replace("/", ".") for name in sources()}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders
    with_code = {ROOT / name.rpartition("/")[0] for name in sources() if name.endswith(".py")}
    assert [folder for folder in with_code if not (folder / "__init__.py").exists()] == []


def test_the_version_is_the_same_in_both_places():
    import seqlayers

    assert PROJECT["project"]["version"] == seqlayers.__version__


@pytest.mark.slow
def test_a_wheel_holds_the_rooms_and_works_from_another_folder(tmp_path):
    build = [
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(_copy(tmp_path)),
    ]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True)
    (wheel,) = tmp_path.glob("seqlayers-*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == sources()

    # An environment of its own, with this one's packages within reach so that nothing need be fetched.
    place = tmp_path / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    install = ["--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    site = next((place / "lib").glob("python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "data.py").write_text("raise RuntimeError('a file of the user was imported')")
    answer = subprocess.run(
        [place / "bin" / "seqlayers", "slots", "lstm"], cwd=elsewhere, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    assert "lstm" in answer.stdout
    where = subprocess.run(
        [python, "-P", "-c", "import pipelines; print(pipelines.__file__)"], capture_output=True, text=True
    )
    assert Path(where.stdout.strip()).is_relative_to(site)


def _copy(folder: Path) -> Path:
    """The tree as a wheel is built from it, so that building leaves nothing behind in the repository."""
    copy = folder / "tree"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    return copy
