"""`killreport config`: the settings, where each came from, and whether they can be used."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from killreport.config import PREFIX, LoadedSettings, Settings, load_settings
from killreport.db.url import MASK, masked_url

app = typer.Typer(no_args_is_help=True, help="Show and check the settings.")


@app.command()
def show(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print every setting, its value and its source.

    The source is `default`, `environment` or the path of the settings file. Secrets are masked.
    """
    loaded = load_settings()
    rows = {name: describe(loaded, name) for name in Settings.model_fields}
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for name, row in rows.items():
        print(f"{PREFIX}{name.upper()} = {'(unset)' if row['value'] is None else row['value']}  [{row['source']}]")
        print(f"    {row['description']}")


@app.command()
def check() -> None:
    """Check the settings.

    A bad one is named on stderr, and the exit status is 2.
    """
    sources = load_settings().sources
    chosen = sum(source != "default" for source in sources.values())
    print(f"The settings can be used: {chosen} of {len(sources)} set, the others at their defaults.")


def describe(loaded: LoadedSettings, name: str) -> dict[str, Any]:
    """Return value, source and description of one setting, fit to be shown to anybody."""
    return {
        "value": shown_value(getattr(loaded.settings, name)),
        "source": loaded.sources[name],
        "description": Settings.model_fields[name].description,
    }


def shown_value(value: Any) -> Any:
    """Return a setting's value with what is secret in it masked: of a URL the password, of another secret everything.

    A plain URL may carry a password too (`https://user:password@host`), so every one is looked at.
    """
    if isinstance(value, SecretStr):
        plain = value.get_secret_value()
        return masked_url(plain) if "://" in plain else MASK
    if isinstance(value, str):
        return masked_url(value) if "://" in value else value
    return value if value is None or isinstance(value, int | float) else str(value)
