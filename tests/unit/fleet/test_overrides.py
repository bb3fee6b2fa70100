"""What fleet.toml may say, and how each mistake in it is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from killreport.cli.fleet.overrides import first_text
from killreport.errors import BadSetting
from killreport.fleet.overrides import check_overrides, fleet_rows, overridden, write_overrides
from killreport.fleet.table import FLEET, find_process

HERE = Path("/home/of/fleet.toml")


def problems(text: str) -> list[str]:
    return [problem.removeprefix(f"{HERE}, ") for problem in check_overrides(HERE, text).problems]


def test_rows_are_as_the_file_wants_them_and_the_others_as_the_table_has_them() -> None:
    text = """
[worker-characters]
prefetch = 20
instances = 2
memory_limit_mb = 300
kill_timeout = "90s"
watchdog = 0
[worker-characters.environment]
KILLREPORT_LOG_LEVEL = "debug"
MALLOC_ARENA_MAX = 2
[queue-alliances]
schedule = "5 4 * * 1"
[worker-types]
enabled = false
"""
    rows = overridden(FLEET, check_overrides(HERE, text).require())
    row = find_process("worker-characters", rows)
    assert (row.prefetch, row.instances, row.memory_limit_mb) == (20, 2, 300)
    assert (row.kill_timeout, row.watchdog) == (timedelta(seconds=90), timedelta(0))
    assert row.environment == {"KILLREPORT_LOG_LEVEL": "debug", "MALLOC_ARENA_MAX": "2"}
    assert find_process("queue-alliances", rows).schedule == "5 4 * * 1"
    assert not find_process("worker-types", rows).is_enabled
    changed = {"worker-characters", "queue-alliances", "worker-types"}
    assert [row for row in rows if row.name not in changed] == [row for row in FLEET if row.name not in changed]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[worker-typs]", "line 1: there is no process called worker-typs; did you mean worker-types?"),
        ("\nworker-types = 3", "line 2: worker-types must be a table: [worker-types], with its overrides below it."),
        ("[worker-types]\nprefech = 3", "line 2: worker-types has no prefech; did you mean prefetch?"),
        ("[worker-types]\n\nprefetch = 0", "line 3: prefetch of worker-types must be a whole number from 1 to 1000"),
        ("[queue-alliances]\nprefetch = 3", "line 2: queue-alliances can have no prefetch: it is a job, which takes"),
        ("[worker-redisq]\ninstances = 2", "line 2: worker-redisq can have no instances: there can be only one of it."),
        ("[killreport-backend]\ninstances = 2", "line 2: killreport-backend can have no instances: it is a service"),
        ("[worker-types]\nschedule = '* * * * *'", "line 2: worker-types can have no schedule: it is a worker, which"),
        ("[queue-alliances]\nschedule = '0 25 * * *'", "line 2: schedule of queue-alliances must be five cron fields"),
        (
            "[worker-types]\nkill_timeout = 'soon'",
            "line 2: kill_timeout of worker-types must be seconds or a time such",
        ),
        ("[worker-types]\nenabled = 'no'", "line 2: enabled of worker-types must be true or false, not 'no'."),
        (
            "[worker-types.environment]\nKILLREPORT_LOG_LEVL = 'debug'",
            "line 2: KILLREPORT_LOG_LEVL of worker-types is not a setting; did you mean KILLREPORT_LOG_LEVEL?",
        ),
        (
            "[worker-types.environment]\nKILLREPORT_ESI_URL = 'ftp://x'",
            "line 2: KILLREPORT_ESI_URL of worker-types cannot be used: must start with http:// or https://.",
        ),
        (
            "[killreport-backend.environment]\nKILLREPORT_API_PORT = 1",
            "line 2: KILLREPORT_API_PORT of killreport-backend is the whole fleet's",
        ),
        (
            "[worker-types.environment]\nNOTIFY_SOCKET = 'x'",
            "line 2: NOTIFY_SOCKET of worker-types is the supervisor's",
        ),
        ("[worker-types\nprefetch = 3", "line 1: not valid TOML: "),
        ("[worker-types]\nenvironment = { 'A B' = 'x' }", "line 2: A B of worker-types cannot be a variable"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(text: str, sentence: str) -> None:
    [found] = problems(text)
    assert found.startswith(sentence)


def test_a_schedule_that_is_none_is_told_with_the_reason() -> None:
    [found] = problems("[queue-alliances]\nschedule = '0 25 * * *'")
    assert found.endswith("'0 25 * * *' is not: Bad hour.")
    [never] = problems("[queue-alliances]\nschedule = '0 0 30 2 *'")
    assert never.endswith("is not: Bad day-of-month.")


def test_all_mistakes_are_told_in_the_order_of_their_lines() -> None:
    found = problems(
        "[worker-types]\nprefetch = [\n  1,\n]\n[nobody]\n[worker-types.environment]\nKILLREPORT_X = '1'\n"
    )
    assert [sentence.partition(":")[0] for sentence in found] == ["line 4", "line 5", "line 7"]


def test_a_value_that_may_be_a_secret_is_in_no_sentence_and_in_no_row() -> None:
    text = "[worker-types.environment]\nKILLREPORT_DATABASE_URL = 'mysql://me:hunter2@db/x'\nTOKEN = ['hunter2']\n"
    assert "hunter2" not in str(problems(text))
    kept = overridden(FLEET, check_overrides(HERE, "[worker-types.environment]\nTOKEN = 'hunter2'").require())
    assert "hunter2" not in repr(kept)


def test_a_home_without_the_file_has_the_table_as_it_is(tmp_path: Path) -> None:
    assert fleet_rows(tmp_path) == FLEET


def test_a_file_with_mistakes_is_refused_as_a_whole_and_the_others_are_counted(tmp_path: Path) -> None:
    write_overrides(tmp_path / "fleet.toml", "[a]\n[b]\n[worker-types]\nprefetch = 3\n")
    assert (tmp_path / "fleet.toml").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadSetting, match=r"line 1: .* There is 1 more: killreport fleet check\.$"):
        fleet_rows(tmp_path)


def test_what_a_new_file_begins_with_changes_nothing_and_its_examples_are_right() -> None:
    assert check_overrides(HERE, first_text()).changes == {}
    examples = first_text().split("\n#\n", 2)[2].replace("# ", "").replace("#", "")
    overrides = check_overrides(HERE, examples)
    assert (list(overrides.problems), len(overrides.changes)) == ([], 3)
