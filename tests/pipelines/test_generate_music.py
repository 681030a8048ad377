"""`seqlayers generate` composes, continues and harmonises: MIDI, sound and picture, the same from every file."""

from __future__ import annotations

import numpy as np
import pretty_midi
import pytest
import scipy.io.wavfile
import tensorflow as tf

from data.midi import read_midi, write_midi
from data.music import MusicData
from data.pieces import Piece, outer_and_inner
from pipelines.export import runner
from pipelines.tasks.generate_serving import TokenServable
from pipelines.tasks.note_serving import NoteServable
from tests.pipelines import generators
from tests.pipelines.command import seqlayers

LOWEST, PITCHES = generators.LOWEST, generators.PITCHES


@pytest.fixture(scope="module")
def servable() -> NoteServable:
    return NoteServable("walks", generators.of_notes(), generators.music())


@pytest.fixture(scope="module")
def exports(servable, tmp_path_factory):
    return generators.export(servable, tmp_path_factory.mktemp("music"))


@pytest.fixture(scope="module")
def harmoniser(tmp_path_factory):
    servable = NoteServable("walks", generators.of_notes(harmonises=True), generators.music("soprano"))
    return servable, generators.export(servable, tmp_path_factory.mktemp("harmony"))


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    data = generators.events()
    servable = TokenServable("walks", generators.of_tokens(data.transform.size), data, "event")
    return servable, generators.export(servable, tmp_path_factory.mktemp("events"))


@pytest.fixture
def hymn(tmp_path):
    """A MIDI file of a held-out piece, and the piece."""
    data: MusicData = generators.music()
    piece = data.pieces("test")[0]
    return write_midi(tmp_path / "hymn.mid", piece, grid=1, lowest=LOWEST), piece


def signature(exports, name):
    loaded = tf.saved_model.load(str(exports / "saved_model"))
    run = runner.signature_of(loaded, name)
    return lambda **given: run({k: np.asarray(v) for k, v in given.items()})


def test_the_score_is_the_log_likelihood_of_the_frames(servable, exports):
    notes, _ = servable.pieces(100, 0)
    found = signature(exports, "serving_default")(notes=notes)
    for row, piece in enumerate(notes):
        real = piece[(piece != -1).all(-1)]
        past = np.concatenate([np.zeros((1, PITCHES)), real[:-1]]).astype("float32")
        expected = servable.model.head.log_likelihood(real[None], servable.model(past[None]))
        assert found["log_likelihood"][row] == pytest.approx(float(np.sum(expected)), rel=1e-5)
        assert found["frames"][row] == len(real)


def test_the_same_seed_gives_the_same_piece_from_every_file(exports, tmp_path, hymn):
    path, piece = hymn
    loop = signature(exports, "generate")(
        opening=piece.frames[None].astype("int32"),
        frames=np.array([10], "int32"),
        temperature=np.array([1.2], "float32"),
        seed=np.array([4], "int32"),
    )["notes"][0]
    expected = np.concatenate([piece.frames, loop])
    asked = ["--opening", path, "--length", "10", "--temperature", "1.2", "--seed", "4"]
    for model in (exports, exports / "model_float32.tflite"):
        answer = seqlayers("generate", model, *asked, "--output", tmp_path / "new.mid", "--json")
        assert answer.code == 0, answer.out
        found = read_midi(tmp_path / "new.mid", generators.music().options)
        np.testing.assert_array_equal(found.frames, expected[: len(found.frames)])
        assert not expected[len(found.frames) :].any()
        assert found.tempo == pytest.approx(piece.tempo, rel=1e-3)


def test_what_is_composed_can_be_played_heard_and_seen(exports, tmp_path):
    answer = seqlayers("generate", exports, "--length", "16", "--samples", "2", "--output", tmp_path / "new", "--json")
    assert answer.code == 0, answer.out
    for piece in answer.json["pieces"]:
        assert sum(len(i.notes) for i in pretty_midi.PrettyMIDI(piece["midi"]).instruments) > 0
        rate, sound = scipy.io.wavfile.read(piece["wav"])
        assert rate == 22_050
        assert np.abs(sound).max() > 1000
        with open(piece["picture"], "rb") as file:
            assert file.read(8) == b"\x89PNG\r\n\x1a\n"
        assert piece["facts"]["frames"] == 16
    assert {p.name for p in (tmp_path / "new").iterdir()} >= {"generated-1.mid", "generated-2.png"}


def test_greedy_sounds_what_is_likelier_than_not(servable, exports, tmp_path):
    seqlayers("generate", exports, "--length", "1", "--greedy", "--output", tmp_path / "new.mid")
    output, _ = servable.model.step(np.zeros((1, PITCHES), "float32"), servable.model.initial_state(1))
    expected = servable.model.head.sample(output, np.full((1, PITCHES), 0.5, "float32"))
    found = read_midi(tmp_path / "new.mid", generators.music().options)
    np.testing.assert_array_equal(found.frames, np.asarray(expected))


