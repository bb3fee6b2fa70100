"""What strangers send where a number, a day, a word or a list is expected."""

from __future__ import annotations

from typing import Any

DIGITS = "9" * 5_000

# As they stand in an address, percent-encoded or not.
TEXTS: tuple[str, ...] = (
    *("", "0", "-1", "1.5", "1e3", "007", "+1", " 1", "٣", "²", "NaN", "Infinity", "null", "true", "[]", "{}", "a,b"),
    *("2147483647", "2147483648", "4294967296", "9007199254740993", "576460752303423488", "9223372036854775807"),
    *("9223372036854775808", "18446744073709551616", DIGITS, f"-{DIGITS}", f"1.{DIGITS}", "1e400"),
    *("99991231", "00010101", "10000101", "20210230", "9999-12-31", "0001-01-01", "9999-12-31T23:59:59-14:00"),
    *("0001-01-01T00:00:00+14:00", "2021-02-30", "999912312359", "000101010000", "22-4", "99-99"),
    *("%00", "a%00b", "%", "%zz", "%ff%fe", "%c3", "%ed%a0%80", "%F4%90%80%80", "%0d%0aX-Made: 1", "%2e%2e%2f"),
    *("<script>", "'; drop table killmail;--", "\u202e", "🚀", "a" * 3_000, "%20", "+", "*"),
    *('{"and":[{"not":{}}]}', '{"character":[1e400]}', '{"labels":["\\ud800"]}', '{"labels":["\\u0000"]}'),
    *(
        "[" * 2_000,
        '{"and":' * 500 + "{}" + "}" * 500,
        f'{{"character":[{DIGITS}]}}',
        '{"from":"9999-12-31T23:59:59Z"}',
    ),
    *("MTAwMA", "LTE", "aTE", "aS0x", "bjE", "OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ", "MC4w", "====", "dmluZi4x"),
)

# Of those below, the ones at the ends of what some reader or column takes.
SHARP: tuple[Any, ...] = (
    *(None, 0, -1, 2**31, 2**63 - 1, 2**63, 10**400, 200.0, "\x00", "\ud800", "9999-12-31", "0001-01-01"),
    *("OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ", "bjE", ["\ud800"], [2**63], {}),
)

# As JSON has them, also what only an escape can write.
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 1.5, 1e3, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**59, 2**63 - 1, 2**63, -(2**63), 2**64),
    *(10**30, 10**400, -(10**30), 1e308, 200.0),
    *("", "0", "1", str(2**53 + 1), str(2**63 - 1), str(2**63), DIGITS, "-1", "\x00", "a\x00b", "\ud800", "a\udfffb"),
    *("\U0001f680", "x" * 5_000, "0001-01-01", "9999-12-31", "2021-02-30", "9999-12-31T23:59:59-14:00"),
    *("0001-01-01T00:00:00+14:00", "not a cursor", "MTAwMA", "aTE", "bjE", "OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ"),
    *([], {}, [[]], [None], ["\ud800"], [2**63], [1] * 51, {"a": "\ud800"}, {"\ud800": 1}, {"from": 1}),
)
