"""The names of pitches."""

OCTAVE = 12
#: Of the pitches of an octave, C first; and as a key's tonic is written, in ASCII.
NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
TONICS = tuple(name.replace("♯", "#").replace("♭", "b") for name in NAMES)


def pitch_name(pitch: int) -> str:
    """A MIDI pitch's name: 60 is C4."""
    return f"{NAMES[pitch % OCTAVE]}{pitch // OCTAVE - 1}"
