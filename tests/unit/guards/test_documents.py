"""What the documents keep to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from killreport import __version__
from killreport.api.killmail.filter_sdl import filter_sdl
from killreport.api.schema import schema_text
from killreport.cli.main import COMMANDS
from killreport.cli.reference import reference_pages
from killreport.config import Settings

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
DOCUMENTS = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


GENERATED = ("api-costs.md", "cli.md", "graphql.md", "openapi.json", "processes.md", "settings.md")


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_what_the_code_says_now(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == reference_pages()[name], "run `make docs`"


def test_the_whole_schema_is_kept_as_the_code_has_it_now() -> None:
    kept = ROOT / "killreport" / "api" / "schema.graphql"
    kept_filter = ROOT / "killreport" / "api" / "killmail" / "filter.graphql"

    assert kept_filter.read_text(encoding="utf-8") == filter_sdl(), "run `make docs`"
    assert kept.read_text(encoding="utf-8") == schema_text(), "run `make docs`"


def test_no_page_is_generated_that_the_test_above_does_not_know() -> None:
    assert tuple(sorted(reference_pages())) == GENERATED


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in link]

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_described_in_a_sentence(name: str) -> None:
    description = Settings.model_fields[name].description or ""

    assert re.match(r"[A-Za-z].{10,}\.$", description)


def test_every_command_is_described_in_a_sentence_that_fits_a_line() -> None:
    assert [row.name for row in COMMANDS if not re.match(r"[A-Z].{10,60}\.$", row.summary)] == []


def test_the_architecture_lists_the_packages_in_the_order_of_the_import_contract() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = contract["contracts"][0]["layers"]
    text = (REFERENCE / "architecture.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in text.splitlines() if line.startswith("| `")]

    assert [name for row in rows for name in row] == [name for layer in layers for name in layer.split(" | ")]


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[0] == __version__


def test_a_migration_has_a_number_of_its_own_without_a_hole_before_it() -> None:
    names = sorted(path.name for path in (ROOT / "killreport" / "db" / "migrations").glob("*.sql"))

    assert [name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]
