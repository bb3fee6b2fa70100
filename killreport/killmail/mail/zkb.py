"""The `zkb` block: what zKillboard worked out about a killmail and sends along with it."""

from __future__ import annotations

import msgspec

from killreport.decoding import MAX_INT8, UNREADABLE

# What zKillboard knows from other mails and we take from it; every other label is worked out here.
SOURCE_LABELS = frozenset({"ganked", "padding"})


class ZkbBlock(msgspec.Struct, frozen=True):
    """zKillboard's own figures; None where the block does not say. Values are ISK, as rounded by zKillboard.

    None of it is believed but what cannot be worked out here: the nearest celestial, and labels from other mails.
    """

    location_id: int | None = None
    hash: str | None = None
    fitted_value: float | None = None
    dropped_value: float | None = None
    destroyed_value: float | None = None
    total_value: float | None = None
    points: int | None = None
    is_npc: bool | None = None
    is_solo: bool | None = None
    is_awox: bool | None = None
    labels: tuple[str, ...] = ()

    @property
    def source_labels(self) -> tuple[str, ...]:
        """Return the labels that are taken from it."""
        return tuple(label for label in self.labels if label in SOURCE_LABELS)


def read_zkb_block(raw: msgspec.Raw) -> ZkbBlock | None:
    """Return the block in these bytes; keys in camelCase or snake_case. None when they hold no object.

    A field that cannot be read counts as absent: a bad block never spoils a good killmail.
    """
    try:
        block = msgspec.json.decode(raw)
    except UNREADABLE:
        return None
    if not isinstance(block, dict):
        return None
    labels = block.get("labels")
    return ZkbBlock(
        location_id=_whole(block.get("locationID", block.get("location_id"))) or None,
        hash=_text(block.get("hash")),
        fitted_value=_isk(block.get("fittedValue", block.get("fitted_value"))),
        dropped_value=_isk(block.get("droppedValue", block.get("dropped_value"))),
        destroyed_value=_isk(block.get("destroyedValue", block.get("destroyed_value"))),
        total_value=_isk(block.get("totalValue", block.get("total_value"))),
        points=_whole(block.get("points")),
        is_npc=_truth(block.get("npc")),
        is_solo=_truth(block.get("solo")),
        is_awox=_truth(block.get("awox")),
        labels=tuple(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else (),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _isk(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MAX_INT8:
        return None
    return float(value)


def _whole(value: object) -> int | None:
    number = _isk(value)
    return int(number) if number is not None and 0 <= number < MAX_INT8 and number.is_integer() else None
