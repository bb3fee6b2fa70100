"""Which addresses are told: those at which the fleet itself answers."""

from __future__ import annotations

import pytest

from killreport.cli.context import tell_contact
from killreport.cli.processes.foreground import addresses
from killreport.config import Settings


@pytest.mark.parametrize(
    ("up", "told", "untold"),
    [
        ({"killreport-backend", "killreport-frontend"}, ["http://127.0.0.1:3000", "http://127.0.0.1:4000/graphql"], []),
        ({"killreport-backend"}, ["Site not up", "http://127.0.0.1:4000/graphql"], ["http://127.0.0.1:3000"]),
        ({"worker-redisq"}, ["Site not up", "API not up"], ["http://"]),
    ],
)
def test_no_address_is_told_at_which_somebody_else_may_answer(up: set[str], told: list[str], untold: list[str]) -> None:
    line = addresses(Settings(), up)

    assert [part in line for part in told] == [True] * len(told)
    assert [part in line for part in untold] == [False] * len(untold)


def test_a_contact_that_is_not_set_is_said_once_and_with_its_name() -> None:
    assert "KILLREPORT_CONTACT is not set" in str(tell_contact(Settings(contact="")))
    assert tell_contact(Settings(contact="me@example.org")) is None
