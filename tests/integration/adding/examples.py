"""A small example of everything that `docs/howto/develop.md` says how to add, by the first words of its row.

What an example edits and makes is all that it takes, so each is something to copy from, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Insertion:
    """Lines that go into a file before the line that begins with these words, the only one that does."""

    file: str
    before: str
    lines: str


@dataclass(frozen=True)
class Example:
    """One thing added. edits: to files that are there; files: new ones. NAME and NUMBER stand for these in the row."""

    name: str
    edits: tuple[Insertion, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    number: str = ""


_WORKER = '''"""worker-greetings: says hello to characters.

Input: a character's id. Effect: a line in the log. Retry: says it again.
"""

from __future__ import annotations

import structlog

from killreport.queueing.messages import GreetingMessage
from killreport.workers.consuming import Tools, worker_of

log = structlog.get_logger()


async def _greet(message: GreetingMessage, _tools: Tools) -> None:
    log.info("greeted", character_id=message.character_id)


run = worker_of(GreetingMessage, _greet)
'''
_JOB = '''"""The job count-types."""

from __future__ import annotations

from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.db.database import Database
from killreport.eve.load import load_universe


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Count the types of the static data."""
    del settings
    async with database.connection() as connection:
        universe = await load_universe(connection)
    progress.count("types", len(universe.types))
    return f"{len(universe.types)} types counted."
'''
_PAGE = '''"""`/size`: how many kills are stored."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from killreport.web.model import ApiStatus, Struct
from killreport.web.site import Site

DOCUMENT = "query Site_Size { status { killmailCount lastStoredAt } }"


class SizeAnswer(Struct, frozen=True):
    """Answer to `DOCUMENT`."""

    status: ApiStatus


async def size(request: Request) -> Response:
    """Render the number of kills."""
    site: Site = request.app.state.site
    answer = await site.client_for(request).ask(DOCUMENT, SizeAnswer)
    return site.page("size.html", killmail_count=answer.status.killmail_count)
'''
_TEMPLATE = """{% extends "base.html" %}
{% block title %}Size · KillReport{% endblock %}
{% block main %}<h1>{{ killmail_count | count }} kills are stored</h1>{% endblock %}
"""
_COMMAND = '''"""`killreport greet`: say hello."""

from __future__ import annotations


def greet(whom: str = "capsuleer") -> None:
    """Say hello. Example: killreport greet --whom Chribba"""
    print(f"Fly safe, {whom}.")
'''
_MIGRATION = """-- Older releases work with this.
create table greeting (character_id bigint primary key, words text not null);
alter table killmail add column greeted_at timestamptz;
"""

EXAMPLES = {
    "a field of a killmail in the API": Example(
        "isBusy",
        (
            Insertion(
                "api/killmail/killmail.graphql",
                "  attackerCount: Int!",
                '  isBusy: Boolean!\n  """How many attackers there are, NPCs included."""\n',
            ),
            Insertion(
                "api/views/killmail.py",
                "    @property\n    def hash(",
                '    @property\n    def is_busy(self) -> bool:\n        """Return whether many had part in it."""\n'
                "        return self.attacker_count >= 3\n\n",
            ),
        ),
    ),
    "a field on the kill page": Example(
        "storedAt",
        (
            Insertion("web/pages/kill.py", "    points labels solo npc awox warId", "    storedAt\n"),
            Insertion("web/pages/kill.py", "    links: ApiLinks", "    stored_at: datetime\n"),
            Insertion(
                "web/templates/pages/kill.html",
                "      <div><dt>Damage taken</dt>",
                "      <div><dt>Stored in</dt><dd>{{ kill.stored_at.year }}</dd></div>\n",
            ),
        ),
    ),
    "a filter": Example(
        "players",
        (
            Insertion(
                "killmail/filters/table.py",
                '    Filter("item", ',
                '    Filter("playersMin", Count(), Bound("player_count", ">=", "int"), "Attackers", "Players",'
                ' "NPCs do not count"),\n',
            ),
        ),
    ),
    "a page": Example(
        "size",
        (
            Insertion("web/app.py", '            Route("/status", status),', '            Route("/size", size),\n'),
            Insertion(
                "web/app.py", "from killreport.web.pages.status import", "from killreport.web.pages.size import size\n"
            ),
        ),
        {"web/pages/size.py": _PAGE, "web/templates/pages/size.html": _TEMPLATE},
    ),
    "a worker": Example(
        "greetings",
        (
            Insertion(
                "queueing/messages.py",
                "Message = (",
                'class GreetingMessage(msgspec.Struct, frozen=True):\n    """Greet this character."""\n\n'
                "    character_id: AnyId\n\n\n",
            ),
            Insertion("queueing/messages.py", "    | UserKillmailsMessage", "    | GreetingMessage\n"),
            Insertion(
                "queueing/messages.py", '    "user_killmail_queue": User', '    "greeting_queue": GreetingMessage,\n'
            ),
            Insertion(
                "fleet/table.py",
                '    _job("queue-characters", ',
                '    _worker("worker-greetings", "greeting_queue", 10, "Says hello to characters"),\n',
            ),
        ),
        {"workers/greetings.py": _WORKER},
    ),
    "a job": Example(
        "count_types",
        (
            Insertion(
                "fleet/table.py",
                '    _job("update-rankings", ',
                '    _job("count-types", "0 3 * * *", "Counts the types of the static data", is_extra=True),\n',
            ),
        ),
        {"cron/count_types.py": _JOB},
    ),
    "a setting": Example(
        "greeting",
        (
            Insertion(
                "config.py",
                "    feed: Literal[",
                '    greeting: str = Field(default="Fly safe.", description="What visitors are told.")\n',
            ),
        ),
    ),
    "a command": Example(
        "greet",
        (
            Insertion(
                "cli/main.py",
                '    CommandRow("config", ',
                '    CommandRow("greet", "data.greet:greet", "Say hello to somebody."),\n',
            ),
        ),
        {"cli/data/greet.py": _COMMAND},
    ),
    "a column or a table": Example("greetings", (), {"db/migrations/9999_greetings.sql": _MIGRATION}, "9999"),
}
