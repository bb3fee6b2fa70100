"""What a killmail was worth, in whole cents of ISK, from the prices of its day.

`dropped` + `destroyed` = `total`; the hull is always destroyed; `fitted` is a part of the total, not beside it.
Source of the rules: zKillboard's, described in `docs/decisions/0003-labels-and-points.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

from killreport.eve.flags import FITTED_FLAGS
from killreport.eve.universe import Universe
from killreport.killmail.mail.items import FlatItem, flatten_items
from killreport.killmail.mail.model import Item, Killmail
from killreport.market.price import (
    BLUEPRINT_COPY_PRICE,
    ESCAPE_BAY_PRICE,
    GOLDEN_IMPLANT_PRICE,
    Price,
    Prices,
)

BLUEPRINT_CATEGORY = 9
IMPLANT_FLAG = 89
ESCAPE_BAY_FLAG = 179
BLUEPRINT_COPY_SINGLETON = 2
GOLDEN_IMPLANT = 33329  # Genolution 'Auroral' AU-79: whoever wears it flies a golden capsule
FIRST_MAIL_WITH_SINGLETON = 21_112_472  # of Crucible; older mails do not tell a blueprint's copy from the original


@dataclass(frozen=True, slots=True)
class Valuation:
    """Values in cents of ISK, and the price of one unit of everything, with the rule that gave it.

    item_prices: in the order of `flatten_items`. fitted: the hull and what was in its slots. is_complete: False where
    no price is known for the hull, or for an item there was at least one of; the values are then those of the rest.
    """

    ship: Price
    item_prices: list[Price]
    fitted: int
    dropped: int
    destroyed: int
    total: int
    is_complete: bool


def value_killmail(mail: Killmail, universe: Universe, prices: Prices, flat: list[FlatItem] | None = None) -> Valuation:
    """Return what the killmail was worth on its UTC day.

    flat: what `flatten_items` gave for the mail, where the caller has it already.

    What a container held is booked by its own quantities, not by the container's fate; in all 9,413 such rows of the
    real test mails the two agree. It never counts as fitted: its flag is the slot of the ship it was packed in, which
    is not the ship that died.
    """
    day = mail.killmail_time.date()
    price_of = prices.price
    is_without_singleton = mail.killmail_id < FIRST_MAIL_WITH_SINGLETON
    ship = price_of(mail.victim.ship_type_id, day)
    fitted = destroyed = ship.cents
    dropped = 0
    is_complete = ship.is_known
    item_prices: list[Price] = []
    in_escape_bay: set[int] = set()
    for ordinal, parent_ordinal, item in flatten_items(mail) if flat is None else flat:
        flag = item.flag
        if item.singleton == BLUEPRINT_COPY_SINGLETON or (is_without_singleton and _is_taken_as_copy(item, universe)):
            price = BLUEPRINT_COPY_PRICE
        elif flag == ESCAPE_BAY_FLAG or parent_ordinal in in_escape_bay:
            in_escape_bay.add(ordinal)
            price = ESCAPE_BAY_PRICE
        elif flag == IMPLANT_FLAG and item.item_type_id == GOLDEN_IMPLANT:
            price = GOLDEN_IMPLANT_PRICE
        else:
            price = price_of(item.item_type_id, day)
        item_prices.append(price)
        if not price.is_known and (item.quantity_dropped or item.quantity_destroyed):
            is_complete = False
        row_dropped = (item.quantity_dropped or 0) * price.cents
        row_destroyed = (item.quantity_destroyed or 0) * price.cents
        dropped += row_dropped
        destroyed += row_destroyed
        if parent_ordinal is None and flag in FITTED_FLAGS:
            fitted += row_dropped + row_destroyed
    return Valuation(ship, item_prices, fitted, dropped, destroyed, dropped + destroyed, is_complete)


def _is_taken_as_copy(item: Item, universe: Universe) -> bool:
    """Tell whether a mail too old to say so means a copy: wherever it lies, originals are hardly ever flown about."""
    return universe.category_id_of(item.item_type_id) == BLUEPRINT_CATEGORY
