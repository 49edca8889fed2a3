"""HTML by construction: what is not Markup is data, and is escaped."""

from collections.abc import Iterable, Sequence
from html import escape

EMPTY = {"img", "line", "circle", "path", "use"}


class Markup(str):
    """HTML as it stands; any other text is escaped before it becomes part of it."""


def _inner(child: object) -> str:
    if isinstance(child, Markup):
        return child
    if isinstance(child, list | tuple):
        return "".join(map(_inner, child))
    return "" if child is None else escape(str(child))


def join(*children: object) -> Markup:
    """The children one after another: Markup as it is, lists flattened, None left out, all else escaped."""
    return Markup(_inner(children))


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """One element. `class_` is class, `aria_label` is aria-label; True is a bare attribute, None and False are none."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    return Markup(f"<{name}{written}/>" if name in EMPTY else f"<{name}{written}>{_inner(children)}</{name}>")


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def heading(level: int, anchor: str, *title: object) -> Markup:
    """A heading that can be linked to, with the link behind it."""
    link = tag("a", "#", class_="anchor", href=f"#{anchor}", aria_label="Link to this part")
    return tag(f"h{level}", *title, " ", link, id=anchor)


def scroll(label: str, *children: object) -> Markup:
    """A box that scrolls sideways in place of the page; it takes the keyboard's focus, so it has a name."""
    return tag("div", *children, class_="scroll", role="region", tabindex="0", aria_label=label)


def table(label: str, headings: Sequence[object], rows: Iterable[Markup], numeric: int = 1) -> Markup:
    """A table in its own scroll box; the columns from number `numeric` on stand to the right. `rows` are of `row`."""
    head = [tag("th", each, scope="col", class_="n" if i >= numeric else None) for i, each in enumerate(headings)]
    return scroll(label, tag("table", tag("thead", tag("tr", head)), tag("tbody", list(rows))))


def row(*cells: object, numeric: int = 1, kind: str | None = None) -> Markup:
    """A row of a table; its first cell is its heading."""
    first = tag("th", cells[0], scope="row", class_="n" if numeric == 0 else None)
    rest = [tag("td", each, class_="n" if i >= numeric else None) for i, each in enumerate(cells[1:], start=1)]
    return tag("tr", first, rest, class_=kind)


def fold(summary: object, *children: object, **attributes: object) -> Markup:
    return tag("details", tag("summary", summary), *children, **attributes)
