"""Connection URLs without their secrets: for people to read, and for the arguments of a program."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode

MASK = "********"


# Up to the last `@`, because a password may hold unescaped `/`, `?` and `@`: rather a host masked than half a secret.
_PASSWORD_BEFORE_HOST = re.compile(r"(://[^:/@?#]*):.*@")
# libpq also takes it as a parameter: postgresql://host/name?password=...
_PASSWORD_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)


def masked_url(url: str) -> str:
    """Return the URL, of any scheme, with MASK for the password wherever one may stand; without one it is unchanged."""
    return _PASSWORD_PARAMETER.sub(rf"\1{MASK}", _PASSWORD_BEFORE_HOST.sub(rf"\1:{MASK}@", url))


def split_password(url: str) -> tuple[str, str | None]:
    """Return the URL without its password, and the password as it is (not percent-encoded), None where it has none.

    Works on several hosts too (`postgresql://user:password@one,two/name`), which a general URL parser refuses.
    """
    scheme, _, rest = url.partition("://")
    rest, question, query = rest.partition("?")
    authority, slash, name = rest.partition("/")
    login, at, hosts = authority.rpartition("@")
    user, colon, encoded = login.partition(":")
    password = unquote(encoded) if colon else None
    pairs = parse_qsl(query, keep_blank_values=True)
    password = next((value for key, value in pairs if key == "password"), password)
    if any(key == "password" for key, _ in pairs):
        query = urlencode([pair for pair in pairs if pair[0] != "password"], quote_via=quote, safe="/")
        question = "?" if query else ""
    return f"{scheme}://{user}{at}{hosts}{slash}{name}{question}{query}", password


def with_user(url: str, user: str) -> str:
    """Return the URL with another user and without a password."""
    bare, _ = split_password(url)
    scheme, _, rest = bare.partition("://")
    rest, question, query = rest.partition("?")
    authority, slash, name = rest.partition("/")
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "user"]
    query = urlencode(pairs, quote_via=quote, safe="/")
    question = "?" if query else ""
    return f"{scheme}://{quote(user, safe='')}@{authority.rpartition('@')[2]}{slash}{name}{question}{query}"


def database_of(url: str) -> str:
    """Return the name of the database that the URL leads to; without one it is the user's name, as libpq has it."""
    bare, _ = split_password(url)
    rest, _, query = bare.partition("://")[2].partition("?")
    authority, _, name = rest.partition("/")
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    login = unquote(authority.rpartition("@")[0])
    return unquote(name) or pairs.get("dbname") or login or pairs.get("user", "")
