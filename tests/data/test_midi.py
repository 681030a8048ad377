"""MIDI files are read on the grid, written so that they open elsewhere, and refused where they cannot be used."""

from __future__ import annotations

import mido
import numpy as np
import pytest
import scipy.io.wavfile

from data.errors import DataError
from data.midi import on_grid, read_midi, read_midi_folder, render, without_overlap, write_midi
from data.pieces import Piece, held, piece_of_chords, piece_of_voices
from tests.data.music_pieces import LOWEST, PITCHES, options, write

EVENTS = {"representation": "events", "steps_a_quarter": 4}


def sounding(piece):
    return [(np.flatnonzero(frame) + LOWEST).tolist() for frame in piece.frames]


@pytest.mark.parametrize("tempo", [60.0, 97.0, 200.0])
def test_the_grid_counts_quarter_notes_whatever_the_tempo(tmp_path, tempo):
    path = write(tmp_path / "a.mid", [(60, 0, 2), (64, 1, 2), (62, 3, 4)], tempo=tempo, metre=(3, 4))
    piece = read_midi(path, options())
    assert sounding(piece) == [[60], [60, 64], [], [62]]
    assert piece.tempo == pytest.approx(tempo, abs=0.01) and piece.metre == (3, 4) and piece.voices is None


def test_a_change_of_tempo_moves_no_note(tmp_path):
    found = mido.MidiFile(ticks_per_beat=96)
    track = mido.MidiTrack()
    found.tracks.append(track)
    track += [mido.MetaMessage("set_tempo", tempo=500_000), mido.Message("note_on", note=60, velocity=9)]
    track += [mido.Message("note_off", note=60, time=96), mido.MetaMessage("set_tempo", tempo=2_000_000)]
    track += [mido.Message("note_on", note=62, velocity=9), mido.Message("note_off", note=62, time=96)]
    found.save(tmp_path / "a.mid")
    piece = read_midi(tmp_path / "a.mid", options())
    assert sounding(piece) == [[60], [62]] and piece.tempo == 120


def test_frames_hold_what_sounds_at_the_grid_line_even_if_played_late(tmp_path):
    notes = [(60, 0.02, 0.9), (62, 1.2, 1.9), (64, 2.5, 2.9)]
    piece = read_midi(write(tmp_path / "a.mid", notes), options())
    assert sounding(piece) == [[60], [62]] and piece.lost == 1


def test_events_lose_no_note_however_short(tmp_path):
    piece = read_midi(write(tmp_path / "a.mid", [(60, 0, 1), (62, 1.05, 1.1), (64, 1.5, 3)]), options(**EVENTS))
    assert piece.notes.tolist() == [[60, 0, 4], [62, 4, 5], [64, 6, 12]] and piece.lost == 0


def test_a_pitch_that_is_struck_again_ends_the_note_before():
    notes = np.array([[60, 0, 8], [60, 4, 6], [62, 0, 2], [62, 0, 5]])
    assert without_overlap(notes).tolist() == [[60, 0, 4], [62, 0, 5], [60, 4, 6]]
    assert len(without_overlap(np.zeros((0, 3), np.int32))) == 0


def test_notes_outside_the_range_are_counted():
    notes, lost = on_grid(np.array([[20, 0.0, 1.0], [60, 0.0, 1.0], [90, 0.0, 1.0]]), 1, options())
    assert notes.tolist() == [[60, 0, 1]] and lost == 2


def test_drums_are_left_out(tmp_path):
    path = write(tmp_path / "a.mid", [(60, 0, 1)], drums=[(50, 0, 1)])
    assert sounding(read_midi(path, options())) == [[60]]


def test_tracks_of_one_note_at_a_time_are_voices(tmp_path):
    low, high = [(50, 0, 2)], [(60, 0, 1), (62, 1, 2)]
    piece = read_midi(write(tmp_path / "a.mid", low, high), options())
    assert piece.voices.tolist() == [[60, 50], [62, 50]]
    piece = read_midi(write(tmp_path / "b.mid", low, [(60, 0, 2), (62, 1, 2)]), options())
    assert piece.voices is None


@pytest.mark.parametrize("grid", [1, 4])
def test_what_is_written_is_read_as_it_was(tmp_path, grid):
    voices = np.array([[60, 55], [60, 54], [62, -1], [62, 55], [-1, -1], [64, 57]])
    known = piece_of_voices("a", voices, grid, options(frames_a_quarter=grid), tempo=77.0)
    path = write_midi(tmp_path / "a.mid", known, grid=grid, lowest=LOWEST)
    found = read_midi(path, options(frames_a_quarter=grid))
    assert np.array_equal(found.frames, known.frames) and np.array_equal(found.voices, known.voices)
    assert found.tempo == pytest.approx(77, abs=0.01)
    frames = Piece("b", known.frames, metre=(3, 2))
    found = read_midi(write_midi(tmp_path / "b.mid", frames, grid=grid, lowest=LOWEST), options(frames_a_quarter=grid))
    assert np.array_equal(found.frames, known.frames) and found.metre == (3, 2)


