"""Links that people copy to tell others of a killmail, and the hash that a link of zKillboard leaves out.

Known: the game's own link (`killReport:ID:HASH`, as it stands in chat, mails and bios), ESI of every version and under
its older names, CREST, which preceded it, and the pages of zKillboard, EVE-KILL and EVE Tools, which have no hash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from killreport.errors import Malformed, NotFound
from killreport.zkillboard.character_list import read_page
from killreport.zkillboard.package import Package
from killreport.zkillboard.r2z2 import Fetch

MAX_LINK = 200
MAX_TEXT = 20_000
_ID, _HASH = r"(?P<id>[1-9][0-9]{0,17})", r"(?P<hash>[0-9a-fA-F]{40})"
# Source: https://developers.eveonline.com/docs/guides/eve-html/, checked 2026-11-30; `<url:` is the older spelling.
_GAME = re.compile(rf"(?:url[=:]|href=)?killReport:{_ID}:{_HASH}", re.IGNORECASE)
# ESI's paths once began with a version, and many links still do.
_API_HOST = r"(?:esi\.evetech\.net|esi\.tech\.ccp\.is|(?:public-crest|crest-tq|crest)\.eveonline\.com)"
_API = re.compile(rf"(?:https?://)?{_API_HOST}/(?:[a-z0-9_-]+/)?killmails/{_ID}/{_HASH}/?(?:[?#].*)?", re.IGNORECASE)
_PAGE_HOST = r"(?:(?:www\.|beta\.)?zkillboard\.com|(?:www\.)?eve-?kill\.(?:com|net)|(?:kb\.|www\.)?evetools\.org)"
_PAGE = re.compile(rf"(?:https?://)?{_PAGE_HOST}/(?:kill|killmail|detail|api/killID)/{_ID}/?(?:[?#].*)?", re.IGNORECASE)
# As EVE-KILL's pages were called until 2014; its own numbers, `kll_id`, say nothing to anybody else.
_OLD_PAGE = re.compile(
    rf"https?://(?:www\.)?eve-kill\.net/(?:index\.php)?\?a=kill_detail&kll_ext_id={_ID}", re.IGNORECASE
)
_PATTERNS = (_GAME, _API, _PAGE, _OLD_PAGE)
# Between two links may be anything that no link has: blanks, the brackets of markup, quotes.
_BETWEEN = re.compile(r"[\s,;<>\"'()\[\]{}|\\^`]+")
_LOOKS_LIKE_ONE = re.compile(r"(?:url[=:]|href=)?(?:https?://|killReport:)", re.IGNORECASE)
_AFTER = ".:!*_"


@dataclass(frozen=True, slots=True)
class KillmailLink:
    """What a link names. hash: 40 hexadecimal digits, None where the link leaves it out."""

    killmail_id: int
    hash: str | None


@dataclass(frozen=True, slots=True)
class PastedLink:
    """A link as it stood in a text, cut at MAX_LINK. killmail: None where it names none."""

    text: str
    killmail: KillmailLink | None


def read_link(text: str) -> KillmailLink:
    """Return what the link names, or the one link in the markup around it. Raises Malformed for anything else."""
    found = {link.killmail for link in read_links(text[: MAX_TEXT + 1])}
    named = found - {None}
    if len(named) > 1:
        raise Malformed("it names more than one killmail", "link")
    killmail = next(iter(named), None)
    if killmail is None or len(found) > 1:
        raise Malformed(
            "a link to a killmail on esi.evetech.net or zkillboard.com, or the game's killReport link, is needed",
            "link",
        )
    return killmail


def read_links(text: str) -> list[PastedLink]:
    """Return the links in a text in their order, each killmail once, those to something else with no killmail.

    Words that are no links are left out. Where one link to a killmail has its hash and another has not, it has it.
    Raises Malformed for a text of more than MAX_TEXT characters.
    """
    if len(text) > MAX_TEXT:
        raise Malformed(f"the text has more than {MAX_TEXT:,} characters", "text")
    found: dict[object, PastedLink] = {}
    for link in _links_in(text):
        key = link.text if link.killmail is None else link.killmail.killmail_id
        known = found.get(key)
        if known is None or (known.killmail is not None and known.killmail.hash is None):
            found[key] = link
    return list(found.values())


def _links_in(text: str) -> Iterator[PastedLink]:
    for part in _BETWEEN.split(text):
        word = part.rstrip(_AFTER)
        match = next((match for pattern in _PATTERNS if (match := pattern.fullmatch(word))), None)
        if match is not None and len(word) <= MAX_LINK:
            hash_text = match.groupdict().get("hash")
            yield PastedLink(word, KillmailLink(int(match["id"]), hash_text.lower() if hash_text else None))
        elif _LOOKS_LIKE_ONE.match(word):
            yield PastedLink(word[:MAX_LINK], None)


async def find_hash(http: Fetch, url: str, killmail_id: int) -> str:
    """Return the hash that zKillboard has of a killmail. Raises NotFound where it has none, and as `Fetch` does."""
    for found in read_page(await http.get(f"{url}/api/killID/{killmail_id:d}/")):
        if isinstance(found, Package) and found.killmail_id == killmail_id and found.hash:
            return found.hash
    raise NotFound(f"zKillboard has no killmail {killmail_id}.")
