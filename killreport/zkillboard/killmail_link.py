"""Links that people copy to tell others of a killmail, and the hash that a link of zKillboard leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from killreport.errors import Malformed, NotFound
from killreport.zkillboard.character_list import read_page
from killreport.zkillboard.package import Package
from killreport.zkillboard.r2z2 import Fetch

LONGEST_LINK = 200
_ID, _HASH = r"(?P<id>[1-9][0-9]{0,9})", r"(?P<hash>[0-9a-fA-F]{40})"
# ESI's paths once began with a version, and many links still do.
_ESI = re.compile(rf"https?://esi\.evetech\.net/(?:[a-z0-9]+/)?killmails/{_ID}/{_HASH}/?(?:\?[^#]*)?")
_ZKILLBOARD = re.compile(rf"https?://(?:www\.)?zkillboard\.com/kill/{_ID}/?(?:[?#].*)?")


@dataclass(frozen=True, slots=True)
class KillmailLink:
    """What a link names. hash: 40 hexadecimal digits, None where the link leaves it out."""

    killmail_id: int
    hash: str | None


def read_link(text: str) -> KillmailLink:
    """Return what the link names. Raises Malformed for anything but a link to a killmail."""
    short = text.strip()
    if len(short) <= LONGEST_LINK:
        found = _ESI.fullmatch(short)
        if found is not None:
            return KillmailLink(int(found["id"]), found["hash"].lower())
        found = _ZKILLBOARD.fullmatch(short)
        if found is not None:
            return KillmailLink(int(found["id"]), None)
    raise Malformed("a link to a killmail on esi.evetech.net or zkillboard.com is needed", "link")


async def find_hash(http: Fetch, url: str, killmail_id: int) -> str:
    """Return the hash that zKillboard has of a killmail. Raises NotFound where it has none, and as `Fetch` does."""
    for found in read_page(await http.get(f"{url}/api/killID/{killmail_id:d}/")):
        if isinstance(found, Package) and found.killmail_id == killmail_id and found.hash:
            return found.hash
    raise NotFound(f"zKillboard has no killmail {killmail_id}.")
