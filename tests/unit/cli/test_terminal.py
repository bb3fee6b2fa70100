"""A terminal that stands still holds up nobody who prints."""

from __future__ import annotations

import contextlib
import os
import pty
import termios
from collections.abc import Iterator

import pytest

from killreport.cli.output.terminal import Terminal


class Pty:
    """A terminal, seen from both sides."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        self.stream = os.fdopen(theirs, "w", encoding="utf-8")

    def halt(self) -> None:
        """Press Ctrl-S."""
        termios.tcflow(self.stream.fileno(), termios.TCOOFF)

    def go_on(self) -> None:
        """Press Ctrl-Q."""
        termios.tcflow(self.stream.fileno(), termios.TCOON)

    def read_until(self, end: str) -> str:
        """Return what is shown, up to these words."""
        text = ""
        while end not in text:
            text = (text + os.read(self.ours, 65536).decode()).replace("\r\n", "\n")
        return text

    def read_all(self) -> str:
        """Close what is written to, and return what is shown yet."""
        self.stream.close()
        text = b""
        with contextlib.suppress(OSError):  # how a terminal that nobody writes to ends
            while part := os.read(self.ours, 65536):
                text += part
        return text.decode().replace("\r\n", "\n")


@pytest.fixture
def terminal() -> Iterator[Pty]:
    found = Pty()
    yield found
    if not found.stream.closed:
        found.go_on()
        found.stream.close()
    os.close(found.ours)


def test_what_is_printed_while_it_stands_still_is_shown_later_and_what_was_too_much_is_counted(terminal: Pty) -> None:
    shown = Terminal(terminal.stream, max_waiting=10)
    console = shown.console()
    console.print("before")
    assert terminal.read_until("before\n")
    terminal.halt()
    for number in range(5000):
        console.print(f"line {number}")  # a blocking write would never come to the end of this
    terminal.go_on()
    shown.finish(patience_seconds=60)
    lines = terminal.read_all().splitlines()
    told = [int(line.split()[1]) for line in lines if "are not shown: this terminal stood still" in line]
    seen = [int(line.split()[1]) for line in lines if line.startswith("line ")]
    assert len(seen) + sum(told) == 5000
    assert seen == sorted(seen)
    assert 5 <= len(seen) <= 15  # what had place, and what the thread had taken


def test_the_end_does_not_wait_for_ever(terminal: Pty) -> None:
    terminal.halt()
    shown = Terminal(terminal.stream, max_waiting=3)
    while not shown.dropped:  # until its thread has begun, one more finds a place
        for number in range(10):
            shown.write(f"{number}\n")
        shown.finish(patience_seconds=0.01)


def test_a_terminal_that_was_closed_is_no_reason_to_fail(terminal: Pty) -> None:
    shown = Terminal(terminal.stream)
    terminal.stream.close()
    shown.write("gone\n")
    shown.finish()
    assert shown.dropped == 0
