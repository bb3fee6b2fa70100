"""What a type is made of, for those that nobody sells: structures, titans, a customs office.

Source of the rule: zKillboard's build cost, described in `docs/decisions/0021-price-rules.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from killreport.eve.universe import Blueprint, Universe

TITAN_GROUP, SUPERCARRIER_GROUP = 30, 659
STRUCTURE_CATEGORY, STRUCTURE_MODULE_CATEGORY = 65, 66
# The longest way from a hull to its minerals is six; a blueprint that leads back to itself ends here at the latest.
MAX_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Recipe:
    """materials: type and quantity for `quantity` units."""

    quantity: int
    materials: tuple[tuple[int, int], ...]


# What is put together in space, without a blueprint. Source: the game's dialogue for building a customs office from its
# gantry, EVE University's page "Customs office"; zKillboard counts the same parts.
ASSEMBLED: Mapping[int, Recipe] = {
    # Customs Office: the gantry, and eight each of Broadcast Node, Recursive Computing Module, Self-Harmonizing Power
    # Core and Wetware Mainframe.
    2233: Recipe(1, ((3962, 1), (2867, 8), (2871, 8), (2872, 8), (2876, 8))),
}


def recipe_of(universe: Universe, type_id: int) -> Recipe | None:
    """Return what one makes the type of, with a blueprint that is researched to the end; None where nobody knows."""
    blueprint = universe.blueprints.get(type_id)
    if blueprint is None:
        return ASSEMBLED.get(type_id)
    materials = tuple((material, _researched(quantity, blueprint)) for material, quantity in blueprint.materials)
    return Recipe(blueprint.quantity, materials)


def materials_of(universe: Universe, type_id: int) -> list[int]:
    """Return the types that go into the type, none where nobody knows."""
    recipe = recipe_of(universe, type_id)
    return [] if recipe is None else [material for material, _ in recipe.materials]


def _researched(quantity: int, blueprint: Blueprint) -> int:
    """Return how many a run takes when research has saved a tenth: rounded up, and one at the least."""
    return quantity if blueprint.is_reaction else max(1, -(-9 * quantity // 10))


def is_built_to_order(universe: Universe, type_id: int) -> bool:
    """Tell whether the type costs what it is made of even where a market shows something else.

    Titans and supercarriers are sold by contract, and what the market has of structure rigs is no trade.
    """
    found = universe.types.get(type_id)
    if found is None:
        return False
    is_rig = found.category_id == STRUCTURE_MODULE_CATEGORY and found.slot == "rig"
    return is_rig or found.group_id in (TITAN_GROUP, SUPERCARRIER_GROUP)


def has_base_price(universe: Universe, type_id: int) -> bool:
    """Tell whether CCP's base price says anything about the type; of what is only built it does not."""
    found = universe.types.get(type_id)
    if found is None or not found.base_price or found.category_id == STRUCTURE_CATEGORY:
        return False
    return found.group_id not in (TITAN_GROUP, SUPERCARRIER_GROUP)
