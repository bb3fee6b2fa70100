"""Killmails as entries of a feed for people: a headline, a sentence, and what never changes about them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from killreport.api.views.killmail import KillmailView

# An empty feed has to say when it changed, and must not say "now" each time.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# What XML 1.0 cannot hold, not even escaped; names come from outside.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One killmail. id: a URN that is the same on every board and for ever."""

    id: str
    title: str
    summary: str
    link: str
    published: datetime
    updated: datetime
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Syndicated:
    """A whole feed. self_link: where it is read; link: the site."""

    id: str
    title: str
    self_link: str
    link: str
    entries: Sequence[FeedEntry]

    @property
    def updated(self) -> datetime:
        """Return when the newest of the entries came in."""
        return max((entry.updated for entry in self.entries), default=NEVER)


def entry_of(killmail: KillmailView, site: str) -> FeedEntry:
    """Return the entry of a killmail. site: the base URL of its page."""
    ship, victim = _name(killmail.victim.ship_type.name, "a ship"), _victim(killmail)
    system = _name(killmail.solar_system.name, "an unknown system")
    value = _value(killmail)
    region = killmail.solar_system.region
    place = f"{system} ({region.name})" if region is not None and region.name else system
    others = killmail.attacker_count - 1
    helped = f" and {others} more" if others else ""
    return FeedEntry(
        id=urn(f"https://esi.evetech.net/killmails/{killmail.id}/{killmail.hash}/"),
        title=clean(f"{victim} lost {ship} in {system}, {value.removeprefix('worth ')}"),
        summary=clean(
            f"{victim} lost {ship} in {place} at {killmail.time:%Y-%m-%d %H:%M} to {_striker(killmail)}{helped}. "
            f"{value[:1].upper()}{value[1:]}, {killmail.points} points."
        ),
        link=f"{site}/kill/{killmail.id}",
        published=killmail.time,
        updated=killmail.stored_at,
        categories=tuple(clean(label) for label in killmail.labels),
    )


def urn(name: str) -> str:
    """Return a URN made of a name: the same for the same name, wherever and whenever."""
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def clean(text: str) -> str:
    """Return the text without what no XML document can hold."""
    return _NOT_XML.sub("", text)


def _value(killmail: KillmailView) -> str:
    """Return what it was worth; where not every price is known, at least how much."""
    total = killmail.row.total_value_cents
    if killmail.row.is_worth_known:
        return f"worth {total / 100:,.2f} ISK"
    return f"worth at least {total / 100:,.2f} ISK" if total else "no price known"


def _victim(killmail: KillmailView) -> str:
    victim = killmail.victim
    party = victim.character or victim.corporation or victim.alliance or victim.faction
    return "Somebody" if party is None else _name(party.name, f"Somebody ({party.id})")


def _striker(killmail: KillmailView) -> str:
    blow = killmail.final_blow
    party = blow.character or blow.corporation or blow.faction or blow.ship_type
    return "somebody" if party is None else _name(party.name, f"somebody ({party.id})")


def _name(name: str | None, unknown: str) -> str:
    return name or unknown
