"""The OpenAPI document of the REST API, made from its table of addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from killreport import __version__
from killreport.api.rest import shapes
from killreport.api.rest.endpoint import Endpoint, Parameter

CACHE = "public, max-age=3600"
_CONVERTER = re.compile(r":\w+}")


def openapi_document(table: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document, which OpenAPI 3.1 lets hold plain JSON Schema."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KillReport REST API",
            "version": __version__,
            "description": "Killmails of EVE Online in the shapes of zKillboard's API and feeds, and as RSS and Atom. "
            "Everything is also there, with more to choose from, as GraphQL under /graphql.",
            "license": {"name": "MIT"},
        },
        "tags": [{"name": group} for group in dict.fromkeys(endpoint.group for endpoint in table)],
        "paths": {_CONVERTER.sub("}", endpoint.path): {"get": _operation(endpoint)} for endpoint in table},
        "components": {"schemas": dict(shapes.SCHEMAS)},
    }


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
    if endpoint.error_status is None and endpoint.parameters:
        responses["400"] = _error("What was asked for is not valid.")
    if endpoint.misses:
        responses["404"] = _error(endpoint.misses)
    responses["503"] = _error("The database does not answer.")
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.group],
        "parameters": [_parameter(parameter) for parameter in endpoint.parameters],
        "responses": responses,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    found = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.help,
        "required": parameter.place == "path",
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        return {**found, "style": "form", "explode": False}
    return found


def _error(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": shapes.ref("Error")}}}
