"""Files of every known kind yield their documents, and broken ones say what is wrong with them."""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from killreport.errors import Malformed, NotFound
from killreport.killmail.mail.archive import list_files, read_records

ONE = b'{"killmail_id":1,"victim":{}}'
TWO = b'{"killmail_id":2,"victim":{}}'


def read(content: bytes) -> list[tuple[str, bytes]]:
    return [(record.reference, record.body) for record in read_records(io.BytesIO(content), "file")]


def tar_of(**members: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(f"killmails/{name}.json")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return target.getvalue()


def test_a_single_killmail_is_one_record_whether_on_one_line_or_many() -> None:
    assert read(ONE) == [("file:1", ONE)]
    spread = b'{\n "killmail_id": 1,\n "victim": {}\n}\n'
    assert read(spread) == [("file", spread)]


def test_json_lines_are_numbered_and_empty_lines_skipped() -> None:
    assert read(ONE + b"\n\n" + TWO + b"\n") == [("file:1", ONE), ("file:3", TWO)]


def test_a_broken_line_among_json_lines_is_handed_on_for_quarantine() -> None:
    assert read(b"{broken}\n" + TWO + b"\n") == [("file:1", b"{broken}"), ("file:2", TWO)]
    assert read(ONE + b"\nnot json\n") == [("file:1", ONE), ("file:2", b"not json")]


def test_a_list_yields_its_elements() -> None:
    assert read(b"[" + ONE + b",\n" + TWO + b"]") == [("file:0", ONE), ("file:1", TWO)]


def test_a_raw_day_of_the_history_yields_its_values_by_id() -> None:
    assert read(b'{"1":' + ONE + b',"2":' + TWO + b"}") == [("file:1", ONE), ("file:2", TWO)]


def test_a_day_of_hashes_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(Malformed, match="ids and hashes only") as caught:
        read(b'{"1":"cea7da03d815cbe8d5db3d135ed6f7e3a6ec2e60"}')
    assert "killreport history repair" in caught.value.reason


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, zstandard.ZstdCompressor().compress])
def test_compressed_files_are_known_by_their_first_bytes(compress: Callable[[bytes], bytes]) -> None:
    assert read(compress(ONE + b"\n" + TWO)) == [("file:1", ONE), ("file:2", TWO)]
    assert read(compress(tar_of(a=ONE))) == [("file:killmails/a.json", ONE)]


def test_several_zstandard_frames_are_read_as_one_file() -> None:
    compress = zstandard.ZstdCompressor().compress
    assert read(compress(ONE + b"\n") + compress(TWO + b"\n")) == [("file:1", ONE), ("file:2", TWO)]


def test_a_file_cut_short_yields_what_it_has_and_then_says_so() -> None:
    whole = bz2.compress(tar_of(**{f"m{number}": ONE + b" " * 40_000 for number in range(100)}))
    records = read_records(io.BytesIO(whole[: len(whole) // 2]), "file")
    with pytest.raises(Malformed, match="damaged or cut short"):
        list(records)


@pytest.mark.parametrize("content", [b"", b"\n \n", gzip.compress(b"", mtime=0)], ids=["nothing", "blank", "gzip"])
def test_an_empty_file_has_no_records(content: bytes) -> None:
    assert read(content) == []


def test_random_bytes_are_one_record_and_never_an_error_of_ours() -> None:
    assert read(b"\xff\xfe\x00 nothing") == [("file:1", b"\xff\xfe\x00 nothing")]


def test_folders_are_searched_in_order_and_a_missing_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.json", "a.json", ".hidden"):
        (tmp_path / name).write_bytes(ONE)
    assert list_files([tmp_path]) == [tmp_path / "a.json", tmp_path / "b" / "2.json"]
    with pytest.raises(NotFound, match="absent does not exist"):
        list_files([tmp_path / "absent"])
