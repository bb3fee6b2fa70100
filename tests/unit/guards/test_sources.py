"""What every source file keeps to."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
CODE_FOLDERS = ("killreport", "tests", "bench")
SOURCES = sorted(path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*.py"))
PRODUCT = [path for path in SOURCES if path.is_relative_to(ROOT / "killreport")]
PACKAGES = [path for path in PRODUCT if path.name == "__init__.py"]
# Spelled apart, so that this file does not find itself.
UNFINISHED = re.compile(
    "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "raise Not" + "Implemented", "place" + "holder"))
)
SWALLOWED = re.compile(r"except( Base)?( Exception)?:\s*pass")
ENVIRONMENT = re.compile(r"os\.(environ|getenv|putenv)")
# The keeper passes what the server needs on to it; whoever starts it has no settings of the user's in mind.
ENVIRONMENT_READERS = {"killreport/config.py", "killreport/environment.py", "killreport/db/embedded.py"}
# ESI counts by address: a second client would ask in the pauses of the first. The settings and the demo name the host.
ESI_ADDRESS = re.compile(r"\besi_url\b|COMPATIBILITY_DATE")
ESI_READERS = {
    "killreport/config.py",
    "killreport/cli/processes/demo.py",
    "killreport/esi/client.py",
    "killreport/esi/transport.py",
}
# Who opens connections to the outside; each has the budget of its host, shared with whoever else asks it.
SESSIONS = re.compile(
    r"\bopen_session\(|\bClientSession\(|^\s*(import|from) (urllib\.request|http\.client|httpx|requests)\b"
)
SESSION_OPENERS = {
    "killreport/api/state/posting.py",
    "killreport/cron/update_prices.py",
    "killreport/esi/client.py",
    "killreport/ingest/static_data.py",
    "killreport/http.py",
    "killreport/web/client.py",
    "killreport/workers/zkillboard.py",
    "killreport/zkillboard/clients.py",
}
# Words of our own that nobody would search for; beside each is what the code says instead.
PRIVATE_WORDS = {
    "desk": "lookup",
    "shelf": "column, category",
    "shelves": "columns, categories",
    "teller": "publisher",
    "thing": "entity",
    "things": "entities",
    "toll": "rate limit",
    "wish": "request",
    "wishes": "requests",
    "witness": "canary request, observer",
}
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _long_functions(path: Path) -> list[str]:
    return [
        f"{_name(path)}:{node.name}"
        for node in _nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]


def _matching(paths: list[Path], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{_name(path)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_module_is_larger_than_four_hundred_lines() -> None:
    sizes = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}

    assert {name: size for name, size in sizes.items() if size > MAX_MODULE_LINES} == {}


def test_no_function_of_the_product_is_longer_than_sixty_lines() -> None:
    assert [name for path in PRODUCT for name in _long_functions(path)] == []


def test_nothing_calls_itself_unfinished() -> None:
    assert _matching(PRODUCT, UNFINISHED) == []


def test_no_error_is_swallowed_whole() -> None:
    text = {_name(path): path.read_text(encoding="utf-8") for path in PRODUCT}

    assert [name for name, source in text.items() if SWALLOWED.search(source)] == []


def test_only_the_settings_read_the_environment() -> None:
    found = {name.rpartition(":")[0] for name in _matching(PRODUCT, ENVIRONMENT)}

    assert found - ENVIRONMENT_READERS == set()


@pytest.mark.parametrize(("pattern", "allowed"), [(ESI_ADDRESS, ESI_READERS), (SESSIONS, SESSION_OPENERS)])
def test_the_outside_is_asked_by_its_clients_alone(pattern: re.Pattern[str], allowed: set[str]) -> None:
    product = [path for path in PRODUCT if "sim" not in path.parts]

    assert {name.rpartition(":")[0] for name in _matching(product, pattern)} == allowed


@pytest.mark.parametrize("path", PACKAGES, ids=_name)
def test_every_package_says_what_it_owns(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""

    assert re.match(r"[A-Z].{30,}", docstring)


def test_every_public_function_of_the_product_has_a_docstring() -> None:
    bare = [
        f"{_name(path)}:{node.name}"
        for path in PRODUCT
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]

    assert bare == []


def _identifiers(path: Path) -> set[str]:
    """Return the names that a module makes or uses, with its own."""
    found = {path.stem}
    for node in _nodes(path):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                found.add(name)
    return found


def test_a_class_name_is_used_once() -> None:
    places: dict[str, list[str]] = {}
    for path in PRODUCT:
        for node in _nodes(path):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{_name(path)}:{node.lineno}")

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_no_identifier_has_a_word_of_our_own() -> None:
    found = {
        f"{_name(path)}: {name}"
        for path in PRODUCT
        for name in _identifiers(path)
        if any(part.lower() in PRIVATE_WORDS for part in PARTS.findall(name))
    }

    assert found == set()
