"""`killreport config`: what is shown, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from killreport.cli.config import describe, shown_value
from killreport.cli.main import status_of
from killreport.config import Settings, load_settings


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path))


def _shown(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert status_of(["config", "show", "--json"]) == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:hunter2@host:5432/name", "postgresql://user:********@host:5432/name"),
        ("postgresql://user:hun/ter@2@host/name", "postgresql://user:********@host/name"),
        (
            "postgresql://host/name?password=hunter2&sslmode=require",
            "postgresql://host/name?password=********&sslmode=require",
        ),
        ("postgresql://user@host/name", "postgresql://user@host/name"),
        ("hunter2", "********"),
    ],
)
def test_a_secret_is_masked_and_the_rest_of_a_url_is_not(url: str, shown: str) -> None:
    assert shown_value(SecretStr(url)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Path("/x"), "/x"),
        (4000, 4000),
        (0.5, 0.5),
        (None, None),
        ("info", "info"),
        ("https://user:hunter2@host/x", "https://user:********@host/x"),
        ("http://host:8080/x", "http://host:8080/x"),
    ],
)
def test_other_values_are_shown_as_they_are_except_for_passwords_in_urls(value: Any, shown: Any) -> None:
    assert shown_value(value) == shown


def test_every_setting_is_shown_with_its_source(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "killreport.toml").write_text("web_port = 3100\n")
    monkeypatch.setenv("KILLREPORT_API_PORT", "4100")

    shown = _shown(capsys)

    assert list(shown) == list(Settings.model_fields)
    assert (shown["api_port"]["value"], shown["api_port"]["source"]) == (4100, "environment")
    assert (shown["web_port"]["value"], shown["web_port"]["source"]) == (3100, str(tmp_path / "killreport.toml"))
    assert (shown["sim_port"]["value"], shown["sim_port"]["source"]) == (4800, "default")


def test_no_form_of_the_output_holds_a_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KILLREPORT_DATABASE_URL", "postgresql://user:hunter2@host/name")

    assert _shown(capsys)["database_url"]["value"] == "postgresql://user:********@host/name"
    assert status_of(["config", "show"]) == 0
    text = capsys.readouterr().out
    assert "KILLREPORT_DATABASE_URL = postgresql://user:********@host/name  [environment]\n" in text
    assert "hunter2" not in text


def test_a_setting_without_a_value_is_shown_as_unset(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["config", "show"]) == 0
    assert "KILLREPORT_DATABASE_URL = (unset)  [default]\n" in capsys.readouterr().out


def test_a_row_has_the_description_of_its_setting() -> None:
    assert describe(load_settings({}), "contact")["description"] == Settings.model_fields["contact"].description


def test_checking_counts_what_is_set(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILLREPORT_API_PORT", "4100")

    assert status_of(["config", "check"]) == 0
    count = len(Settings.model_fields)
    assert capsys.readouterr().out == f"The settings can be used: 2 of {count} set, the others at their defaults.\n"


def test_checking_bad_settings_ends_with_status_two(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILLREPORT_API_PROT", "4100")

    assert status_of(["config", "check"]) == 2
    assert capsys.readouterr() == (
        "",
        "killreport: KILLREPORT_API_PROT (from the environment) is not a setting; did you mean KILLREPORT_API_PORT?\n",
    )
