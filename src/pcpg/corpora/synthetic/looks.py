"""What a speaker looks like: colours and proportions, drawn at random."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]  # red, green, blue, 0..255

_SKIN = ((240, 205, 184), (228, 186, 160), (214, 168, 138), (188, 140, 108), (150, 105, 78), (112, 78, 60))
_HAIR = ((38, 28, 24), (66, 44, 32), (98, 66, 42), (150, 108, 62), (196, 160, 104), (120, 118, 116), (120, 56, 32))
_IRIS = ((70, 46, 30), (96, 70, 40), (70, 100, 120), (84, 110, 84), (50, 40, 36))
_LIP_RED = ((176, 84, 84), (190, 92, 96), (168, 70, 78))
_BACKDROP = ((40, 168, 208), (96, 150, 190), (150, 168, 160), (120, 140, 120), (176, 164, 150), (90, 104, 130))
_SHIRT = ((84, 104, 124), (120, 48, 52), (52, 58, 72), (150, 150, 144), (64, 92, 70), (176, 160, 128), (40, 60, 110))

# Mean and standard deviation of the lengths in a Look.
_LENGTHS = {
    "half_width": (53, 2.2), "chin": (38, 1.6), "eye_line": (62, 1.8), "eye_gap": (24, 0.8), "eye_size": (11.5, 0.6),
    "eye_height": (4.6, 0.45), "nose_width": (12, 1.1), "nose_base": (20, 1.0), "mouth_width": (21.5, 1.3),
    "upper_lip": (5.0, 0.7), "lower_lip": (7.0, 0.8), "smile": (0.3, 0.6), "hairline": (116, 5),
    "hair_volume": (10, 2), "parting": (17, 5), "light": (0, 0.5),
}  # fmt: skip
_LONG_HAIR = {"hair_length": (150, 14), "squareness": (2.25, 0.12), "brow": (1.7, 0.35)}
_SHORT_HAIR = {"hair_length": (40, 5), "squareness": (2.5, 0.12), "brow": (2.5, 0.35)}


@dataclass(frozen=True)
class Look:
    """One speaker. Lengths are in head units (1 unit is 1 pixel of a GRID frame), measured from the mouth's middle."""

    skin: Colour
    lips: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
    backdrop: Colour
    half_width: float  # of the face at the cheekbones
    chin: float  # below the mouth
    squareness: float  # exponent of the jaw's outline: 2 is an ellipse
    eye_line: float  # above the mouth
    eye_gap: float  # from the middle to an eye's centre
    eye_size: float  # half an eye's width
    eye_height: float
    brow: float  # thickness
    nose_width: float
    nose_base: float  # above the mouth
    mouth_width: float  # half, at rest
    upper_lip: float
    lower_lip: float
    smile: float  # how much higher the mouth's corners are
    hairline: float  # above the mouth
    hair_volume: float
    hair_length: float  # how far beside the face it hangs, below the hair line
    long_hair: bool
    parting: float  # right of the middle
    folds: float  # depth of the lines from nose to mouth
    beard: float  # 0 shaven .. 1 full
    light: float  # -1 from the left .. 1 from the right
    strands: int  # seed of the hair's and the skin's fine structure


def _pick(rng: np.random.Generator, palette: tuple[Colour, ...], spread: float) -> Colour:
    """Return a colour near one of the palette's."""
    colour = np.array(palette[rng.integers(len(palette))]) * rng.normal(1, spread / 2)
    return tuple((colour + rng.normal(0, 32 * spread, 3)).clip(12, 250).tolist())


def draw_look(rng: np.random.Generator) -> Look:
    """Draw a speaker: half of them with long hair, some of the others with a beard."""
    long_hair = bool(rng.random() < 0.5)
    lengths = _LENGTHS | (_LONG_HAIR if long_hair else _SHORT_HAIR)
    drawn = {name: mean + spread * float(np.clip(rng.normal(), -2, 2)) for name, (mean, spread) in lengths.items()}
    drawn["parting"] *= float(rng.choice([-1, 1]))
    skin = np.array(_pick(rng, _SKIN, 0.05))
    red = np.array(_LIP_RED[rng.integers(len(_LIP_RED))]) * min(1.0, skin.sum() / 480)
    shades = 2 if skin.sum() < 400 else None  # with dark skin go dark hair and brown eyes
    return Look(
        skin=tuple(skin.tolist()),
        lips=tuple((0.42 * skin + 0.58 * red).tolist()),
        hair=_pick(rng, _HAIR[:shades], 0.1),
        iris=_pick(rng, _IRIS[:shades], 0.1),
        shirt=_pick(rng, _SHIRT, 0.15),
        backdrop=_pick(rng, _BACKDROP, 0.1),
        long_hair=long_hair,
        beard=0.0 if long_hair or rng.random() < 0.55 else rng.uniform(0.25, 0.8),
        folds=rng.uniform(0.03, 0.11),
        strands=int(rng.integers(1000)),
        **drawn,
    )
