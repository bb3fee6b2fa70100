"""Links to killmails that people copy."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from killreport.errors import Malformed, NotFound, Transient
from killreport.zkillboard.killmail_link import KillmailLink, find_hash, read_link

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"https://esi.evetech.net/killmails/123/{HASH}/", KillmailLink(123, HASH)),
        (f" https://esi.evetech.net/v1/killmails/123/{HASH.upper()}?datasource=tranquility", KillmailLink(123, HASH)),
        ("https://zkillboard.com/kill/123/", KillmailLink(123, None)),
        ("http://www.zkillboard.com/kill/2147483648", KillmailLink(2147483648, None)),
        ("https://zkillboard.com/kill/123/#comment", KillmailLink(123, None)),
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
    ],
)
def test_what_is_no_link_to_a_killmail_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="a link to a killmail on esi"):
        read_link(text)


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
