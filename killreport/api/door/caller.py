"""Who asks the API: anybody, or the installation's operator, who sends its token."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from pydantic import SecretStr
from starlette.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Caller:
    """One who asks. refusal: the sentence they get where an operator is needed; None for the operator."""

    refusal: str | None


NO_OPERATOR = "Only an operator may do this, and this installation has none: set KILLREPORT_OPERATOR_TOKEN."
NO_TOKEN = "Only an operator may do this: send the operator's token as `Authorization: Bearer …`."  # noqa: S105
WRONG_TOKEN = "Only an operator may do this, and the token that came is not the operator's."  # noqa: S105

ANYBODY = Caller(NO_TOKEN)
OPERATOR = Caller(None)


def caller_of(request: HTTPConnection, operator_token: SecretStr | None) -> Caller:
    """Return who sent the request, or opened the WebSocket; how long that takes tells nothing of the token."""
    if operator_token is None:
        return Caller(NO_OPERATOR)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return ANYBODY
    expected = operator_token.get_secret_value().encode()
    return OPERATOR if hmac.compare_digest(token.strip().encode(), expected) else Caller(WRONG_TOKEN)
