"""ESI's recent killmails of a player who gave a token: the route that takes one.

Opened by a token of `/control/token`, which ends and has scopes.
"""

from __future__ import annotations

from killreport.sim.access.tokens import TokenMint
from killreport.sim.answers import ErrorAnswer
from killreport.sim.esi.answering import Bucket, Call, Paged, Route
from killreport.sim.publishing.kill_index import KillIndex
from killreport.sim.simulator import Simulator
from killreport.sim.world.journal import KillRecord

KILLMAIL_SCOPE = "esi-killmails.read_killmails.v1"

_CHAR_KILLMAIL = Bucket("char-killmail", 30)
_PAGE_SIZE = 1000
_KEPT_SECONDS = 90 * 86_400


class RecentKillmails:
    """Answers with ids and hashes, the newest killmail first."""

    def __init__(self, simulator: Simulator, index: KillIndex) -> None:
        self._simulator = simulator
        self._index = index
        self._mint = TokenMint(simulator.options.seed)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("GET", r"/characters/{id:\d+}/killmails/recent", self._recent, 300, _CHAR_KILLMAIL)]

    async def _recent(self, call: Call) -> Paged:
        character_id = call.number("id")
        self._check_token(call, character_id)
        records = await self._records(character_id)
        rows = [{"killmail_hash": r.hash.hex(), "killmail_id": r.killmail_id} for r in records]
        return call.page_of(rows, _PAGE_SIZE)

    def _check_token(self, call: Call, character_id: int) -> None:
        """Raise ErrorAnswer unless the bearer may read this character's killmails."""
        scheme, _, given = call.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise ErrorAnswer(401, "Unauthorized - there is no token")
        token = self._mint.read(given)
        if token is None:
            raise ErrorAnswer(401, "Unauthorized - the token is not valid")
        if token.expires_at <= self._simulator.now():
            raise ErrorAnswer(401, "Unauthorized - the token has expired")
        if token.character_id != character_id:
            raise ErrorAnswer(403, "Character is not the one the token is of")
        if KILLMAIL_SCOPE not in token.scopes:
            raise ErrorAnswer(403, f"The token lacks the scope {KILLMAIL_SCOPE}")

    async def _records(self, character_id: int) -> list[KillRecord]:
        sequences = {
            sequence
            for side in ("kill", "loss")
            for sequence in await self._index.find((f"{side}:character", character_id))
        }
        since = self._simulator.now() - _KEPT_SECONDS
        found = [self._simulator.journal.get(sequence) for sequence in sequences]
        recent = [record for record in found if record is not None and record.killmail_time >= since]
        return sorted(recent, key=lambda record: (record.killmail_time, record.killmail_id), reverse=True)
