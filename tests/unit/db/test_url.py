from __future__ import annotations

import pytest

from killreport.db.url import database_of, masked_url, split_password


@pytest.mark.parametrize(
    ("url", "bare", "password"),
    [
        ("postgresql://me:secret@host:5432/name", "postgresql://me@host:5432/name", "secret"),
        ("postgresql://me@host/name", "postgresql://me@host/name", None),
        ("postgresql://host/name", "postgresql://host/name", None),
        ("postgresql:///name?host=/run/x", "postgresql:///name?host=/run/x", None),
        ("postgres://me:p%40ss%2Fw%3Ard@host/name", "postgres://me@host/name", "p@ss/w:rd"),
        ("postgresql://me:a@one:1,two:2/name?target_session_attrs=any",
         "postgresql://me@one:1,two:2/name?target_session_attrs=any", "a"),
        ("postgresql://host/name?user=me&password=s%26t", "postgresql://host/name?user=me", "s&t"),
        ("postgresql://host/name?password=x", "postgresql://host/name", "x"),
        ("postgresql://me:@host/name", "postgresql://me@host/name", ""),
        ("postgresql://me:a@b@host/name", "postgresql://me@host/name", "a@b"),
    ],
)  # fmt: skip
def test_the_password_is_taken_out_of_the_url(url: str, bare: str, password: str | None) -> None:
    assert split_password(url) == (bare, password)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host/name", "postgresql://me:********@host/name"),
        ("postgresql://host/name?user=me&password=secret", "postgresql://host/name?user=me&password=********"),
        ("postgresql://me:se/c@ret@host/name", "postgresql://me:********@host/name"),
        ("postgresql://me@host/name", "postgresql://me@host/name"),
        ("postgresql://killreport@/killreport?host=/a%20b", "postgresql://killreport@/killreport?host=/a%20b"),
    ],
)
def test_a_masked_url_shows_that_there_is_a_password_and_not_which(url: str, shown: str) -> None:
    assert masked_url(url) == shown


@pytest.mark.parametrize(
    ("url", "database"),
    [
        ("postgresql://me:se%2Fcr@one,two:5433/kill%20board?sslmode=require", "kill board"),
        ("postgresql://me@host?dbname=board", "board"),
        ("postgresql:///board?host=/run/postgresql", "board"),
        ("postgresql://me:secret@host", "me"),
        ("postgresql://host/?user=me", "me"),
    ],
)
def test_the_database_is_the_one_that_the_url_leads_to(url: str, database: str) -> None:
    assert database_of(url) == database
