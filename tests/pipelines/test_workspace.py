"""Nothing half-written is ever taken for a finished run."""

from __future__ import annotations

import os
from datetime import datetime

import pytest

from pipelines.workspace import Workspace, WorkspaceError, write_atomically


def test_a_run_is_hidden_until_it_is_complete(tmp_path):
    workspace = Workspace(tmp_path, "weather", "abcdef0123456789")
    assert workspace.open() is False
    workspace.note(run_id="r1")
    (workspace.folder / "report.html").write_text("x")
    assert [p for p in (tmp_path / "runs" / "weather").iterdir() if not p.name.startswith(".")] == []
    again = Workspace(tmp_path, "weather", "abcdef0123456789")
    assert again.open() is True and again.notes() == {"run_id": "r1"}
    final = again.finish(datetime(2026, 1, 31, 14, 25, 30))
    assert final.name == "20260131-142530-abcd" and (final / "report.html").exists()
    assert (final.parent / "latest").resolve() == final.resolve()
    assert not (final / "run.json").exists()
    assert Workspace(tmp_path, "weather", "abcdef0123456789").open() is False


def test_two_processes_do_not_share_a_folder(tmp_path):
    workspace = Workspace(tmp_path, "weather", "k" * 16)
    workspace.open()
    with (
        workspace.locked(),
        pytest.raises(WorkspaceError, match="Another process"),
        Workspace(tmp_path, "weather", "k" * 16).locked(),
    ):
        pass


def test_a_place_that_cannot_be_written_to_is_refused_at_once(tmp_path):
    in_the_way = tmp_path / "runs"
    in_the_way.write_text("a file where the folder should be")
    with pytest.raises(WorkspaceError, match="--home"):
        Workspace(tmp_path, "weather", "k" * 16).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes to read-only folders")
def test_a_read_only_folder_is_refused_at_once(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WorkspaceError, match="Cannot write"):
        Workspace(tmp_path, "weather", "k" * 16).open()


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
