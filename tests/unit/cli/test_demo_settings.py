"""The settings of a demo: apart from the real data, and talking to nobody outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.cli.processes.demo import check_ports, corpus_arguments, demo_settings
from killreport.config import Settings
from killreport.errors import Conflict, NotFound

REAL = Settings.model_validate(
    {
        "home": "/srv/killreport",
        "database_url": "postgresql://real.example.org/real",
        "feed": "redisq",
        "api_url": "https://api.example.org",
        "contact": "me@example.org",
    }
)


def test_a_demo_has_a_home_of_its_own_and_no_configured_database() -> None:
    settings = demo_settings(REAL, None, {})

    assert settings.home == Path("/srv/killreport/demo")
    assert settings.database_url is None
    assert settings.api_address == "http://127.0.0.1:4000"


def test_a_demo_asks_nobody_but_its_simulator() -> None:
    settings = demo_settings(REAL, None, {"sim_port": 4999, "api_port": None})

    hosts = {settings.r2z2_url, settings.redisq_url, settings.zkillboard_url, settings.esi_url}
    assert hosts == {"http://127.0.0.1:4999"}
    assert (settings.feed, settings.sim_port, settings.api_port) == ("r2z2", 4999, 4000)


def test_a_demo_keeps_what_has_nothing_to_do_with_it() -> None:
    assert demo_settings(REAL, Path("/elsewhere"), {}).contact == "me@example.org"
    assert demo_settings(REAL, Path("/elsewhere"), {}).home == Path("/elsewhere")


def test_two_parts_cannot_share_a_port() -> None:
    # Told before any port is tried, which this ring forbids.
    settings = REAL.replace(web_port=4100, api_port=4100)

    with pytest.raises(Conflict) as refusal:
        check_ports(settings)
    assert str(refusal.value) == "--web-port and --api-port are both 4100; each part needs a port of its own."


def test_every_file_to_replay_is_handed_on_with_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)

    assert corpus_arguments([Path("a.jsonl"), tmp_path / "b.jsonl"]) == (
        f"--corpus={tmp_path / 'a.jsonl'}",
        f"--corpus={tmp_path / 'b.jsonl'}",
    )


def test_a_file_to_replay_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refusal:
        corpus_arguments([tmp_path / "absent.jsonl"])
    assert str(refusal.value) == f"There is no file {tmp_path / 'absent.jsonl'} to replay."
