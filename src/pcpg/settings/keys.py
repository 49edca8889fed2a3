"""What every section of a parameter file has in common: strict keys, ranges, and one line that names a mistake."""

import difflib
import re
import reprlib
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pcpg.workspace.errors import InputError

FRACTION = re.compile(r"[+-]?([0-9]{1,30}/[0-9]{1,30}|[0-9]{0,30}\.?[0-9]{1,30}([eE][+-]?[0-9]{1,2})?)")


class Keys(BaseModel):
    """A section of a parameter file: each of its keys, with its type and range, and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


class Refused(ValueError):
    """A value that contradicts another; `key` is relative to the section that checks it."""

    def __init__(self, key: str, problem: str):
        super().__init__(problem)
        self.key, self.problem = key, problem


def refuse(condition: bool, key: str, problem: str) -> None:
    """Raise Refused where the condition holds."""
    if condition:
        raise Refused(key, problem)


def _fraction(value: Any) -> Fraction:
    try:  # short texts only: Fraction writes an exponent out in full
        return Fraction(FRACTION.fullmatch("" if isinstance(value, bool) else str(value))[0])
    except (TypeError, ZeroDivisionError):
        raise ValueError("expected a number such as 0.5 or 1/3") from None


Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
Partial = Annotated[Number, Field(ge=0, lt=1)]  # a share that leaves something
Count = Annotated[int, Field(ge=1, le=1_000_000)]  # no run takes more, and 10**20 overflows in torch
Crowd = Annotated[int, Field(ge=1, le=1024)]  # processes or threads, all begun at once
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Exact = Annotated[Fraction, BeforeValidator(_fraction)]

EXPECTED = {
    "int": "a whole number", "float": "a number", "finite": "a number", "string": "a text", "bool": "true or false",
    "list": "a list", "dict": "a mapping ({} where it has no entry)", "model": "a mapping",
}  # fmt: skip
UNKNOWN = "extra_forbidden"
RANGES = {
    "greater_than_equal": "must be at least {ge}", "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}", "less_than": "must be below {lt}",
    "too_short": "must have at least {min_length} entries", "too_long": "must have at most {max_length} entries",
}  # fmt: skip


def build(kind: type[Keys], value: Any, file: object, key: str = "") -> Any:
    """Turn plain values into an instance of `kind`, or raise an InputError of one line.

    key: where `value` stands in the file, "" for the whole.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        # an unknown key first: a missing key beside it is most often the same one, spelt right
        first = min(error.errors(), key=lambda one: one["type"] != UNKNOWN)
        raise InputError(file, _line(first, kind, key)) from None


def _line(error: dict, kind: Any, key: str) -> str:
    """A mistake that pydantic found, in our words: key, what was expected, what was given."""
    *parents, last = ("", *error["loc"])
    where = _path(key, error["loc"])
    if error["type"] == UNKNOWN:
        known = _section(kind, parents[1:])
        near = difflib.get_close_matches(str(last), known, n=1, cutoff=0.5)
        parent = _path(key, error["loc"][:-1])
        dot = f"{parent}." if parent else ""
        return f"{where}: unknown key; " + (
            f"did you mean {dot}{near[0]}?" if near else f"valid keys: {', '.join(known)}"
        )
    if error["type"] == "invalid_key":
        return f"{_path(key, error['loc'][:-1]) or 'the file'}: a key is a text, got {_shown(error['input'])}"
    if error["type"] == "missing":
        return f"{where}: missing key"
    if error["type"] == "literal_error":
        allowed = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
        return f"{where}: {_shown(error['input'])} is not one of {allowed}"
    if error["type"] in RANGES:
        return f"{where}: {RANGES[error['type']].format(**error['ctx'])}, got {_shown(error['input'])}"
    raised = error.get("ctx", {}).get("error")
    if isinstance(raised, Refused):
        return f"{'.'.join(filter(None, (where, raised.key)))}: {raised.problem}"
    if raised is not None:
        return f"{where}: {raised}, got {_shown(error['input'])}"
    if error["type"] == "string_pattern_mismatch":
        return f"{where}: {_shown(error['input'])} does not match {error['ctx']['pattern']}"
    wanted = EXPECTED.get(error["type"].split("_")[0], error["msg"])
    return f"{where or 'the file'}: expected {wanted}, got {_shown(error['input'])}"


def _path(key: str, location: tuple) -> str:
    """As in runs.grid.k5s1.kernel[0]; "(name)" follows if the name of a key is itself invalid."""
    if location[-1:] == ("[key]",):  # pydantic puts it after the name
        return f"{_path(key, location[:-2])} (name)"
    text = key
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + _short(part)
    return text


def _short(name: Any) -> str:
    """A key in one line, though it may be any YAML."""
    text = str(name)
    return repr(text[:60]) if len(text) > 60 or not text.isprintable() or not text.strip() else text


def _shown(value: Any) -> str:
    """A value as a file has it; a date as it was written, not as Python calls it."""
    return str(value) if isinstance(value, date) else reprlib.repr(value)


def _section(kind: Any, location: list) -> list[str]:
    """The keys of the section at `location` below `kind`."""
    for part in location:
        kind = _strip(kind)
        inside = _fields(kind)
        kind = inside[part] if part in inside else get_args(kind)[-1]
    return list(_fields(_strip(kind)))


def _fields(kind: Any) -> dict[str, Any]:
    """Key -> type of a section; of anything else none."""
    section = isinstance(kind, type) and issubclass(kind, Keys)
    return {name: field.annotation for name, field in kind.model_fields.items()} if section else {}


def _strip(kind: Any) -> Any:
    """`kind` of `kind | None`."""
    return next(one for one in get_args(kind) if one is not type(None)) if type(None) in get_args(kind) else kind
