"""The table of the REST API's addresses; routes and OpenAPI document are made from it."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from killreport.api.door.guard.guard import Guard
from killreport.api.rest import autocomplete, feed, history, shapes
from killreport.api.rest.adding import INVALID, TIMEOUT, answer_added
from killreport.api.rest.endpoint import Endpoint, Handler, Parameter
from killreport.api.rest.filter_query import WHOLE, parameter_schemas
from killreport.api.rest.formats import CSV, JSON, NDJSON
from killreport.api.rest.kept_text import KeptText
from killreport.api.rest.listen import MAX_NAME, UNSUPPORTED, Listening
from killreport.api.rest.lists import KillmailLists
from killreport.api.rest.openapi import CACHE, openapi_text
from killreport.api.rest.prices import answer_prices
from killreport.api.rest.rate_limit import RestLimiter
from killreport.api.rest.stats import KINDS, answer_stats
from killreport.api.rest.syndication import ATOM_TYPE, RSS_TYPE, answer_csv, answer_feed
from killreport.ids import MAX_ENTITY_ID
from killreport.killmail.mail.model import MAX_INT8
from killreport.killmail.stored.published import MAX_PUBLISHED, MAX_SEQUENCE
from killreport.search.model import MAX_CHARACTERS

_DAY = Parameter("day", "path", "The day in UTC, as YYYYMMDD.", {"type": "string", "pattern": r"^\d{8}$"})
_NUMBER = {**shapes.COUNT, "maximum": MAX_SEQUENCE}
_SEQUENCE = Parameter("sequence", "path", "A number of the feed, from 1.", _NUMBER)
_KIND = "(live|history|changed)"
_KINDS = {"type": "string", "pattern": f"^{_KIND}(,{_KIND})*$"}
_QUEUE = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
_FILTER = tuple(Parameter(name, "query", text, schema) for name, (text, schema) in parameter_schemas().items())


def endpoints() -> list[Endpoint]:
    """Return every address; a more general path comes after those it would swallow."""
    return [*_history(), *_feed(), *_syndication(), *_found(), *_adding(), *_zkillboard()]


def rest_routes(guard: Guard) -> list[BaseRoute]:
    """Return the routes of the REST API, the document that describes it among them."""
    table, limiter = endpoints(), RestLimiter(guard)
    text = KeptText(guard, lambda: openapi_text(table), JSON, CACHE)
    document = Route("/openapi.json", text.answer, methods=["GET"], name="openapi")
    return [document, *(route for endpoint in table for route in endpoint.routes(limiter))]


def _history() -> list[Endpoint]:
    def both(tail: str, name: str, summary: str, handler: Handler, answer: shapes.Schema) -> list[Endpoint]:
        parameters = (_DAY,) if "{day}" in tail else ()
        misses = "Nothing of that day is stored." if parameters else ""
        return [
            Endpoint(
                f"{root}{tail}",
                f"{name}{suffix}",
                summary,
                handler,
                {JSON: answer},
                parameters,
                misses,
                group="History",
            )
            for root, suffix in (("/history", ""), ("/api/history", "_old"))
        ]

    totals, hashes, bodies = (shapes.ref(name) for name in ("Totals", "Hashes", "Bodies"))
    return [
        *both("/totals.json", "totals", "How many killmails each day has.", history.answer_totals, totals),
        *both("/{day}.json", "hashes", "Ids and hashes of a day.", history.answer_hashes, hashes),
        Endpoint(
            "/history/raw/{day}.json", "bodies", "Whole killmails of a day.", history.answer_bodies, {JSON: bodies},
            (_DAY,), "Nothing of that day is stored.", group="History",
        ),
    ]  # fmt: skip


def _feed() -> list[Endpoint]:
    sequence = shapes.closed({"sequence": shapes.COUNT})
    page_parameters = (
        Parameter("after", "query", "The last number you have; by default, start at the first.", _NUMBER),
        Parameter(
            "limit", "query", "Maximum number of packages, 100 by default.", {**shapes.ID, "maximum": MAX_PUBLISHED}
        ),
        Parameter(
            "kind", "query", "Only these kinds, of `live`, `history` and `changed`, separated by commas.", _KINDS
        ),
    )
    queue_parameters = (
        Parameter("queueID", "query", "A name that you choose.", _QUEUE, is_required=True),
        Parameter("ttw", "query", "Seconds to wait for a killmail, 1 to 10.", {"type": "number"}),
    )
    return [
        Endpoint(
            "/ephemeral/sequence.json", "sequence", "The newest number of the live feed, in R2Z2's format.",
            feed.answer_sequence, {JSON: sequence}, group="Feed",
        ),
        Endpoint(
            "/ephemeral/{sequence}.json", "package", "The killmail of a number, in R2Z2's format.",
            feed.answer_package, {JSON: shapes.ref("Package")}, (_SEQUENCE,), "Not published yet: ask again.",
            group="Feed",
        ),
        Endpoint(
            "/feed", "feed_page", "Stored and changed killmails after a number.", feed.answer_page,
            {JSON: shapes.ref("Packages"), NDJSON: shapes.TEXT}, page_parameters, group="Feed",
        ),
        Endpoint(
            "/listen.php", "listen", "The next killmail of a queue, in RedisQ's format.", Listening().answer,
            {JSON: shapes.ref("RedisqAnswer")}, queue_parameters, is_waiting=True, group="Feed",
            unsupported=UNSUPPORTED,
        ),
    ]  # fmt: skip


def _syndication() -> list[Endpoint]:
    return [
        Endpoint(
            f"/feeds/killmails.{suffix}", suffix,
            f"The newest killmails of a filter, as {name}. Pass a nested filter as JSON in `filter`.",
            answer_feed, {media_type: shapes.TEXT}, _FILTER, group="RSS and Atom",
            repeats=True, unlisted=(WHOLE,),
        )
        for suffix, name, media_type in (("atom", "Atom 1.0", ATOM_TYPE), ("rss", "RSS 2.0", RSS_TYPE))
    ] + [
        Endpoint(
            "/feeds/killmails.csv", "csv",
            "The newest 200 killmails of a filter, as CSV. Pass a nested filter as JSON in `filter`.",
            answer_csv, {CSV: shapes.TEXT}, _FILTER, group="RSS and Atom", repeats=True, unlisted=(WHOLE,),
        ),
    ]  # fmt: skip


def _found() -> list[Endpoint]:
    kind = Parameter("kind", "path", "Only of this kind.", {"type": "string", "enum": list(autocomplete.KINDS)})
    word = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS, "pattern": r"^[^\u0000]+$"}
    text = Parameter("text", "path", "Beginning or part of the name.", word)
    query = Parameter("query", "query", "Beginning or part of the name.", word, is_required=True)
    form = {autocomplete.FORM: shapes.closed({"query": word})}
    summary = "Entities with a name like a text, best match first."
    listed = {JSON: shapes.list_of(shapes.ref("Found"))}
    return [
        Endpoint(
            "/cache/1hour/autocomplete", "suggestions", "Suggestions in the format of zKillboard's search box.",
            autocomplete.answer_suggestions, {JSON: shapes.ref("Suggestions")}, (query,), takes_slash=True,
        ),
        Endpoint(
            "/autocomplete", "autocomplete_form", summary, autocomplete.answer_posted, listed,
            takes_slash=True, method="POST", body=form,
        ),
        *(
            Endpoint(path, name, summary, autocomplete.answer_found, listed, parameters, takes_slash=True)
            for path, name, parameters in (
                ("/autocomplete/{text}", "autocomplete", (text,)),
                ("/autocomplete/{kind}/{text}", "autocomplete_kind", (kind, text)),
            )
        ),
    ]  # fmt: skip


def _adding() -> list[Endpoint]:
    parameters = (
        Parameter("id", "path", "EVE's id of the killmail.", {**shapes.ID, "maximum": MAX_INT8}),
        Parameter("hash", "path", "EVE's hash of the killmail.", {"type": "string", "pattern": "^[0-9a-fA-F]{40}$"}),
    )
    delay = Parameter("delay", "path", "Delay in hours; only 0 is supported.", {"const": 0})
    statuses = {TIMEOUT: "EVE's API did not have it in time.", INVALID: "There is no such killmail."}
    return [
        Endpoint(
            f"/api/killmail/add/{{id}}/{{hash}}{tail}", name, "Submit a killmail.",
            answer_added, {JSON: shapes.ref("Added")}, (*parameters, *more), method="POST",
            takes_slash=True, is_waiting=True, statuses=statuses,
        )
        for tail, name, more in (("", "add", ()), ("/{delay}", "add_delayed", (delay,)))
    ]  # fmt: skip


def _zkillboard() -> list[Endpoint]:
    stats_parameters = (
        Parameter("kind", "path", "Kind of entity.", shapes.lenient({"type": "string", "enum": list(KINDS)})),
        Parameter("id", "path", "Its id.", shapes.lenient(shapes.ID)),
    )
    modifiers = Parameter(
        "modifiers", "path", "Modifiers and their values, such as `kills/characterID/268946627/page/2/`.", shapes.TEXT
    )
    listed = {"anyOf": [shapes.list_of(shapes.ref("Listed")), shapes.ref("Error")]}
    stats = {"anyOf": [shapes.ref("Stats"), shapes.ref("Error")]}
    return [
        Endpoint(
            "/api/stats/{kind}/{id}", "stats", "Statistics of an entity in zKillboard's format.", answer_stats,
            {JSON: stats}, stats_parameters, error_status=200, takes_slash=True,
        ),
        Endpoint(
            "/api/prices/{id}", "prices", "Prices of a type by day, and today's.", answer_prices,
            {JSON: shapes.ref("Prices"), CSV: shapes.TEXT},
            (Parameter("id", "path", "The type's id.", {**shapes.ID, "maximum": MAX_ENTITY_ID}),),
            "There is no such type.", takes_slash=True,
        ),
        Endpoint(
            "/api/{modifiers:path}", "list", "Killmails, newest first, 200 a page, under zKillboard's modifiers.",
            KillmailLists().answer, {JSON: listed, CSV: shapes.TEXT}, (modifiers,), error_status=200,
        ),
    ]  # fmt: skip
