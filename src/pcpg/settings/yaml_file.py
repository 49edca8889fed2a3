"""One reader of YAML for all: what two programs would read differently, or lose without a word, is refused.

DVC reads YAML 1.2 and Snakemake YAML 1.1, in which 010 is 8 and `no` is false. A key given twice keeps its last value
in both.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from pcpg.workspace.errors import InputError

# Plain scalars that YAML 1.1 and 1.2 read differently: numbers that begin with 0, in base 2 and 60, with digits in
# groups; yes and no.
AMBIGUOUS = re.compile(
    r"[-+]?0[0-9_]+|[-+]?0[bo][01_2-7]+|[-+.0-9][0-9_.]*_[0-9_.]*([eE][-+]?[0-9_]*)?|[-+]?[0-9.]+[eE][-+]?[0-9_]*_[0-9_]*"
    r"|[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"
)
FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*[eE][-+]?[0-9]+|\.[0-9]+)$")  # YAML 1.1 wants 1.0e-4 and 0.5
TEXT = "tag:yaml.org,2002:str"


class _Loader(yaml.SafeLoader):
    """Safe YAML, where a mapping names each key once."""

    def construct_scalar(self, node):
        value = super().construct_scalar(node)
        plain = isinstance(node, yaml.ScalarNode) and (node.style is None or node.tag != TEXT)  # also !!int "010"
        if plain and AMBIGUOUS.fullmatch(value):
            what = f"{value} is not the same in YAML 1.1 and 1.2; write the number in full, true or false, or quote it"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark)
        return value

    def compose_mapping_node(self, anchor):
        """Look for double keys here: later PyYAML adds the keys that `<<` merges to the same list."""
        node = super().compose_mapping_node(anchor)
        keys: set = set()
        for name in (name for name, _ in node.value if isinstance(name, yaml.ScalarNode)):
            if name.value in keys:
                raise yaml.composer.ComposerError(None, None, f"{name.value}: key given twice", name.start_mark)
            keys.add(name.value)
        return node


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))


def read_yaml(path: str | Path) -> Any:
    """What a YAML file holds, as plain values; InputError that names file and line where it cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(path, error.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise InputError(path, "is not UTF-8 text") from None
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:  # a character that YAML does not allow
        line = text.count("\n", 0, error.position) + 1
        raise InputError(f"{path}, line {line}", f"not valid YAML: {error.reason}, #x{error.character:04x}") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}", f"not valid YAML: {str(error.problem)[:200]}") from None
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:  # of values such as !!bool x
        raise InputError(path, f"not valid YAML: {type(error).__name__}, {str(error)[:80]}") from None
