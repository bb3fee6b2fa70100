"""Where a setting's value comes from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from killreport.cli.config import shown_value
from killreport.config import Settings, find_home, load_settings
from killreport.errors import BadSetting


def _environment(home: Path, **values: str) -> dict[str, str]:
    return {"KILLREPORT_HOME": str(home), **{f"KILLREPORT_{name.upper()}": value for name, value in values.items()}}


def test_without_environment_and_file_everything_is_at_its_default(tmp_path: Path) -> None:
    loaded = load_settings(_environment(tmp_path))

    assert loaded.settings == Settings(home=tmp_path)
    assert loaded.sources["home"] == "environment"
    assert {source for name, source in loaded.sources.items() if name != "home"} == {"default"}


def test_the_file_in_the_home_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "killreport.toml").write_text("api_port = 4100\ncontact = 'me@example.org'\n")

    loaded = load_settings(_environment(tmp_path))

    assert (loaded.settings.api_port, loaded.settings.contact) == (4100, "me@example.org")
    assert loaded.sources["api_port"] == str(tmp_path / "killreport.toml")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "killreport.toml").write_text("api_port = 4100\nweb_port = 3100\n")

    loaded = load_settings(_environment(tmp_path, api_port="4200"))

    assert (loaded.settings.api_port, loaded.settings.web_port) == (4200, 3100)
    assert loaded.sources["api_port"] == "environment"


def test_a_file_named_by_the_environment_is_read_instead_of_the_homes(tmp_path: Path) -> None:
    (tmp_path / "killreport.toml").write_text("api_port = 4100\n")
    named = tmp_path / "other.toml"
    named.write_text("web_port = 3100\n")

    loaded = load_settings(_environment(tmp_path, config=str(named)))

    assert (loaded.settings.api_port, loaded.settings.web_port) == (4000, 3100)
    assert loaded.sources["web_port"] == str(named)


def test_an_empty_value_in_the_environment_counts_as_absent(tmp_path: Path) -> None:
    loaded = load_settings(_environment(tmp_path, database_url="", api_port=""))

    assert (loaded.settings.database_url, loaded.settings.api_port) == (None, 4000)
    assert loaded.sources["api_port"] == "default"


def test_names_of_the_tests_own_are_not_settings(tmp_path: Path) -> None:
    environment = {**_environment(tmp_path), "KILLREPORT_TEST_DATABASE_URL": "postgresql://127.0.0.1/x"}

    assert load_settings(environment).settings.database_url is None


def test_an_unknown_name_is_refused_with_what_may_have_been_meant(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings(_environment(tmp_path, databse_url="postgresql://localhost/x"))

    assert str(refusal.value) == (
        "KILLREPORT_DATABSE_URL (from the environment) is not a setting; did you mean KILLREPORT_DATABASE_URL?"
    )


def test_an_unknown_name_like_no_other_is_refused_with_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings(_environment(tmp_path, zzz="1"))

    assert str(refusal.value) == (
        "KILLREPORT_ZZZ (from the environment) is not a setting; `killreport config show` lists all."
    )


def test_an_unknown_name_in_the_file_is_refused_with_the_files_path(tmp_path: Path) -> None:
    path = tmp_path / "killreport.toml"
    path.write_text("api_prot = 4100\n")

    with pytest.raises(BadSetting) as refusal:
        load_settings(_environment(tmp_path))

    assert str(refusal.value) == f"api_prot (from {path}) is not a setting; did you mean KILLREPORT_API_PORT?"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("api_port", "70000", "Input should be less than or equal to 65535."),
        ("api_port", "four", "Input should be a valid integer, unable to parse string as an integer."),
        ("feed", "zkb", "Input should be 'r2z2' or 'redisq'."),
        ("database_url", "mysql://localhost/x", "must start with postgresql://."),
        ("esi_url", "esi.evetech.net", "must start with http:// or https://."),
        ("feed_wait_seconds", "0", "Input should be greater than 0."),
    ],
)
def test_a_bad_value_is_refused_with_the_setting_its_source_and_the_reason(
    tmp_path: Path, name: str, value: str, reason: str
) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings(_environment(tmp_path, **{name: value}))

    assert str(refusal.value) == f"KILLREPORT_{name.upper()} (from environment) cannot be used: {reason}"


def test_a_bad_value_in_the_file_is_refused_with_the_files_path(tmp_path: Path) -> None:
    path = tmp_path / "killreport.toml"
    path.write_text("web_port = 0\n")

    with pytest.raises(BadSetting) as refusal:
        load_settings(_environment(tmp_path))

    assert str(refusal.value) == (
        f"KILLREPORT_WEB_PORT (from {path}) cannot be used: Input should be greater than or equal to 1."
    )


def test_a_refused_database_url_does_not_give_its_password_away(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings(_environment(tmp_path, database_url="mysql://user:hunter2@localhost/x"))

    assert "hunter2" not in str(refusal.value)


def test_a_file_that_is_no_toml_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "killreport.toml"
    path.write_text("api_port: 4100\n")

    with pytest.raises(BadSetting, match=r"^\S+killreport\.toml is not valid TOML: .*\.$"):
        load_settings(_environment(tmp_path))


def test_a_named_file_that_is_absent_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as refusal:
        load_settings(_environment(tmp_path, config=str(tmp_path / "absent.toml")))

    assert str(refusal.value) == (
        f"KILLREPORT_CONFIG names {tmp_path / 'absent.toml'}, which cannot be read: No such file or directory."
    )


def test_a_changed_copy_is_checked_like_the_original(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)

    with pytest.raises(BadSetting, match=r"^KILLREPORT_API_PORT \(from the call\) cannot be used: "):
        settings.replace(api_port=0)
    assert settings.replace(api_port=4001).api_address == "http://127.0.0.1:4001"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)

    with pytest.raises(ValueError, match="frozen"):
        settings.api_port = 4001
    assert settings.api_port == 4000


@pytest.mark.parametrize(
    "token", ["short", "x" * 23, "with a space in its middle", "https://user:secret@host/path", "ä" * 30]
)
def test_an_operator_token_that_is_short_or_no_bearer_token_is_refused_and_not_told(tmp_path: Path, token: str) -> None:
    with pytest.raises(BadSetting, match="must have at least 24 signs") as refusal:
        load_settings(_environment(tmp_path, operator_token=token))

    assert token not in str(refusal.value)


def test_an_operator_token_is_shown_masked(tmp_path: Path) -> None:
    token = "abcdefghijklmnopqrstuvwx"
    settings = load_settings(_environment(tmp_path, operator_token=token)).settings

    assert token not in repr(settings)
    assert token not in str(shown_value(settings.operator_token))


def test_the_home_is_found_though_another_setting_is_bad(tmp_path: Path) -> None:
    environment = {"KILLREPORT_HOME": str(tmp_path)}
    assert find_home(environment) == (tmp_path, "")
    (tmp_path / "killreport.toml").write_text("nothing")
    home, mistake = find_home(environment)
    assert (home, "is not valid TOML" in mistake) == (tmp_path, True)
    with pytest.raises(BadSetting, match="KILLREPORT_HOME"):
        find_home({"KILLREPORT_HOME": "/tmp/\n"})
    with pytest.raises(BadSetting, match=r"names .*, which cannot be read"):  # it might have named another home
        find_home({"KILLREPORT_CONFIG": str(tmp_path / "none.toml")})
