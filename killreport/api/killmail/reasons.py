"""Why a killmail has its points and labels, as the schema shows it."""

from __future__ import annotations

from collections.abc import Sequence

from killreport.api.context import ApiContext, Info
from killreport.api.killmail.parts import parts_of
from killreport.api.views.killmail import KillmailView
from killreport.killmail.filters.predicates import Facts
from killreport.killmail.rules.points import Factors
from killreport.killmail.shown.explain import explain_labels, explain_points


async def resolve_points_factors(killmails: Sequence[KillmailView], info: Info) -> list[Factors]:
    """Return what each killmail's points are made of."""
    return [explain_points(facts) for facts in await _facts(killmails, info.context)]


async def resolve_label_evidence(killmails: Sequence[KillmailView], info: Info) -> list[list[tuple[str, str]]]:
    """Return each label of each killmail with a sentence about the fact it stands for."""
    return [list(explain_labels(facts).items()) for facts in await _facts(killmails, info.context)]


async def _facts(killmails: Sequence[KillmailView], context: ApiContext) -> list[Facts]:
    parts = parts_of(killmails, context)
    attackers, items = await parts.attackers.get(), await parts.items.get()
    return [
        Facts(killmail.row, attackers.get(killmail.id, ()), items.get(killmail.id, ()), context.views.universe)
        for killmail in killmails
    ]
