"""What travels on each queue, and how it is written: one JSON object, unknown keys ignored, wrong ones refused."""

from __future__ import annotations

from typing import Annotated

import msgspec

from killreport.decoding import UNREADABLE, AnyId, malformed

# The history of the busiest character has some 1,300 pages.
Page = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class CharacterMessage(msgspec.Struct, frozen=True):
    """Refresh this character."""

    character_id: AnyId


class CorporationMessage(msgspec.Struct, frozen=True):
    """Refresh this corporation."""

    corporation_id: AnyId


class AllianceMessage(msgspec.Struct, frozen=True):
    """Refresh this alliance."""

    alliance_id: AnyId


class AllianceCorporationsMessage(msgspec.Struct, frozen=True):
    """Find the corporations of this alliance."""

    alliance_id: AnyId


class TypeMessage(msgspec.Struct, frozen=True):
    """Fill in this type."""

    type_id: AnyId


class CharacterHistoryMessage(msgspec.Struct, frozen=True):
    """Store this page of a character's killmails on zKillboard, and those after it."""

    character_id: AnyId
    page: Page = 1


class UserKillmailsMessage(msgspec.Struct, frozen=True):
    """Store the recent killmails of this account. It carries no token: the worker asks for one."""

    account_id: AnyId


Message = (
    CharacterMessage
    | CorporationMessage
    | AllianceMessage
    | AllianceCorporationsMessage
    | TypeMessage
    | CharacterHistoryMessage
    | UserKillmailsMessage
)

MESSAGE_OF: dict[str, type[Message]] = {
    "esi_character_info_queue": CharacterMessage,
    "esi_corporation_info_queue": CorporationMessage,
    "esi_alliance_info_queue": AllianceMessage,
    "esi_alliance_corporations_queue": AllianceCorporationsMessage,
    "esi_type_info_queue": TypeMessage,
    "zkillboard_character_queue": CharacterHistoryMessage,
    "user_killmail_queue": UserKillmailsMessage,
}
QUEUE_OF: dict[type[Message], str] = {message: queue for queue, message in MESSAGE_OF.items()}

_encoder = msgspec.json.Encoder()
_DECODERS = {queue: msgspec.json.Decoder(message) for queue, message in MESSAGE_OF.items()}


def encode(message: Message) -> bytes:
    """Return the body of a message."""
    return _encoder.encode(message)


def decode(queue: str, body: bytes) -> Message:
    """Return the message in a body. Raises Malformed, with the path of what is wrong."""
    try:
        return _DECODERS[queue].decode(body)
    except UNREADABLE as error:
        raise malformed(body, error) from None
