"""Where a line belongs: folders of a size that can be overlooked, and an order inside every big package."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PRODUCT = ROOT / "killreport"
MAX_MODULES = 30
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LAYERED = {contract["containers"][0]: contract for contract in CONTRACTS if contract["type"] == "layers"}
FOLDERS = sorted({path.parent for path in PRODUCT.rglob("*.py")})


def _parts(folder: Path) -> set[str]:
    modules = {path.stem for path in folder.glob("*.py") if path.stem not in ("__init__", "__main__")}
    return modules | {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_folder_has_more_modules_than_can_be_overlooked(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= MAX_MODULES


@pytest.mark.parametrize("name", sorted(LAYERED))
def test_a_contract_places_every_part_of_its_package_and_allows_no_exception(name: str) -> None:
    contract = LAYERED[name]
    placed = {part for layer in contract["layers"] for part in layer.split(" | ")}

    assert contract["exhaustive"]
    assert "ignore_imports" not in contract
    assert placed == _parts(ROOT / name.replace(".", "/"))


def test_a_package_of_thirty_modules_and_more_has_a_contract() -> None:
    big = {
        f"killreport.{folder.name}"
        for folder in PRODUCT.iterdir()
        if (folder / "__init__.py").exists() and len(list(folder.rglob("*.py"))) >= MAX_MODULES
    }

    assert big - set(LAYERED) == set()
