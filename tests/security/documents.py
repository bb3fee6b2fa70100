"""Documents made to be dear to read or to check, each filled up to a size.

Every shape is a function of a number of tokens: names, numbers and signs, as GraphQL's lexer tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable

from killreport.api.door.guard.weight import weigh

MAX_CHARACTERS = 20_000
PARTY = "victim{shipType{group{category{id}}}}"
Shape = Callable[[int], str]


def fill(head: str, part: Callable[[int], str], tail: str, tokens: int, characters: int = MAX_CHARACTERS) -> str:
    """Return head, as many parts as there is room for, and tail."""
    parts: list[str] = []
    count, length = weigh(head + tail).tokens, len(head) + len(tail)
    while True:
        one = part(len(parts))
        count += weigh(one).tokens
        length += len(one) + 1
        if count > tokens or length > characters:
            return head + " ".join(parts) + tail
        parts.append(one)


def of(head: str, part: str, tail: str) -> Shape:
    """Return the shape of one part again and again; `#` in it becomes its number."""
    return lambda tokens: fill(head, lambda number: part.replace("#", str(number)), tail, tokens)


def both(one: Shape, other: Shape) -> Shape:
    """Return the shape of two side by side."""
    return lambda tokens: f"{one(tokens // 2)[: MAX_CHARACTERS // 2]} {other(tokens // 2)}"


def nested(ends: tuple[str, str], opening: str, middle: str, closing: str, levels: int) -> Shape:
    """Return the shape of something inside itself."""

    def make(tokens: int) -> str:
        each = weigh(opening).tokens + weigh(closing).tokens
        depth = min(levels, max(1, (tokens - 30) // each))
        return ends[0] + opening * depth + middle + closing * depth + ends[1]

    return make


def _fragments(count: int, body: Callable[[int], str], root: str) -> Shape:
    def make(tokens: int) -> str:
        head = f"{{killmail(id:1){{{root}}}}} "
        return head + " ".join(f"fragment F{number} on Killmail{{{body(number)}}}" for number in range(count))

    return make


def _spreads(first: int, end: int) -> str:
    return " ".join(f"...F{number}" for number in range(first, end))


KILL, END = "{killmail(id:1){", "}}"
SHAPES: dict[str, Shape] = {
    "one selection again and again": of(KILL, PARTY, END),
    "two operations of it": both(of("query A{killmail(id:1){", PARTY, END), of("query B{killmail(id:1){", PARTY, END)),
    "a fragment of it that nobody spreads": of("{killmail(id:1){id}} fragment F on Killmail{", PARTY, "}"),
    "one selection by many arguments": of("{", 'k:killmails(first:5,after:"a"){nodes{id}}', "}"),
    "aliases": of(KILL, "a#:id", END),
    "aliases of objects": of(KILL, "a#:victim{shipType{id}}", END),
    "one alias of different fields": of(KILL, "a:id a:hash", END),
    "one field": of(KILL, "id", END),
    "one root field": of("{", "killmail(id:1){id}", "}"),
    "typenames": of("{", "__typename", "}"),
    "empty selections": of("{", "killmail(id:1){}", "}"),
    "inline fragments": of(KILL, "...{id}", END),
    "inline fragments of objects": of(KILL, "...on Killmail{victim{shipType{id}}}", END),
    "inline fragments inside each other": nested((KILL, END), "...{", "id", "}", 60),
    "many inline fragments inside each other": of(KILL, "...{...{...{...{...{id}}}}}", END),
    "inline fragments of unknown types": of(KILL, "...on Killmial#{id}", END),
    "inline fragments of a union": of('{search(query:"a"){entity{', "...on Character{id}", "}}}"),
    "fragments side by side": _fragments(60, lambda _: "victim{shipType{id}} " * 3, _spreads(0, 60)),
    "a chain of fragments": _fragments(
        59, lambda n: f"victim{{shipType{{id}}}} {_spreads(n + 1, min(n + 2, 59))} id", "...F0"
    ),
    "fragments that double": _fragments(9, lambda n: f"...F{n + 1} " * 2 if n < 8 else "id", "...F0"),
    "fragments that spread all others": _fragments(30, lambda n: f"id {_spreads(n + 1, 30)}", "...F0"),
    "fragments in circles": _fragments(29, lambda _: _spreads(0, 29), "...F0"),
    "one fragment spread again and again": of(
        "fragment F on Killmail{id victim{shipType{id}}} {killmail(id:1){", "...F", END
    ),
    "fragments of one name": of("{killmail(id:1){...F}}", "fragment F on Killmail{id}", ""),
    "fragments nobody spreads": of("{killmail(id:1){id}}", "fragment F# on Killmail{id}", ""),
    "operations": of("", "query Q#{killmail(id:1){id}}", ""),
    "operations without a name": of("", "{killmail(id:1){id}}", ""),
    "operations of one fragment": both(
        of("", "query Q#{...R}", ""), of("fragment R on Query{", "killmail(id:1){id}", "}")
    ),
    "operations and variables of one fragment": both(
        of("", "query Q#($n:ID64!){...R}", ""), of("fragment R on Query{", "k#:killmail(id:$n){id}", "}")
    ),
    "mutations": of("", "mutation Q#{__typename}", ""),
    "subscriptions": of("", "subscription Q#{killmailStored{id}}", ""),
    "directives at one field": of("{killmail(id:1)", "@skip(if:false)", "{id}}"),
    "directives at many fields": of(KILL, "id@include(if:true)", END),
    "directives at fragments": of(KILL, "...@include(if:true){id}", END),
    "unknown directives": of("{killmail(id:1)", "@a", "{id}}"),
    "variables": of("query(", "$v#:Int", "){killmail(id:1){id}}"),
    "variables of one name": of("query(", "$v:Int", "){killmail(id:1){id}}"),
    "variables of unknown types": of("query(", "$v#:Killmial#", "){killmail(id:1){id}}"),
    "variables of lists": of("query(", "$v#:[[[Int]]]=[[[1]]]", "){killmail(id:1){id}}"),
    "undefined variables": of("{", "k#:killmail(id:$v#){id}", "}"),
    "lists inside each other": nested(("{types(ids:", "){id}}"), "[", "1", "]", 90),
    "many lists inside each other": of("{types(ids:[", "[[[[1]]]]", "]){id}}"),
    "a long list": of("{types(ids:[", "1", "]){id}}"),
    "a long list of the wrong": of("{types(ids:[", "a", "]){id}}"),
    "objects inside each other": nested(("{killmails(filter:", "){nodes{id}}}"), "{not:", "{}", "}", 90),
    "objects in lists inside each other": nested(("{killmails(filter:", "){nodes{id}}}"), "{and:[", "{}", "]}", 60),
    "many objects": of("{killmails(filter:{and:[", "{not:{}}", "]}){nodes{id}}}"),
    "unknown fields of an object": of("{killmails(filter:{", "sistem#:1", "}){nodes{id}}}"),
    "one field of an object": of("{killmails(filter:{", "not:{}", "}){nodes{id}}}"),
    "unknown arguments": of("{killmail(", "di#:1", "){id}}"),
    "one argument": of("{killmail(", "id:1", "){id}}"),
    "unknown fields": of(KILL, "victmi#", END),
    "unknown root fields": of("{", "killmial#", "}"),
    "long unknown fields": of("{", "k" * 950 + "#", "}"),
    "long aliases": of(KILL, "k" * 950 + "#:id", END),
    "one long name": lambda _: "{" + "killmail" * 2_400 + "}",
    "a long block string": lambda _: '{search(query:"""' + "\n  a" * 4_900 + '"""){label}}',
    "block strings": of("{", 'a#:search(query:"""a\n b"""){label}', "}"),
    "a block string without an end": lambda _: '{search(query:"""' + '\\"""' * 4_900,
    "openings of block strings": lambda _: '"""' * 6_600,
    "escapes": lambda _: '{search(query:"' + "\\u0041" * 3_300 + '"){label}}',
    "escapes in braces": lambda _: '{search(query:"' + "\\u{41}" * 3_300 + '"){label}}',
    "quotes": lambda tokens: "{" + '""' * tokens + "}",
    "comments": lambda tokens: "{killmail(id:1){id}}" + "\n#" * (tokens - 20),
    "commas": lambda _: "{killmail(id:1){id" + "," * 19_900 + "}}",
    "mistakes far below": lambda _: "{" + "\n" * 15_000 + " ".join(f"a{number}" for number in range(600)) + "}",
    "a long number": lambda _: "{types(ids:[" + "9" * 4_000 + "]){id}}",
    "definitions of types": of("", "type A#{a:Int}", ""),
    "extensions of the schema": of("", "extend schema@a", ""),
    "the schema by aliases": of("{__schema{", "t#:types{name fields{name}}", "}}"),
    "a type by aliases": of("{", 't#:__type(name:"Killmail"){name}', "}"),
    "the schema inside itself": nested(("{__schema{types{", "}}}"), "fields{type{", "name", "}}", 5),
}
