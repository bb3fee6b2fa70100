"""Resolvers of what can be done to killmails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from graphql import GraphQLError

from killreport.api.context import ApiContext, Info
from killreport.api.door.masking import error_code, sentence_of
from killreport.api.engine.registry import Resolvers
from killreport.api.paging.pages import bad_request
from killreport.api.views.killmail import KillmailView, load_views
from killreport.clock import monotonic
from killreport.errors import KillreportError, Malformed, Unavailable
from killreport.killmail.mail.arrival import read_hash
from killreport.zkillboard.killmail_link import KillmailLink, PastedLink, read_link, read_links

resolvers = Resolvers()

MAX_LINKS = 20
# New ones are asked for at the pace of `POSTS_PER_SECOND`; somebody waits for the answer.
PASTE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PostedKillmailView:
    """A killmail that was posted."""

    killmail: KillmailView
    is_new: bool


@dataclass(frozen=True, slots=True)
class PostProblemView:
    """Why one of several killmails was not stored."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PostResultView:
    """What became of one link of several."""

    link: str
    killmail_id: int | None
    posted: PostedKillmailView | None
    problem: PostProblemView | None


async def resolve_post_killmail(
    info: Info,
    *,
    id: int | None = None,  # noqa: A002 - the schema's name
    hash: str | None = None,  # noqa: A002
    link: str | None = None,
) -> PostedKillmailView:
    """Return the killmail, stored. Raises GraphQLError for arguments that cannot be, and as `KillmailPosting.post`."""
    named = _read_name(id, hash, link)
    row, is_new = await info.context.posting.post(named.killmail_id, named.hash)
    (view,) = await load_views(info.context.database, info.context.views, [row])
    return PostedKillmailView(view, is_new)


def _read_name(killmail_id: int | None, hash_text: str | None, link: str | None) -> KillmailLink:
    if link is not None:
        if killmail_id is not None or hash_text is not None:
            raise bad_request("Give `id` and `hash`, or `link`, not both.")
        try:
            return read_link(link)
        except Malformed as error:
            raise bad_request(f"`link`: {error.reason}.") from None
    if killmail_id is None or hash_text is None:
        raise bad_request("Give `id` and `hash`, or `link`.")
    if killmail_id < 1:
        raise bad_request(f"`id` must be at least 1, not {killmail_id}.")
    try:
        read_hash(hash_text or "-")
    except Malformed as error:
        raise bad_request(f"`hash`: {error.reason}.") from None
    return KillmailLink(killmail_id, hash_text.lower())


async def resolve_post_killmails(info: Info, *, text: str) -> list[PostResultView]:
    """Return what became of each link of a text. Raises GraphQLError for a text without any, or with too many."""
    try:
        links = read_links(text)
    except Malformed as error:
        raise bad_request(f"`text`: {error.reason}.") from None
    if not links:
        raise bad_request("`text`: there is no link in it.")
    if len(links) > MAX_LINKS:
        raise bad_request(f"`text`: it has {len(links)} links; at most {MAX_LINKS} are taken at once.")
    until = monotonic() + min(PASTE_SECONDS, 0.8 * info.context.settings.api_timeout_seconds)
    return [await _post_one(link, until, info.context) for link in links]


async def _post_one(link: PastedLink, until: float, context: ApiContext) -> PostResultView:
    """Post one of several: whatever is wrong with it is its own, and the others go on."""
    if link.killmail is None:
        problem = PostProblemView("BAD_REQUEST", "This is no link to a killmail.")
        return PostResultView(link.text, None, None, problem)
    killmail_id = link.killmail.killmail_id
    try:
        async with asyncio.timeout(max(0.0, until - monotonic())):
            row, is_new = await context.posting.post(killmail_id, link.killmail.hash)
            (view,) = await load_views(context.database, context.views, [row])
    except TimeoutError:
        problem = PostProblemView(error_code(Unavailable), "There was no time left for this one: post it again.")
    except GraphQLError as error:
        problem = PostProblemView(str((error.extensions or {}).get("code", "BAD_REQUEST")), error.message)
    except KillreportError as error:
        problem = PostProblemView(error_code(type(error)), sentence_of(error))
    else:
        return PostResultView(link.text, killmail_id, PostedKillmailView(view, is_new), None)
    return PostResultView(link.text, killmail_id, None, problem)


resolvers.root("Mutation", "postKillmail", resolve_post_killmail)
resolvers.root("Mutation", "postKillmails", resolve_post_killmails)
