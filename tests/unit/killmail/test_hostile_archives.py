"""Files made to hurt: what is good in them is handed on, the rest is told with its place, and nothing grows."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard

from killreport.errors import Malformed
from killreport.killmail.mail import archive, tar, unpacking
from killreport.killmail.mail.archive import ArchiveRecord, name_of, read_records

ONE = b'{"killmail_id":1,"victim":{}}'
TWO = b'{"killmail_id":2,"victim":{}}'
DEEP = b"[" * 5000 + b"]" * 5000

zstd = zstandard.ZstdCompressor().compress


def read(content: bytes) -> list[tuple[str, bytes, str | None]]:
    return [tuple(record) for record in read_records(io.BytesIO(content), "file")]  # type: ignore[misc]


def read_until_broken(content: bytes) -> tuple[list[ArchiveRecord], str]:
    found: list[ArchiveRecord] = []
    records = read_records(io.BytesIO(content), "file")
    with pytest.raises(Malformed) as caught:
        take_all(records, found)
    return found, caught.value.reason


def take_all(records: Iterator[ArchiveRecord], found: list[ArchiveRecord]) -> None:
    """Move them one by one: what came before the last step failed is there."""
    for record in records:
        found.append(record)  # noqa: PERF402


def tar_of(*members: tarfile.TarInfo | tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as made:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                made.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                made.addfile(info, io.BytesIO(member[1]))
    return target.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@contextmanager
def no_more_memory_than(megabytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("length", [20, 98, 140, 3000])
def test_names_of_every_length_and_format_are_read(form: int, length: int) -> None:
    name = ("folder/" * 1000)[:length] + "/a.json"
    if form == tarfile.USTAR_FORMAT and length == 3000:
        pytest.skip("this format has no such names")

    assert read(tar_of((name, ONE), ("b.json", TWO), form=form)) == [
        (f"file:{name}", ONE, None),
        ("file:b.json", TWO, None),
    ]


def test_a_header_of_zeros_without_end_is_refused_before_it_is_looked_at() -> None:
    content = b"0" * 160_000 + b"17 path=a.json\n"
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(content)
    packed = header.tobuf() + content.ljust(-(-len(content) // 512) * 512, b"\0") + tar_of(("a.json", ONE))

    assert read_until_broken(packed) == ([], "an extended tar header is larger than 64 kB")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_an_extended_header_that_says_it_has_gigabytes_takes_none(kind: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, 8 * 2**30

    with no_more_memory_than(4):
        packed = tar_of(("a.json", ONE))[:1024] + header.tobuf(tarfile.GNU_FORMAT) + b"\0" * 2**20
        found, reason = read_until_broken(packed)

    assert [record.body for record in found] == [ONE]
    assert reason == "an extended tar header is larger than 64 kB"


@pytest.mark.parametrize(
    "attributes",
    [
        b"5 path",
        b"0 path=a\n",
        b"99 path=a\n",
        b"path=a\n",
        b"9 size=x\n",
        b"25 size=9999999999999999\n",
        b"12 path=abcd\n",
    ],
)
def test_attributes_that_make_no_sense_end_the_archive(attributes: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, len(attributes)
    packed = header.tobuf() + attributes.ljust(512, b"\0") + tar_of(("a.json", ONE))

    found, _ = read_until_broken(packed)

    assert found == []


def test_what_is_no_file_is_told_and_the_members_behind_it_are_read() -> None:
    packed = tar_of(
        special("a.json", tarfile.SYMTYPE, "/etc/passwd"),
        special("b.json", tarfile.LNKTYPE, "../../etc/passwd"),
        special("c.json", tarfile.CHRTYPE),
        special("d.json", tarfile.FIFOTYPE),
        special("f", tarfile.DIRTYPE),
        ("../../../g.json", ONE),
        ("/h.json", TWO),
        ("notes.txt", b"x"),
    )

    assert read(packed) == [
        ("file:a.json", b"", "it is a link, not a file"),
        ("file:b.json", b"", "it is a hard link, not a file"),
        ("file:c.json", b"", "it is a device, not a file"),
        ("file:d.json", b"", "it is a pipe, not a file"),
        ("file:../../../g.json", ONE, None),
        ("file:/h.json", TWO, None),
    ]


def test_a_member_larger_than_any_killmail_is_told_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_LINE_BYTES", 2**20)
    packed = gzip.compress(tar_of(("a.json", b"\0" * (64 * 2**20)), ("b.json", ONE)))

    with no_more_memory_than(16):
        assert read(packed) == [("file:a.json", b"", "it is larger than 1 MB"), ("file:b.json", ONE, None)]


@pytest.mark.parametrize("name", [b"caf\xe9.json", b"\xff\xfe\x1b]52;c;x\x07.json"])
def test_names_that_are_not_utf_8_are_written_out(name: bytes) -> None:
    packed = bytearray(tar_of(("x.json", ONE)))
    packed[: len(name)] = name
    packed[148:156] = b" " * 8
    packed[148:156] = b"%06o\0 " % sum(packed[:512])

    ((reference, body, _),) = read(bytes(packed))

    assert (reference.encode(), body) == (b"file:" + name.decode("utf-8", "backslashreplace").encode(), ONE)
    assert name_of(Path("/tmp") / name.decode(errors="surrogateescape")).encode()


def test_a_damaged_header_ends_the_archive_and_what_was_before_is_read() -> None:
    packed = bytearray(tar_of(("a.json", ONE), ("b.json", TWO)))
    packed[1024 + 10] ^= 1

    found, reason = read_until_broken(bytes(packed))

    assert ([record.body for record in found], reason) == ([ONE], "a header of the tar is damaged")


def test_of_a_tar_cut_short_anywhere_every_whole_member_is_read() -> None:
    packed = tar_of(*[(f"{number}.json", ONE) for number in range(5)])
    for size in range(541, 5 * 1024, 97):
        found: list[ArchiveRecord] = []
        with contextlib.suppress(Malformed):
            take_all(read_records(io.BytesIO(packed[:size]), "file"), found)
        # A member is a header of 512 bytes, and its body in another 512, of which the padding may be missing.
        whole = (size - 512 - len(ONE)) // 1024 + 1
        assert [record.body for record in found if record.body == ONE] in ([ONE] * whole, [ONE] * (whole - 1))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, zstd])
def test_of_lines_cut_short_all_that_can_be_unpacked_is_handed_on(compress: Callable[[bytes], bytes]) -> None:
    lines = [
        b'{"killmail_id":%d,"noise":"%s"}' % (number, b"%064x" % (number**17 % 2**255)) for number in range(30_000)
    ]
    packed = compress(b"\n".join(lines))

    found, reason = read_until_broken(packed[: len(packed) * 3 // 4])

    assert "damaged or cut short" in reason
    assert [record.body for record in found[:100]] == lines[:100]
    # bzip2 gives out nothing of a block that is not whole.
    assert len(found) > len(lines) // (3 if compress is bz2.compress else 2)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, zstd])
def test_what_unpacks_far_beyond_its_size_is_refused(
    compress: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "RATIO_COUNTS_FROM", 8 * 2**20)
    bomb = compress(tar_of(("notes.txt", b"\0" * (64 * 2**20))))

    with no_more_memory_than(48):
        _, reason = read_until_broken(bomb)

    assert "more than 250 times its size" in reason


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, zstd])
def test_several_streams_behind_each_other_are_one_file(compress: Callable[[bytes], bytes]) -> None:
    packed = compress(ONE + b"\n") + compress(b"") + compress(TWO) + b"\0" * 100

    assert read(packed) == [("file:1", ONE, None), ("file:2", TWO, None)]


@pytest.mark.parametrize("bad", [DEEP, b"NaN", b'{"a":1e999999}', b'{"a":}', b"\xff\xfe"])
def test_one_bad_killmail_does_not_spoil_its_list_or_its_day(bad: bytes) -> None:
    assert read(b"[" + ONE + b", " + bad + b"," + TWO + b"]") == [
        ("file:0", ONE, None),
        ("file:1", bad, None),
        ("file:2", TWO, None),
    ]
    assert read(b'{"7":' + ONE + b',"8":' + bad + b', "9": ' + TWO + b"}") == [
        ("file:7", ONE, None),
        ("file:8", bad, None),
        ("file:9", TWO, None),
    ]


def test_a_list_cut_short_yields_what_is_whole_and_the_rest() -> None:
    assert read(b"[" + ONE + b"," + TWO[:-3]) == [("file:0", ONE, None), ("file:1", TWO[:-3], None)]
    assert read(b'[{"a":"],[{}\\"",' + b'"x":1},' + DEEP[:9000]) == [
        ("file:0", b'{"a":"],[{}\\"","x":1}', None),
        ("file:1", DEEP[:9000], None),
    ]


def test_a_text_without_end_takes_no_longer_than_its_length() -> None:
    """Ten seconds' worth of work if each quote were looked at from anew."""
    body = b"[" + DEEP + b',"' + b'\\"' * 1_000_000

    assert len(read(body)) == 2