@pytest.mark.slow
def test_a_given_voice_is_kept_and_harmonised(harmoniser, hymn, tmp_path):
    servable, exports = harmoniser
    path, piece = hymn
    top, _ = outer_and_inner(piece, LOWEST)
    known = read_midi(path, servable.data.options)
    top, _ = outer_and_inner(known, LOWEST)
    loop = signature(exports, "generate")(
        given=top[None].astype("int32"), temperature=np.ones(1, "float32"), seed=np.array([0], "int32")
    )["notes"][0]
    for model in (exports, exports / "model_float32.tflite"):
        answer = seqlayers("generate", model, "--given", path, "--output", tmp_path / "new.mid", "--json")
        assert answer.code == 0, answer.out
        found = read_midi(tmp_path / "new.mid", servable.data.options).frames
        np.testing.assert_array_equal(found, np.maximum(top, loop)[: len(found)])


@pytest.mark.slow
def test_padding_of_a_given_voice_changes_nothing(harmoniser):
    """Voices of different lengths in one call, each as if alone."""
    servable, exports = harmoniser
    _, given = servable.pieces(200, 0)
    run, rows = signature(exports, "generate"), len(given)
    settings = {"temperature": np.ones(rows, "float32"), "seed": np.arange(rows, dtype="int32")}
    together = run(given=given, **settings)["notes"]
    lengths = (given != -1).all(-1).sum(1)
    assert len(set(lengths)) > 1
    for row, length in enumerate(lengths):
        alone = run(given=given[row : row + 1, :length], **{n: x[row : row + 1] for n, x in settings.items()})["notes"]
        np.testing.assert_array_equal(together[row, :length], alone[0])
        assert not together[row, length:].any()


@pytest.mark.slow
def test_events_become_a_piece_that_goes_on(events, hymn, tmp_path):
    servable, exports = events
    path, _ = hymn
    opening = read_midi(path, servable.data.options)
    before = servable.data.transform.to_ids(opening.notes)[1:-1]
    given = {"length": 50, "top_k": 0, "seed": 2}
    loop = signature(exports, "generate")(
        prompt=before[None],
        temperature=np.ones(1, "float32"),
        top_p=np.ones(1, "float32"),
        **{name: np.array([value], "int32") for name, value in given.items()},
    )["ids"][0]
    answer = seqlayers(
        "generate",
        exports,
        "--opening",
        path,
        "--length",
        "50",
        "--seed",
        "2",
        "--output",
        tmp_path / "e.mid",
        "--json",
    )
    assert answer.code == 0, answer.out
    expected = servable.data.transform.to_notes([*before, *loop])
    found = read_midi(tmp_path / "e.mid", servable.data.options).notes
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found[: len(opening.notes) // 2], opening.notes[: len(opening.notes) // 2])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prompt", "a"], "--prompt: this model composes frames of notes"),
        (["--top-k", "3"], "--top-k: this model draws note by note"),
        (["--given", "a.mid"], "--given: this model composes on its own"),
        (["--opening", "nothing.mid"], "nothing.mid: no such file"),
        (["--temperature", "0"], "temperature: 0.0 given"),
        (["--length", "1000000"], "--length: 1,000,000 given"),
    ],
)
def test_bad_options_are_refused_by_name(exports, options, said):
    answer = seqlayers("generate", exports, *options)
    assert answer.code == 2
    assert said in " ".join(answer.out.split())


@pytest.mark.slow
def test_a_harmoniser_asks_for_a_voice(harmoniser):
    answer = seqlayers("generate", harmoniser[1])
    assert answer.code == 2
    assert "--given is missing" in answer.out


def test_events_and_frames_refuse_the_next_word(exports, events):
    for model in (exports, events[1]):
        answer = seqlayers("predict", model, "--text", "a")
        assert answer.code == 2
        assert "composes music. Use seqlayers generate" in " ".join(answer.out.split())


def test_a_damaged_opening_is_told(exports, tmp_path):
    (tmp_path / "broken.mid").write_bytes(b"MThd\x00\x00")
    answer = seqlayers("generate", exports, "--opening", tmp_path / "broken.mid")
    assert answer.code == 2
    assert "broken.mid is damaged" in " ".join(answer.out.split())


def test_an_opening_without_notes_in_reach_is_told(exports, tmp_path):
    low = Piece("low", np.eye(4, dtype="uint8"))
    path = write_midi(tmp_path / "low.mid", low, grid=1, lowest=21)
    answer = seqlayers("generate", exports, "--opening", path)
    assert answer.code == 2
    assert "holds no note from MIDI pitch 48 to 77" in " ".join(answer.out.split())
