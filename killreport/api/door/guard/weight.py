"""What a document weighs, told from its text in one pass, before anything is built of it.

The names, numbers, strings and signs are told apart as GraphQL does, so they also say which documents differ in layout
alone. Source: https://spec.graphql.org/October2021/#sec-Language.Source-Text.Lexical-Tokens.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

# What is never closed reaches to the end: looking for the end again at every quote would take quadratic time.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\"""|\\|"(?!""))*+(?:""")?'
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|(?P<comment>#[^\n\r]*+)"
    r"|\.\.\."
    r"|[A-Za-z_][A-Za-z0-9_]*+"
    r"|-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
    r"|[^\s,\ufeff]"
)
# So much is in the price of every request.
FREE_TOKENS = 40
TOKENS_FOR_ONE = 2


@dataclass(frozen=True, slots=True)
class Weight:
    """tokens: comments too, which have to be read as well. digest: equal for documents that differ in layout alone."""

    tokens: int
    directives: int
    digest: str

    @property
    def price(self) -> int:
        """What reading and checking costs the client, besides what every request costs."""
        return max(0, self.tokens - FREE_TOKENS) // TOKENS_FOR_ONE


def weigh(text: str) -> Weight:
    """Return what a document weighs; the text may be anything."""
    tokens: list[str] = []
    comments = 0
    for found in _TOKEN.finditer(text):
        if found.lastgroup is None:
            tokens.append(found[0])
        else:
            comments += 1
    # The short form of a query without a name.
    meaning = tokens[1:] if tokens[:2] == ["query", "{"] else tokens
    digest = hashlib.sha256("\n".join(meaning).encode("utf-8", "surrogatepass")).hexdigest()
    return Weight(len(tokens) + comments, tokens.count("@"), digest)
