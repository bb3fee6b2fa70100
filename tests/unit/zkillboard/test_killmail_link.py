"""Links to killmails that people copy."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from killreport.errors import Malformed, NotFound, Transient
from killreport.zkillboard.killmail_link import KillmailLink, PastedLink, find_hash, read_link, read_links

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"https://esi.evetech.net/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f" https://esi.evetech.net/v1/killmails/123/{HASH.upper()}?datasource=tranquility", KillmailLink(123, HASH)),
        ("https://zkillboard.com/kill/123/", KillmailLink(123, None)),
        ("http://www.zkillboard.com/kill/2147483648", KillmailLink(2147483648, None)),
        ("https://zkillboard.com/kill/123/#comment", KillmailLink(123, None)),
        ("https://zkillboard.com/api/killID/123/", KillmailLink(123, None)),
        ("https://eve-kill.com/kill/123", KillmailLink(123, None)),
        ("https://kb.evetools.org/kill/123", KillmailLink(123, None)),
        ("zkillboard.com/kill/123/", KillmailLink(123, None)),
        ("http://eve-kill.net/?a=kill_detail&kll_ext_id=123", KillmailLink(123, None)),
        (f"killReport:123:{HASH}", KillmailLink(123, HASH)),
        (f"<url=killReport:123:{HASH.upper()}>Kill: Bob (Rifter)</url>", KillmailLink(123, HASH)),
        (f"<url:killReport:123:{HASH}>Kill: Bob (Rifter)</url>", KillmailLink(123, HASH)),
        (
            f'<font size="13" color="#ff6868e1"><a href="killReport:123:{HASH}">Kill: Bob</a></font>',
            KillmailLink(123, HASH),
        ),
        (f"https://esi.evetech.net/latest/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f"https://esi.evetech.net/legacy/killmails/123/{HASH}/?datasource=tranquility", KillmailLink(123, HASH)),
        (f"https://esi.evetech.net/v1/killmails/123/{HASH}", KillmailLink(123, HASH)),
        (f"https://esi.evetech.net/2025-08-26/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f"https://esi.evetech.net/killmails/123/{HASH}?compatibility_date=2025-08-26", KillmailLink(123, HASH)),
        (f"https://esi.tech.ccp.is/latest/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f"https://public-crest.eveonline.com/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f"http://public-crest.eveonline.com/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f"https://crest-tq.eveonline.com/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f"[look](https://zkillboard.com/kill/123/), everybody: killReport:123:{HASH}", KillmailLink(123, HASH)),
    ],
)
def test_a_link_names_a_killmail(text: str, expected: KillmailLink) -> None:
    assert read_link(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123",
        "https://zkillboard.com/kill/0123/",
        "https://zkillboard.com/kill/123/4",
        "https://zkillboard.com.example.org/kill/123/",
        f"https://esi.evetech.net/killmails/123/{HASH[:-1]}/",
        "https://zkillboard.com/character/123/",
        f"https://esi.evetech.net/killmails/123/{HASH}/?{'x' * 200}",
        f"https://esi.evetech.net.example.org/killmails/123/{HASH}/",
        f"https://example.org/?killReport:123:{HASH}",
        f"killReport:0:{HASH}",
        "http://eve-kill.net/?a=kill_detail&kll_id=123",
        f"killReport:123:{HASH}0",
        "https://zkillboard.com/kill/123/ https://example.org/",
    ],
)
def test_what_is_no_link_to_a_killmail_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="a link to a killmail on esi"):
        read_link(text)


def test_one_link_is_meant_where_one_is_asked_for() -> None:
    with pytest.raises(Malformed, match="more than one killmail"):
        read_link("https://zkillboard.com/kill/123/ https://zkillboard.com/kill/124/")


def test_the_links_of_a_text_come_in_their_order_and_each_killmail_once() -> None:
    text = f"""o7, two for you:
    * https://zkillboard.com/kill/2/, and <url=killReport:1:{HASH}>Kill: Bob (Rifter)</url>
    * https://example.org/kill/3/ (what is this?) https://zkillboard.com/kill/1/
    * https://esi.evetech.net/latest/killmails/2/{HASH}/?datasource=tranquility."""
    assert read_links(text) == [
        PastedLink(f"https://esi.evetech.net/latest/killmails/2/{HASH}/?datasource=tranquility", KillmailLink(2, HASH)),
        PastedLink(f"url=killReport:1:{HASH}", KillmailLink(1, HASH)),
        PastedLink("https://example.org/kill/3/", None),
    ]
    assert read_links("nothing at all") == []
    with pytest.raises(Malformed, match="more than 20,000 characters"):
        read_links("x" * 20_001)


class Host:
    """Answers one URL."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    async def get(self, url: str, _params: Mapping[str, str] | None = None) -> bytes:
        assert url == "https://host/api/killID/123/"
        return msgspec.json.encode(self._answer)


async def test_zkillboard_is_asked_for_the_hash() -> None:
    host = Host([{"killmail_id": 123, "zkb": {"hash": HASH}}])
    assert await find_hash(host, "https://host", 123) == HASH


async def test_without_an_answer_there_is_no_hash() -> None:
    with pytest.raises(NotFound, match="zKillboard has no killmail 123"):
        await find_hash(Host([]), "https://host", 123)
    with pytest.raises(Transient, match="zKillboard says"):
        await find_hash(Host({"error": "slow down"}), "https://host", 123)