def test_a_line_longer_than_any_killmail_is_told_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_LINE_BYTES", 2**20)
    found = read(ONE + b"\n" + b"x" * (3 * 2**20) + b"\n" + TWO + b"\n")

    assert [(reference, fault) for reference, _, fault in found] == [
        ("file:1", None),
        ("file:2", "the line is longer than 1 MB"),
        ("file:3", None),
    ]


def test_a_byte_order_mark_is_passed_over_and_utf_16_is_told() -> None:
    mark = b"\xef\xbb\xbf"
    assert read(mark + ONE + b"\n" + TWO) == [("file:1", ONE, None), ("file:2", TWO, None)]
    assert read(mark + b"[" + ONE + b"]") == [("file:0", ONE, None)]
    assert read(tar_of(("a.json", mark + ONE))) == [("file:a.json", ONE, None)]
    ((_, _, fault),) = read(ONE.decode().encode("utf-16"))
    assert fault == "it is UTF-16, not UTF-8"


def test_another_kind_of_archive_is_named() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("a.json", ONE)

    assert read_until_broken(target.getvalue()) == ([], "file is a zip archive; unpack it first")


def test_numbers_of_headers_are_bounded() -> None:
    header = bytearray(tar_of(("a.json", ONE))[:512])
    for size in (b"\x80" + b"\xff" * 11, b"\xff" * 12, b"99999999999\0", b"-0000000001\0"):
        header[124:136] = size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        found, reason = read_until_broken(bytes(header) + b"\0" * 2048)
        assert (found, "number" in reason) == ([], True)
    assert tar.MAX_SIZE == 2**63 - 1
