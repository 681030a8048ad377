"""A piano roll: every note where and as long as it sounds, in lines of bars, in its voice's colour."""

from __future__ import annotations

import re

import pytest

from pipelines.report.chart import NARROW, WIDE, Size
from pipelines.report.generate.roll import BARS, Piece, name, pieces
from tests.pipelines.generate_records import CHORDS, chorale, music

Box = tuple[float, float, float, float]


def drawn(**changes: object) -> Piece:
    (piece,) = pieces(music(samples=[chorale("made", 0) | changes]))
    return piece


def boxes(piece: Piece, style: str, size: Size = WIDE) -> list[Box]:
    """Left, top, width and height of each note of a style."""
    assert piece.figure is not None
    svg = piece.figure.svg.split("<svg")[1 if size is WIDE else 2]
    found = re.findall(rf'<path class="note {style}" d="([^"]+)"', svg)
    shapes = (re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", d) for d in found)
    return [tuple(map(float, shape)) for shapes_of in shapes for shape in shapes_of]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("pitch", "said"), [(60, "C4"), (69, "A4"), (21, "A0"), (108, "C8"), (61, "C♯4"), (0, "C−1"), (58, "B♭3")]
)
def test_pitches_have_names(pitch: int, said: str) -> None:
    assert name(pitch) == said


def test_notes_lie_where_they_sound() -> None:
    piece = drawn(notes=[[60, 0, 4, 0], [62, 4, 2, 0], [72, 8, 8, 0]])
    first, second, third = boxes(piece, "voice-0")
    assert first[2] + 1 == pytest.approx(2 * (second[2] + 1), abs=0.11)  # twice as long, but for the gaps
    assert second[0] == pytest.approx(first[0] + first[2] + 1, abs=0.11)
    up = first[1] - second[1]
    assert up > 4 and first[1] - third[1] == pytest.approx(6 * up, abs=0.1)  # twelve semitones to two
    assert third[0] - first[0] == pytest.approx(2 * (second[0] - first[0]), abs=0.11)


def test_a_piece_is_drawn_in_lines_of_bars() -> None:
    """A note across the end of a line is drawn in two parts."""
    end = BARS["wide"] * 4
    piece = drawn(notes=[[60, 0, 1, 0], [64, end - 2, 5, 0]])
    one, before, after = boxes(piece, "voice-0")
    assert after[1] > before[1] + 100 and after[0] == one[0]
    assert before[2] == pytest.approx(2 * (one[2] + 1), abs=0.11) and after[2] + 1 == pytest.approx(
        1.5 * before[2], abs=0.2
    )
    assert max(x + w for x, _, w, _ in boxes(piece, "voice-0")) <= WIDE.width
    assert max(x + w for x, _, w, _ in boxes(piece, "voice-0", NARROW)) <= NARROW.width


def test_voices_have_colours_and_names() -> None:
    piece = drawn(notes=[[pitch, 0, 4, voice] for voice, pitch in enumerate(CHORDS[0])])
    assert [len(boxes(piece, f"voice-{voice}")) for voice in range(4)] == [1] * 4
    assert piece.figure is not None
    assert [key.text for key in piece.figure.legend] == ["soprano", "alto", "tenor", "bass"]
    assert "four voices" in piece.figure.svg
    two = drawn(notes=[[60, 0, 1, 0], [48, 0, 1, 1]])
    assert two.figure is not None and [key.text for key in two.figure.legend] == ["voice 1", "voice 2"]
    six = drawn(notes=[[80 - 5 * voice, 0, 1, voice] for voice in range(6)])
    assert six.figure is not None and [key.text for key in six.figure.legend][3:] == ["voice 4", "more voices"]
    assert len(boxes(six, "voice-4")) == 2
    unknown = drawn(notes=[[60, 0, 1, None], [48, 0, 1, -1]])
    assert len(boxes(unknown, "model")) == 2 and unknown.figure is not None and not unknown.figure.legend


def test_what_is_drawn_is_told() -> None:
    piece = drawn(notes=[[60, 0, 2, 0], [67, 40, 8, 0]], frames_a_quarter=2, tempo=120)
    assert piece.figure is not None
    assert piece.figure.caption.replace("\xa0", " ").startswith(
        "Two notes from C4 to G4 in six bars of four quarters, 12 s at 120 quarters a minute."
    )
    assert "The first 32 bars are drawn" not in piece.figure.caption
    assert "Counted in C major: no voice crossings" in piece.figure.caption
    long = drawn(notes=[[60, 4 * i, 4, 0] for i in range(40)])
    assert long.figure is not None and "40 bars of four quarters" in long.figure.caption
    assert "The first 32 bars are drawn." in long.figure.caption and len(boxes(long, "voice-0")) == 32


def test_a_piece_without_notes_has_no_drawing() -> None:
    assert drawn(notes=[]).figure is None and drawn(notes=None).figure is None
