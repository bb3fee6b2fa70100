"""aiormq's channel with what it lacks: confirms counted in bulk, many frames a write, deliveries without a task each.

aiormq spends a future, a lock and a task on every message: 93,000 of them take minutes. Overridden are the methods
that receive returns, confirms and deliveries; the frames, the heartbeat and the rest stay aiormq's.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence

from aiormq.abc import ChannelFrame, ConfirmationFrameType, DeliveredMessage
from aiormq.channel import Channel
from aiormq.connection import Connection
from pamqp import commands, frame
from pamqp.header import ContentHeader

from killreport.queueing.rabbit_frames import encode_publications
from killreport.queueing.rabbit_link import Lost, telling_loss

# Of one write to the socket. More gains nothing, less costs.
CHUNK = 500
# Published and not yet confirmed; RabbitMQ's own buffers and ours stay small with it.
MAX_IN_FLIGHT = 4000
BUSY_SECONDS = 0.001
OPEN_SECONDS = 10.0


class Sending:
    """Messages on their way to one queue. left: by number, what is not known to be safe; returned: no queue took it."""

    def __init__(self, address: str, properties: commands.Basic.Properties, bodies: Sequence[bytes]) -> None:
        self.address = address
        self.properties = properties
        # Comes back with what RabbitMQ returns, and tells whose it is.
        self.properties.correlation_id = secrets.token_hex(4)
        self.left = dict(enumerate(bodies))
        self.returned: list[bytes] = []
        self.in_flight = 0
        self.lost_why: str | None = None
        self.on_answer: Callable[[], None] | None = None
        self._changed = asyncio.Event()

    def answered(self, number: int, *, is_safe: bool) -> None:
        """Note RabbitMQ's answer for one message."""
        self.in_flight -= 1
        if is_safe:
            del self.left[number]
        self._changed.set()

    def lost(self, why: str) -> None:
        """Note that no more answers will come."""
        self.lost_why = self.lost_why or why
        self._changed.set()

    async def until_in_flight(self, most: int) -> None:
        """Return when no more than so many have no answer yet, or none will come."""
        while self.in_flight > most and self.lost_why is None:
            self._changed.clear()
            await self._changed.wait()
            if self.on_answer is not None:
                self.on_answer()


async def open_channel(connection: Connection, *, publisher_confirms: bool = False) -> FastChannel:
    """Open a channel. Raises Lost."""
    number = max(connection.channels, default=0) + 1
    channel = FastChannel(connection, number, publisher_confirms=publisher_confirms)
    connection.channels[number] = channel
    with telling_loss():
        await channel.open(timeout=OPEN_SECONDS)
    return channel


