"""Install what locks name into the environment of the Python that runs this, and say how far it is.

Usage: python installation/packages.py LOCK…  What pip says in full goes to `install.log` in that environment; what a
person has to know is said in a sentence, and the status is 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PIN = re.compile(r"^[A-Za-z0-9._-]+==", re.MULTILINE)
NAMED = re.compile(r"(Collecting|Processing|Requirement already satisfied:) (?:\S*/)?([A-Za-z0-9._]+(?:-[A-Za-z_]+)*)")
SIZE = re.compile(r"Downloading .*\(([0-9.]+) (kB|MB)")
# How often a line is due where none can be written over, as in the log of a machine.
STEP_WITHOUT_TERMINAL = 10

# What pip says, and what that means for somebody who sees all this for the first time.
REASONS = (
    (r"No space left on device", "The disk is full: the packages need about 200 MB."),
    (r"DO NOT MATCH THE HASHES", "What was downloaded is not what the lock names, so nothing of it was installed."),
    (
        r"NewConnection|NameResolution|name resolution|Name or service|unreachable|imed out|refused|ProxyError",
        "The packages could not be downloaded: the package index does not answer. "
        "Only the set-up needs the network; run it again where there is one.",
    ),
    (r"No matching distribution found for (\S+)", "The package index has no {0} for this machine and its Python."),
)


@dataclass
class Progress:
    """How many packages were looked at, of how many, and how much was downloaded."""

    total: int
    count: int = 0
    megabytes: float = 0

    def read(self, line: str) -> None:
        """Learn from a line of pip's, and show it where it tells something new."""
        if found := NAMED.match(line):
            self.count += 1
            if found[1] != "Requirement already satisfied:":
                self._show(f"{self.count} of {self.total} packages, {self.megabytes:.0f} MB: {found[2]}")
        elif found := SIZE.search(line):
            self.megabytes += float(found[1]) / (1 if found[2] == "MB" else 1000)
        elif line.startswith("Installing collected packages"):
            self._show(f"{self.count} of {self.total} packages, {self.megabytes:.0f} MB: unpacking")

    def _show(self, text: str) -> None:
        if sys.stdout.isatty():
            print(f"\r\x1b[K  {text}", end="", flush=True)
        elif self.count % STEP_WITHOUT_TERMINAL == 0 or "unpacking" in text:
            print(f"  {text}", flush=True)


def reason(said: str) -> str:
    """Return why pip failed, for a person, from all that it said."""
    for pattern, sentence in REASONS:
        if found := re.search(pattern, said):
            return sentence.format(*found.groups())
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "pip said nothing.")
    return f"The packages could not be installed: {last.strip()}"


def install(locks: list[Path]) -> int:
    """Install what the locks name, each package as its hash says or not at all; return the status for the shell."""
    progress = Progress(sum(len(PIN.findall(lock.read_text(encoding="utf-8"))) for lock in locks))
    # The locks are complete, so no dependency is looked for beyond them.
    options = ("--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes", "--progress-bar", "off")
    named = (word for lock in locks for word in ("--requirement", str(lock)))
    command = (sys.executable, "-m", "pip", "install", *options, "--retries", "2", *named)
    log = Path(sys.prefix) / "install.log"
    said = []
    with (
        log.open("w", encoding="utf-8") as kept,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            kept.write(line)
            said.append(line)
            progress.read(line)
    if sys.stdout.isatty():
        print("\r\x1b[K", end="", flush=True)
    if pip.returncode:
        print(f"{reason(''.join(said))} All that pip said: {log}", file=sys.stderr)
    return min(pip.returncode, 1)


if __name__ == "__main__":
    sys.exit(install([Path(name) for name in sys.argv[1:]]))
