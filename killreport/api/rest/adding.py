"""`POST /api/killmail/add/ID/HASH/`: a killmail that somebody posts, with zKillboard's words and statuses.

Source: zKillboard's `view/api/killmail-add.php`, read 2026-11-30. Nothing is held back here, so the delay that may
follow the hash is 0.
"""

from __future__ import annotations

from graphql import GraphQLError
from starlette.responses import Response

from killreport.api.door.audit import note_client
from killreport.api.door.guard.gate import RateLimited
from killreport.api.rest.endpoint import error_answer, json_answer
from killreport.api.rest.rate_limit import RestRequest
from killreport.door.own_names import site_base
from killreport.errors import Malformed, NotFound, Refused
from killreport.killmail.mail.arrival import read_hash

# As much as GraphQL's mutation.
ADD_COST = 200
TIMEOUT = 408
INVALID = 422
_HASH_LENGTH = 40


async def answer_added(request: RestRequest) -> Response:
    """Have a killmail stored, and answer where its page is."""
    try:
        killmail_id, hash_text = request.number("id"), _read_hash(request)
        await request.pay(ADD_COST)
        note_client(request.client)
        row, is_new = await request.context.posting.post(killmail_id, hash_text)
    except (Malformed, Refused, NotFound) as error:
        return error_answer(INVALID, str(error), status_word="error")
    except RateLimited:
        raise
    except GraphQLError as error:
        return error_answer(TIMEOUT, error.message, status_word="error")
    url = f"{site_base(request.context.settings)}/kill/{row.killmail_id}/"
    return json_answer({"status": "success", "new": is_new, "delayed": False, "delay": 0, "url": url})


def _read_hash(request: RestRequest) -> str:
    """Return the hash of the path. Raises Malformed, or Refused for a delay."""
    text = request.given("hash") or ""
    if len(text) != _HASH_LENGTH:
        raise Malformed(f"{_HASH_LENGTH} hexadecimal digits are needed", "hash")
    read_hash(text)
    if request.given("delay") not in (None, "0"):
        raise Refused("A delay is not supported: leave it out.")
    return text.lower()
