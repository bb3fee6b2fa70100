"""`killreport db move`: move the killmails of an older release to the tables of this one while that one serves."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from killreport.cli.context import load
from killreport.cli.output.options import AsJson, Yes
from killreport.cli.output.plain import confirm, print_answer
from killreport.cli.output.progress import progress_bar
from killreport.config import Settings
from killreport.errors import Conflict

if TYPE_CHECKING:
    from killreport.db.database import Connection
    from killreport.killmail.writing.move_plan import MovePlan
    from killreport.killmail.writing.moving import OnProgress

PROCESS = "killreport-db"
ADVICE = "Dump the database before: killreport db dump FILE."


def move(yes: Yes = False, as_json: AsJson = False) -> None:
    """Move killmails to this release's tables, while the old release runs. Example: killreport db move --yes

    Tells first how much disk and time it takes. Cut off, it goes on where it was. The old release keeps serving and
    storing; killreport db upgrade moves what is left, and switches over.
    """
    asyncio.run(_move(load(), yes=yes, as_json=as_json))


async def _move(settings: Settings, *, yes: bool, as_json: bool) -> None:
    from killreport.db.database import open_database
    from killreport.db.migrate import pending_migrations, upgrade
    from killreport.killmail.writing.move_plan import plan_move
    from killreport.killmail.writing.moving import SWITCH, move_killmails

    async with open_database(settings, process=PROCESS) as database, database.apart() as connection:
        plan = await plan_move(connection)
        pending = await pending_migrations(connection)
        if plan is None or all(migration.name != SWITCH for migration in pending):
            return print_answer({"moved": 0, "left": 0}, "There is nothing to move.", as_json=as_json)
        if not all(migration.is_compatible for migration in pending if migration.version < _version(pending)):
            raise Conflict("The release that runs is too old for a move beside it: run killreport db upgrade.")
        if not as_json:
            print("\n".join(describe_plan(settings, plan)))
        refuse_small_disk(settings, plan)
        confirm("Move them now?", yes=yes)
        began = time.monotonic()
        await upgrade(connection, before=SWITCH)
        with shown_progress(plan) as advance:
            await move_killmails(connection, advance)
        left = await plan_move(connection)
    seconds = time.monotonic() - began
    told = {
        "moved": plan.left,
        "left": 0 if left is None else left.left,
        "seconds": round(seconds, 3),
        "old_bytes": plan.old_bytes,
        "needed_bytes": plan.needed_bytes,
    }
    text = f"Moved in {seconds:.1f} s. Now stop the old release and run killreport db upgrade."
    return print_answer(told, text, as_json=as_json)


def _version(pending: list[Any]) -> int:
    from killreport.killmail.writing.moving import SWITCH

    version: int = next(migration.version for migration in pending if migration.name == SWITCH)
    return version


async def plan_of_upgrade(settings: Settings, connection: Connection) -> MovePlan | None:
    """Say what an upgrade has to move, and return it; None where that is nothing. Raises Conflict for a small disk."""
    from killreport.killmail.writing.move_plan import plan_move

    plan = await plan_move(connection)
    if plan is None or not plan.left:
        return None
    print("\n".join(describe_plan(settings, plan)), flush=True)
    refuse_small_disk(settings, plan)
    return plan


def describe_plan(settings: Settings, plan: MovePlan) -> list[str]:
    """Return what the move takes, in lines."""
    free = free_bytes(settings)
    disk = (
        "how much is free there cannot be told from here"
        if free is None
        else f"{free / 1_000_000:,.0f} MB of the disk are free"
    )
    return [
        f"{plan.left:,} of {plan.killmails:,} killmails are to be moved to new tables, in about {_span(plan.seconds)}.",
        f"That takes up to {plan.needed_bytes / 1_000_000:,.0f} MB more; {disk}. "
        f"In the end the old tables, {plan.old_bytes / 1_000_000:,.0f} MB, are gone.",
        ADVICE,
    ]


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60:,} min"


def free_bytes(settings: Settings) -> int | None:
    """Return how much of the database's disk is free; None where the database is on another machine."""
    return None if settings.database_url is not None else shutil.disk_usage(settings.home).free


def refuse_small_disk(settings: Settings, plan: MovePlan) -> None:
    """Raise Conflict where the disk has no room for the move."""
    free = free_bytes(settings)
    if free is not None and free < plan.needed_bytes:
        raise Conflict(
            f"The disk has {free / 1_000_000:,.0f} MB free, and moving the killmails takes up to "
            f"{plan.needed_bytes / 1_000_000:,.0f} MB: nothing was moved."
        )


@contextmanager
def shown_progress(plan: MovePlan | None) -> Iterator[OnProgress]:
    """Lend what shows how many killmails are moved, to people."""
    with progress_bar(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    ) as progress:
        if plan is None:
            yield lambda _moved: None
            return
        task = progress.add_task("moving", total=plan.left)
        yield lambda moved: progress.advance(task, moved)
