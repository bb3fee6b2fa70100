"""Which transport is opened."""

from __future__ import annotations

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import Unavailable
from killreport.queueing.embedded import EmbeddedBroker
from killreport.queueing.open import open_broker
from killreport.queueing.rabbit import RabbitBroker
from tests.integration.queueing.conftest import Place


async def test_the_settings_choose_the_transport(queue_settings: Settings, place: Place, database: Database) -> None:
    async with open_broker(queue_settings, database, patience_seconds=10) as broker:
        assert type(broker) is (EmbeddedBroker if place.broker_url is None else RabbitBroker)


async def test_a_rabbitmq_that_does_not_answer_is_unavailable_and_its_password_is_not_told(
    settings: Settings, database: Database
) -> None:
    nowhere = settings.replace(broker_url="amqp://guest:secret@127.0.0.1:1/")

    with pytest.raises(Unavailable) as told:
        async with open_broker(nowhere, database, patience_seconds=0.1):
            pass

    assert "127.0.0.1" in str(told.value)
    assert "secret" not in str(told.value)
