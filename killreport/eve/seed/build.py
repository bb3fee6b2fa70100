"""Builds the packaged seed from CCP's own archive: `python -m killreport.eve.seed.build ARCHIVE OUT [--dogma FILE]`.

Keeps the official shape, and in it the fields the importer reads, in English; the same input gives the same bytes.
CCP's archive is at https://developers.eveonline.com/static-data/eve-online-static-data-latest-jsonl.zip
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from killreport.eve.archive import Archive, open_archive
from killreport.eve.importer import RELEASE, read_static_data
from killreport.eve.official import BlueprintLine, ReleaseLine, TypeDogmaLine, TypeLine
from killreport.eve.tables import ATTRIBUTES, BLUEPRINTS, FILES, SLOT_OF_EFFECT, TABLES, TYPE_DOGMA, TYPES

# The oldest instant a zip can state: a real one would make every build differ.
NO_TIME = (1980, 1, 1, 0, 0, 0)

LINES: dict[str, type[msgspec.Struct]] = {
    RELEASE: ReleaseLine,
    **{source.file: source.line for source in TABLES},
    TYPES: TypeLine,
}


def build_seed(source: Path, dogma: Path | None) -> bytes:
    """Return the seed's archive.

    dogma: a typeDogma.jsonl to use instead of the archive's own. Raises Malformed where the importer would.
    """
    packed = io.BytesIO()
    with open_archive(source, source.name) as archive, zipfile.ZipFile(packed, "w") as out:
        archive.require((RELEASE, *FILES))
        for file, line in LINES.items():
            _write(out, file, (parsed for _, parsed in archive.parse(file, line)))
        if archive.has(BLUEPRINTS):
            _write(out, BLUEPRINTS, (parsed for _, parsed in archive.parse(BLUEPRINTS, BlueprintLine)))
        lines = _dogma_lines(archive) if dogma is None else _dogma_of_file(dogma)
        _write(out, TYPE_DOGMA, (kept for line in lines if (kept := _kept_dogma(line)) is not None))
    packed.seek(0)
    read_static_data(packed, "the seed")
    return packed.getvalue()


def _write(out: zipfile.ZipFile, file: str, lines: Iterable[msgspec.Struct]) -> None:
    entry = zipfile.ZipInfo(file, NO_TIME)
    content = b"".join(msgspec.json.encode(_without_none(msgspec.to_builtins(line))) + b"\n" for line in lines)
    # Deflate: what every Python can read; the others save little here.
    out.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)


def _without_none(value: object) -> object:
    if isinstance(value, dict):
        return {field: _without_none(inner) for field, inner in value.items() if inner is not None}
    return value


def _dogma_lines(archive: Archive) -> Iterable[TypeDogmaLine]:
    return (line for _, line in archive.parse(TYPE_DOGMA, TypeDogmaLine))


def _dogma_of_file(path: Path) -> Iterable[TypeDogmaLine]:
    return msgspec.json.Decoder(TypeDogmaLine).decode_lines(path.read_bytes())


def _kept_dogma(line: TypeDogmaLine) -> TypeDogmaLine | None:
    attributes = tuple(row for row in line.dogma_attributes if row.attribute_id in ATTRIBUTES)
    effects = tuple(effect for effect in line.dogma_effects if effect.effect_id in SLOT_OF_EFFECT)
    if not attributes and not effects:
        return None
    return TypeDogmaLine(key=line.key, dogma_attributes=attributes, dogma_effects=effects)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the seed that the arguments describe, and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m killreport.eve.seed.build", description=__doc__)
    parser.add_argument("archive", type=Path, help="CCP's zip of JSON Lines files")
    parser.add_argument("out", type=Path, help="the seed to write")
    parser.add_argument("--dogma", type=Path, help="a typeDogma.jsonl to use instead of the archive's")
    parsed = parser.parse_args(arguments)
    seed = build_seed(parsed.archive, parsed.dogma)
    parsed.out.write_bytes(seed)
    print(f"{parsed.out}: {len(seed):,} bytes")


if __name__ == "__main__":
    main()
