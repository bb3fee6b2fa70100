"""Pictures of ships and people, and what stands in for them where there are none.

A tile is drawn from initials and a tone by CSS; the picture, where one is configured, lies over it. So a picture that
is late or fails leaves the tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from killreport.web.model import ApiType

TONES = 12
BLUEPRINT_CATEGORY = 9
BLUEPRINT_COPY = 2
Kind = Literal["character", "corporation", "alliance", "type"]
_PATHS = {
    "character": "characters/{id}/portrait",
    "corporation": "corporations/{id}/logo",
    "alliance": "alliances/{id}/logo",
    "type": "types/{id}/icon",
}
# What EVE's image server offers.
_SIZES = (32, 64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Tile:
    """A square picture: letters on a tone (none: a drawn figure), the address of the picture if any; in pixels."""

    initials: str
    tone: int
    url: str | None
    pixels: int
    alt: str
    kind: Kind


class Images:
    """Makes tiles; `base` is the image server's address, or `off`."""

    def __init__(self, base: str) -> None:
        self.base = None if base == "off" else base.rstrip("/")

    @property
    def policy(self) -> str:
        """Return the sources of images for the Content-Security-Policy."""
        return "'self' data:" if self.base is None else f"'self' data: {_origin(self.base)}"

    def tile(self, kind: Kind, entity_id: int, name: str | None, pixels: int, alt: str = "") -> Tile:
        """Return a tile; `alt` stays empty where the name is written beside it."""
        return Tile(_initials(name), entity_id % TONES, self._url(_PATHS[kind], entity_id, pixels), pixels, alt, kind)

    def type_tile(self, type_: ApiType, pixels: int, singleton: int = 0, alt: str = "") -> Tile:
        """Return the icon of a type; blueprints have pictures of their own kind."""
        path = _PATHS["type"]
        if (
            type_.group is not None
            and type_.group.category is not None
            and type_.group.category.id == BLUEPRINT_CATEGORY
        ):
            path = "types/{id}/bpc" if singleton == BLUEPRINT_COPY else "types/{id}/bp"
        return Tile(_initials(type_.name), type_.id % TONES, self._url(path, type_.id, pixels), pixels, alt, "type")

    def ship_tile(self, type_: ApiType, pixels: int) -> Tile:
        """Return the large picture of a ship or structure."""
        url = self._url("types/{id}/render", type_.id, pixels)
        return Tile(_initials(type_.name), type_.id % TONES, url, pixels, type_.name or f"Type {type_.id}", "type")

    def _url(self, path: str, entity_id: int, pixels: int) -> str | None:
        if self.base is None:
            return None
        # Twice the drawn size, for dense screens.
        size = next((size for size in _SIZES if size >= 2 * pixels), _SIZES[-1])
        return f"{self.base}/{path.format(id=entity_id)}?size={size}"


def _origin(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.split('/', 1)[0]}"


def _initials(name: str | None) -> str:
    words = [word for word in (name or "").replace("'", "").split() if word[0].isalnum()]
    if not words:
        return ""
    return (words[0][0] + words[1][0] if len(words) > 1 else words[0][:2]).upper()