class FastChannel(Channel):
    """A channel of ours. on_delivery: called on the loop with each delivery; must not wait.

    gone: set when the channel or its connection is lost, or the broker took a consumer away (its queue was deleted).
    """

    def __init__(self, connection: Connection, number: int, *, publisher_confirms: bool) -> None:
        super().__init__(connection, number, publisher_confirms=publisher_confirms)
        self.on_delivery: Callable[[DeliveredMessage], None] | None = None
        self.gone = asyncio.Event()
        self._writing = asyncio.Lock()
        self._published = 0
        self._unconfirmed: dict[int, tuple[Sending, int]] = {}
        self._order: deque[int] = deque()
        self._sendings: dict[str, Sending] = {}
        self._answers: list[bytes] = []
        self._flushing: asyncio.Handle | None = None
        self._closing.add_done_callback(lambda _future: self._end())

    async def send(self, sending: Sending, patience_seconds: float) -> None:
        """Write all that is left to its queue, at most MAX_IN_FLIGHT ahead of the confirms, and wait for the last.

        Returns also when it was lost: with the channel, or because no answer came for as long as there is patience.
        """
        key = str(sending.properties.correlation_id)
        self._sendings[key] = sending
        try:
            async with asyncio.timeout(None) as limit:
                sending.on_answer = lambda: limit.reschedule(self.loop.time() + patience_seconds)
                sending.on_answer()
                numbers = list(sending.left)
                for start in range(0, len(numbers), CHUNK):
                    await sending.until_in_flight(MAX_IN_FLIGHT - CHUNK)
                    await self._send_chunk(sending, numbers[start : start + CHUNK])
                await sending.until_in_flight(0)
        except TimeoutError:
            sending.lost("it did not confirm what was sent")
        finally:
            sending.on_answer = None
            del self._sendings[key]

    def answer(self, method: commands.Basic.Ack | commands.Basic.Nack) -> None:
        """Write an acknowledgement soon, with those of the same turn of the loop; on a dead channel do nothing."""
        self._answers.append(frame.marshal(method, self.number))
        if self._flushing is None:
            self._flushing = self.loop.call_soon(self._flush)

    async def flush(self) -> None:
        """Return when all acknowledgements are written. Raises Lost where they could not be."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        payload = b"".join(self._answers)
        self._answers.clear()
        await self._write(payload)

    def _flush(self) -> None:
        self._flushing = None
        if self.is_closed:
            self._answers.clear()
        elif self.write_queue.full():
            self._flushing = self.loop.call_later(BUSY_SECONDS, self._flush)
        elif self._answers:
            payload = b"".join(self._answers)
            self._answers.clear()
            self.write_queue.put_nowait(ChannelFrame(payload=payload, should_close=False))

    async def _send_chunk(self, sending: Sending, numbers: Sequence[int]) -> None:
        async with self._writing:
            if self.is_closed:
                sending.lost("the connection was lost")
            if sending.lost_why is not None:
                return
            bodies = [sending.left[number] for number in numbers]
            payload = encode_publications(
                self.number, sending.address, sending.properties, bodies, self.max_content_size
            )
            for number in numbers:
                self._published += 1
                self._unconfirmed[self._published] = (sending, number)
                self._order.append(self._published)
            sending.in_flight += len(numbers)
            try:
                await self._write(payload)
            except Lost as error:
                sending.lost(str(error))

    async def _write(self, payload: bytes) -> None:
        """Return when the socket has taken it. A task and a future of the channel: a lost connection ends both."""
        with telling_loss():
            drained = self.create_future()
            written = ChannelFrame(payload=payload, should_close=False, drain_future=drained)
            await self.create_task(self.write_queue.put(written))
            await drained

    def _end(self) -> None:
        self.gone.set()
        for sending in self._sendings.values():
            sending.lost("the connection was lost")
        self._unconfirmed.clear()

    async def _on_deliver_frame(self, frame: commands.Basic.Deliver) -> None:
        message = await self._read_message(frame)
        if self.on_delivery is not None:
            self.on_delivery(message)

    async def _on_return_frame(self, frame: commands.Basic.Return) -> None:
        # Its confirm comes after it, and says that it is done with, not that it is anywhere.
        message = await self._read_message(frame)
        sending = self._sendings.get(message.header.properties.correlation_id or "")
        if sending is not None:
            sending.returned.append(message.body)

    async def _on_confirm_frame(self, frame: ConfirmationFrameType) -> None:
        tag = frame.delivery_tag or 0
        is_safe = isinstance(frame, commands.Basic.Ack)
        self._confirm(tag, is_safe=is_safe)
        up_to = tag if getattr(frame, "multiple", False) else 0
        while self._order and (self._order[0] <= up_to or self._order[0] not in self._unconfirmed):
            self._confirm(self._order.popleft(), is_safe=is_safe)

    def _confirm(self, tag: int, *, is_safe: bool) -> None:
        entry = self._unconfirmed.pop(tag, None)
        if entry is not None:
            sending, number = entry
            sending.answered(number, is_safe=is_safe)

    async def _on_cancel_frame(self, frame: commands.Basic.CancelOk | commands.Basic.Cancel) -> None:
        await super()._on_cancel_frame(frame)
        if isinstance(frame, commands.Basic.Cancel):
            self.gone.set()

    async def _read_message(self, frame: commands.Basic.Deliver | commands.Basic.Return) -> DeliveredMessage:
        header = await self._get_frame()
        assert isinstance(header, ContentHeader)
        return await self._read_content(frame, header)
