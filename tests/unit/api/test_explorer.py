"""What the explorer is made of: small modules without a way to make markup, and examples that fit the schema."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from graphql import DocumentNode, OperationDefinitionNode, parse, validate

from killreport.api.explorer import EXAMPLES, MODULES, examples
from killreport.api.schema import build_schema

FOLDER = resources.files("killreport.api.explorer")
SCRIPTS = {name: FOLDER.joinpath(name).read_text(encoding="utf-8") for name in MODULES}
PAGE = FOLDER.joinpath("explorer.html").read_text(encoding="utf-8")


def operation(document: DocumentNode) -> OperationDefinitionNode:
    """Return the only operation."""
    (found,) = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: example["title"])
def test_an_example_fits_the_schema_and_says_what_it_shows(example: dict[str, str]) -> None:
    document = parse(example["query"])

    assert validate(build_schema(), document) == []
    assert operation(document).name is not None
    assert re.fullmatch(r"[A-Z][^#`]{5,45}", example["title"])
    assert example["note"].endswith(".")
    assert max(len(line) for line in example["query"].splitlines()) <= 60


def test_the_examples_are_in_order_and_the_last_is_live() -> None:
    kinds = [operation(parse(example["query"])).operation.value for example in examples()]

    assert kinds == ["query"] * 9 + ["subscription"]
    assert len({example["title"] for example in examples()}) == len(kinds)


def test_the_modules_are_small_and_all_there() -> None:
    assert sorted(MODULES) == sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".js"))
    assert sum(len(text.encode()) for text in SCRIPTS.values()) < 40_000
    imports = {name for text in SCRIPTS.values() for name in re.findall(r'from "\./([a-z]+\.js)"', text)}
    assert imports == {*MODULES} - {"explorer.js"}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_makes_no_markup_of_text_and_asks_nobody_else(name: str) -> None:
    code = re.sub(r"^\s*(//|/?\*).*$", "", SCRIPTS[name], flags=re.MULTILINE)

    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|\bFunction\(|srcdoc|DOMParser", code
    )
    assert re.findall(r"\w+:/+[a-z]+", code) == []
    assert set(re.findall(r'fetch\("([^"]*)"', code)) <= {"/graphql", f"/explorer/{EXAMPLES}"}


def test_the_page_has_no_script_or_style_of_its_own() -> None:
    assert re.findall(r"<script[^>]*>[^<]|<style|\sstyle=|\son\w+=|javascript:", PAGE) == []


def test_every_field_of_the_page_has_a_label_and_every_id_is_there_once() -> None:
    ids = re.findall(r'\sid="([^"]+)"', PAGE)

    assert len(ids) == len(set(ids))
    assert sorted(re.findall(r'for="([^"]+)"', PAGE)) == sorted(re.findall(r'<(?:textarea|input) id="([^"]+)"', PAGE))
    wanted = {name for text in SCRIPTS.values() for name in re.findall(r'byId\("([^"]+)"\)', text)}
    assert wanted <= set(ids)
