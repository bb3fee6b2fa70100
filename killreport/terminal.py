"""Text of strangers for an operator's terminal: a name, a body or a log line is shown, and never obeyed.

A terminal takes escape sequences for orders: to write to the clipboard, to move the cursor over what was said before,
to answer as if somebody had typed. So whatever comes from a feed, a file, a host or a log is printed through here.
"""

from __future__ import annotations

from collections.abc import Callable


def printable(text: str) -> str:
    """Return the text as one line in which a mark stands for each sign that is not shown; tabs stay."""
    return _replaced(text, lambda _sign: "�")


def written_out(text: str) -> str:
    """Return the text like `printable`, with such signs written out, as `\\x1b`: for evidence."""
    return _replaced(text, lambda sign: ascii(sign)[1:-1])


def in_lines(text: str, make_plain: Callable[[str], str] = printable) -> str:
    """Return the text with each of its lines made plain."""
    return "\n".join(make_plain(line) for line in text.split("\n"))


def _replaced(text: str, by: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\t" else by(sign) for sign in text)
