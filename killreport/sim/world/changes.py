"""What somebody changed by hand in the simulated world: who moved, who has another name, who is gone."""

from __future__ import annotations

from functools import cached_property

import msgspec

from killreport.decoding import decode_json


class NewType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A type that CCP added since the static data was made."""

    name: str
    group_id: int


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """All changes in force. Later killmails of the simulator do not know of them; ESI's answers do.

    moved: characters by the corporation they are in now. joined: corporations by their alliance now, null for none;
    their members go with them. renamed: names by id of a character, corporation or alliance. gone: ids ESI does not
    know any more. biomassed: characters who were deleted, of whom names and the graveyard still tell. closed:
    corporations without members and CEO. types: new types by id.
    """

    moved: dict[int, int] = {}
    joined: dict[int, int | None] = {}
    renamed: dict[int, str] = {}
    gone: frozenset[int] = frozenset()
    biomassed: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()
    types: dict[int, NewType] = {}

    @cached_property
    def corporations(self) -> frozenset[int]:
        """Return the corporations that are not where they were."""
        return frozenset({*self.joined, *self.closed})

    def added(self, body: bytes) -> Changes:
        """Return these changes and those of a JSON object. Raises Malformed for anything else."""
        new = decode_json(body, Changes)
        return Changes(
            moved=self.moved | new.moved,
            joined=self.joined | new.joined,
            renamed=self.renamed | new.renamed,
            gone=self.gone | new.gone,
            biomassed=self.biomassed | new.biomassed,
            closed=self.closed | new.closed,
            types=self.types | new.types,
        )
