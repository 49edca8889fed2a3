"""What is said in a clip of GRID, and when: its name spells the sentence, its .align file has the timing."""

from pathlib import Path

from pcpg.corpora.folders import text_lines
from pcpg.workspace.errors import InputError

SILENCES = ("sil", "sp")
TICKS = 25_000  # of an .align file in a second; 1000 in a video frame
DIGITS = 9  # of a time at most: 11 hours
ENDS = range(3_001, 10 * TICKS)  # where the last word of a clip of 3 s may end; in s, ms or frames it ends before that
# Cooke, Barker, Cunningham and Shao (2006), table I: one letter of the name for each word of the sentence
GRAMMAR = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},  # no w: its name has three syllables
    dict(
        zip("z123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], strict=True)
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)


def sentence_of(name: str) -> str:
    """The sentence that a clip's name spells: "bbaf4p" -> "bin blue at f four please"; InputError for other names."""
    if len(name) != len(GRAMMAR):
        raise InputError(name[:40], f"is not a GRID name: {len(GRAMMAR)} characters expected")
    for place, (letter, words) in enumerate(zip(name, GRAMMAR, strict=True), start=1):
        if letter not in words:
            raise InputError(name, f"is not a GRID name: character {place}, {letter!r}, is none of {''.join(words)}")
    return " ".join(words[letter] for letter, words in zip(name, GRAMMAR, strict=True))


def read_align(path: Path) -> list[tuple[int, int, str]]:
    """Start, end and word (small letters) of each line, in samples at 25 kHz (1000 = one video frame), with silences.

    Raises InputError that names file and line where a line is malformed or overlaps the one before, or where the times
    are in another unit.
    """
    rows = []
    for number, line in text_lines(Path(path)):
        parts = line.split()
        if len(parts) != 3 or not all(part.isdecimal() and len(part) <= DIGITS for part in parts[:2]):
            wanted = f"'start end word' with times in whole numbers, {TICKS:,} a second"
            raise InputError(f"{path}, line {number}", f"expected {wanted}, found {line[:80]!r}")
        start, end = int(parts[0]), int(parts[1])
        if end < start or (rows and start < rows[-1][1]):
            raise InputError(f"{path}, line {number}", f"{start} to {end} runs backwards or overlaps the line before")
        rows.append((start, end, parts[2].lower().strip("<>[]()")))  # SIL and <sil>, too
    if not rows:
        raise InputError(path, "is empty")
    if end not in ENDS:
        raise InputError(
            f"{path}, line {number}", f"ends at {end:,}, but times are in {TICKS:,} a second, 75,000 a clip"
        )
    return rows
