"""Writes YAML: mappings, lists and scalars, nothing else of the language.

A string that could be read as anything but itself is written as JSON does it, which YAML's double quotes include.
Source: YAML 1.2.2, section 7.3.1 (double-quoted style) and 5.1 (printable characters).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, TypeGuard

Node: TypeAlias = "Mapping[str, Node] | Sequence[Node] | str | int | float | bool | None"

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
# Words that some version of YAML reads as something else than a string.
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def document(node: Node) -> str:
    """Return the value as one YAML document, in the mapping's order."""
    return "\n".join(_lines(node)) + "\n"


def documents(nodes: Sequence[Node]) -> str:
    """Return the values as a stream of documents."""
    return "---\n".join(document(node) for node in nodes)


def _lines(node: Node) -> Iterator[str]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _entry(f"{_scalar(key)}:", value)
    elif _is_list(node) and node:
        for value in node:
            first, *others = _lines(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
    else:
        yield _scalar(node)


def _entry(key: str, value: Node) -> Iterator[str]:
    if (isinstance(value, Mapping) or _is_list(value)) and value:
        yield key
        yield from (f"  {line}" for line in _lines(value))
    else:
        yield f"{key} {_scalar(value)}"


def _is_list(node: Node) -> TypeGuard[Sequence[Node]]:
    return isinstance(node, Sequence) and not isinstance(node, str)


def _scalar(node: Node) -> str:
    if isinstance(node, str) and _PLAIN.fullmatch(node) and node.lower() not in _WORDS:
        return node
    text = json.dumps(node, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
