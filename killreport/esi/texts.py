"""Texts of players as ESI hands them out, made into what the player wrote.

Some of them come as the literal that an old Python wrote for them: `u'Zuverl\\xe4ssig'`. Such a text is read as that
literal by a reader of its own, which knows the escapes of `repr` and nothing else: no word of a stranger is ever
evaluated. What is not exactly such a literal stays as it is.
Source: three bodies of `/characters/{id}` in the test data of aa-memberaudit 5.3.0 on PyPI, checked 2026-11-29.
"""

from __future__ import annotations

import re

from killreport.decoding import MAX_TEXT

_ESCAPE = re.compile(r"""\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\\'"abfnrtv]))""")
_LITERAL = re.compile("|".join(rf"u{quote}(?:[^\\\n\r{quote}]|{_ESCAPE.pattern})*{quote}" for quote in "'\""))
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def plain_text(text: str | None) -> str | None:
    """Return the text as it was written, without NUL; None for an empty one, and for one longer than any.

    A literal that names no text (half a character, a number beyond all characters) stays as it is.
    """
    if text is None or len(text) > MAX_TEXT:
        return None
    return (_read_literal(text) if _LITERAL.fullmatch(text) else text).replace("\0", "") or None


def _read_literal(literal: str) -> str:
    """Return what a literal stands for; linear in its length."""
    try:
        read = _ESCAPE.sub(_character, literal[2:-1])
        # What lies beyond 16 bits was written as two halves.
        return read.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except ValueError:
        return literal


def _character(escape: re.Match[str]) -> str:
    """Return the character an escape stands for. Raises ValueError where there is none of that number."""
    digits = escape[1] or escape[2] or escape[3]
    if digits:
        return chr(int(digits, 16))
    return _NAMED.get(escape[4], escape[4])
