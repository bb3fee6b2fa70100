"""`killreport db`: bring the database up to date, look at it, open it by hand, empty it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from killreport.cli.context import load
from killreport.cli.data.analyst import analyst
from killreport.cli.data.move import move, plan_of_upgrade, shown_progress
from killreport.cli.data.recount import recount
from killreport.cli.output.options import AsJson, Yes
from killreport.cli.output.plain import confirm, print_answer
from killreport.config import Settings
from killreport.environment import child_environment
from killreport.errors import Conflict, NotFound
from killreport.terminal import printable

if TYPE_CHECKING:
    from killreport.db.database import Connection, Database
    from killreport.db.migrate import Migration
    from killreport.db.status import DatabaseStatus

app = typer.Typer(no_args_is_help=True, help="Upgrade, inspect, open, save and reset the database.")

app.command()(move)
app.command()(recount)
app.command()(analyst)

PROCESS = "killreport-db"
Dump = Annotated[Path, typer.Argument(help="File of the dump.", metavar="FILE")]
WIDEST_NAME = 24
SERVER_VERSION = "select current_setting('server_version_num')::int / 10000"


@app.command()
def upgrade() -> None:
    """Apply pending migrations and load the static data. Safe to repeat. Example: killreport db upgrade"""
    asyncio.run(upgrade_database(load()))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show version, size, migrations and row counts. Example: killreport db status

    The exit status is 1 if migrations are pending.
    """
    settings = load()
    where, found = asyncio.run(read_status(settings))
    described = describe(settings, where, found)
    described["quarantine"] = None if found.pending else asyncio.run(read_quarantine(settings))
    if as_json:
        print_answer(described, "", as_json=True)
    else:
        print_status(described)
    if found.pending:
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def shell(context: typer.Context) -> None:
    """Open psql on the database; all arguments are passed on to it. Example: killreport db shell -c 'select 1'"""
    raise typer.Exit(asyncio.run(run_client(load(), "psql", context.args)))


@app.command()
def dump(path: Dump) -> None:
    """Dump the database into one file, also while the fleet runs. Example: killreport db dump killreport.dump

    Changes made during the dump are not in it. The file has pg_dump's custom format, and holds everything that the
    database holds, with the secrets of players.
    """
    settings = load()
    if path.exists():
        raise Conflict(f"{path} exists; nothing was written.")
    before = os.umask(0o077)  # it has what the database has, secrets of players too
    try:
        arguments = ["--format=custom", "--no-owner", "--no-privileges", f"--file={path}"]
        status = asyncio.run(run_client(settings, "pg_dump", arguments))
    finally:
        os.umask(before)
    if status != 0:
        path.unlink(missing_ok=True)
        raise typer.Exit(1)
    print(f"{path}: {path.stat().st_size / 1_000_000:.1f} MB")


@app.command()
def restore(path: Dump) -> None:
    """Restore a dump into an empty database, in one transaction. Example: killreport db restore killreport.dump

    After restoring a dump of an older release, run killreport db upgrade.
    """
    settings = load()
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    if asyncio.run(_restore(settings, path)) != 0:
        raise typer.Exit(1)
    print(f"{path} is in the database; killreport db status counts its rows.")


@app.command()
def reset(
    yes: Yes = False,
) -> None:
    """Drop everything in the database: killmails, static data, tables. Example: killreport db reset --yes"""
    settings = load()
    confirm(f"Drop everything in the database {_place_of(settings)}?", yes=yes)
    dropped = asyncio.run(reset_database(settings))
    print(f"Dropped {dropped} objects; killreport db upgrade makes the database anew.")


async def upgrade_database(settings: Settings) -> None:
    """Apply migrations and load the packaged static data, a line on stdout for each step as it ends."""
    from killreport.db.migrate import upgrade as apply_migrations
    from killreport.eve.seed import load_seed
    from killreport.killmail.writing.moving import move_before_switch

    def tell(migration: Migration) -> None:
        print(f"Migration {migration.version:04} {migration.name}: applied.", flush=True)

    async with _connected(settings) as database, database.apart() as connection:
        with shown_progress(await plan_of_upgrade(settings, connection)) as advance:
            applied = await apply_migrations(connection, tell, preparations=move_before_switch(advance))
        if not applied:
            print("Migrations: none pending.")
        print("Static data: loaded." if await load_seed(connection) else "Static data: already there.")


async def read_status(settings: Settings) -> tuple[str, DatabaseStatus]:
    """Return where the database is, as a URL without its password, and what it holds."""
    from killreport.db.status import database_status
    from killreport.db.url import masked_url

    async with _connected(settings) as database, database.connection() as connection:
        return masked_url(database.url), await database_status(connection)


async def read_quarantine(settings: Settings) -> dict[str, Any]:
    """Return what is in quarantine, and what left it because it was full."""
    from killreport.killmail.stored.quarantine import quarantine_summary

    async with _connected(settings) as database, database.connection() as connection:
        found = await quarantine_summary(connection)
    return {**asdict(found), "oldest": None if found.oldest is None else found.oldest.isoformat()}


