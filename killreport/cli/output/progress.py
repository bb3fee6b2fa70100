"""How far a long command has come."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import Progress, ProgressColumn


def progress_bar(*columns: ProgressColumn) -> Progress:
    """Return what shows on stderr how far a long command has come; nothing where no person sees it."""
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
