"""English words as phonemes (ARPAbet, without stress), and these as visemes."""

# Sounds made at the same place look the same: this many-to-one map is what makes lip-reading hard.
_VISEMES = {
    "P": "P", "B": "P", "M": "P", "F": "F", "V": "F", "TH": "TH", "DH": "TH", "T": "T", "D": "T", "N": "T",
    "S": "S", "Z": "S", "SH": "SH", "ZH": "SH", "CH": "SH", "JH": "SH", "K": "K", "G": "K", "NG": "K", "HH": "K",
    "L": "L", "R": "R", "W": "W", "Y": "I", "IY": "I", "IH": "IH", "EH": "E", "AE": "AE", "AH": "AH", "AA": "A",
    "AO": "O", "UW": "U", "UH": "U", "ER": "ER", "EY": "E IH", "AY": "A IH", "AW": "A U", "OW": "O U", "OY": "O IH",
}  # fmt: skip

_LETTER_NAMES = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z EH D",
}  # fmt: skip

_GRID = {
    "bin": "B IH N", "lay": "L EY", "place": "P L EY S", "set": "S EH T",
    "blue": "B L UW", "green": "G R IY N", "red": "R EH D", "white": "W AY T",
    "at": "AE T", "by": "B AY", "in": "IH N", "with": "W IH DH",
    "zero": "Z IH R OW", "one": "W AH N", "two": "T UW", "three": "TH R IY", "four": "F AO",
    "five": "F AY V", "six": "S IH K S", "seven": "S EH V AH N", "eight": "EY T", "nine": "N AY N",
    "again": "AH G EH N", "now": "N AW", "please": "P L IY Z", "soon": "S UW N",
}  # fmt: skip

_NEWS = {
    "about": "AH B AW T", "million": "M IH L Y AH N", "billion": "B IH L Y AH N", "price": "P R AY S",
    "prices": "P R AY S IH Z", "spend": "S P EH N D", "spent": "S P EH N T", "after": "AA F T ER",
    "before": "B IH F AO", "better": "B EH T ER", "family": "F AE M AH L IY", "welfare": "W EH L F EH",
    "people": "P IY P AH L", "police": "P AH L IY S", "weather": "W EH DH ER", "whether": "W EH DH ER",
    "world": "W ER L D", "words": "W ER D Z", "question": "K W EH S CH AH N", "should": "SH UH D",
    "future": "F Y UW CH ER", "house": "HH AW S", "around": "AH R AW N D", "always": "AO L W EY Z",
    "because": "B IH K AO Z", "together": "T AH G EH DH ER", "government": "G AH V AH M AH N T",
    "month": "M AH N TH", "months": "M AH N TH S", "number": "N AH M B ER", "political": "P AH L IH T IH K AH L",
    "something": "S AH M TH IH NG", "think": "TH IH NG K", "thing": "TH IH NG", "things": "TH IH NG Z",
    "local": "L OW K AH L", "power": "P AW ER", "between": "B IH T W IY N", "young": "Y AH NG",
    "information": "IH N F ER M EY SH AH N",
}  # fmt: skip

_SMALL = {
    "the": "DH AH", "of": "AH V", "and": "AH N D", "to": "T UW", "that": "DH AE T", "for": "F AO", "is": "IH Z",
    "was": "W AH Z", "we": "W IY", "you": "Y UW", "they": "DH EY", "have": "HH AE V", "this": "DH IH S",
    "from": "F R AH M", "more": "M AO", "all": "AO L", "what": "W AH T", "will": "W IH L", "not": "N AA T",
    "so": "S OW", "on": "AA N", "some": "S AH M", "their": "DH EH", "our": "AW ER",
}  # fmt: skip

NEWS_WORDS = tuple(word.upper() for word in _NEWS)
SMALL_WORDS = tuple(_SMALL)
_LEXICON = _LETTER_NAMES | _GRID | _NEWS | _SMALL


def english_visemes(word: str) -> tuple[str, ...]:
    """Return the visemes of a word in any case; single letters are spoken by their names. KeyError for others."""
    return tuple(viseme for phoneme in _LEXICON[word.lower()].split() for viseme in _VISEMES[phoneme].split())
