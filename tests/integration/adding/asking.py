"""Serves the API and the site of whatever copy it is run in, and prints what they answer, one JSON text an address.

`python -m tests.integration.adding.asking ADDRESS ...`; one that begins with `{` is asked of the API.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp

import killreport
from killreport.api.app import create_app as create_api
from killreport.config import load_settings
from killreport.db.database import open_database
from killreport.web.app import create_app
from tests.integration.serving import serving


async def ask(*addresses: str) -> None:
    """Print the answers."""
    assert Path(killreport.__file__).is_relative_to(Path.cwd())
    settings = load_settings().settings
    async with (
        open_database(settings, process="asking") as database,
        serving(create_api(settings, database)) as api,
        serving(create_app(settings.replace(api_url=api))) as site,
        aiohttp.ClientSession(raise_for_status=True) as session,
    ):
        for address in addresses:
            if address.startswith("{"):
                async with session.post(f"{api}/graphql", json={"query": address}) as response:
                    print(json.dumps((await response.json())["data"]))
            else:
                async with session.get(site + address) as response:
                    print(json.dumps(await response.text()))


if __name__ == "__main__":
    asyncio.run(ask(*sys.argv[1:]))
