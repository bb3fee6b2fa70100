"""A role for people who analyse: it reads the views of the schema `analysis`, and nothing else.

Its time limit and its read-only transactions are what its sessions begin with; that it cannot write or read the tables
is a matter of its rights, which no session changes. Making a role needs one that may: the embedded server has it, an
external one may not, and then the statements are there for whoever administers it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import asyncpg

from killreport.db.database import Connection
from killreport.errors import Conflict, Malformed, NotFound, Refused

SCHEMA = "analysis"
NAME = "killreport_analyst"
SECONDS = 60
CONNECTIONS = 5
_ITERATIONS = 4096
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

Connecting = AbstractAsyncContextManager[Connection]


@dataclass(frozen=True, slots=True)
class Analyst:
    """The role as it is wanted. seconds: how long a statement may take. password: None leaves it without a change."""

    name: str = NAME
    seconds: int = SECONDS
    connections: int = CONNECTIONS
    password: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name.startswith("pg_"):
            raise Malformed("a name of small letters, digits and underscores is needed", "--name")

    def role_statements(self, *, is_new: bool) -> list[str]:
        """Return what makes the role, or brings one that is there to what is wanted."""
        secret = f" password '{_verifier(self.password)}'" if self.password is not None else ""
        rights = "nosuperuser nocreatedb nocreaterole noinherit" if is_new else ""
        verb = "create" if is_new else "alter"
        return [
            f"{verb} role {self.name} login {rights} connection limit {self.connections}{secret}".replace("  ", " "),
            f"alter role {self.name} set statement_timeout = '{self.seconds}s'",
            f"alter role {self.name} set idle_in_transaction_session_timeout = '{self.seconds}s'",
            f"alter role {self.name} set default_transaction_read_only = on",
            f"alter role {self.name} set search_path = {SCHEMA}",
        ]

    def grant_statements(self, database: str) -> list[str]:
        """Return what lets the role read the views, those of later releases too."""
        return [
            f'grant connect on database "{database}" to {self.name}',
            f"grant usage on schema {SCHEMA} to {self.name}",
            f"grant select on all tables in schema {SCHEMA} to {self.name}",
            f"alter default privileges in schema {SCHEMA} grant select on tables to {self.name}",
        ]

    def removal_statements(self, database: str) -> list[str]:
        """Return what takes the rights away again; the role itself is dropped afterwards."""
        name = self.name
        return [
            f"alter default privileges in schema {SCHEMA} revoke select on tables from {name}",  # noqa: S608 - checked
            f"revoke select on all tables in schema {SCHEMA} from {name}",  # noqa: S608
            f"revoke usage on schema {SCHEMA} from {name}",
            f'revoke connect on database "{database}" from {name}',
        ]


async def make_analyst(owner: Connection, administrator: Connecting, wanted: Analyst) -> bool:
    """Make the role or bring it to what is wanted, and return whether it is new; idempotent.

    owner: a connection of the views' owner. administrator: lends one that may make roles. Raises NotFound where the
    database has no views yet, Conflict for a role that is more than an analyst, Refused where the server says no.
    """
    if await owner.fetchval("select to_regclass('analysis.killmails')") is None:
        raise NotFound("The database has no views for analysts yet: run killreport db upgrade.")
    is_new = not await _exists(owner, wanted.name)
    async with administrator as connection:
        await _run(connection, wanted.role_statements(is_new=is_new))
    await _run(owner, wanted.grant_statements(await _database(owner)))
    return is_new


async def remove_analyst(owner: Connection, administrator: Connecting, name: str) -> bool:
    """Take the role away, and return whether there was one. Raises Refused where the server says no."""
    wanted = Analyst(name)
    if not await _exists(owner, name):
        return False
    await _run(owner, wanted.removal_statements(await _database(owner)))
    async with administrator as connection:
        await _run(connection, [f"drop role {name}"])
    return True


async def _exists(connection: Connection, name: str) -> bool:
    """Tell whether the role is there. Raises Conflict for one that can do more than an analyst, so is none."""
    row = await connection.fetchrow(
        """select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls
                  or rolname = current_user
                  or exists (select from pg_class where relowner = pg_roles.oid) as is_more
           from pg_roles where rolname = $1""",
        name,
    )
    if row is None:
        return False
    if row["is_more"]:
        raise Conflict(f"The role {name} has rights that an analyst must not have: choose another name.")
    return True


def _verifier(password: str) -> str:
    """Return what the server keeps of a password of ASCII letters, so that no log of statements has the password.

    Source: RFC 5802 and PostgreSQL's pg_authid, read 2026-11-30.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored_text}:{server_text}"


async def _database(connection: Connection) -> str:
    name: str = await connection.fetchval("select current_database()")
    return name.replace('"', '""')


async def _run(connection: Connection, statements: Sequence[str]) -> None:
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.DependentObjectsStillExistError) as error:
        raise Refused(f"PostgreSQL refuses: {error}. `--sql` prints the statements for its administrator.") from None
