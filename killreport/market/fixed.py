"""Prices set by hand, reviewed: hulls too rare for a market, and types whose market somebody plays with.

A new row needs a source; a price that changed gets a row for each stretch of time. Nothing but this table says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

ZKILLBOARD = "zKillboard's list of fixed prices, read 2026-08"
SHRIKE = "EVE-KILL Shrike's custom prices, as in its test corpus, read 2026-07"
WORTHLESS = "sold at prices nobody pays; 0.01 in EVE-KILL Shrike's custom prices, read 2026-07"


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """A price for the days from `since` on and before `until`; None has no end on that side."""

    type_id: int
    isk: float
    source: str
    since: date | None = None
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether the price is meant for the day."""
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)


FIXED_PRICES: tuple[FixedPrice, ...] = (
    # Prizes of the Alliance Tournament and other special editions.
    FixedPrice(635, 500e9, SHRIKE),  # Opux Luxury Yacht
    FixedPrice(2834, 80e9, SHRIKE),  # Utu
    FixedPrice(2836, 150e9, SHRIKE),  # Adrestia
    FixedPrice(3516, 80e9, SHRIKE),  # Malice
    FixedPrice(3518, 100e9, SHRIKE),  # Vangel
    FixedPrice(9860, 1e12, SHRIKE),  # Polaris Legatus Frigate
    FixedPrice(11011, 500e9, SHRIKE),  # Guardian-Vexor
    FixedPrice(11019, 1e12, SHRIKE),  # Cockroach
    FixedPrice(11375, 80e9, SHRIKE),  # Erinye
    FixedPrice(11936, 750e9, ZKILLBOARD),  # Apocalypse Imperial Issue
    FixedPrice(11938, 750e9, ZKILLBOARD),  # Armageddon Imperial Issue
    # zKillboard's code says 500 million before that day, its own comment 500 billion; the comment is the hull's worth.
    FixedPrice(11940, 500e9, ZKILLBOARD, until=date(2020, 1, 25)),  # Gold Magnate
    FixedPrice(11940, 3.4e12, ZKILLBOARD, since=date(2020, 1, 25)),
    FixedPrice(11942, 100e9, SHRIKE),  # Silver Magnate
    FixedPrice(13202, 750e9, ZKILLBOARD),  # Megathron Federate Issue
    FixedPrice(25560, 500e9, SHRIKE),  # Opux Dragoon Yacht
    FixedPrice(26840, 2.5e12, ZKILLBOARD),  # Raven State Issue
    FixedPrice(26842, 750e9, ZKILLBOARD),  # Tempest Tribal Issue
    FixedPrice(32209, 100e9, SHRIKE),  # Mimir
    FixedPrice(32788, 100e9, SHRIKE),  # Cambion
    FixedPrice(32790, 100e9, SHRIKE),  # Etana
    FixedPrice(33395, 500e9, SHRIKE),  # Moracha
    FixedPrice(33397, 200e9, SHRIKE),  # Chremoas
    FixedPrice(33673, 100e9, SHRIKE),  # Whiptail
    FixedPrice(33675, 150e9, SHRIKE),  # Chameleon
    FixedPrice(35779, 120e9, SHRIKE),  # Imp
    FixedPrice(35781, 150e9, SHRIKE),  # Fiend
    FixedPrice(42245, 200e9, SHRIKE),  # Rabisu
    FixedPrice(42246, 120e9, SHRIKE),  # Caedes
    FixedPrice(45530, 150e9, SHRIKE),  # Virtuoso
    FixedPrice(45531, 230e9, SHRIKE),  # Victor
    FixedPrice(48635, 230e9, SHRIKE),  # Tiamat
    FixedPrice(48636, 150e9, SHRIKE),  # Hydra
    FixedPrice(60764, 230e9, SHRIKE),  # Laelaps
    FixedPrice(60765, 150e9, SHRIKE),  # Raiju
    FixedPrice(74141, 120e9, SHRIKE),  # Geri
    FixedPrice(74316, 150e9, SHRIKE),  # Bestla
    FixedPrice(77726, 230e9, SHRIKE),  # Cybele
    FixedPrice(78414, 150e9, SHRIKE),  # Shapash
    FixedPrice(85062, 200e9, SHRIKE),  # Sidewinder
    FixedPrice(85229, 250e9, SHRIKE),  # Cobra
    FixedPrice(85236, 1.25e12, ZKILLBOARD),  # Python
    FixedPrice(88001, 10e9, SHRIKE),  # Babaroga
    FixedPrice(89807, 450e9, SHRIKE),  # Anhinga
    FixedPrice(89808, 230e9, SHRIKE),  # Skua
    # Capital hulls of factions, sold by contract.
    FixedPrice(3514, 100e9, ZKILLBOARD, until=date(2023, 12, 1)),  # Revenant
    FixedPrice(3514, 250e9, ZKILLBOARD, since=date(2023, 12, 1)),
    FixedPrice(42124, 45e9, SHRIKE),  # Vehement
    FixedPrice(42125, 120e9, ZKILLBOARD),  # Vendetta
    FixedPrice(42126, 650e9, ZKILLBOARD),  # Vanquisher
    FixedPrice(42241, 350e9, ZKILLBOARD, until=date(2019, 7, 1)),  # Molok
    FixedPrice(42241, 650e9, ZKILLBOARD, since=date(2019, 7, 1)),
    FixedPrice(42242, 60e9, ZKILLBOARD),  # Dagon
    FixedPrice(42243, 70e9, ZKILLBOARD),  # Chemosh
    FixedPrice(45645, 35e9, ZKILLBOARD),  # Loggerhead
    FixedPrice(45647, 60e9, ZKILLBOARD),  # Caiman
    FixedPrice(45649, 550e9, ZKILLBOARD),  # Komodo
    FixedPrice(78576, 750e9, ZKILLBOARD),  # Azariel
    FixedPrice(87381, 45e9, SHRIKE),  # Sarathiel
    # Two of the five structures that once were outposts, of which no more are made.
    FixedPrice(47512, 60e9, SHRIKE),  # 'Moreau' Fortizar
    FixedPrice(47514, 60e9, SHRIKE),  # 'Horizon' Fortizar
    FixedPrice(12478, 0.01, WORTHLESS),  # Khumaak
    FixedPrice(34556, 0.01, WORTHLESS),  # Sentinel Element
    FixedPrice(34557, 0.01, WORTHLESS),  # Barbican Element
    FixedPrice(34558, 0.01, WORTHLESS),  # Vidette Element
    FixedPrice(34559, 0.01, WORTHLESS),  # Conflux Element
    FixedPrice(34560, 0.01, WORTHLESS),  # Redoubt Element
    FixedPrice(36902, 0.01, WORTHLESS),  # Coalesced Element
    FixedPrice(44264, 0.01, WORTHLESS),  # Pulsar Flare Firework
    FixedPrice(44265, 0.01, WORTHLESS),  # Wings of Victory Firework
    FixedPrice(55511, 30e6, SHRIKE),  # Vorton Arc Extension
)

# What titans and supercarriers cost to build, in ISK, for want of their blueprints or of their materials' prices.
# Source: EVE-KILL Shrike's custom prices, read 2026-07.
KNOWN_BUILD_COSTS: Mapping[int, int] = {
    671: 147_414_186_237,  # Erebus
    3764: 147_428_339_557,  # Leviathan
    11567: 147_777_624_620,  # Avatar
    23773: 146_942_675_356,  # Ragnarok
    22852: 45_142_742_426,  # Hel
    23913: 45_327_529_820,  # Nyx
    23917: 45_542_729_404,  # Wyvern
    23919: 45_760_443_369,  # Aeon
}

# ISK for every type of a group. Source: ZKILLBOARD and SHRIKE agree.
FIXED_GROUP_PRICES: Mapping[int, float] = {
    4513: 200.0,  # Mordunium
    4759: 200.0,  # Griemeer
}


def by_type(prices: Iterable[FixedPrice]) -> dict[int, tuple[FixedPrice, ...]]:
    """Return the prices by their type, in the order given."""
    found: dict[int, tuple[FixedPrice, ...]] = {}
    for price in prices:
        found[price.type_id] = (*found.get(price.type_id, ()), price)
    return found
