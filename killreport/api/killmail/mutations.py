"""Resolvers of what can be done to killmails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.killmail.views import KillmailView, load_views
from killreport.api.pages import bad_request
from killreport.errors import Malformed
from killreport.killmail.arrival import read_hash
from killreport.zkillboard.killmail_link import KillmailLink, read_link

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class PostedKillmailView:
    """A killmail that was posted."""

    killmail: KillmailView
    is_new: bool


async def resolve_post_killmail(
    _root: Sequence[None],
    info: FieldInfo,
    *,
    id: int | None = None,  # noqa: A002 - the schema's name
    hash: str | None = None,  # noqa: A002
    link: str | None = None,
) -> list[PostedKillmailView]:
    """Return the killmail, stored. Raises GraphQLError for arguments that cannot be, and as `KillmailPosting.post`."""
    context: ApiContext = info.context
    named = _read_name(id, hash, link)
    row, is_new = await context.posting.post(named.killmail_id, named.hash)
    (view,) = await load_views(context.database, context.views, [row])
    return [PostedKillmailView(view, is_new)]


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


resolvers.field("Mutation", "postKillmail", resolve_post_killmail)
