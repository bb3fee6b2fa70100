"""What the settings hand on: to children, and of the process manager's socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.config import Settings, default_home, load_settings
from killreport.environment import child_environment, notify_socket_address


def test_a_child_gets_exactly_these_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILLREPORT_DATABASE_URL", "postgresql://real.example.org/real")
    monkeypatch.setenv("KILLREPORT_CONFIG", "/etc/killreport.toml")
    settings = Settings(home=tmp_path, api_port=4321, feed_wait_seconds=0.5)

    environment = child_environment(settings)

    assert load_settings(environment).settings == settings
    assert "KILLREPORT_DATABASE_URL" not in environment
    assert "KILLREPORT_CONFIG" not in environment


def test_a_child_gets_secrets_in_the_clear(tmp_path: Path) -> None:
    url = "postgresql://user:hunter2@127.0.0.1/name"
    settings = Settings.model_validate({"home": tmp_path, "database_url": url})

    assert child_environment(settings)["KILLREPORT_DATABASE_URL"] == url


def test_a_child_gets_everything_else_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "is_IS.UTF-8")

    environment = child_environment(Settings(home=tmp_path), NOTIFY_SOCKET="@here")

    assert (environment["LANG"], environment["NOTIFY_SOCKET"]) == ("is_IS.UTF-8", "@here")


@pytest.mark.parametrize(
    ("named", "address"),
    [(None, None), ("", None), ("/run/notify", "/run/notify"), ("@notify", b"\0notify")],
)
def test_the_managers_socket_may_have_an_abstract_name(
    monkeypatch: pytest.MonkeyPatch, named: str | None, address: str | bytes | None
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if named is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", named)

    assert notify_socket_address() == address


def test_roots_home_is_the_systems_and_anybody_elses_is_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/home/alice/data")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_home() == Path("/var/lib/killreport")

    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_home() == Path("/home/alice/data/killreport")


def test_the_home_without_xdg_is_below_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert default_home() == Path("/home/alice/.local/share/killreport")
