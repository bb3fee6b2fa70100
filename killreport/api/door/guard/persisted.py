"""What a request of GraphQL is, and documents known by their hash, as Apollo's clients ask (persisted queries)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache
from graphql import GraphQLError

MAX_BYTES = 4 * 2**20
# What an entry takes besides its text.
_OVERHEAD = 300


class Misshapen(GraphQLError):
    """What was sent is no GraphQL request, whatever the media type."""


class Persisted:
    """Documents by sha256 of their text, within a bound; the one unused for longest goes first."""

    def __init__(self, most_bytes: int = MAX_BYTES) -> None:
        self._by_hash: LRUCache[str, str] = LRUCache(most_bytes, getsizeof=lambda text: len(_utf8(text)) + _OVERHEAD)

    def resolve(self, data: Any) -> Mapping[str, Any]:
        """Return the request with its document in `query`, put there where only the hash was sent.

        Raises Misshapen for what is no request, or has a hash that is not that of its document, and GraphQLError for a
        hash that is not known (PERSISTED_QUERY_NOT_FOUND: send the document too).
        """
        if not isinstance(data, dict):
            raise Misshapen("Operation data should be a JSON object")
        wanted = _wanted_hash(data)
        if wanted is None:
            return _checked(data)
        if data.get("query") is None:
            if wanted not in self._by_hash:
                # The message and the code are those that clients look for.
                raise GraphQLError("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})
            return _checked({**data, "query": self._by_hash[wanted]})
        if hashlib.sha256(_utf8(_checked(data)["query"])).hexdigest() != wanted:
            raise Misshapen("provided sha does not match query", extensions={"code": "BAD_REQUEST"})
        return data

    def keep(self, data: Mapping[str, Any]) -> None:
        """Remember the document of a request that was found valid, if the client asked for that."""
        wanted = _wanted_hash(data)
        if wanted is not None and wanted not in self._by_hash:
            self._by_hash[wanted] = data["query"]


def _checked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    query = data.get("query")
    if not query or not isinstance(query, str):
        raise Misshapen("The query must be a string.")
    if not isinstance(data.get("variables"), dict | None):
        raise Misshapen("Query variables must be a null or an object.")
    name = data.get("operationName")
    if not isinstance(name, str | None):
        raise Misshapen(f'"{name}" is not a valid operation name.')
    return data


def _wanted_hash(data: Mapping[str, Any]) -> str | None:
    """Return the hash a request names, None where it names none."""
    extensions = data.get("extensions")
    if extensions is None:
        return None
    if not isinstance(extensions, dict):
        raise Misshapen("`extensions` must be null or an object.")
    asked = extensions.get("persistedQuery")
    if asked is None:
        return None
    wanted = asked.get("sha256Hash") if isinstance(asked, dict) else None
    if not isinstance(wanted, str) or len(wanted) != 64 or asked.get("version", 1) != 1:
        raise Misshapen("`persistedQuery` must have `version` 1 and a `sha256Hash` of 64 hexadecimal digits.")
    return wanted.lower()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
