"""The JSB chorales are read in each of their published forms, and the forms agree where they are the same pieces."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest
import scipy.io

from data.chorales import read_chorales
from data.errors import DataError
from data.music_options import MusicOptions
from data.music_source import locate_pieces
from data.pieces import REST
from tests.data.tables import real

WHOLE = MusicOptions()
FINE = MusicOptions(frames_a_quarter=4)
PLACE = "music/jsb_chorales/"


def matlab(path, **cells):
    arrays = {}
    for key, rolls in cells.items():
        arrays[key] = np.empty((1, len(rolls)), object)
        for number, roll in enumerate(rolls):
            arrays[key][0, number] = np.asarray(roll)
    scipy.io.savemat(path, arrays)
    return path


def roll(*chords):
    return np.array([np.isin(np.arange(21, 109), chord) for chord in chords], np.uint8)


def archive(path, **files):
    with tarfile.open(path, "w:gz") as found:
        for name, rows in files.items():
            content = "\n".join(["note0,note1,note2,note3", *(",".join(map(str, row)) for row in rows)]).encode()
            member = tarfile.TarInfo(name.replace("__", "/") + ".csv")
            member.size = len(content)
            found.addfile(member, io.BytesIO(content))
    return path


def notes(piece):
    return [(np.flatnonzero(frame) + WHOLE.lowest).tolist() for frame in piece.frames]


def test_matlab_rolls_begin_at_the_lowest_key_of_a_piano(tmp_path):
    path = matlab(tmp_path / "a.mat", traindata=[roll([60, 64], []), roll([21, 108])], validdata=[roll([62])])
    pieces, source = read_chorales(path, WHOLE)
    assert [(p.part, notes(p)) for p in pieces] == [
        ("train", [[60, 64], []]),
        ("train", [[21, 108]]),
        ("validation", [[62]]),
    ]
    assert source.name == "a.mat" and all(p.voices is None for p in pieces)


def test_json_of_chords_and_json_of_voices_are_told_apart(tmp_path):
    chords = {"train": [[[60, 64], [], [62]]], "valid": [[[62]]], "test": [[[61, 65, 68, 72]]]}
    voices = {"train": [[[72, 68, 65, 61]] * 4 + [[72, -1, 65, 60]] * 4], "test": [[[70, 66, 63, 60]]]}
    for number, content in enumerate((chords, voices)):
        (tmp_path / f"{number}.json").write_text(json.dumps(content))
    pieces, _ = read_chorales(tmp_path / "0.json", WHOLE)
    assert [notes(p) for p in pieces] == [[[60, 64], [], [62]], [[62]], [[61, 65, 68, 72]]]
    pieces, _ = read_chorales(tmp_path / "1.json", WHOLE)
    assert pieces[0].voices.tolist() == [[72, 68, 65, 61], [72, REST, 65, 60]], "a step a quarter note"
    assert len(read_chorales(tmp_path / "1.json", FINE)[0][0]) == 8


def test_a_csv_archive_has_zero_for_a_rest_and_numbers_in_order(tmp_path):
    rows = [[72, 68, 65, 0]] * 4
    path = archive(tmp_path / "a.tgz", train__chorale_10=rows, train__chorale_9=rows[:1], test__chorale_1=rows)
    pieces, _ = read_chorales(path, FINE)
    assert [(p.name, p.part) for p in pieces] == [
        ("chorale_1", "test"),
        ("chorale_9", "train"),
        ("chorale_10", "train"),
    ]
    assert pieces[0].voices[0].tolist() == [72, 68, 65, REST]


def test_a_grid_that_the_source_does_not_have_is_refused(tmp_path):
    path = matlab(tmp_path / "a.mat", traindata=[roll([60])])
    with pytest.raises(DataError, match=r"1 steps a quarter note.*frames_a_quarter 4.*Accepted: 1"):
        read_chorales(path, FINE)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.mat", b"MATLAB 5.0 MAT-file, cut short", "damaged or cut short"),
        ("a.json", b'{"train": [[[60', "no JSON, or cut short"),
        ("a.json", b'{"left": []}', "has 'left', not train, valid and test"),
        ("a.json", b'{"train": [[[60, "c"]]]}', "no list of pieces"),
        ("a.json", b'{"train": [[[600]]]}', "no list of pieces"),
        ("a.json", b'{"train": []}', "holds no chorale"),
        ("a.tgz", b"\x1f\x8b cut", "cut short|damaged, or not gzip"),
        ("a.tar", b"no archive", "no tar archive"),
        ("a.mat", b"", "empty"),
    ],
)
def test_what_is_none_of_the_forms_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_chorales(tmp_path / name, WHOLE)


def test_cells_that_are_no_rolls_are_refused(tmp_path):
    with pytest.raises(DataError, match="cell 1 of traindata is no roll"):
        read_chorales(matlab(tmp_path / "a.mat", traindata=[np.array([[3, 5]])]), WHOLE)


def test_a_csv_in_no_part_is_refused(tmp_path):
    with pytest.raises(DataError, match="in no folder train, valid or test"):
        read_chorales(archive(tmp_path / "a.tgz", other__a=[[1, 2, 3, 4]]), FINE)


@pytest.mark.parametrize("one, other", [("jsb", "jsb-quarter"), ("Jsb16thSeparated.json", "jsb_chorales.tgz")])
def test_the_real_files_of_a_family_agree(one, other):
    options = WHOLE if one == "jsb" else FINE
    found = []
    for name in (one, other):
        if "." in name:
            found.append(read_chorales(real(PLACE + name), options)[0])
        else:
            real(PLACE + "JSB_Chorales.mat")
            pieces, source, repairs = locate_pieces(name, options=options, sample=None)
            assert (source.name, source.note, repairs) == (name, "", [])
            found.append(pieces)
    counts = {part: sum(p.part == part for p in found[0]) for part in ("train", "validation", "test")}
    assert counts == {"train": 229, "validation": 76, "test": 77}
    frames = [[(p.part, p.frames.tobytes()) for p in pieces] for pieces in found]
    # the archive's files have numbers of their own
    same = [sorted(f) for f in frames] if one != "jsb" else frames
    assert same[0] == same[1]


def test_rests_of_the_real_sixteenths():
    pieces, _ = read_chorales(real(PLACE + "Jsb16thSeparated.json"), FINE)
    assert sum(int((p.voices == REST).sum()) for p in pieces) == 1284
    assert all(p.voices.shape[1] == 4 for p in pieces)