def test_a_held_note_is_written_once_and_by_another_library_read_so(tmp_path):
    piece = piece_of_chords("a", [[60, 64], [60], [60]], 1, options())
    write_midi(tmp_path / "a.mid", piece, grid=1, lowest=LOWEST)
    on = [m.note for m in mido.MidiFile(tmp_path / "a.mid") if m.type == "note_on" and m.velocity]
    assert sorted(on) == [60, 64] == sorted(held(piece, LOWEST)[:, 0])


def test_the_sound_has_the_pitch_and_the_length_of_the_notes(tmp_path):
    piece = piece_of_chords("a", [[69]] * 4, 1, options())
    write_midi(tmp_path / "a.mid", piece, grid=1, lowest=LOWEST)
    rate, sound = scipy.io.wavfile.read(render(tmp_path / "a.mid", tmp_path / "a.wav"))
    seconds = 4 * 60 / piece.tempo
    assert rate == 22_050 and sound.dtype == np.int16 and seconds <= len(sound) / rate <= seconds + 1.1
    spectrum = np.abs(np.fft.rfft(sound[: int(seconds * rate)]))
    assert spectrum.argmax() / seconds == pytest.approx(440, abs=1) and np.abs(sound).max() == 2**15 - 1


def test_silence_can_be_written_and_heard(tmp_path):
    piece = Piece("a", np.zeros((4, PITCHES), np.uint8))
    write_midi(tmp_path / "a.mid", piece, grid=1, lowest=LOWEST)
    _, sound = scipy.io.wavfile.read(render(tmp_path / "a.mid", tmp_path / "a.wav"))
    assert len(sound) and not sound.any()


class TestBadInput:
    """Said, with what is accepted."""

    @pytest.mark.parametrize("content", [b"MThd\x00\x00\x00\x06\x00\x01", b"no MIDI at all", b"MThd" + bytes(64)])
    def test_corrupt(self, tmp_path, content):
        (tmp_path / "a.mid").write_bytes(content)
        with pytest.raises(
            DataError, match=r"a\.mid is damaged, cut short, or no MIDI file.*Accepted: \.mid or \.midi"
        ):
            read_midi(tmp_path / "a.mid", options())

    def test_cut_short(self, tmp_path):
        path = write(tmp_path / "a.mid", [(60, 0, 1), (62, 1, 2)])
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(DataError, match="damaged, cut short"):
            read_midi(path, options())

    def test_drums_only(self, tmp_path):
        with pytest.raises(DataError, match="only drums, which have no pitch"):
            read_midi(write(tmp_path / "a.mid", drums=[(50, 0, 1)]), options())

    def test_no_notes(self, tmp_path):
        with pytest.raises(DataError, match=r"holds no notes\. Give a file in which an instrument plays"):
            read_midi(write(tmp_path / "a.mid"), options())
        with pytest.raises(DataError, match=r"no note from MIDI pitch 48 to 71 that lasts"):
            read_midi(write(tmp_path / "a.mid", [(20, 0, 1), (60, 0.5, 0.6)]), options())

    def test_an_empty_file(self, tmp_path):
        (tmp_path / "a.mid").touch()
        with pytest.raises(DataError, match="empty"):
            read_midi(tmp_path / "a.mid", options())

    def test_an_empty_folder(self, tmp_path):
        (tmp_path / "a.txt").touch()
        with pytest.raises(DataError, match=r"holds no MIDI file \(\.mid, \.midi\), but 'a\.txt'"):
            read_midi_folder(tmp_path, options())

    def test_in_a_folder_they_are_left_out_and_counted(self, tmp_path):
        write(tmp_path / "train" / "b.mid", [(60, 0, 1)])
        write(tmp_path / "test" / "c.MIDI", [(62, 0, 1)])
        write(tmp_path / "d.mid", drums=[(50, 0, 1)])
        write(tmp_path / "e.mid")
        (tmp_path / "f.mid").write_bytes(b"MThd")
        (tmp_path / "._b.mid").write_bytes(b"what macOS leaves")
        pieces, source, repairs = read_midi_folder(tmp_path, options())
        assert [(p.name, p.part) for p in pieces] == [("c.MIDI", "test"), ("b.mid", "train")]
        assert [(r.what, r.count) for r in repairs] == [
            ("MIDI files left out, since only drums play", 1),
            ("MIDI files left out, since they are damaged or hold no notes", 2),
        ]
        write(tmp_path / "train" / "b.mid", [(61, 0, 1)])
        assert read_midi_folder(tmp_path, options())[1].sha256 != source.sha256

    def test_a_folder_of_nothing_usable(self, tmp_path):
        write(tmp_path / "a.mid")
        with pytest.raises(DataError, match=r"None of the 1 MIDI files .* can be used. The first: .*no notes"):
            read_midi_folder(tmp_path, options())
