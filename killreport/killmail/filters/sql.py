"""A filter as SQL, written so that PostgreSQL reads a page off an index and stops.

`killreport.killmail.filters.branches` takes the filter apart; here each branch becomes the statement of its newest
page, and several are united, and of the union the newest page taken. Where the index of who killed leads, it is
joined by id alone: with the time beside it PostgreSQL multiplies two chances that are one, expects a single row, and
reads the whole history of an alliance to sort it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from killreport.killmail.filters.branches import Branch, is_lead
from killreport.killmail.filters.predicates import Binder, Bound, Killer
from killreport.killmail.filters.tree import Condition, Every, Node, Not
from killreport.killmail.stored.queries import KillmailRow

FEW = 500  # a lead with fewer killmails than this is good enough, whatever the others have
_COLUMNS = ", ".join(f"k.{name}" for name in KillmailRow.__struct_fields__)
_TIME = "killmail_time"


@dataclass(frozen=True, slots=True)
class RowWindow:
    """Which rows of the ordered list: `limit` ones beyond the cursor, in the direction of reading.

    column: what the list is ordered by, then by id. is_descending: of the reading, which backwards is not the list's.
    """

    column: str
    sql_type: str
    is_descending: bool
    limit: int
    cursor: tuple[datetime | int, int] | None = None

    def order(self, alias: str) -> str:
        """Return the `order by … limit …` of one reading. The limit is a literal, because the plan hangs on it."""
        direction = " desc" if self.is_descending else ""
        return f"order by {alias}.{self.column}{direction}, {alias}.killmail_id{direction} limit {self.limit}"

    def beyond(self, alias: str, binder: Binder) -> list[str]:
        """Return the condition that leaves out everything up to the cursor."""
        if self.cursor is None:
            return []
        bound = f"{binder.bind(self.cursor[0], self.sql_type)}, {binder.bind(self.cursor[1], 'bigint')}"
        return [f"({alias}.{self.column}, {alias}.killmail_id) {'<' if self.is_descending else '>'} ({bound})"]


def page_statement(
    branches: Sequence[Branch], leaders: Mapping[Branch, Condition], window: RowWindow
) -> tuple[str, list[object]]:
    """Return the statement that gives the rows of the window, in the direction of reading, and its arguments.

    leaders: which lead goes first in the branches that are contested; see `count_statement`.
    """
    binder = Binder()
    bodies = [_branch(branch, leaders.get(branch), window, binder) for branch in branches]
    if len(bodies) == 1:
        return f"select {_COLUMNS} {bodies[0]}", binder.arguments
    united = " union ".join(f"(select k.{window.column}, k.killmail_id {body})" for body in bodies)
    return (
        f"select {_COLUMNS} from (select * from ({united}) u {window.order('u')}) page "  # noqa: S608 - own names
        f"join killmail k on k.killmail_id = page.killmail_id {window.order('page')}",
        binder.arguments,
    )


def count_statement(branches: Sequence[Branch]) -> tuple[str, list[object]]:
    """Return the statement that counts, up to FEW, what each lead of these branches leads to, branch by branch."""
    binder = Binder()
    counts = [
        f"(select count(*) from (select {_lead(lead, branch.times, binder)} limit {FEW}) few)"  # noqa: S608 - own names
        for branch in branches
        for lead in branch.leads
    ]
    return f"select {', '.join(counts)}", binder.arguments


def _lead(lead: Condition, times: Sequence[Condition], binder: Binder) -> str:
    """Return `from … where …` for the killmails of a lead in the time asked for."""
    predicate = lead.filter.predicate
    if isinstance(predicate, Killer):
        return f"from killed_by b where {' and '.join(_killed_by(lead, predicate, times, binder))}"
    return f"from killmail k where {' and '.join(_sql(part, binder) for part in (lead, *times))}"


def _killed_by(lead: Condition, predicate: Killer, times: Sequence[Condition], binder: Binder) -> list[str]:
    where = [predicate.leading(lead.value, binder)]
    for part in times:
        bound = part.filter.predicate
        assert isinstance(bound, Bound)
        where.append(bound.sql(part.value, binder, "b"))
    return where


def _branch(branch: Branch, leader: Condition | None, window: RowWindow, binder: Binder) -> str:
    """Return `from … where … order by … limit …` over `killmail k`."""
    if leader is None and len(branch.leads) == 1:
        leader = branch.leads[0]
    predicate = None if leader is None else leader.filter.predicate
    source, alias = "killmail k", "k"
    where = [_sql(part, binder) for part in branch.parts if part is not leader or not isinstance(predicate, Killer)]
    if leader is not None and isinstance(predicate, Killer):
        source = "killed_by b join killmail k on k.killmail_id = b.killmail_id"
        where += _killed_by(leader, predicate, branch.times, binder)
        alias = "b" if window.column == _TIME else "k"
    where += window.beyond(alias, binder)
    condition = f" where {' and '.join(where)}" if where else ""
    return f"from {source}{condition} {window.order(alias)}"


def _sql(node: Node, binder: Binder) -> str:
    """Return a node as SQL that is true exactly where the node holds; elsewhere it is false or NULL."""
    if isinstance(node, Condition):
        predicate = node.filter.predicate
        if isinstance(predicate, Killer) and is_lead(node):
            return predicate.probe(node.value, binder)
        return predicate.sql(node.value, binder)
    if isinstance(node, Not):
        return f"({_sql(node.part, binder)}) is not true"
    if not node.parts:
        return "true"
    word = " and " if isinstance(node, Every) else " or "
    return f"({word.join(_sql(part, binder) for part in node.parts)})"
