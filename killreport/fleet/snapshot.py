"""The settings that a fleet runs with: one set for all its processes, from the supervisor's start to its end.

They are kept in files for their owner alone, one for each process with what it needs, and one with all of them. A
process reads its own, never the operator's file: one that is started tomorrow has what its neighbours have today.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from killreport.config import FILE_NAME, PREFIX, LoadedSettings, Settings, load_settings
from killreport.errors import BadSetting
from killreport.fleet.secrets import all_secrets, secrets_of
from killreport.fleet.table import ProcessRow

# The home is where the files are; it is told in the environment.
_NOT_KEPT = "home"


def row_settings(settings: Settings, row: ProcessRow) -> str:
    """Return the file of a process: all settings but the secrets that it has no use for."""
    return settings_text(settings, all_secrets(settings).difference(secrets_of(row, settings)))


def warm_settings(settings: Settings) -> str:
    """Return the file of the warm process, which imports what these settings need and has no secret to hand on."""
    stand_ins = {"broker_url": "amqp://localhost", "redis_url": "redis://localhost"}
    changes = {name: url for name, url in stand_ins.items() if getattr(settings, name) is not None}
    return settings_text(settings, all_secrets(settings)) + "".join(
        f"{name} = {json.dumps(url)}\n" for name, url in changes.items()
    )


def settings_text(settings: Settings, withheld: frozenset[str] = frozenset()) -> str:
    """Return a settings file with what is not at its default. withheld: names that are left out."""
    return "".join(f"{name} = {_toml(value)}\n" for name, value in _chosen(settings).items() if name not in withheld)


def read_snapshot(path: Path, home: Path) -> Settings | None:
    """Return the settings of the file, None where there is none that this release understands."""
    try:
        return load_settings({f"{PREFIX}HOME": str(home), f"{PREFIX}CONFIG": str(path)}).settings
    except BadSetting:
        return None


def differences(loaded: LoadedSettings, running: Settings) -> dict[str, str]:
    """Return the names of the settings that are others here than in what runs, each with where it comes from here.

    Where from: `environment`, the path of a file, or `default` for one that is set in what runs alone. Never a value.
    """
    here, there = _chosen(loaded.settings), _chosen(running)
    names = [name for name in Settings.model_fields if here.get(name) != there.get(name)]
    return {name: loaded.sources[name] for name in names}


def unkept(loaded: LoadedSettings) -> dict[str, Any]:
    """Return the settings, plain, that the file in the home does not hold as they are here: a reboot loses them."""
    kept = read_snapshot(loaded.settings.home / FILE_NAME, loaded.settings.home)
    there = {} if kept is None else _chosen(kept)
    return {name: value for name, value in _chosen(loaded.settings).items() if there.get(name) != value}


def with_settings(text: str, values: Mapping[str, Any]) -> str:
    """Return a settings file that says these values too; its comments and its other lines stay."""
    lines = [line for line in text.splitlines() if line.partition("=")[0].strip() not in values]
    return "".join(f"{line}\n" for line in [*lines, *(f"{name} = {_toml(value)}" for name, value in values.items())])


def _chosen(settings: Settings) -> dict[str, Any]:
    """Return the plain values that are not the defaults, in the order of the settings."""
    found = {}
    for name, about in Settings.model_fields.items():
        value = getattr(settings, name)
        if name == _NOT_KEPT or value is None or value == about.default:
            continue
        found[name] = value.get_secret_value() if isinstance(value, SecretStr) else value
    return found


def _toml(value: Any) -> str:
    # A string of JSON is one of TOML, but for the one control character that JSON lets through.
    return json.dumps(value if isinstance(value, bool | int | float) else str(value), ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )
