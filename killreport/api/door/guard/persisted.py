"""Documents known by their hash, as Apollo's clients ask (automatic persisted queries)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

MAX_BYTES = 4 * 2**20
# What an entry takes besides its text.
_OVERHEAD = 300


class PersistedQueryNotFound(GraphQLError):
    """The hash is not known here; the client is to send the document along."""


class Persisted:
    """Documents by sha256 of their text, within a bound; the one unused for longest goes first."""

    def __init__(self, most_bytes: int = MAX_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._by_hash: OrderedDict[str, str] = OrderedDict()

    def resolve(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the request with its document in `query`, put there where only the hash was sent.

        Raises GraphQLError for a hash that is not known (PERSISTED_QUERY_NOT_FOUND: send the document too) or is not
        that of the document.
        """
        wanted = wanted_hash(data)
        if wanted is None:
            return data
        text = data.get("query")
        if isinstance(text, str) and text:
            if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != wanted:
                raise GraphQLError("provided sha does not match query", extensions={"code": "BAD_REQUEST"})
            return data
        found = self._by_hash.get(wanted)
        if found is None:
            # The message and the code are those that clients look for.
            raise PersistedQueryNotFound("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})
        self._by_hash.move_to_end(wanted)
        return {**data, "query": found}

    def keep(self, data: Mapping[str, Any]) -> None:
        """Remember the document of a request that was found valid, if the client asked for that."""
        wanted = wanted_hash(data)
        if wanted is None or wanted in self._by_hash:
            return
        self._by_hash[wanted] = data["query"]
        self._bytes += _size(data["query"])
        while self._bytes > self._most_bytes:
            self._bytes -= _size(self._by_hash.popitem(last=False)[1])


def wanted_hash(data: Mapping[str, Any]) -> str | None:
    """Return the hash a request names, None where it names none. Raises GraphQLError where it is none."""
    extensions = data.get("extensions")
    if extensions is None:
        return None
    if not isinstance(extensions, dict):
        raise GraphQLError("`extensions` must be null or an object.")
    asked = extensions.get("persistedQuery")
    if asked is None:
        return None
    wanted = asked.get("sha256Hash") if isinstance(asked, dict) else None
    if not isinstance(wanted, str) or len(wanted) != 64 or asked.get("version", 1) != 1:
        raise GraphQLError("`persistedQuery` must have `version` 1 and a `sha256Hash` of 64 hexadecimal digits.")
    return wanted.lower()


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) + _OVERHEAD
