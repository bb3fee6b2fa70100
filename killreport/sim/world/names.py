"""Made-up names and tickers. They follow from the id alone, so that they never change with the seed or the version."""

from __future__ import annotations

from killreport.sim.world.chance import mix

_ONSETS = (
    "b", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "kr", "l", "m", "n", "p", "r", "s", "sh", "st",
    "t", "th", "tr", "v", "vr", "w", "y", "z",
)  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ae", "ai", "ei", "ia", "oo", "ou", "ua")
_CODAS = ("", "", "", "", "l", "n", "r", "s", "x", "th", "nd", "rk", "m")
_CORPORATION_FIRST = (
    "Silent", "Broken", "Iron", "Hollow", "Amber", "Crimson", "Distant", "Burning", "Frozen", "Quiet", "Northern",
    "Outer", "Violet", "Ashen", "Gilded", "Restless", "Drifting", "Forgotten", "Electric", "Pale",
)  # fmt: skip
_CORPORATION_LAST = (
    "Industries", "Mining Concern", "Wardens", "Syndicate", "Expedition", "Logistics", "Hunters", "Salvage",
    "Foundry", "Vanguard", "Collective", "Outfit", "Works", "Navigators", "Traders", "Company", "Irregulars",
    "Reclamation", "Institute", "Brotherhood",
)  # fmt: skip
_ALLIANCE_LAST = (
    "Coalition", "Pact", "Dominion", "Accord", "Alliance", "Union", "Assembly", "Concordat", "League", "Compact",
    "Federation", "Covenant", "Front", "Mandate", "Hegemony", "Order",
)  # fmt: skip
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class _Bits:
    """Reads choices off a well-mixed number, one after the other."""

    def __init__(self, *parts: int) -> None:
        self._state = mix(*parts)

    def choose(self, choices: tuple[str, ...] | str) -> str:
        self._state = mix(self._state)
        return choices[self._state % len(choices)]

    def one_in(self, n: int) -> bool:
        self._state = mix(self._state)
        return self._state % n == 0

    def word(self, syllables: int) -> str:
        parts = (self.choose(_ONSETS) + self.choose(_VOWELS) for _ in range(syllables))
        return ("".join(parts) + self.choose(_CODAS)).capitalize()


def character_name(character_id: int) -> str:
    """Return the pilot's name, two words or now and then three."""
    bits = _Bits(1, character_id)
    words = [bits.word(2), bits.word(2)]
    if bits.one_in(9):
        words.insert(1, bits.word(1))
    return " ".join(words)


def corporation_name(corporation_id: int) -> str:
    """Return the corporation's name."""
    bits = _Bits(2, corporation_id)
    first = bits.word(2) if bits.one_in(2) else bits.choose(_CORPORATION_FIRST)
    middle = f" {bits.word(2)}" if bits.one_in(2) else ""
    return f"{first}{middle} {bits.choose(_CORPORATION_LAST)}"


def alliance_name(alliance_id: int) -> str:
    """Return the alliance's name."""
    bits = _Bits(3, alliance_id)
    first = "The " if bits.one_in(4) else ""
    return f"{first}{bits.word(3)} {bits.choose(_ALLIANCE_LAST)}"


def ticker(entity_id: int) -> str:
    """Return a ticker of three to five characters, as corporations and alliances have."""
    bits = _Bits(4, entity_id)
    length = 3 + (not bits.one_in(3)) + bits.one_in(5)
    body = "".join(bits.choose(_LETTERS) for _ in range(length))
    return f"{body[:-1]}." if bits.one_in(7) else body
