"""From words to lip shapes: what looks alike in life looks alike here."""

import numpy as np
import pytest

from pcpg.corpora.grid_text import GRAMMAR
from pcpg.corpora.synthetic.crew import stream
from pcpg.corpora.synthetic.english import _LEXICON, _VISEMES, NEWS_WORDS, SMALL_WORDS, english_visemes
from pcpg.corpora.synthetic.lips import _TARGETS, SHAPE, Manner, trajectory
from pcpg.corpora.synthetic.mandarin import WORDS, syllable_visemes, word_visemes
from pcpg.corpora.synthetic.speech import pause, speak

PLAIN = Manner(tempo=1, opening=1, spreading=1)
TIMES = (np.arange(40) + 0.5) / 25


def of_phonemes(*words: str) -> list[tuple[str, ...]]:
    return [tuple(viseme for phoneme in word.split() for viseme in _VISEMES[phoneme].split()) for word in words]


def lips(words: list[tuple[str, ...]], times: np.ndarray = TIMES) -> dict[str, np.ndarray]:
    speech = speak(words, 1.0, stream(3, "lips"))
    return dict(zip(SHAPE, trajectory(speech, 0.4, times, PLAIN), strict=True))


@pytest.mark.parametrize(
    "group", [("P AE T", "B AE T", "M AE T"), ("F AO", "V AO"), ("T AE P", "D AE P", "N AE P"), ("S UW", "Z UW")]
)
def test_sounds_of_one_place_look_the_same(group):
    first, *others = [lips(of_phonemes(word)) for word in group]
    for other in others:
        assert all(np.array_equal(first[row], other[row]) for row in SHAPE)


def test_sounds_of_other_places_look_different():
    shapes = [np.stack(list(lips(of_phonemes(word)).values())) for word in ("P AE T", "F AE T", "T AE T", "W AE T")]
    for i, one in enumerate(shapes):
        for other in shapes[i + 1 :]:
            assert np.abs(one - other).max() > 0.3


def test_p_is_closed_while_a_is_open():
    words = of_phonemes("P AA P AA P")
    speech = speak(words, 1.0, stream(3, "lips"))
    middles = 0.4 + np.cumsum(speech.seconds) - speech.seconds / 2
    opening = lips(words, middles)["open"]
    assert opening[[0, 2, 4]].max() < 0.02
    assert opening[[1, 3]].min() > 0.6


def test_lips_round_before_w_is_spoken():
    """Coarticulation: the vowel before w is rounder than before t."""
    vowel = speak(of_phonemes("IY W AA"), 1.0, stream(3, "lips")).seconds[0]
    end = np.array([0.4 + vowel - 0.02])
    assert lips(of_phonemes("IY W AA"), end)["round"] > lips(of_phonemes("IY T AA"), end)["round"] + 0.3


def test_lips_rest_outside_speech():
    shape = np.stack(list(lips(of_phonemes("AA", "IY")).values()))
    assert np.abs(shape[:, TIMES < 0.2]).max() < 0.01
    assert np.abs(shape[:, TIMES > 1.2]).max() < 0.01
    assert shape.max() > 0.8


def test_manner_scales_opening():
    speech = speak(of_phonemes("AA"), 1.0, stream(3, "lips"))
    wide = trajectory(speech, 0.4, TIMES, Manner(tempo=1, opening=1.2, spreading=1))
    np.testing.assert_allclose(wide[0], 1.2 * trajectory(speech, 0.4, TIMES, PLAIN)[0], rtol=1e-6)


def test_spans_cover_the_words():
    speech = speak(of_phonemes("B IH N", "R EH D", "AE T"), 1.0, stream(3, "spans"))
    lengths = [speech.seconds[:3].sum(), speech.seconds[3:6].sum(), speech.seconds[6:].sum()]
    np.testing.assert_allclose(np.diff(speech.spans, axis=1)[:, 0], lengths)
    np.testing.assert_allclose(speech.spans[1:, 0], speech.spans[:-1, 1])
    slow = pause(speech, 1, 0.25)
    assert slow.visemes[6] == "rest"
    np.testing.assert_allclose(slow.spans[2], speech.spans[2] + 0.25)
    np.testing.assert_allclose(slow.seconds.sum(), speech.seconds.sum() + 0.25)


def test_tempo_divides_durations():
    slow, fast = (speak(of_phonemes("B IH N"), tempo, stream(3, "tempo")) for tempo in (1.0, 2.0))
    np.testing.assert_allclose(slow.seconds, 2 * fast.seconds)


def test_every_sound_has_a_shape():
    words = (*GRAMMAR[3], *NEWS_WORDS, *SMALL_WORDS, "zero", "please")
    english_shapes = {viseme for word in words for viseme in english_visemes(word)}
    assert english_shapes | {viseme for _, word in WORDS for viseme in word_visemes(word)} <= set(_TARGETS)


def test_letters_are_spoken_by_their_names():
    assert english_visemes("f") == english_visemes("F") == ("E", "F")
    assert (_LEXICON["m"], _LEXICON["b"], _LEXICON["p"]) == ("EH M", "B IY", "P IY")  # one viseme, three phonemes
    assert len(GRAMMAR[3]) == 25
    assert "w" not in GRAMMAR[3]


@pytest.mark.parametrize(
    ("syllable", "visemes"),
    [
        ("zhong", ("SH", "O", "K")), ("ba", ("P", "A")), ("pa", ("P", "A")), ("wo", ("W", "O")), ("yi", ("I",)),
        ("shi", ("SH", "AH")), ("xi", ("S", "I")), ("qu", ("S", "U")), ("quan", ("S", "U", "E", "T")),
        ("an", ("A", "T")), ("you", ("I", "O", "U")),
    ],
)  # fmt: skip
def test_pinyin(syllable, visemes):
    assert syllable_visemes(syllable) == visemes
