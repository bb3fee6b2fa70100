"""What pyproject.toml cannot say: a build keeps which commit it was made of, for `killreport --version`."""

import os
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# Where it is not known by itself: an image is built from a copy without history.
GIVEN = "KILLREPORT_BUILD_COMMIT"


class BuildWithCommit(build_py):
    """Build the modules, and write the commit in place of what `git archive` would fill in."""

    def run(self) -> None:
        super().run()
        known = os.environ.get(GIVEN) or _of_checkout()
        target = Path(self.build_lib) / "killreport" / "commit.txt"
        if known and not self.editable_mode:
            target.write_text(f"{known}\n", encoding="utf-8")


def _of_checkout() -> str:
    command = ("git", "-C", str(Path(__file__).parent), "log", "-1", "--format=%h %cs")
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


setup(cmdclass={"build_py": BuildWithCommit})
