"""What an older server is spared of a newer pg_restore's script, to the letter."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from killreport.db.restoring import CHUNK_BYTES, fitting_entries, fitting_script, restore_script

HEAD = rb"""--
-- PostgreSQL database dump
--

\restrict 2mDqQyPv1vQfH0aB

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

"""
BODY = b"""--
-- Name: note; Type: TABLE
--

CREATE TABLE public.note (
    text text
);
SET transaction_timeout = 0;
COPY public.note (text) FROM stdin;
SET transaction_timeout = 0;
\\.
"""


@pytest.mark.parametrize(("server", "is_known"), [(15, False), (16, False), (17, True), (18, True)])
def test_only_the_head_loses_what_the_server_does_not_know(server: int, is_known: bool) -> None:
    body = BODY + b"x" * (3 * CHUNK_BYTES)

    found = b"".join(fitting_script(io.BytesIO(HEAD + body), server))

    head = HEAD if is_known else HEAD.replace(b"SET transaction_timeout = 0;\n", b"")
    assert found == head + body


def test_a_script_without_a_head_or_with_nothing_else_stays_what_it_is() -> None:
    for script in (b"", BODY, b"SET lock_timeout = 0;", b"no newline"):
        assert b"".join(fitting_script(io.BytesIO(script), 15)) == script
    assert b"".join(fitting_script(io.BytesIO(b"-- a comment\n" * 1000 + BODY), 15)).endswith(BODY)


LISTED = """;
; Archive created at 2026-11-30 03:12:21 UTC
;
9; 2615 148601 SCHEMA - analysis some owner
4011; 0 0 COMMENT - SCHEMA analysis some owner
2; 3079 146569 EXTENSION - pg_trgm
4012; 0 0 COMMENT - EXTENSION pg_trgm
4013; 0 0 COMMENT public TABLE alliance owner
4014; 0 0 COMMENT public COLUMN alliance.name owner
215; 1259 148610 TABLE public alliance owner
"""


@pytest.mark.parametrize(("schemas", "left_out"), [((), (6,)), (("public", "analysis"), (3, 4, 6)), (("ana",), (6,))])
def test_schemas_that_are_there_and_comments_of_others_are_left_out(
    schemas: tuple[str, ...], left_out: tuple[int, ...]
) -> None:
    lines = LISTED.splitlines(keepends=True)
    wanted = [line for number, line in enumerate(lines) if number not in left_out]
    assert fitting_entries(LISTED, schemas) == "".join(wanted)


def test_a_file_that_is_no_dump_has_nothing_run(tmp_path: Path) -> None:
    reader, shell = programs(tmp_path, "", f"open({str(tmp_path / 'done')!r}, 'w')")
    Path(reader).write_text(f"#!{sys.executable}\nimport sys\nsys.exit('--list' in sys.argv and 4)\n")
    assert restore_script(reader, shell, tmp_path / "file", 15, {}) == 4
    assert not (tmp_path / "done").exists()


def programs(tmp_path: Path, reader: str, shell: str) -> tuple[str, list[str]]:
    """Write two programs in place of PostgreSQL's."""
    listed = "if '--list' in sys.argv: sys.exit(0)\n"
    for name, text in (("reader", listed + reader), ("shell", shell)):
        (tmp_path / name).write_text(f"#!{sys.executable}\nimport sys, os\n{text}\n")
        (tmp_path / name).chmod(0o755)
    return str(tmp_path / "reader"), [str(tmp_path / "shell")]


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_a_file_that_cannot_be_read_to_its_end_is_not_committed(tmp_path: Path, size: int) -> None:
    done = tmp_path / "done"
    reader, shell = programs(
        tmp_path,
        f"sys.stdout.write('x' * {size}); sys.stdout.flush(); sys.exit(7)",
        f"sys.stdin.read(); open({str(done)!r}, 'w')",
    )
    assert restore_script(reader, shell, tmp_path / "file", 15, {}) == 7
    assert not done.exists()


def test_a_shell_that_fails_early_ends_the_reading(tmp_path: Path) -> None:
    reader, shell = programs(tmp_path, "sys.stdout.write('x' * 50_000_000)", "sys.stdin.read(10); os._exit(3)")
    assert restore_script(reader, shell, tmp_path / "file", 15, {}) == 3


def test_a_program_that_is_missing_leaves_none_behind(tmp_path: Path) -> None:
    reader, _ = programs(tmp_path, "sys.stdout.write('x')", "")
    with pytest.raises(FileNotFoundError):
        restore_script(reader, [str(tmp_path / "none")], tmp_path / "file", 15, {})
    assert subprocess.run(["pgrep", "-f", reader], check=False, capture_output=True).stdout == b""
