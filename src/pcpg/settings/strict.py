"""From plain YAML values to typed dataclasses, or one line that names the file, the key and the nearest valid key."""

import difflib
import math
import re
import reprlib
import types
from dataclasses import MISSING, fields, is_dataclass
from fractions import Fraction
from typing import Any, Literal, Union, get_args, get_origin

from pcpg.workspace.errors import InputError

FRACTION = re.compile(r"[+-]?([0-9]{1,30}/[0-9]{1,30}|[0-9]{0,30}\.?[0-9]{1,30}([eE][+-]?[0-9]{1,2})?)")
LARGE = 1e300  # about where floats end


def build(kind: Any, value: Any, file: str, key: str) -> Any:
    """Turn a YAML value into `kind` (dataclass, container or scalar type), or say what is wrong where."""
    if is_dataclass(kind):
        return _build_dataclass(kind, value, file, key)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return build(next(item for item in arguments if item is not type(None)), value, file, key)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            raise InputError(file, f"{key}: {reprlib.repr(value)} is not one of {', '.join(map(str, arguments))}")
        return value
    if origin is list:
        _expect(isinstance(value, list), "a list", value, file, key)
        return [build(arguments[0], item, file, f"{key}[{index}]") for index, item in enumerate(value)]
    if origin is dict:
        _expect(isinstance(value, dict), "a mapping", value, file, key)
        return {
            build(arguments[0], name, file, f"{key} (name)"): build(arguments[1], item, file, f"{key}.{_short(name)}")
            for name, item in value.items()
        }
    return _build_scalar(kind, value, file, key)


def _build_scalar(kind: type, value: Any, file: str, key: str) -> Any:
    if kind is Fraction:
        try:  # only what is short: Fraction works an exponent out in full
            return Fraction(FRACTION.fullmatch(str(value) if isinstance(value, (int, float, str)) else "")[0])
        except (TypeError, ValueError, ZeroDivisionError):
            _expect(False, "a number such as 0.5 or 1/3", value, file, key)
    if kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGE:
        return float(value)
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    _expect(fits and (kind is not float or math.isfinite(value)), names[kind], value, file, key)
    return value


def _build_dataclass(kind: type, value: Any, file: str, key: str) -> Any:
    _expect(isinstance(value, dict), "a mapping", value, file, key or "the file")
    dot = f"{key}." if key else ""
    known = {item.name: item for item in fields(kind)}
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(_short(name), known, n=1, cutoff=0.5)
            hint = f"did you mean {dot}{near[0]}?" if near else f"valid keys: {', '.join(known)}"
            raise InputError(file, f"{dot}{_short(name)}: unknown key; {hint}")
    for name, item in known.items():
        if name not in value and item.default is MISSING and item.default_factory is MISSING:
            raise InputError(file, f"{dot}{name}: missing key")
    return kind(**{name: build(known[name].type, item, file, f"{dot}{name}") for name, item in value.items()})


def _short(name: Any) -> str:
    """A key in one line, though it may be any YAML."""
    text = str(name) if isinstance(name, (str, int, float)) else reprlib.repr(name)
    return repr(text[:60]) if len(text) > 60 or not text.isprintable() else text


def _expect(condition: bool, what: str, value: Any, file: str, key: str) -> None:
    if not condition:
        raise InputError(file, f"{key}: expected {what}, got {reprlib.repr(value)}")


def require(condition: bool, file: str, key: str, problem: str) -> None:
    if not condition:
        raise InputError(file, f"{key}: {problem}")
