"""Reads a board with the client that openapi-python-client makes; run by its interpreter, in the client's folder."""

import json
import sys

from board import Client
from board.api.history import bodies, hashes, totals
from board.api.z_killboard import stats
from board.models import Error

with Client(base_url=sys.argv[1]) as client:
    days = totals.sync(client=client)
    assert days is not None
    assert not isinstance(days, Error)
    (day,) = days.additional_properties
    named = hashes.sync(day, client=client)
    killmails = bodies.sync(day, client=client)
    figures = stats.sync("shipTypeID", 587, client=client)
    print(
        json.dumps(
            {
                "totals": days.additional_properties,
                "hashes": list(named.additional_properties),
                "victims": [body.victim.character_id for body in killmails.additional_properties.values()],
                "months": list(figures.months.additional_properties),
                "lost": [month.ships_lost for month in figures.months.additional_properties.values()],
            }
        )
    )
