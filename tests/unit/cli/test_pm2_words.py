"""What fingers type that know PM2: it works, or says what to type instead."""

from __future__ import annotations

import pytest

from killreport.cli import main as root
from killreport.cli.fleet.pm2_words import INSTEAD, instead_of_file
from killreport.cli.fleet.supervisor import chosen_names, wanted_names
from killreport.errors import NotFound

# Every command of `pm2 --help` of PM2 7 that an operator of a fleet has a use for, and the short and old ones.
WORDS = (
    *("start", "stop", "restart", "reload", "delete", "del", "scale", "trigger", "list", "l", "ls", "ps", "status"),
    *("show", "describe", "desc", "info", "jlist", "prettylist", "monit", "imonit", "dash", "dashboard", "logs"),
    *("flush", "ping", "save", "dump", "resurrect", "startup", "unstartup", "kill", "pid", "env", "reset", "update"),
    *("reloadLogs", "sendSignal", "gracefulReload", "startOrRestart", "startOrReload", "startOrGracefulReload"),
    *("updatePM2", "deepUpdate", "plus", "web", "link", "unlink", "monitor", "set", "get", "conf", "install"),
    *("init", "ecosystem", "deploy", "cleardump", "report", "attach"),
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_pm2_is_a_command_or_has_a_sentence(word: str) -> None:
    assert word in {row.name for row in root.COMMANDS} or word.lower() in INSTEAD


def test_no_sentence_hides_a_command() -> None:
    assert {row.name.lower() for row in root.COMMANDS}.isdisjoint(INSTEAD)


@pytest.mark.parametrize(
    ("word", "part"), [("plus", "/status"), ("sendSignal", "killreport pid"), ("env", "killreport fleet show")]
)
def test_the_sentence_leaves_as_every_error_does(word: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert root.status_of([word, "worker-redisq"]) == 1

    said = capsys.readouterr().err
    assert said.startswith("killreport: ")
    assert part in said
    assert said.count("\n") == 1


def test_every_command_that_a_sentence_names_exists() -> None:
    names = {row.name for row in root.COMMANDS}
    words = [sentence.split("killreport ")[1:] for sentence in INSTEAD.values()]
    named = {part.split()[0].strip(".,;:)") for parts in words for part in parts}

    assert named <= names


@pytest.mark.parametrize("file", ["ecosystem.config.js", "./pm2/ecosystem.config.cjs", "apps.json", "server.py"])
def test_a_file_where_a_name_belongs_explains_itself(file: str) -> None:
    with pytest.raises(NotFound, match="the fleet is defined already"):
        chosen_names([file])


def test_what_is_no_file_is_looked_for_as_before() -> None:
    assert instead_of_file("worker-redisq") is None
    with pytest.raises(NotFound, match="did you mean worker-redisq"):
        chosen_names(["worker-redis"])


def test_names_may_be_given_with_commas() -> None:
    assert wanted_names(["worker-types,worker-redisq"], ["a", "b,c,"]) == [
        *("worker-types", "worker-redisq", "a", "b", "c")
    ]
    assert chosen_names(None, ["worker-redisq,queue-*"])[0] == "worker-redisq"
