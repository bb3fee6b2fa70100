"""The input type `KillmailFilter`, made from the table of filters; `make docs` writes it into `filter.graphql`.

A filter that is added to the table is thereby in the schema, and a test fails while the file is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from killreport.killmail.filters.table import FILTERS, Filter
from killreport.killmail.filters.tree import MAX_CONDITIONS, MAX_DEPTH
from killreport.killmail.filters.values import MAX_LISTED, Count, Hours, Ids, Instant, Isk, ValueKind, Words, YesNo

_TYPES: dict[type, str] = {
    Ids: "[ID64!]",
    Words: "[String!]",
    Count: "Int",
    Isk: "Isk",
    YesNo: "Boolean",
    Instant: "DateTime",
    Hours: "HoursOfDay",
}
_UNITS: dict[type, str] = {
    Ids: f" Up to {MAX_LISTED} ids, of which any will do.",
    Isk: "; written as text or as a number.",
    YesNo: ".",
    Instant: ", with its time zone.",
    Hours: ".",
    Count: ".",
}

_HEAD = f'''"""
What killmails are asked for: all of the conditions given must hold. `and`, `or` and `not` nest more of them, up to
{MAX_DEPTH} deep and {MAX_CONDITIONS} conditions in all. A condition that is null counts as not given.
"""
input KillmailFilter {{
'''
_TAIL = '''  """All of these hold."""
  and: [KillmailFilter!]
  """At least one of these holds."""
  or: [KillmailFilter!]
  """This does not hold."""
  not: KillmailFilter
}

"""Whole hours of the day in UTC, over midnight where `to` is the smaller: from 22 to 4 is six hours."""
input HoursOfDay {
  """The first hour, 0 to 23."""
  from: Int!
  """The hour before whose beginning it ends, 0 to 24; not equal to `from`."""
  to: Int!
}
'''


def filter_sdl() -> str:
    """Return the SDL of `KillmailFilter` and what it is made of."""
    fields = (
        f'  """{_description(entry)}"""\n  {entry.name}: {_TYPES[type(entry.kind)]}\n' for entry in FILTERS.values()
    )
    return _HEAD + "".join(fields) + _TAIL


def _description(entry: Filter) -> str:
    label = entry.label if entry.label.isupper() else entry.label[0].lower() + entry.label[1:]
    meaning = entry.help if entry.help[1].isupper() else entry.help[0].lower() + entry.help[1:]
    return f"{entry.section}, {label}: {meaning}{_unit(entry.kind)}"


def _unit(kind: ValueKind) -> str:
    if isinstance(kind, Words):
        words = ", ".join(f"`{choice}`" for choice in kind.choices)
        return f". Any of {words}." if words else f". Up to {MAX_LISTED}, as `Killmail.labels` has them."
    if isinstance(kind, Ids):
        return f".{_UNITS[Ids]}"
    return _UNITS[type(kind)]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(filter_sdl(), encoding="utf-8")
