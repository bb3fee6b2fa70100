"""Bios that came as the literal of an old Python are read, and nothing else is touched or ever evaluated."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from killreport.decoding import MAX_TEXT, decode_json
from killreport.esi.model import EsiCharacter, EsiCorporation, EsiType
from killreport.esi.texts import plain_text


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"u'<b>Zuverl\xe4ssig</b>'", "<b>Zuverlässig</b>"),
        (r"""u"it's \u2588 here" """.strip(), "it's █ here"),
        (r"u'a \'word\' and a \"second\"'", "a 'word' and a \"second\""),
        (r"u'one\ntwo\\three\tfour'", "one\ntwo\\three\tfour"),
        (r"u'\U0001f680 and \ud83d\ude80'", "\U0001f680 and \U0001f680"),
        (r"u'\\u0041'", r"\u0041"),
        (r"u'a\x00b'", "ab"),
        ("u''", None),
        ("", None),
        (None, None),
        ("x" * (MAX_TEXT + 1), None),
    ],
)
def test_a_literal_is_read(literal: str | None, text: str | None) -> None:
    assert plain_text(literal) == text


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "'quoted'",
        "u'open",
        "u'",
        "u",
        r"u'it's \xe4'",
        r"u'cut \xe'",
        r"u'half \ud83d'",
        r"u'beyond \U00110000'",
        r"u'\N{DIGIT ONE}'",
        r"u'\101'",
        r"u'\q'",
        "u'two\nlines'",
        r"U'\xe4'",
        r"b'\xe4'",
        r"ur'\xe4'",
        "u'a' + u'b'",
        "u'a' 'b'",
        "u'%s' % __import__('os').system('true')",
        "__import__('os').system('true')",
        r" u'\xe4'",
        "u'''three'''",
        r"u'trailing\'",
    ],
)
def test_anything_else_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text


def old_literal(text: str) -> str:
    """Return what an old Python's `repr` made of a text."""
    letters = "".join(c if c == "\\" or c.isascii() else c.encode("unicode_escape").decode() for c in text)
    return "u" + repr(letters).replace("\\\\x", "\\x").replace("\\\\u", "\\u").replace("\\\\U", "\\U")


@given(st.text(alphabet=st.characters(exclude_characters="\0\\", exclude_categories=["Cs"]), min_size=1))
def test_it_reads_what_the_language_would_read(text: str) -> None:
    literal = old_literal(text)
    assert ast.literal_eval(literal) == text
    assert plain_text(literal) == text


@given(st.text(alphabet="u'\"\\xU0aG\n ", max_size=60))
def test_no_text_is_an_accident(text: str) -> None:
    assert plain_text(text) is not None or not text or text in ("u''", 'u""')


def test_the_longest_text_takes_no_time() -> None:
    began = time.perf_counter()
    for part in ("\\", "\\x", "\\'", "'", '"', "u'", "\\u00e4"):
        plain_text("u'" + part * ((MAX_TEXT - 3) // len(part)))
        plain_text("u'" + part * ((MAX_TEXT - 3) // len(part)) + "'")
    assert time.perf_counter() - began < 5


def test_the_real_ones_are_read(data: Path) -> None:
    bodies = [row["body"] for row in json.loads((data / "esi" / "characters.json").read_text())]
    bios = [body["description"] for body in bodies if body.get("description", "").startswith("u'")]
    assert len(bios) == 3
    for bio in bios:
        assert plain_text(bio) == ast.literal_eval(bio)


def test_all_texts_of_players_are_read() -> None:
    bio = json.dumps(r"u'\xe4'").encode()
    character = decode_json(b'{"name":"A","corporation_id":1,"title":%s,"description":%s}' % (bio, bio), EsiCharacter)
    corporation = decode_json(b'{"name":"A","ticker":"A","description":%s}' % bio, EsiCorporation)
    kind = b'{"type_id":1,"name":"A","group_id":1,"published":true,"description":%s}' % bio
    assert [character.title, character.description, corporation.description] == ["ä"] * 3
    assert decode_json(kind, EsiType).description == "ä"
