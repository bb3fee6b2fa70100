"""A copy of the product to which something is added, and the programs that run in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.integration.adding.examples import Example, Insertion

ROOT = Path(__file__).parents[3]


class Tree:
    """A copy of the product in a folder of its own. environment: of the programs that run in it, beside the usual."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KILLREPORT_", "COV"))}
        # Programs see the copy first, which is where they start, and behind it the tests.
        self._environment = {**kept, "PYTHONPATH": str(ROOT), **environment}
        # With what was compiled, which lies beside.
        shutil.copytree(ROOT / "killreport", folder / "killreport")
        shutil.copytree(ROOT / "docs" / "reference", folder / "docs" / "reference")
        self._before = self._texts()

    def add(self, example: Example) -> None:
        """Add an example, by what it edits and makes alone."""
        for edit in example.edits:
            self._insert(edit)
        for name, text in example.files.items():
            path = self.folder / "killreport" / name
            assert path.parent.is_dir(), f"there is no folder {path.parent}"
            path.write_text(text, encoding="utf-8")

    def _insert(self, edit: Insertion) -> None:
        path = self.folder / "killreport" / edit.file
        head, *rest = re.split(f"^(?={re.escape(edit.before)})", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert len(rest) == 1, f"{len(rest)} lines of {edit.file} begin with {edit.before!r}"
        path.write_text(head + edit.lines + rest[0], encoding="utf-8")

    def make_docs(self) -> None:
        """Do what `make docs` does."""
        recipe = re.search(r"^docs:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert recipe is not None
        for line in recipe[1].splitlines():
            python, *arguments = line.split()
            assert python == "$(BIN)/python"
            self.run(*arguments)

    def changed(self) -> set[str]:
        """Return the files that are new or other than in the beginning."""
        after = self._texts()
        return {name for name, text in after.items() if self._before.get(name) != text}

    def run(self, *arguments: str, **settings: str) -> str:
        """Run Python in the copy and return what it said, having checked that it ended well."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**self._environment, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def killreport(self, *arguments: str, **settings: str) -> str:
        """Run the product's command in the copy and return what it said."""
        return self.run("-m", "killreport", *arguments, **settings)

    def _texts(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
