"""Which queues there are for a queue of the fleet table."""

from __future__ import annotations

import pytest

from killreport.fleet.table import QUEUES, find_queue
from killreport.queueing.broker import Priority
from killreport.queueing.handling import MAX_RETRY_AFTER, SPREAD
from killreport.queueing.rabbit_topology import RETRY_STEP_SECONDS, conflict_sentence, topology_of

ROW = find_queue("esi_type_info_queue")


def test_classic_queues_have_one_lane_with_priorities() -> None:
    topology = topology_of(ROW, "classic")

    assert {topology.lane(priority) for priority in Priority} == {"esi_type_info_queue"}
    assert topology.declarations()["esi_type_info_queue"] == {"x-queue-type": "classic", "x-max-priority": 2}


def test_quorum_queues_have_a_lane_for_each_priority() -> None:
    topology = topology_of(ROW, "quorum")

    assert [topology.lane(priority) for priority in Priority] == [
        "esi_type_info_queue",
        "esi_type_info_queue.seen",
        "esi_type_info_queue.person",
    ]
    assert "x-max-priority" not in topology.declarations()["esi_type_info_queue"]


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_what_waits_for_its_next_attempt_goes_back_to_a_lane(queue_type: str) -> None:
    topology = topology_of(ROW, "classic" if queue_type == "classic" else "quorum", "test.")

    for name in topology.retries.values():
        arguments = topology.declarations()[name]
        assert arguments["x-dead-letter-exchange"] == ""
        assert arguments["x-dead-letter-routing-key"] in topology.lanes


@pytest.mark.parametrize(
    ("seconds", "step"), [(0.1, 2), (2, 2), (7.9, 2), (8, 8), (31.9, 8), (32, 32), (600, 512), (4500, 2048)]
)
def test_a_delay_goes_to_the_longest_step_that_is_not_longer(seconds: float, step: int) -> None:
    assert topology_of(ROW, "classic").retry(seconds) == f"esi_type_info_queue.retry.{step}s"


def test_no_delay_is_kept_waiting_by_one_more_than_four_times_as_long() -> None:
    longest = MAX_RETRY_AFTER.total_seconds() * (1 + SPREAD)
    ends = [*RETRY_STEP_SECONDS[1:], longest]

    assert all(end <= 4 * step for step, end in zip(RETRY_STEP_SECONDS, ends, strict=True))
    # Shorter ones than the first step: nobody asks for any.
    assert min(row.retry_delay.total_seconds() for row in QUEUES) >= RETRY_STEP_SECONDS[0]


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_no_name_is_used_twice(queue_type: str) -> None:
    names = [
        name
        for row in QUEUES
        for topology in [topology_of(row, "classic" if queue_type == "classic" else "quorum", "p.")]
        for name in (*topology.declarations(), *topology.card_declarations())
    ]

    assert len(names) == len(set(names))
    assert all(name.startswith("p.") for name in names)


def test_a_conflict_names_the_queue_the_argument_and_the_cure() -> None:
    told = (
        "PRECONDITION_FAILED - inequivalent arg 'x-max-priority' for queue 'q' in vhost 'kill': received the value "
        "'2' of type 'signedint' but current is none"
    )

    assert conflict_sentence("q", told) == (
        "The queue q exists in RabbitMQ with another x-max-priority: set KILLREPORT_BROKER_QUEUE_TYPE to the type it "
        "was made with, or let it run empty and delete it (rabbitmqctl delete_queue --vhost kill q); it is made anew."
    )


def test_a_conflict_in_words_nobody_knows_is_a_sentence_all_the_same() -> None:
    assert conflict_sentence("q", "something else").startswith("The queue q exists in RabbitMQ with other arguments: ")
