"""Mandarin words, and pinyin syllables as visemes."""

WORDS = (
    ("我们", "wo men"), ("中国", "zhong guo"), ("北京", "bei jing"), ("背后", "bei hou"), ("记者", "ji zhe"),
    ("今天", "jin tian"), ("新闻", "xin wen"), ("发展", "fa zhan"), ("经济", "jing ji"), ("社会", "she hui"),
    ("问题", "wen ti"), ("工作", "gong zuo"), ("国家", "guo jia"), ("人民", "ren min"), ("是", "shi"),
    ("没有", "mei you"), ("表示", "biao shi"), ("不", "bu"), ("城市", "cheng shi"), ("目前", "mu qian"),
    ("已经", "yi jing"), ("他", "ta"), ("美国", "mei guo"), ("关系", "guan xi"), ("可以", "ke yi"),
    ("大家", "da jia"), ("安全", "an quan"), ("活动", "huo dong"), ("上海", "shang hai"), ("朋友", "peng you"),
    ("文化", "wen hua"), ("老百姓", "lao bai xing"), ("我", "wo"), ("市场", "shi chang"), ("世界", "shi jie"),
    ("部分", "bu fen"), ("方面", "fang mian"), ("汽车", "qi che"), ("学生", "xue sheng"), ("全国", "quan guo"),
)  # fmt: skip

_INITIALS = {
    "zh": "SH", "ch": "SH", "sh": "SH", "r": "SH", "b": "P", "p": "P", "m": "P", "f": "F", "d": "T", "t": "T",
    "n": "T", "l": "L", "g": "K", "k": "K", "h": "K", "j": "S", "q": "S", "x": "S", "z": "S", "c": "S", "s": "S",
}  # fmt: skip

_FINALS = {
    "a": "A", "o": "O", "e": "AH", "i": "I", "u": "U", "v": "U", "ai": "A IH", "ei": "E IH", "ao": "A O",
    "ou": "O U", "an": "A T", "en": "AH T", "ang": "A K", "eng": "AH K", "ong": "O K", "er": "ER",
    "ia": "I A", "ie": "I E", "iao": "I A O", "iu": "I O U", "ian": "I E T", "in": "I T", "iang": "I A K",
    "ing": "I K", "iong": "I O K", "ua": "W A", "uo": "W O", "uai": "W A IH", "ui": "W E IH", "uan": "W A T",
    "un": "W AH T", "uang": "W A K", "ue": "U E", "van": "U E T", "vn": "U T",
}  # fmt: skip

# Syllables without an initial are written with y or w; this is the final that they stand for.
_ZERO_INITIAL = {
    "yi": "i", "ya": "ia", "ye": "ie", "yao": "iao", "you": "iu", "yan": "ian", "yin": "in", "yang": "iang",
    "ying": "ing", "yong": "iong", "yu": "v", "yue": "ue", "yuan": "van", "yun": "vn", "wu": "u", "wa": "ua",
    "wo": "uo", "wai": "uai", "wei": "ui", "wan": "uan", "wen": "un", "wang": "uang",
}  # fmt: skip


def syllable_visemes(syllable: str) -> tuple[str, ...]:
    """Return the visemes of a pinyin syllable without its tone, such as "zhong"."""
    initial = next((start for start in _INITIALS if syllable.startswith(start)), "")
    final = _ZERO_INITIAL.get(syllable, syllable[len(initial) :])
    if initial in ("j", "q", "x") and final.startswith("u"):  # after these, u is spoken as the front vowel v
        final = {"u": "v", "ue": "ue", "uan": "van", "un": "vn"}[final]
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):  # "shi", "si": the consonant goes on
        return _INITIALS[initial], "AH"
    return (*((_INITIALS[initial],) if initial else ()), *_FINALS[final].split())


def word_visemes(pinyin: str) -> tuple[str, ...]:
    """Return the visemes of a word given as syllables with spaces between, such as "zhong guo"."""
    return tuple(viseme for syllable in pinyin.split() for viseme in syllable_visemes(syllable))
