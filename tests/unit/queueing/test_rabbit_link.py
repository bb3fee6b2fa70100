"""The URL of RabbitMQ, and what its closing of a connection means."""

from __future__ import annotations

import pytest

from killreport.errors import BadSetting, Conflict, Refused
from killreport.queueing.rabbit_channel import Lost, trouble
from killreport.queueing.rabbit_link import read_url


@pytest.mark.parametrize(
    ("text", "port"), [("amqp://u:p@host/", 5672), ("amqps://u:p@host/v", 5671), ("amqp://u:p@host:7/v", 7)]
)
def test_a_url_without_a_port_has_the_usual_one(text: str, port: int) -> None:
    assert read_url(text).port == port


@pytest.mark.parametrize(
    "text",
    [
        "amqp://",
        "amqp://guest:hunter2@:5672/",
        "amqp://guest:hunter2@host:port/",
        "amqp://u:hunter2@h/?heartbeat=often",
    ],
)
def test_a_url_that_makes_no_sense_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(BadSetting, match=r"^KILLREPORT_BROKER_URL cannot be used: ") as told:
        read_url(text)

    assert "hunter2" not in str(told.value)
    assert told.value.__suppress_context__


@pytest.mark.parametrize(
    ("code", "told"), [(320, Lost), (0, Lost), (404, Lost), (403, Refused), (530, Refused), (405, Conflict)]
)
def test_a_closing_is_told_by_what_it_means(code: int, told: type[Exception]) -> None:
    error = trouble(code, "NOT_ALLOWED - vhost\nnowhere not found.")

    assert type(error) is told
    assert "NOT_ALLOWED - vhost nowhere not found" in str(error)
