"""The OpenAPI document of the REST API, made from its table of addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from killreport import __version__
from killreport.api.rest import shapes
from killreport.api.rest.endpoint import Endpoint, Parameter
from killreport.api.rest.formats import PARAMETER, format_names

CACHE = "public, max-age=3600"
GROUPS = {
    "zKillboard": "Endpoints compatible with zKillboard's API.",
    "Feed": "The board's feeds: compatible with R2Z2 and RedisQ, and paginated.",
    "History": "The killmails of every day.",
    "RSS and Atom": "The newest killmails of a filter, for feed readers.",
}
_CONVERTER = re.compile(r":\w+}")


def openapi_document(table: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document, which OpenAPI 3.1 lets hold plain JSON Schema."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KillReport REST API",
            "version": __version__,
            "description": "EVE Online killmails in the formats of zKillboard's API and feeds, and as RSS and Atom. "
            "The GraphQL API at /graphql has all of it, with more filters.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        # Relative to where the document was read: every board serves its own.
        "servers": [{"url": "/", "description": "The board that this document was read from."}],
        "security": [],
        "tags": [
            {"name": group, "description": GROUPS[group]}
            for group in dict.fromkeys(endpoint.group for endpoint in table)
        ],
        "paths": _paths(table),
        "components": {"schemas": dict(shapes.SCHEMAS)},
    }


def _paths(table: Sequence[Endpoint]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        found.setdefault(_CONVERTER.sub("}", endpoint.path), {})[endpoint.method.lower()] = _operation(endpoint)
    return found


def openapi_text(table: Sequence[Endpoint]) -> str:
    """Return the document as it is committed and served."""
    return msgspec.json.format(msgspec.json.encode(openapi_document(table)), indent=2).decode() + "\n"


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {
            "description": endpoint.summary,
            "content": {media: {"schema": schema} for media, schema in endpoint.answer.items()},
        }
    }
    # An address that cannot be read has this status whatever the protocol.
    responses["400"] = _error("The request is invalid.")
    if endpoint.misses:
        responses["404"] = _error(endpoint.misses)
    elif endpoint.error_status is not None and endpoint.has_choice:
        responses["404"] = _error("The request is invalid, and the requested format cannot contain an error.")
    if endpoint.has_choice:
        responses["406"] = _error("The Accept header contains no supported type.")
    responses |= {f"{status}": _error(meaning) for status, meaning in endpoint.statuses.items()}
    responses["429"] = _error("The rate limit is exceeded.", "Retry-After")
    responses["503"] = _error("The database is unavailable, or there are too many requests.", "Retry-After")
    found: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.group],
        "parameters": [_parameter(parameter) for parameter in _parameters(endpoint)],
    }
    if endpoint.body:
        content = {media: {"schema": schema} for media, schema in endpoint.body.items()}
        found["requestBody"] = {"required": True, "content": content}
    return {**found, "responses": responses}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    found = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.help,
        "required": parameter.is_required or parameter.place == "path",
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        return {**found, "style": "form", "explode": False}
    return found


def _parameters(endpoint: Endpoint) -> Sequence[Parameter]:
    """Return the endpoint's own, and the format where there is a choice."""
    if PARAMETER not in endpoint.query_names:
        return endpoint.parameters
    names = format_names(endpoint.answer)
    told = f"Format of the answer, {names[0]} by default; the Accept header can select it too."
    return [*endpoint.parameters, Parameter(PARAMETER, "query", told, {"type": "string", "enum": names})]


def _error(meaning: str, *headers: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": meaning,
        "content": {"application/json": {"schema": shapes.ref("Error")}},
    }
    if headers:
        seconds = {"description": "Seconds to wait before a retry.", "schema": shapes.COUNT}
        found["headers"] = dict.fromkeys(headers, seconds)
    return found
