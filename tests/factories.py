"""Small true-looking things for tests: killmails, a tiny universe, a price book. Ids lie in the game's real ranges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from killreport.eve.universe import (
    Category,
    Constellation,
    Group,
    MarketGroup,
    Region,
    Slot,
    SolarSystem,
    Type,
    Universe,
)
from killreport.killmail.mail.model import Attacker, Item, Killmail, Victim
from killreport.market.price import Price, PriceBook, PriceRule

ALICE, BOB, CHARLIE = 90_000_001, 90_000_002, 2_112_000_003
ALICES_CORPORATION, BOBS_CORPORATION = 98_000_001, 98_000_002
ALICES_ALLIANCE = 99_000_001
AGENT = 3_008_416
CONCORD = 1_000_125
CALDARI_STATE, MINMATAR_REPUBLIC, AMARR_EMPIRE, GALLENTE_FEDERATION = 500_001, 500_002, 500_003, 500_004
GURISTAS = 500_010

RIFTER, VEXOR, DOMINIX, NYX, LOKI = 587, 626, 645, 23913, 29990
CAPSULE, SHUTTLE, IBIS, ADRESTIA = 670, 672, 601, 2836
ASTRAHUS, MOBILE_TRACTOR_UNIT, CONCORD_CRUISER = 35832, 33475, 3885
AFTERBURNER, WARP_DISRUPTOR_II, DAMAGE_AMPLIFIER_II, MINER_II, CARGO_RIG = 439, 3244, 4405, 482, 31117
TRITANIUM, RIFTER_BLUEPRINT, CARGO_CONTAINER, AURORAL, SERVICE_MODULE = 34, 691, 3467, 33329, 35892
NOT_IN_THE_UNIVERSE = 99_999

JITA, TAMA, NULL_EXACTLY, HED_GP, THERA, POCHVEN_SYSTEM = 30000142, 30002813, 30001372, 30001161, 31000005, 30000021
DRIFTER_SYSTEM, ABYSS, VOID, ZARZAKH = 31000001, 32000001, 34000001, 30100000

SHIP, MODULE, COMMODITY, BLUEPRINT, STRUCTURE, DEPLOYABLE, ENTITY, IMPLANT, STRUCTURE_MODULE = (
    6,
    7,
    4,
    9,
    65,
    22,
    11,
    20,
    66,
)


def make_type(  # one keyword for each thing a rule asks for
    type_id: int,
    name: str,
    group_id: int,
    category_id: int,
    *,
    rig_size: int | None = None,
    meta_level: int | None = None,
    is_overheatable: bool = False,
    market_group_id: int | None = None,
    base_price: float | None = None,
    slot: Slot | None = None,
) -> Type:
    """Return a type; what is left out, the type lacks."""
    return Type(
        type_id=type_id,
        name=name,
        group_id=group_id,
        category_id=category_id,
        is_published=True,
        market_group_id=market_group_id,
        meta_group_id=None,
        base_price=base_price,
        rig_size=rig_size,
        meta_level=meta_level,
        is_overheatable=is_overheatable,
        slot=slot,
        high_slots=None,
        mid_slots=None,
        low_slots=None,
        rig_slots=None,
        service_slots=None,
        squadron_size=None,
    )


TYPES = (
    make_type(RIFTER, "Rifter", 25, SHIP, rig_size=1, market_group_id=64),
    make_type(VEXOR, "Vexor", 26, SHIP, rig_size=2),
    make_type(DOMINIX, "Dominix", 27, SHIP, rig_size=3),
    make_type(NYX, "Nyx", 659, SHIP, rig_size=4, market_group_id=1392),
    make_type(LOKI, "Loki", 963, SHIP, rig_size=2),
    make_type(CAPSULE, "Capsule", 29, SHIP),
    make_type(SHUTTLE, "Caldari Shuttle", 31, SHIP),
    make_type(IBIS, "Ibis", 237, SHIP, rig_size=1),
    make_type(ADRESTIA, "Adrestia", 358, SHIP, rig_size=2),
    make_type(ASTRAHUS, "Astrahus", 1657, STRUCTURE, rig_size=2),
    make_type(MOBILE_TRACTOR_UNIT, "Mobile Tractor Unit", 1250, DEPLOYABLE),
    make_type(CONCORD_CRUISER, "CONCORD Police Captain", 301, ENTITY),
    make_type(AFTERBURNER, "1MN Afterburner I", 46, MODULE, meta_level=0, is_overheatable=True, slot="mid"),
    make_type(WARP_DISRUPTOR_II, "Warp Disruptor II", 52, MODULE, meta_level=5, is_overheatable=True, slot="mid"),
    make_type(DAMAGE_AMPLIFIER_II, "Drone Damage Amplifier II", 645, MODULE, meta_level=5, slot="low"),
    make_type(MINER_II, "Miner II", 54, MODULE, meta_level=5, slot="high"),
    make_type(CARGO_RIG, "Small Cargohold Optimization I", 773, MODULE, is_overheatable=True, slot="rig"),
    make_type(TRITANIUM, "Tritanium", 18, COMMODITY, base_price=2.0),
    make_type(RIFTER_BLUEPRINT, "Rifter Blueprint", 105, BLUEPRINT),
    make_type(CARGO_CONTAINER, "Small Standard Container", 12, COMMODITY),
    make_type(AURORAL, "Genolution 'Auroral' AU-79", 1730, IMPLANT),
    make_type(SERVICE_MODULE, "Standup Market Hub I", 1321, STRUCTURE_MODULE, slot="service"),
)
GROUPS = (
    Group(25, "Frigate", SHIP, True),
    Group(26, "Cruiser", SHIP, True),
    Group(27, "Battleship", SHIP, True),
    Group(29, "Capsule", SHIP, True),
    Group(1657, "Citadel", STRUCTURE, True),
)
REGIONS = (
    Region(10000002, "The Forge", CALDARI_STATE, None),
    Region(10000014, "Catch", None, None),
    Region(10000070, "Pochven", None, None),
    Region(10001000, "Yasna Zakh", None, None),
    Region(11000031, "G-R00031", None, 12),
    Region(11000033, "K-R00033", None, 14),
    Region(12000001, "ADR01", None, 19),
    Region(14000001, "VR-01", None, 19),
)
SYSTEMS = (
    SolarSystem(JITA, "Jita", 20000020, 10000002, 0.9459, CALDARI_STATE, None),
    SolarSystem(TAMA, "Tama", 20000020, 10000002, 0.3064, CALDARI_STATE, None),
    SolarSystem(NULL_EXACTLY, "Zero", 20000020, 10000002, 0.0, None, None),
    SolarSystem(HED_GP, "HED-GP", 20000169, 10000014, -0.0001, None, None),
    SolarSystem(THERA, "Thera", 21000324, 11000031, -0.99, None, 12),
    SolarSystem(DRIFTER_SYSTEM, "Sentinel MZ", 21000334, 11000033, -0.99, None, 14),
    SolarSystem(POCHVEN_SYSTEM, "Kuharah", 20000787, 10000070, -1.0, None, 25),
    SolarSystem(ABYSS, "AD001", 22000001, 12000001, -0.99, None, 19),
    SolarSystem(VOID, "V-001", 24000001, 14000001, -0.99, None, 19),
    SolarSystem(ZARZAKH, "Zarzakh", 20010000, 10001000, -1.0, None, None),
)


def make_universe() -> Universe:
    """Return a universe of a few hulls, modules and systems, enough for every rule."""
    categories = {
        SHIP: "Ship", MODULE: "Module", COMMODITY: "Material", BLUEPRINT: "Blueprint", STRUCTURE: "Structure",
        DEPLOYABLE: "Deployable", ENTITY: "Entity", IMPLANT: "Implant", STRUCTURE_MODULE: "Structure Module",
    }  # fmt: skip
    return Universe(
        types={row.type_id: row for row in TYPES},
        groups={row.group_id: row for row in GROUPS},
        categories={category_id: Category(category_id, name, True) for category_id, name in categories.items()},
        market_groups={
            64: MarketGroup(64, "Minmatar", None),
            1381: MarketGroup(1381, "Capital Ships", None),
            1392: MarketGroup(1392, "Gallente", 1381),
        },
        meta_groups={},
        regions={row.region_id: row for row in REGIONS},
        constellations={20000020: Constellation(20000020, "Kimotoro", 10000002, CALDARI_STATE, None)},
        systems={row.solar_system_id: row for row in SYSTEMS},
        factions={},
        corporations={},
    )


def make_prices(cents: Mapping[int, int]) -> PriceBook:
    """Return a book with these prices, in cents, on every day; other types cost their base price, or have no price."""
    return PriceBook(
        make_universe(),
        {type_id: Price(amount, PriceRule.REFERENCE_AVERAGE) for type_id, amount in cents.items()},
    )


def make_attacker(
    character_id: int | None = BOB,
    corporation_id: int | None = BOBS_CORPORATION,
    *,
    ship_type_id: int | None = RIFTER,
    final_blow: bool = False,
    faction_id: int | None = None,
    alliance_id: int | None = None,
) -> Attacker:
    """Return an attacker, by default a player in a frigate who did not strike the final blow."""
    return Attacker(
        damage_done=100,
        final_blow=final_blow,
        security_status=0.5,
        character_id=character_id,
        corporation_id=corporation_id,
        alliance_id=alliance_id,
        faction_id=faction_id,
        ship_type_id=ship_type_id,
        weapon_type_id=None,
    )


def make_npc(*, ship_type_id: int | None = CONCORD_CRUISER, final_blow: bool = False) -> Attacker:
    """Return an attacker of CONCORD, without a character."""
    return make_attacker(None, CONCORD, ship_type_id=ship_type_id, final_blow=final_blow)


def make_killmail(
    *attackers: Attacker,
    killmail_id: int = 97_000_001,
    at: datetime = datetime(2021, 12, 2, 18, 30, tzinfo=UTC),
    solar_system_id: int = TAMA,
    ship_type_id: int = RIFTER,
    character_id: int | None = ALICE,
    corporation_id: int | None = ALICES_CORPORATION,
    faction_id: int | None = None,
    items: tuple[Item, ...] = (),
) -> Killmail:
    """Return a killmail: Alice's frigate, killed in low security by Bob alone unless attackers are given."""
    return Killmail(
        killmail_id=killmail_id,
        killmail_time=at,
        solar_system_id=solar_system_id,
        victim=Victim(
            ship_type_id=ship_type_id,
            damage_taken=100,
            character_id=character_id,
            corporation_id=corporation_id,
            faction_id=faction_id,
            items=items,
        ),
        attackers=attackers or (make_attacker(final_blow=True),),
    )
