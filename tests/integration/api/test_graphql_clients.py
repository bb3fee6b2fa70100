"""The GraphQL schema in the hands of the clients that others read it with, and their caches against a board."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from graphql import GraphQLSyntaxError, OperationDefinitionNode, parse, print_ast, validate
from graphql.language import NameNode, visit
from graphql.language.visitor import Visitor

from killreport.api.schema import build_schema, schema_text
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from killreport.web import documents
from tests.integration.api.test_openapi_clients import run
from tests.integration.kills import KILLER, NOON, arrival, store
from tests.integration.serving import GraphQL
from tests.npm import CLIENTS, clients_installed

FOLDER = CLIENTS / "graphql"
ROOT = Path(__file__).parents[3]
KILLMAILS = 5
# What stands in the pages as text of a program, of a shell or of GraphQL itself.
_BLOCKS = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TEXTS = re.compile(r'"""(.*?)"""|`([^`]*)`|"query": "((?:[^"\\]|\\.)*)"', re.DOTALL)
# Written for the clients themselves, which `use.ts` reads.
OWN = {
    "ClientsPage": """
        query ClientsPage($after: String) {
          killmails(first: 50, after: $after) {
            edges { cursor node { id } } pageInfo { hasNextPage endCursor } }
        }""",
    "ClientsThings": """
        query ClientsThings($text: String!) {
          search(query: $text) {
            rank
            entity { __typename ... on Character { id nodeId name } ... on SolarSystem { id nodeId name } }
          }
        }""",
}


class _Named(Visitor):
    """Gives names, without which nothing can be made of an operation or of two of one name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def enter_operation_definition(self, node: OperationDefinitionNode, *_args: object) -> OperationDefinitionNode:
        return OperationDefinitionNode(
            operation=node.operation,
            name=NameNode(value=self._name),
            variable_definitions=node.variable_definitions,
            directives=node.directives,
            selection_set=node.selection_set,
        )


def _operation(text: str) -> str | None:
    """Return the text where it is one operation with its fragments, None where it is something else."""
    try:
        found = parse(text)
    except GraphQLSyntaxError:
        return None
    operations = [part for part in found.definitions if isinstance(part, OperationDefinitionNode)]
    return text if len(operations) == 1 else None


def collect_documents() -> dict[str, str]:
    """Return every document of the pages, of the explorer's examples and of the site, by a name of its own."""
    texts: dict[str, str] = {}
    for page in sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md"]):
        for block in _BLOCKS.findall(page.read_text(encoding="utf-8")):
            found = ["".join(groups).replace('\\"', '"') for groups in _TEXTS.findall(block)] or [block]
            for text in found:
                if _operation(text):
                    texts[f"Page{len(texts)}"] = text
    for example in sorted(ROOT.glob("killreport/api/explorer/examples/*.graphql")):
        texts[f"Example{len(texts)}"] = example.read_text(encoding="utf-8")
    for name, value in vars(documents).items():
        if isinstance(value, str) and name.isupper() and _operation(value):
            texts[f"Site{len(texts)}"] = value
    # Fragments are told apart by their names in all documents together.
    return {name: _apart(name, text) for name, text in texts.items()} | OWN


def _apart(name: str, text: str) -> str:
    for fragment in re.findall(r"^fragment (\w+)", text, re.MULTILINE):
        text = re.sub(rf"(fragment |\.\.\.\s*){fragment}\b", rf"\g<1>{name}_{fragment}", text)
    return print_ast(visit(parse(text), _Named(name)))


@pytest.fixture
async def modules(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    """Return the folder with the packages of npm, which stand beside what is tried with them."""
    modules = await asyncio.to_thread(clients_installed, pytestconfig, "graphql")
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "schema.graphql").write_text(schema_text(), encoding="utf-8")
    return modules


@pytest.fixture
async def board(api: GraphQL, writer: KillmailWriter, database: Database) -> str:
    """Return the address of a board with kills of one pilot."""
    await store(writer, database, *(arrival(1 + at, NOON + timedelta(hours=at)) for at in range(KILLMAILS)))
    return api.address


def test_the_pages_and_the_site_have_documents_that_are_valid() -> None:
    found = collect_documents()
    kinds = {re.sub(r"\d", "", name) for name in found}
    assert kinds == {"Page", "Example", "Site", *OWN}
    assert len(found) > 20
    for name, text in found.items():
        assert validate(build_schema(), parse(text)) == [], name


async def test_relay_compiles_and_its_store_reads_page_after_page(board: str, modules: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    compiled = await run(modules / ".bin/relay-compiler", cwd=tmp_path)
    assert compiled[0] == 0, compiled
    status, output, errors = await run("node", "relay.cjs", board, str(KILLER), cwd=tmp_path)
    assert status == 0, errors
    assert json.loads(output) == {
        "pilotId": f"Character:{KILLER}",
        "pages": [[5, 4], [5, 4, 3, 2], [5, 4, 3, 2, 1]],
        "ships": ["Type:587"],
    }


async def test_relay_compiles_as_it_comes_too(modules: Path, tmp_path: Path) -> None:
    """Without our line in its settings it takes `id` for the id of a node, which is what it asks `node` for."""
    (tmp_path / "made").mkdir()
    config = json.loads((FOLDER / "relay.config.json").read_text(encoding="utf-8"))
    del config["schemaConfig"]
    (tmp_path / "relay.config.json").write_text(json.dumps(config), encoding="utf-8")
    compiled = await run(modules / ".bin/relay-compiler", cwd=tmp_path)
    assert compiled[0] == 0, compiled


@pytest.mark.usefixtures("modules")
async def test_apollo_s_cache_joins_pages_and_mixes_nothing_up(board: str, tmp_path: Path) -> None:
    status, output, errors = await run("node", "apollo.mjs", board, str(KILLER), "Rifter", "Jita", cwd=tmp_path)
    assert status == 0, errors
    found = json.loads(output)
    whole = {"sizes": [2, 4, 5], "ids": [5, 4, 3, 2, 1]}
    assert (found["board"], found["kills"]) == (whole, whole)
    assert len(found["ranks"][0]) > 1
    assert found["ranks"] == [list(range(1, len(ranks) + 1)) for ranks in found["ranks"]]
    assert {"Character", "Killmail", "Type"} <= set(found["kept"])
    assert "SearchResult" not in found["kept"]


async def test_codegen_types_every_document_and_typescript_takes_them_strictly(modules: Path, tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    for name, text in collect_documents().items():
        (tmp_path / "documents" / f"{name}.graphql").write_text(text, encoding="utf-8")
    made = await run("node", "codegen.mjs", cwd=tmp_path)
    assert made[0] == 0, made
    text = (tmp_path / "made/graphql.ts").read_text(encoding="utf-8")
    for name in collect_documents():
        assert f"export const {name}Document = " in text, name
    options = ("--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom")
    compiled = await run(modules / ".bin/tsc", *options, "use.ts", "made/graphql.ts", cwd=tmp_path)
    assert compiled[0] == 0, compiled[1]
