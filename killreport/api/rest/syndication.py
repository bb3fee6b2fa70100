"""RSS 2.0 and Atom 1.0 documents, and `/feeds/killmails.…`, where there is one for every filter."""

from __future__ import annotations

import urllib.parse
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from killreport.api.rest.csv_answer import killmails_as_csv
from killreport.api.rest.endpoint import Handler, context_of, tagged
from killreport.api.rest.entries import FeedEntry, Syndicated, entry_of, urn
from killreport.api.rest.filter_query import read_filter
from killreport.api.rest.rate_limit import charge_of
from killreport.api.views.killmail import load_views
from killreport.clock import read_http_date
from killreport.config import Settings
from killreport.door.own_names import api_base
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.pages import list_killmails, list_news

ENTRIES = 50
TABLE_ROWS = 200
CACHE = "public, max-age=60"
ATOM_TYPE = "application/atom+xml"
RSS_TYPE = "application/rss+xml"


def feed_handler(settings: Settings, media_type: str) -> Handler:
    """Return what answers with the newest killmails of a filter that were news, in one of the two formats."""
    write = write_atom if media_type == ATOM_TYPE else write_rss

    async def answer(request: Request) -> Response:
        wanted = read_filter(request.query_params.multi_items())
        syndicated = await _load(request, settings, wanted)
        headers = {"Cache-Control": CACHE, "Last-Modified": format_datetime(syndicated.updated, usegmt=True)}
        # The charset is part of the media type: XML served as text/* would otherwise be taken for ASCII.
        response = tagged(request, Response(write(syndicated), 200, headers, f"{media_type}; charset=utf-8"))
        if response.status_code == 200 and _is_unchanged(request, syndicated.updated):
            kept = {name: response.headers[name] for name in ("etag", "cache-control", "last-modified")}
            return Response(status_code=304, headers=kept)
        return response

    return answer


async def answer_csv(request: Request) -> Response:
    """Answer the newest killmails of a filter as a table."""
    wanted = read_filter(request.query_params.multi_items())
    context = context_of(request)
    paid = await charge_of(request).pay_for(TABLE_ROWS)
    async with context.database.connection() as connection:
        page = await list_killmails(connection, wanted, first=TABLE_ROWS)
    await paid.settle(len(page.rows))
    views = await load_views(context.database, context.views, page.rows)
    return tagged(request, killmails_as_csv(views, cache=CACHE))


async def _load(request: Request, settings: Settings, wanted: KillmailFilter) -> Syndicated:
    context = context_of(request)
    paid = await charge_of(request).pay_for(ENTRIES)
    async with context.database.connection() as connection:
        rows = await list_news(connection, wanted, ENTRIES)
    await paid.settle(len(rows))
    site = settings.public_url or f"http://127.0.0.1:{settings.web_port}"
    # Kept by caches for everybody: nothing of it may come from one request's headers.
    base = api_base(settings)
    query = urllib.parse.urlencode(request.query_params.multi_items())
    plain = msgspec.json.encode(wanted.plain()).decode()
    return Syndicated(
        id=urn(f"killreport:{plain}"),
        title="Killmails" if plain == "{}" else f"Killmails: {plain}",
        self_link=f"{base}{request.url.path}{f'?{query}' if query else ''}",
        link=f"{site}/",
        entries=[entry_of(view, site) for view in await load_views(context.database, context.views, rows)],
    )


def _is_unchanged(request: Request, updated: datetime) -> bool:
    """Tell whether the caller has what is newest, where it knows no tag and asks by time."""
    since = request.headers.get("if-modified-since")
    if since is None or "if-none-match" in request.headers:
        return False
    moment = read_http_date(since)
    return moment is not None and updated - timedelta(seconds=1) < moment


def write_atom(feed: Syndicated) -> bytes:
    """Return the feed as Atom 1.0 (RFC 4287)."""
    root = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom"})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", _rfc3339(feed.updated))
    ET.SubElement(root, "link", {"rel": "self", "type": ATOM_TYPE, "href": feed.self_link})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": feed.link})
    _text(ET.SubElement(root, "author"), "name", "KillReport")
    _text(root, "generator", "KillReport")
    for entry in feed.entries:
        _atom_entry(ET.SubElement(root, "entry"), entry)
    return _document(root)


def _atom_entry(parent: ET.Element, entry: FeedEntry) -> None:
    _text(parent, "id", entry.id)
    _text(parent, "title", entry.title)
    _text(parent, "updated", _rfc3339(entry.updated))
    _text(parent, "published", _rfc3339(entry.published))
    ET.SubElement(parent, "link", {"rel": "alternate", "type": "text/html", "href": entry.link})
    _text(parent, "summary", entry.summary)
    for category in entry.categories:
        ET.SubElement(parent, "category", {"term": category})


def write_rss(feed: Syndicated) -> bytes:
    """Return the feed as RSS 2.0, with the self link that the RSS Advisory Board recommends."""
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": "http://www.w3.org/2005/Atom"})
    channel = ET.SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", feed.link)
    _text(channel, "description", "Ships lost in EVE Online, newest first.")
    _text(channel, "generator", "KillReport")
    _text(channel, "lastBuildDate", format_datetime(feed.updated, usegmt=True))
    ET.SubElement(channel, "atom:link", {"rel": "self", "type": RSS_TYPE, "href": feed.self_link})
    for entry in feed.entries:
        item = ET.SubElement(channel, "item")
        _text(item, "title", entry.title)
        _text(item, "link", entry.link)
        ET.SubElement(item, "guid", {"isPermaLink": "false"}).text = entry.id
        _text(item, "pubDate", format_datetime(entry.published, usegmt=True))
        _text(item, "description", entry.summary)
        for category in entry.categories:
            _text(item, "category", category)
    return _document(root)


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _document(root: ET.Element) -> bytes:
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found
