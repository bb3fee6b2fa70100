"""Whom the site asks for, and who may say so."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from killreport.config import Settings
from killreport.door.client import Client, Clients
from killreport.door.visitor_signature import FLEET, SIGNATURE_HEADER, VISITOR_HEADER, VisitorSigner, read_or_make

GIVEN = SecretStr("a-secret-of-the-fleet-that-is-long")


def asked(settings: Settings, headers: dict[str, str], host: str = "127.0.0.1") -> Client:
    """Return who asks with these headers."""
    return Clients(settings).client_of(host, Headers(headers))


def test_both_services_of_a_home_have_one_secret_that_its_owner_alone_may_read(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert VisitorSigner(settings).visitor(VisitorSigner(settings).headers("192.0.2.7")) == "192.0.2.7"
    path = tmp_path / "fleet" / "site.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["site.secret"]


def test_a_visitor_is_limited_by_its_own_address_although_this_machine_is_exempt(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    signature = VisitorSigner(settings)
    assert asked(settings, signature.headers("192.0.2.7")) == Client("192.0.2.7", True)
    assert asked(settings, signature.headers("2001:db8::9")) == Client("2001:db8::/64", True)
    assert asked(settings, signature.headers("127.0.0.1")) == Client("127.0.0.1", True)
    assert asked(settings, signature.headers("unknown")) == Client("unknown", True)
    assert asked(settings, signature.headers(FLEET)) == Client("fleet", False, is_fleet=True)


@pytest.mark.parametrize("signature", ["", "0" * 64, "ä", "\udcff"])
def test_a_stranger_cannot_make_a_signature_and_gains_nothing_by_trying(tmp_path: Path, signature: str) -> None:
    settings = Settings(home=tmp_path)
    forged = Headers(
        raw=[
            (VISITOR_HEADER.encode(), b"192.0.2.7"),
            (SIGNATURE_HEADER.encode(), signature.encode("latin-1", "replace")),
        ]
    )
    assert Clients(settings).client_of("198.51.100.1", forged) == Client("198.51.100.1", True)
    assert Clients(settings).client_of("127.0.0.1", forged) == Client("127.0.0.1", True)
    assert asked(settings, {VISITOR_HEADER: "fleet"}) == Client("127.0.0.1", True)


def test_a_signature_is_of_one_visitor(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    stolen = {**VisitorSigner(settings).headers("192.0.2.7"), VISITOR_HEADER: FLEET}
    assert not asked(settings, stolen).is_fleet


def test_the_secret_of_the_settings_serves_where_the_home_is_not_shared(tmp_path: Path) -> None:
    one = Settings(home=tmp_path / "one", fleet_secret=GIVEN)
    other = Settings(home=tmp_path / "other", fleet_secret=GIVEN)
    assert asked(other, VisitorSigner(one).headers("192.0.2.7")).key == "192.0.2.7"
    assert not list(tmp_path.iterdir())


def test_a_secret_that_was_lost_while_both_ran_is_found_again(tmp_path: Path) -> None:
    now = 0.0
    settings = Settings(home=tmp_path)
    api = VisitorSigner(settings, clock=lambda: now)
    assert api.visitor(VisitorSigner(settings).headers("192.0.2.7"))
    (tmp_path / "fleet" / "site.secret").unlink()
    site = VisitorSigner(settings)
    site.headers("192.0.2.7")
    now = 2.0
    assert api.visitor(site.headers("192.0.2.7")) == "192.0.2.7"


def test_a_file_that_is_cut_short_or_open_to_others_is_put_right(tmp_path: Path) -> None:
    path = tmp_path / "site.secret"
    path.write_bytes(b"short")
    path.chmod(0o644)
    secret = read_or_make(path)
    assert len(secret) == 64
    assert read_or_make(path) == secret
    path.chmod(0o644)
    read_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_home_that_cannot_be_written_gives_a_secret_nobody_else_has(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    first, second = read_or_make(path / "site.secret"), read_or_make(path / "site.secret")
    assert first != second
