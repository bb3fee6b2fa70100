"""Everything that guards one application, made from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLSchema
from starlette.requests import HTTPConnection

from killreport.api.door.documents import DocumentRefused, Documents
from killreport.api.door.guard.gate import Gate
from killreport.api.door.guard.responses import ResponseCache
from killreport.api.door.masking import masked
from killreport.config import Settings, listed
from killreport.coordination.rate_limit import Grant
from killreport.door.client import Clients
from killreport.door.concurrency import ConcurrencyLimit
from killreport.door.own_names import own_origins


@dataclass(frozen=True, slots=True)
class Guard:
    """Shared by the HTTP and the WebSocket handler."""

    settings: Settings
    gate: Gate
    clients: Clients
    places: ConcurrencyLimit
    responses: ResponseCache

    @classmethod
    def of(cls, settings: Settings, schema: GraphQLSchema, documents: Documents) -> Guard:
        """Return the guard that the settings ask for."""
        return cls(
            settings,
            Gate(settings, schema, documents),
            Clients(settings),
            ConcurrencyLimit(
                settings.api_sockets,
                settings.api_sockets_per_client,
                advice="Put several subscriptions on one WebSocket.",
            ),
            ResponseCache(settings.api_cache_bytes),
        )

    def killmails_changed(self) -> None:
        """Forget the answers that show killmails."""
        self.responses.drop("killmails")

    def entities_changed(self, ids: frozenset[int] | None) -> None:
        """Forget the answers that show these characters, corporations or alliances; None: any of them."""
        self.responses.drop_showing(ids)

    def static_data_changed(self) -> None:
        """Forget all answers: any may show a name, a group or a place, and what was sought and not found is found."""
        self.responses.clear()

    def allows_origin(self, connection: HTTPConnection) -> bool:
        """Whether a page of the connection's origin may open a WebSocket, which no preflight guards.

        The API's own explorer may, under the names that the settings have: what the request names itself proves
        nothing.
        """
        origin = connection.headers.get("origin")
        allowed = listed(self.settings.api_allowed_origins)
        if origin is None or "*" in allowed or origin in allowed:
            return True
        return origin.lower() in own_origins(self.settings)

    def rate_headers(self, grant: Grant | None) -> dict[str, str]:
        """Return the headers that tell a client how much it may still spend.

        Source: draft-ietf-httpapi-ratelimit-headers-10, https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
        """
        if grant is None:
            return {}
        burst = self.settings.api_rate_burst
        window = max(1, round(burst / self.settings.api_rate_per_second))
        headers = {
            "RateLimit-Policy": f'"cost";q={burst};w={window}',
            "RateLimit": f'"cost";r={grant.left};t={grant.full_in}',
        }
        return headers if grant.is_allowed else headers | {"Retry-After": str(grant.retry_after)}


def told(error: GraphQLError) -> dict[str, Any]:
    """Return the result that tells why nothing was executed."""
    return {"errors": [masked(one) for one in (error.errors if isinstance(error, DocumentRefused) else [error])]}
