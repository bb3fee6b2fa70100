"""Who may do what in the embedded server: the product's role owns its database and is no superuser.

Nobody has a password. The socket lies in a folder of the server's own, and PostgreSQL asks the kernel who is at the
other end (peer): the user whose server it is, and root, may be any role; everybody else is refused.
Servers of earlier releases had one role, the superuser itself, and let in whoever reached the socket. They are brought
here at their next start; what is half done when that is broken off is done by the one after.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from killreport.db.privileges import ServerUser, name_of
from killreport.db.server_folder import DATABASE, SOCKET_NAME, SUPERUSER, USER
from killreport.errors import Unavailable

MAP = "owner"
ACCESS = f"# Written at every start.\nlocal all all peer map={MAP}\n"
# Renames the superuser, which nobody can do to himself; while it is there, the taking over is not complete.
_HELPER = "killreport_upgrade"
SECONDS = 600
MAINTENANCE = "template1"

# Names of our own, all of them.
_RENAME = f"""
select 'create role {_HELPER} superuser login'
where not exists (select from pg_roles where rolname = '{_HELPER}') \\gexec
\\connect {MAINTENANCE} {_HELPER}
alter role {USER} rename to {SUPERUSER};
"""  # noqa: S608

_ROLES = f"""
select 'create role {USER}' where not exists (select from pg_roles where rolname = '{USER}') \\gexec
select 'alter role {USER} login createdb nosuperuser nocreaterole noreplication nobypassrls'
from pg_roles where rolname = '{USER}'
  and (rolsuper or rolcreaterole or rolreplication or rolbypassrls or not (rolcanlogin and rolcreatedb)) \\gexec
select 'create database {DATABASE} owner {USER}'
where not exists (select from pg_database where datname = '{DATABASE}') \\gexec
select format('alter database %I owner to {USER}', datname) from pg_database
where datdba = '{SUPERUSER}'::regrole and not datistemplate and datname <> 'postgres' \\gexec
select datname from pg_database
where datallowconn and not datistemplate and exists (select from pg_roles where rolname = '{_HELPER}');
"""  # noqa: S608

_NAMESPACES = "select oid from pg_namespace where nspname not like 'pg\\_%' and nspname <> 'information_schema'"

# Objects of an extension stay with it, and a column's sequence goes with its table.
_OBJECTS = f"""
begin;
select format('alter table %s owner to {USER}', pg_class.oid::regclass) from pg_class
where relowner = '{SUPERUSER}'::regrole and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and relnamespace in ({_NAMESPACES})
  and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid
                                              and (deptype = 'e' or relkind = 'S' and deptype in ('a', 'i'))) \\gexec
select format('alter routine %s owner to {USER}', pg_proc.oid::regprocedure) from pg_proc
where proowner = '{SUPERUSER}'::regrole and pronamespace in ({_NAMESPACES})
  and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
\\gexec
select format('alter type %s owner to {USER}', pg_type.oid::regtype) from pg_type
where typowner = '{SUPERUSER}'::regrole and typtype in ('e', 'd', 'r') and typnamespace in ({_NAMESPACES})
  and not exists (select from pg_depend where classid = 'pg_type'::regclass and objid = pg_type.oid and deptype = 'e')
\\gexec
select format('alter schema %I owner to {USER}', nspname) from pg_namespace
where nspowner = '{SUPERUSER}'::regrole and oid in ({_NAMESPACES}) \\gexec
commit;
"""  # noqa: S608


def identities(user: ServerUser) -> str:
    """Return the file that says which users of the machine may be which role."""
    names = {name_of(os.geteuid()), name_of(user.uid) if user.uid is not None else ""} - {""}
    quoted = ('"' + name.replace('"', '""') + '"' for name in sorted(names))
    return "# Written at every start.\n" + "".join(f"{MAP} {name} all\n" for name in quoted)


class Roles:
    """Sets the roles right over the socket. programs: where psql is; environment: all that it sees."""

    def __init__(self, programs: Path, socket_folder: Path, environment: Mapping[str, str]) -> None:
        self._psql = programs / "bin" / "psql"
        self._socket_folder = socket_folder
        self._environment = dict(environment)

    def ensure(self) -> None:
        """Have the product's role own its database and all in it, whatever release made it. Done already: no change.

        Raises Unavailable.
        """
        status, said = self._run(SUPERUSER, MAINTENANCE, "select 1")
        if status != 0 and f'role "{SUPERUSER}" does not exist' in said:
            self._do(USER, MAINTENANCE, _RENAME)
        for database in self._do(SUPERUSER, MAINTENANCE, _ROLES).split("\n"):
            if database:
                self._do(SUPERUSER, database, _OBJECTS)
        self._do(SUPERUSER, MAINTENANCE, f"drop role if exists {_HELPER}")

    def _do(self, role: str, database: str, statements: str) -> str:
        status, said = self._run(role, database, statements)
        if status != 0:
            lines = said.strip().splitlines() or [f"exit status {status}"]
            raise Unavailable(f"The roles of the embedded PostgreSQL could not be set up: {lines[-1]}")
        return said

    def _run(self, role: str, database: str, statements: str) -> tuple[int, str]:
        """Return psql's status, and what it printed: the rows, or on failure the errors."""
        try:
            result = subprocess.run(  # noqa: S603 - the wheel's program
                [
                    *(self._psql, "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"),
                    *(f"--host={self._socket_folder}", f"--port={SOCKET_NAME.rpartition('.')[2]}"),
                    *(f"--username={role}", "--no-password", f"--dbname={database}"),
                ],
                input=statements,
                capture_output=True,
                text=True,
                errors="replace",
                env=self._environment,
                cwd="/",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 1, f"psql did not end within {SECONDS} s"
        return result.returncode, result.stderr if result.returncode else result.stdout