def describe(settings: Settings, where: str, found: DatabaseStatus) -> dict[str, Any]:
    """Return the status as `--json` prints it; times are ISO 8601 in UTC."""
    return {
        "server": found.server_version,
        "embedded": settings.database_url is None,
        "url": where,
        "size_bytes": found.size_bytes,
        "migrations": [
            {
                "version": entry.migration.version,
                "name": entry.migration.name,
                "applied_at": None if entry.applied_at is None else entry.applied_at.isoformat(),
            }
            for entry in found.migrations
        ],
        "pending": len(found.pending),
        "rows": found.rows,
    }


async def run_client(settings: Settings, name: str, arguments: Sequence[str]) -> int:
    """Run a program of PostgreSQL's on the database and return its exit status. Raises NotFound where there is none."""
    program = await find_client(name)
    async with _connected(settings) as database:
        where, environment = _client_of(settings, database)
        # Ctrl-C is psql's to answer; with a handler here it ends neither of us, and psql starts without one.
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
        # psql's own options may come in any place; the URL is named so that none can be taken for the database.
        process = await asyncio.create_subprocess_exec(program, where, *arguments, env=environment)
        return await process.wait()


def _client_of(settings: Settings, database: Database) -> tuple[str, dict[str, str]]:
    """Return the argument and the environment with which a program of PostgreSQL's is on the database.

    The password goes through the environment: arguments can be read by every user of the machine.
    """
    from killreport.db.url import split_password

    url, password = split_password(database.url)
    secret = {} if password is None else {"PGPASSWORD": password}
    return f"--dbname={url}", child_environment(settings, PGAPPNAME="killreport db", **secret)


async def find_client(name: str) -> str:
    """Return the newest program of PostgreSQL's of that name: an older one does not dump a newer server, nor read it.

    Raises NotFound.
    """
    from killreport.db.embedded import find_binaries
    from killreport.errors import Unavailable

    found = [path for path in (shutil.which(name),) if path is not None]
    with contextlib.suppress(Unavailable):
        found.append(str(find_binaries() / "bin" / name))
    if not found:
        raise NotFound(f"There is no {name} on this machine: install PostgreSQL's client programs.")
    versions = {path: await _major_version(path) for path in found}
    return max(found, key=lambda path: versions[path])


async def _major_version(program: str) -> int:
    process = await asyncio.create_subprocess_exec(program, "--version", stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    number = re.search(rb"\d+", told)
    return int(number[0]) if number else 0


async def _restore(settings: Settings, path: Path) -> int:
    """Return psql's status, or pg_restore's where that could not read the file to its end; then nothing is restored."""
    from killreport.db.restoring import restore_script

    async with _connected(settings) as database:
        async with database.connection() as connection:
            await _refuse_tables(connection)
            server: int = await connection.fetchval(SERVER_VERSION)
            schemas = [row[0] for row in await connection.fetch("select nspname from pg_namespace")]
        # The newest read every file and speak to every server; what an older server does not know is left out for it.
        reader, shell = await find_client("pg_restore"), await find_client("psql")
        where, environment = _client_of(settings, database)
        running = [shell, where]
        return await asyncio.to_thread(restore_script, reader, running, path, server, environment, schemas=schemas)


async def _refuse_tables(connection: Connection) -> None:
    if await connection.fetchval("select to_regclass('schema_migration')") is not None:
        raise Conflict("The database is not empty: killreport db reset empties it, nothing was restored.")


async def reset_database(settings: Settings) -> int:
    """Drop everything and return how many objects that were; see `drop_everything` for what it refuses."""
    from killreport.db.status import drop_everything

    async with _connected(settings) as database, database.apart() as connection:
        return await drop_everything(connection)


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Database]:
    from killreport.db.database import open_database

    async with open_database(settings, process=PROCESS) as database:
        yield database


def _place_of(settings: Settings) -> str:
    from killreport.db.url import masked_url

    return (
        f"in {settings.home}" if settings.database_url is None else masked_url(settings.database_url.get_secret_value())
    )


def print_status(described: dict[str, Any]) -> None:
    """Print the status for people."""
    kind = "embedded" if described["embedded"] else "configured"
    print(f"{'Server':{WIDEST_NAME}}PostgreSQL {described['server']} ({kind})")
    print(f"{'URL':{WIDEST_NAME}}{described['url']}")
    print(f"{'Size':{WIDEST_NAME}}{described['size_bytes'] / 1_000_000:.1f} MB")
    for entry in described["migrations"]:
        name = f"Migration {entry['version']:04}"
        print(f"{name:{WIDEST_NAME}}{entry['name']}: {entry['applied_at'] or 'pending'}")
    for table, rows in described["rows"].items():
        print(f"{'Rows of ' + table:{WIDEST_NAME}} ~{rows:,}")
    if (held := described["quarantine"]) is not None:
        print(f"{'Quarantine':{WIDEST_NAME}}{held['entries']:,} entries, {held['bytes'] / 1_000_000:.1f} MB")
        for reason, tries in held["reasons"].items():
            print(f"{'':{WIDEST_NAME}}{tries:,} × {printable(reason)}")
        if held["dropped_entries"]:
            print(f"{'':{WIDEST_NAME}}{held['dropped_entries']:,} older ones are gone: it was full")
    if described["pending"]:
        print("Migrations are pending: run killreport db upgrade.")
