"""One set of settings for the whole fleet; each process is given what it needs of it, and what differs is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from killreport.config import PREFIX, LoadedSettings, Settings, load_settings
from killreport.errors import BadSetting
from killreport.fleet.secrets import secret_settings, secrets_of
from killreport.fleet.snapshot import (
    differences,
    read_snapshot,
    row_settings,
    settings_text,
    unkept,
    warm_settings,
    with_settings,
)
from killreport.fleet.table import FLEET, find_process

WORD = "hunter2hunter2hunter2hunter2"
SECRETS = {
    "DATABASE_URL": f"postgresql://me:{WORD}@db/x",
    "BROKER_URL": f"amqp://me:{WORD}@mq/",
    "REDIS_URL": f"redis://:{WORD}@redis/0",
    "OPERATOR_TOKEN": WORD,
    "FLEET_SECRET": WORD,
    "ESI_URL": f"https://me:{WORD}@esi.example.org",
    "API_URL": f"https://me:{WORD}@api.example.org",
}


def loaded(home: Path, **values: str) -> LoadedSettings:
    return load_settings({f"{PREFIX}HOME": str(home), **{f"{PREFIX}{name}": value for name, value in values.items()}})


def test_what_is_written_is_read_again_whatever_it_holds(tmp_path: Path) -> None:
    odd = 'a "quoted" \\ back # slash = é 💥 $HOME'
    settings = loaded(
        tmp_path,
        **SECRETS,
        CONTACT=odd,
        WARM_START="false",
        API_UNLIMITED_NETWORKS="10.0.0.0/8",
        FEED_GAP_SECONDS="1.5",
    ).settings.replace(api_unlimited_networks="")
    path = tmp_path / "settings.toml"
    path.write_text(settings_text(settings))
    # An empty list is not the default, which no environment can say.
    assert read_snapshot(path, tmp_path) == settings
    assert read_snapshot(tmp_path / "missing", tmp_path) is None


@pytest.mark.parametrize("row", FLEET, ids=lambda row: row.name)
def test_a_process_is_given_what_it_needs_and_no_other_secret(tmp_path: Path, row: object) -> None:
    row = next(other for other in FLEET if other is row)
    given = tomllib.loads(row_settings(loaded(tmp_path, **SECRETS, CONTACT="me").settings, row))
    stores = {"database_url", "broker_url", "redis_url"}
    expected = {
        "killreport-backend": {*stores, "operator_token", "fleet_secret", "esi_url", "api_url"},
        "killreport-frontend": {"fleet_secret", "api_url"},
    }.get(row.name, {*stores, "esi_url", "api_url"})
    assert set(given) == expected | {"contact"}


def test_every_secret_is_somebodys_and_the_warm_process_has_none(tmp_path: Path) -> None:
    assert set(secret_settings()) == {name for row in FLEET for name in secrets_of(row)}
    warm = warm_settings(loaded(tmp_path, **SECRETS, CONTACT="me").settings)
    assert WORD not in warm
    path = tmp_path / "warm.toml"
    path.write_text(warm)
    settings = read_snapshot(path, tmp_path)
    assert settings is not None
    assert (settings.broker_url is None, settings.redis_url is None, settings.database_url) == (False, False, None)


def test_differences_are_named_with_where_they_come_from_and_never_shown(tmp_path: Path) -> None:
    running = loaded(tmp_path, DATABASE_URL=SECRETS["DATABASE_URL"], REDIS_URL=SECRETS["REDIS_URL"]).settings
    (tmp_path / "killreport.toml").write_text("api_port = 4001\n")
    here = loaded(tmp_path, DATABASE_URL="postgresql://me:another@db/x")
    assert differences(here, running) == {
        "database_url": "environment",
        "redis_url": "default",
        "api_port": str(tmp_path / "killreport.toml"),
    }
    assert differences(here, here.settings) == {}


def test_what_only_this_shell_has_is_written_beside_what_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "killreport.toml"
    path.write_text('# mine\ncontact = "me"  # old\nweb_port = 3001\n')
    here = loaded(tmp_path, CONTACT="you", DATABASE_URL=SECRETS["DATABASE_URL"])
    missing = unkept(here)
    assert missing == {"database_url": SECRETS["DATABASE_URL"], "contact": "you"}
    path.write_text(with_settings(path.read_text(), missing))
    assert path.read_text().startswith("# mine\nweb_port = 3001\n")
    again = loaded(tmp_path)
    assert differences(again, here.settings) == {}
    assert unkept(again) == {}


@pytest.mark.parametrize("name", ["CONTACT", "HOME", "HOST", "DATABASE_URL", "REDISQ_QUEUE", "API_ALLOWED_ORIGINS"])
@pytest.mark.parametrize("sign", ["\n", "\r", "\0", "\x1b", "\u2028", "\udcff"])
def test_no_setting_has_a_line_end_or_another_control_character(tmp_path: Path, name: str, sign: str) -> None:
    value = f"postgresql://a{sign}User=root" if name == "DATABASE_URL" else f"a{sign}User=root"
    with pytest.raises(BadSetting, match=f"{PREFIX}{name} .*control character") as refused:
        loaded(tmp_path, **{name: value})
    assert "User=root" not in str(refused.value)


def test_the_defaults_need_no_line(tmp_path: Path) -> None:
    assert settings_text(Settings(home=tmp_path)) == ""
    assert row_settings(Settings(home=tmp_path), find_process("worker-types")) == ""
