"""Why a killmail has its points and labels, as the schema shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.killmail.parts import parts_of
from killreport.api.views.killmail import KillmailView
from killreport.killmail.filters.predicates import Facts
from killreport.killmail.rules.points import Factors
from killreport.killmail.shown.explain import explain_labels, explain_points


@dataclass(frozen=True, slots=True)
class LabelEvidenceView:
    """A label and the fact it stands for."""

    label: str
    evidence: str


async def resolve_points_factors(killmails: Sequence[KillmailView], info: FieldInfo) -> list[Factors]:
    """Return what each killmail's points are made of."""
    return [explain_points(facts) for facts in await _facts(killmails, info.context)]


async def resolve_label_evidence(killmails: Sequence[KillmailView], info: FieldInfo) -> list[list[LabelEvidenceView]]:
    """Return a sentence for each label of each killmail."""
    return [
        [LabelEvidenceView(label, evidence) for label, evidence in explain_labels(facts).items()]
        for facts in await _facts(killmails, info.context)
    ]


async def _facts(killmails: Sequence[KillmailView], context: ApiContext) -> list[Facts]:
    parts = parts_of(killmails, context)
    attackers, items = await parts.attackers.get(), await parts.items.get()
    return [
        Facts(killmail.row, attackers.get(killmail.id, ()), items.get(killmail.id, ()), context.views.universe)
        for killmail in killmails
    ]
