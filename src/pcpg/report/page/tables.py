"""The second part of the page: the tables, with the notes that they share above them."""

from pcpg.report.tables.table import Table


def tables_part(tables: list[Table]) -> dict:
    shared = shared_notes(tables)
    return {"notes": shared, "tables": [_table(table, shared) for table in tables]}


def shared_notes(tables: list[Table]) -> list[str]:
    """Notes that all tables have, which stand once above them."""
    if len(tables) < 2:
        return []
    common = set.intersection(*(set(table.layout.notes) for table in tables))
    return [note for note in tables[0].layout.notes if note in common]


def _table(table: Table, shared: list[str]) -> dict:
    groups = []
    for heading, group in table.groups():
        before = [line.row.corpus for line in (group[0], *group)]
        rows = [
            {"entries": line.entries, "first": line.row.corpus != corpus}  # a rule parts two corpora
            for line, corpus in zip(group, before, strict=False)
        ]
        groups.append({"heading": heading, "rows": rows})
    return {
        "name": table.layout.name,
        "title": table.layout.title,
        "source": table.source,
        "headings": [entry.heading for entry in table.lines[0].entries],
        "labels": len(table.layout.labels),  # columns on the left that are no numbers
        "groups": groups,
        "notes": [note for note in table.layout.notes if note not in shared],
    }
