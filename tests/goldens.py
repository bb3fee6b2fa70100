"""Files that a test expects to the letter, kept in the folder `golden` beside it, and the one way to make them anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
REMAKES = os.environ.get("KILLREPORT_TEST_REMAKE_GOLDENS") == "1"


class Goldens:
    """The expected files of one test module. REMAKES: what comes out is kept instead of compared."""

    def __init__(self, module: Path, *, remakes: bool = REMAKES) -> None:
        self._module = module
        self._remakes = remakes

    def check(self, folder: str, files: Mapping[str, str]) -> None:
        """Compare files, by their names below the folder of `golden`. Raises AssertionError for a difference."""
        golden = self._module.parent / "golden" / folder
        if self._remakes:
            shutil.rmtree(golden, ignore_errors=True)
            for name, text in files.items():
                (golden / name).parent.mkdir(parents=True, exist_ok=True)
                (golden / name).write_text(text, encoding="utf-8")
        kept = {
            path.relative_to(golden).as_posix(): path.read_text(encoding="utf-8")
            for path in golden.rglob("*")
            if path.is_file()
        }
        assert files == kept, f"if that is meant: {self.command}, and read the difference"

    @property
    def command(self) -> str:
        """Return what makes them anew."""
        name = self._module.relative_to(ROOT) if self._module.is_relative_to(ROOT) else self._module
        return f"KILLREPORT_TEST_REMAKE_GOLDENS=1 make test ARGS={name}"
