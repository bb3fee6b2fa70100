"""KillReport: follows every ship loss in EVE Online, stores it, explains it and serves it.

The packages inside are listed, from the edges to the foundations, in docs/reference/architecture.md;
the import contract in pyproject.toml keeps them in that order.
"""

__version__ = "0.1.0"
