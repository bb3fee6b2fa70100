"""RSS 2.0 and Atom 1.0 documents, and `/feeds/killmails.…`, where there is one for every filter."""

from __future__ import annotations

import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

import msgspec
from starlette.responses import Response

from killreport.answering import tagged
from killreport.api.rest.csv_answer import killmails_as_csv
from killreport.api.rest.entries import FeedEntry, Syndicated, entry_of, urn
from killreport.api.rest.filter_query import read_filter
from killreport.api.rest.rate_limit import RestRequest
from killreport.api.views.killmail import load_views
from killreport.door.own_names import api_base, site_base
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.pages import list_killmails, list_news

ENTRIES = 50
TABLE_ROWS = 200
CACHE = "public, max-age=60"
ATOM_TYPE = "application/atom+xml"
RSS_TYPE = "application/rss+xml"


async def answer_feed(request: RestRequest) -> Response:
    """Answer the newest killmails of a filter that were news, as Atom or as RSS."""
    syndicated = await _load(request, read_filter(request.http.query_params.multi_items()))
    text = write_atom(syndicated) if request.media == ATOM_TYPE else write_rss(syndicated)
    headers = {"Cache-Control": CACHE, "Last-Modified": format_datetime(syndicated.updated, usegmt=True)}
    # The charset is part of the media type: XML served as text/* would otherwise be taken for ASCII.
    return tagged(request.http, Response(text, 200, headers, f"{request.media}; charset=utf-8"))


async def answer_csv(request: RestRequest) -> Response:
    """Answer the newest killmails of a filter as a table."""
    wanted = read_filter(request.http.query_params.multi_items())
    context = request.context
    paid = await request.pay_for(TABLE_ROWS)
    async with context.database.connection() as connection:
        page = await list_killmails(connection, wanted, first=TABLE_ROWS)
    await paid.settle(len(page.rows))
    views = await load_views(context.database, context.views, page.rows)
    return tagged(request.http, killmails_as_csv(views, cache=CACHE))


async def _load(request: RestRequest, wanted: KillmailFilter) -> Syndicated:
    context, url = request.context, request.http.url
    paid = await request.pay_for(ENTRIES)
    async with context.database.connection() as connection:
        rows = await list_news(connection, wanted, ENTRIES)
    await paid.settle(len(rows))
    site = site_base(context.settings)
    query = urllib.parse.urlencode(request.http.query_params.multi_items())
    plain = msgspec.json.encode(wanted.plain()).decode()
    return Syndicated(
        id=urn(f"killreport:{plain}"),
        title="Killmails" if plain == "{}" else f"Killmails: {plain}",
        # Kept by caches for everybody: nothing of it may come from one request's headers.
        self_link=f"{api_base(context.settings)}{url.path}{f'?{query}' if query else ''}",
        link=f"{site}/",
        entries=[entry_of(view, site) for view in await load_views(context.database, context.views, rows)],
    )


def write_atom(feed: Syndicated) -> bytes:
    """Return the feed as Atom 1.0 (RFC 4287)."""
    return _document(
        _element(
            "feed",
            {"xmlns": "http://www.w3.org/2005/Atom"},
            _element("id", feed.id),
            _element("title", feed.title),
            _element("updated", _rfc3339(feed.updated)),
            _element("link", {"rel": "self", "type": ATOM_TYPE, "href": feed.self_link}),
            _element("link", {"rel": "alternate", "type": "text/html", "href": feed.link}),
            _element("author", _element("name", "KillReport")),
            _element("generator", "KillReport"),
            *(_atom_entry(entry) for entry in feed.entries),
        )
    )


def _atom_entry(entry: FeedEntry) -> ET.Element:
    return _element(
        "entry",
        _element("id", entry.id),
        _element("title", entry.title),
        _element("updated", _rfc3339(entry.updated)),
        _element("published", _rfc3339(entry.published)),
        _element("link", {"rel": "alternate", "type": "text/html", "href": entry.link}),
        _element("summary", entry.summary),
        *(_element("category", {"term": category}) for category in entry.categories),
    )


def write_rss(feed: Syndicated) -> bytes:
    """Return the feed as RSS 2.0, with the self link that the RSS Advisory Board recommends."""
    channel = _element(
        "channel",
        _element("title", feed.title),
        _element("link", feed.link),
        _element("description", "Ships lost in EVE Online, newest first."),
        _element("generator", "KillReport"),
        _element("lastBuildDate", format_datetime(feed.updated, usegmt=True)),
        _element("atom:link", {"rel": "self", "type": RSS_TYPE, "href": feed.self_link}),
        *(_rss_item(entry) for entry in feed.entries),
    )
    return _document(_element("rss", {"version": "2.0", "xmlns:atom": "http://www.w3.org/2005/Atom"}, channel))


def _rss_item(entry: FeedEntry) -> ET.Element:
    return _element(
        "item",
        _element("title", entry.title),
        _element("link", entry.link),
        _element("guid", {"isPermaLink": "false"}, entry.id),
        _element("pubDate", format_datetime(entry.published, usegmt=True)),
        _element("description", entry.summary),
        *(_element("category", category) for category in entry.categories),
    )


def _element(name: str, *contents: Mapping[str, str] | str | ET.Element) -> ET.Element:
    """Return an element of attributes, text and other elements."""
    element = ET.Element(name)
    for content in contents:
        if isinstance(content, ET.Element):
            element.append(content)
        elif isinstance(content, str):
            element.text = content
        else:
            element.attrib.update(content)
    return element


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _document(root: ET.Element) -> bytes:
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found
