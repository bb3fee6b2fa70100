"""What no text and no number of a request may be, on whatever transport and wherever in it.

A lone surrogate is half a character: it cannot be written as UTF-8, so neither logged, stored nor answered. PostgreSQL
keeps no NUL. Numbers beyond 64 bits fit nothing here, and Python refuses to read those of 4,300 digits at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

import msgspec
from graphql import (
    ASTValidationRule,
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    StringValueNode,
)

MAX_DIGITS = 20  # of a number of 64 bits, its sign not counted
_MAX_BITS = 64
# A filter with all its conditions has 2,000; reading one of its objects takes 10 µs, and each is read twice.
MAX_VALUES = 3_000


class Unfit(GraphQLError):
    """A text or number that nothing here can hold; says where it stands."""

    def __init__(self, where: str, what: str, node: Any = None) -> None:
        super().__init__(f"{where} {what}.", node, extensions={"code": "BAD_REQUEST"})


class TooManyValues(GraphQLError):
    """More values than anybody needs, whatever they mean."""

    def __init__(self) -> None:
        message = f"The variables of a request may have {MAX_VALUES} values in them; this one has more. Ask for fewer."
        super().__init__(message, extensions={"code": "QUERY_TOO_LARGE", "limit": MAX_VALUES})


def read_json(text: bytes | str) -> Any:
    """Return what JSON in UTF-8 holds, numbers beyond 64 bits too. Raises ValueError or RecursionError for others.

    Lone surrogates written as escapes are read; `check_fit` finds them.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        pass
    if isinstance(text, bytes):
        text = text.decode()
    return json.loads(text, parse_int=_whole, parse_constant=_no_number)


def _whole(digits: str) -> int:
    # Long before Python's own bound, and long enough to be told from any number that fits.
    return int(digits[: 2 * MAX_DIGITS])


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def check_fit(value: Any, where: str) -> None:
    """Raise Unfit where the plain value holds a text or a number that nothing here can hold, or TooManyValues.

    where: its name.
    """
    waiting: list[tuple[str, Any]] = [(where, value)]
    count = 1
    while waiting:
        name, found = waiting.pop()
        if isinstance(found, Mapping | list):
            count += len(found)
            if count > MAX_VALUES:
                raise TooManyValues
        if isinstance(found, str):
            _check_text(found, f"`{name}`")
        elif isinstance(found, Mapping):
            for key, inner in found.items():
                _check_text(key, f"A key in `{name}`")
                waiting.append((f"{name}.{key}", inner))
        elif isinstance(found, list):
            waiting += [(f"{name}[{index}]", inner) for index, inner in enumerate(found)]
        elif isinstance(found, int):
            if found.bit_length() > _MAX_BITS:
                raise Unfit(f"`{name}`", f"is a number of more than {_MAX_BITS} bits")
        elif isinstance(found, float) and not math.isfinite(found):
            raise Unfit(f"`{name}`", "is a number too large to be read")


def _check_text(text: str, where: str, node: Any = None) -> None:
    if text.isascii():
        if "\0" in text:
            raise Unfit(where, "has a NUL (U+0000) in it, which no text here can have", node)
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ord(text[error.start])
        raise Unfit(where, f"has half a character (U+{half:04X}, a lone surrogate) in it", node) from None
    if "\0" in text:
        raise Unfit(where, "has a NUL (U+0000) in it, which no text here can have", node)


class FitLiterals(ASTValidationRule):
    """Refuses what `check_fit` refuses where it is written in the document itself."""

    def enter_string_value(self, node: StringValueNode, *_args: Any) -> None:
        """Check a text."""
        try:
            _check_text(node.value, "A text of the query", node)
        except Unfit as error:
            self.report_error(error)

    def enter_int_value(self, node: IntValueNode, *_args: Any) -> None:
        """Check a whole number, before anybody reads its digits."""
        digits = len(node.value.lstrip("-"))
        if digits > MAX_DIGITS:
            self.report_error(Unfit("The query", f"has a number of {digits} digits; {MAX_DIGITS} is the most", node))

    def enter_float_value(self, node: FloatValueNode, *_args: Any) -> None:
        """Check a number that may be broken."""
        if not math.isfinite(float(node.value)):
            self.report_error(Unfit("The query", "has a number too large to be read", node))
