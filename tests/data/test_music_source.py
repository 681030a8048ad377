"""Pieces are found by name, by path, in folders, or made; what is not found says what there is."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from data.chorale_sample import sample
from data.chorales import CHORALES
from data.errors import DataError
from data.music import MusicData
from data.music_options import MusicOptions
from data.music_source import locate_pieces
from data.source import DATA_VARIABLE
from tests.data.music_pieces import LOWEST, options, write
from tests.data.tables import real

WHOLE = MusicOptions()


def test_the_sample_is_marked():
    pieces, source, repairs = locate_pieces("sample", options=WHOLE, sample=sample)
    assert source.sample and len(pieces) == 60 and not repairs
    with pytest.raises(DataError, match="There is no sample here"):
        locate_pieces("sample", options=WHOLE, sample=None)


def test_a_file_and_a_folder_of_midi(tmp_path):
    path = write(tmp_path / "in" / "a.mid", [(60, 0, 1)])
    pieces, source, _ = locate_pieces(str(path), options=options(), sample=None)
    assert len(pieces) == 1 and source.name == "a.mid" and source.path == path
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    pieces, source, _ = locate_pieces(str(path.parent), options=options(), sample=None)
    assert len(pieces) == 1 and source.name == "in"
    assert pieces[0].frames[0].argmax() + LOWEST == 60


@pytest.mark.parametrize("place", ["music/jsb_chorales", "."])
def test_a_named_set_is_looked_for_in_the_data_folder(tmp_path, monkeypatch, place):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "JSB_Chorales.mat").write_bytes(b"MATLAB 5.0 changed")
    with pytest.raises(DataError, match=r"JSB_Chorales\.mat is damaged"):
        locate_pieces("jsb", options=WHOLE, sample=None, data_dir=tmp_path)


def test_sixteenths_are_found_in_either_form_and_a_changed_file_is_said(tmp_path, monkeypatch):
    archive = real("music/jsb_chorales/jsb_chorales.tgz")
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    shutil.copyfile(archive, tmp_path / archive.name)
    pieces, source, _ = locate_pieces("jsb-16th", options=WHOLE, sample=None, data_dir=tmp_path)
    assert len(pieces) == 382 and (source.name, source.note) == ("jsb-16th", "")
    with (tmp_path / archive.name).open("ab") as file:
        file.write(bytes(512))
    _, source, _ = locate_pieces("jsb-16th", options=WHOLE, sample=None, data_dir=tmp_path)
    assert source.note.startswith("not the bytes that are published")


@pytest.mark.parametrize("name", CHORALES)
def test_published_hashes_are_those_of_the_real_files(name):
    for dataset in CHORALES[name]:
        content = real(dataset.files[0]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (dataset.sha256, dataset.size)


def test_a_path_may_be_one_of_the_forms():
    path = real("music/jsb_chorales/jsb_chorales.tgz")
    pieces, source, _ = locate_pieces(str(path), options=WHOLE, sample=None)
    assert len(pieces) == 382 and source.name == path.name


@pytest.mark.parametrize(
    "given, message", [("jbs", r"Did you mean 'jsb'\?"), ("nothing.mid", "neither a file or folder here")]
)
def test_what_is_not_there_is_said(given, message):
    with pytest.raises(DataError, match=message):
        locate_pieces(given, options=WHOLE, sample=sample)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("do re mi")
    with pytest.raises(DataError, match="no MIDI file"):
        locate_pieces(str(tmp_path / "a.txt"), options=WHOLE, sample=None)


def test_real_chorales_have_the_frames_that_losses_are_counted_over():
    real("music/jsb_chorales/JSB_Chorales.mat")
    pieces, source, repairs = locate_pieces("jsb", options=WHOLE, sample=None)
    data = MusicData.prepare(pieces, source, WHOLE, repairs)
    assert [data.count(part) for part in ("train", "validation", "test")] == [13_807, 4_602, 4_725]
    assert not data.repairs, "no piece of these stands in two parts"
