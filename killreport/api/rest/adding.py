"""`POST /api/killmail/add/ID/HASH/`: a killmail that somebody posts, with zKillboard's words and statuses.

Source: zKillboard's `view/api/killmail-add.php`, read 2026-11-30. Nothing is held back here, so the delay that may
follow the hash is 0.
"""

from __future__ import annotations

from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response

from killreport.api.door.audit import note_client
from killreport.api.door.guard.gate import RateLimited
from killreport.api.rest.endpoint import Handler, context_of, error_answer, json_answer, whole_number
from killreport.api.rest.rate_limit import charge_of
from killreport.config import Settings
from killreport.errors import Malformed, NotFound, Refused
from killreport.killmail.mail.arrival import read_hash
from killreport.killmail.mail.model import MAX_INT8

# As much as GraphQL's mutation.
ADD_COST = 200
TIMEOUT = 408
INVALID = 422
_HASH_LENGTH = 40


def adding_handler(settings: Settings) -> Handler:
    """Return what has a killmail stored, and answers where its page is."""
    site = settings.public_url or f"http://127.0.0.1:{settings.web_port}"

    async def answer(request: Request) -> Response:
        try:
            killmail_id, hash_text = _named(request)
            charge = charge_of(request)
            await charge.pay(ADD_COST)
            note_client(charge.client)
            row, is_new = await context_of(request).posting.post(killmail_id, hash_text)
        except (Malformed, Refused, NotFound) as error:
            return _failed(INVALID, str(error))
        except RateLimited:
            raise
        except GraphQLError as error:
            return _failed(TIMEOUT, error.message)
        url = f"{site}/kill/{row.killmail_id}/"
        return json_answer({"status": "success", "new": is_new, "delayed": False, "delay": 0, "url": url})

    return answer


def _named(request: Request) -> tuple[int, str]:
    """Return id and hash of the path. Raises Malformed, or Refused for a delay."""
    given = request.path_params
    killmail_id = whole_number(given["id"], "id", 1, MAX_INT8)
    if len(given["hash"]) != _HASH_LENGTH:
        raise Malformed(f"{_HASH_LENGTH} hexadecimal digits are needed", "hash")
    read_hash(given["hash"])
    if given.get("delay", "0") != "0":
        raise Refused("No killmail is held back here: leave out the delay.")
    return killmail_id, given["hash"].lower()


def _failed(status: int, sentence: str) -> Response:
    return error_answer(status, sentence, status_word="error")
