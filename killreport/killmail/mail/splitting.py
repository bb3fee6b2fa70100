"""Take a JSON list or object apart that is not JSON as a whole, so that one bad killmail does not spoil its file."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Possessive: a text without an end is one token, and looked at once.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\],]', re.DOTALL)
_KEY = re.compile(rb'\s*"(\d{1,19})"\s*:')
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")


def split_loosely(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the elements of a list, or the values of an object whose keys are ids, each with its place or key.

    Told apart by brackets and quotes alone, whatever is between them; what follows the last whole one is the last.
    Anything else is yielded whole, as its line 1.
    """
    start = len(body) - len(body.lstrip())
    is_list = body[start : start + 1] == b"["
    if not is_list and not (body[start : start + 1] == b"{" and _KEY.match(body, start + 1)):
        yield "1", body
        return
    depth, begin, place = 0, start + 1, 0
    for token in _TOKEN.finditer(body, start):
        sign = token[0]
        if sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
        if depth == 0 or (depth == 1 and sign == b","):
            if element := body[begin : token.start()].strip():
                yield _named(element, place, is_list=is_list)
            begin, place = token.end(), place + 1
            if depth == 0:
                break
    if rest := body[begin:].strip():
        yield _named(rest, place, is_list=is_list)


def _named(element: bytes, place: int, *, is_list: bool) -> tuple[str, bytes]:
    match = None if is_list else _KEY.match(element)
    return (match[1].decode(), element[match.end() :].strip()) if match else (str(place), element)
