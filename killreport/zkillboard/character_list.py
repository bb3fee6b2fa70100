"""zKillboard's list of a character's killmails, newest first, a page at a time.

From early 2025 to 2026-06-27 the list held ids and hashes only, before and since then whole killmails: both are read.
Source: zKillboard's `view/api.php`, and its wiki page "API (Killmails)".
"""

from __future__ import annotations

from typing import Final

import msgspec

from killreport.decoding import UNREADABLE, malformed
from killreport.errors import Malformed, Transient
from killreport.zkillboard.package import Package, UnreadablePackage, decode_listed
from killreport.zkillboard.r2z2 import Fetch

# The host's own bound; a page holds 200 killmails or more, and nobody should rely on how many.
LAST_PAGE: Final = 100
ENDPOINT: Final = "zkillboard api"

# PHP writes an empty table as a list, and a table with holes as an object.
_PAGE = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, msgspec.Raw])


class CharacterList:
    """Reads the lists under one host; pacing is the caller's business."""

    def __init__(self, http: Fetch, url: str) -> None:
        self._http = http
        self._url = url

    async def page(self, character_id: int, page: int) -> list[Package | UnreadablePackage]:
        """Return what is on the page; nothing on it means that the list ended before it.

        `esi` of a package is the JSON null where the list has only its id and hash.
        Raises as `HttpClient.get` does, and Transient where the host says that something went wrong: it does so with
        status 200, whatever went wrong.
        """
        return read_page(await self._http.get(f"{self._url}/api/characterID/{character_id}/page/{page}/"))


def read_page(body: bytes) -> list[Package | UnreadablePackage]:
    """Return the killmails of a page; one that cannot be read does not spoil the others. Raises Transient."""
    try:
        found = _PAGE.decode(body)
    except UNREADABLE as error:
        raise Transient(f"zKillboard's answer is not a list: {malformed(body, error).reason}") from None
    if isinstance(found, dict):
        if "error" in found:
            raise Transient(f"zKillboard says: {bytes(found['error'])[:200].decode(errors='replace')}")
        found = list(found.values())
    return [_read_element(bytes(element)) for element in found]


def _read_element(element: bytes) -> Package | UnreadablePackage:
    try:
        return decode_listed(element)
    except Malformed as error:
        return UnreadablePackage(error.reason, error.path, element)
