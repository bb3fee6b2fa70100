"""A channel of AMQP 0-9-1: questions and their answers, messages that come and messages that go."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pamqp import commands, frame
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.commands import Basic, Queue
from pamqp.header import ContentHeader

from killreport.errors import Conflict, KillreportError, Refused

ANSWER_SECONDS = 15.0
# Reply codes of AMQP 0-9-1.
ACCESS_REFUSED = 403
NOT_FOUND = 404
RESOURCE_LOCKED = 405
PRECONDITION_FAILED = 406
NOT_ALLOWED = 530

CLOSE_CHANNEL = commands.Channel.Close(200, "", 0, 0)

Arguments = dict[str, str | int]


class Lost(Exception):
    """The channel or its connection is gone. Internal: callers see Unavailable, or nothing when it comes back.

    code: RabbitMQ's reason for closing it; 0 where it gave none.
    """

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, eq=False, slots=True)
class Received:
    """A message that RabbitMQ handed out or sent back."""

    method: Basic.Deliver | Basic.GetOk | Basic.Return
    properties: Basic.Properties
    body: bytes

    @property
    def tag(self) -> int:
        """Return its number on the channel, 0 for one that was sent back."""
        return getattr(self.method, "delivery_tag", 0)


Answer = TypeVar("Answer", bound=Frame | Received)


class Channel:
    """One of a connection's channels. The callbacks run on the loop with each message or confirm, and must not wait.

    on_gone: when it is closed, by whomever, and when RabbitMQ took a consumer away (its queue was deleted).
    write: of the connection; as is end_connection, of one that does not answer. longest_body: bytes in one frame.
    """

    def __init__(
        self, number: int, longest_body: int, write: Callable[[bytes], None], end_connection: Callable[[int, str], None]
    ) -> None:
        self._number = number
        self._longest_body = longest_body
        self._write = write
        self._end_connection = end_connection
        self._answers: deque[asyncio.Future[Frame | Received]] = deque()
        self._why: tuple[int, str] | None = None
        self._method: Basic.Deliver | Basic.GetOk | Basic.Return | None = None
        self._properties = Basic.Properties()
        self._missing = 0
        self._pieces: list[bytes] = []
        self.on_delivery: Callable[[Received], None] = _ignore
        self.on_return: Callable[[Received], None] = _ignore
        self.on_confirm: Callable[[Basic.Ack | Basic.Nack], None] = _ignore
        self.on_gone: Callable[[], None] = lambda: None

    @property
    def is_open(self) -> bool:
        """Return whether anything can be sent."""
        return self._why is None

    def check(self) -> None:
        """Raise Lost, Refused or Conflict where it is closed."""
        if self._why is not None:
            raise trouble(*self._why)

    def send(self, method: Frame) -> None:
        """Write a method without an answer, soon; on a closed channel do nothing."""
        if self._why is None:
            self._write(frame.marshal(method, self._number))

    async def ask(self, method: Frame | None, kind: type[Answer]) -> Answer:
        """Send a method (None: it is RabbitMQ's turn) and return the answer. Raises Lost, Refused, Conflict."""
        found = await self._ask(method)
        if not isinstance(found, kind):
            raise Lost(f"it answers with {found}")
        return found

    async def _ask(self, method: Frame | None) -> Frame | Received:
        self.check()
        answer: asyncio.Future[Frame | Received] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        if method is not None:
            self.send(method)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            self._end_connection(0, "it does not answer")
            raise Lost("it does not answer") from None

    async def declare(self, name: str, arguments: Arguments | None = None) -> Queue.DeclareOk:
        """Make a durable queue or find it as it should be; without arguments: find it. Return how it stands."""
        wanted = Queue.Declare(queue=name, passive=arguments is None, durable=True, arguments=dict(arguments or {}))
        return await self.ask(wanted, Queue.DeclareOk)

    async def get(self, name: str) -> Received | None:
        """Take the first message of a queue."""
        found = await self._ask(Basic.Get(queue=name))
        return found if isinstance(found, Received) else None

    async def consume(self, name: str, prefetch: int) -> None:
        """Have so many messages of a queue handed to `on_delivery` at once; the queue's name is the consumer's."""
        await self.ask(Basic.Qos(prefetch_count=prefetch), Basic.QosOk)
        await self.ask(Basic.Consume(queue=name, consumer_tag=name), Basic.ConsumeOk)

    async def cancel(self, name: str) -> None:
        """Have nothing more handed out of a queue; what was can still be acknowledged."""
        await self.ask(Basic.Cancel(consumer_tag=name), Basic.CancelOk)

    def publish(self, address: str, properties: Basic.Properties, bodies: Sequence[bytes]) -> None:
        """Write messages to the queue of that name, soon; what no queue takes comes to `on_return`."""
        self._write(encode_publications(self._number, address, properties, bodies, self._longest_body))

    async def close(self) -> None:
        """Close it; what was taken and not acknowledged goes back to its place. Nothing where it is closed."""
        if self._why is None:
            await self.ask(CLOSE_CHANNEL, commands.Channel.CloseOk)

    def end(self, code: int, why: str) -> None:
        """Note that it is closed, and tell whoever waits."""
        self._why = self._why or (code, why)
        self.on_gone()
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_exception(trouble(code, why))

    def receive(self, found: frame.FrameTypes) -> None:
        """Take what came for this channel; once it is closed, nothing."""
        if self._why is not None:
            return
        match found:
            case ContentBody():
                self._pieces.append(found.value)
                self._missing -= len(found.value)
                self._complete()
            case ContentHeader():
                self._properties, self._missing, self._pieces = found.properties, found.body_size, []
                self._complete()
            case Basic.Deliver() | Basic.GetOk() | Basic.Return():
                self._method = found
            case Basic.Ack() | Basic.Nack():
                self.on_confirm(found)
            case Basic.Cancel():
                self.on_gone()
            case commands.Channel.Close():
                self.send(commands.Channel.CloseOk())
                self.end(found.reply_code or 0, found.reply_text or "")
            case Frame():
                self._answer(found)
                if isinstance(found, commands.Channel.CloseOk):
                    self.end(0, "it is closed")

    def _complete(self) -> None:
        if self._missing > 0 or self._method is None:
            return
        message = Received(self._method, self._properties, b"".join(self._pieces))
        match message.method:
            case Basic.Deliver():
                self.on_delivery(message)
            case Basic.Return():
                self.on_return(message)
            case Basic.GetOk():
                self._answer(message)

    def _answer(self, found: Frame | Received) -> None:
        # RabbitMQ answers in the order it was asked; who asked may have given up waiting.
        if self._answers and not (answer := self._answers.popleft()).done():
            answer.set_result(found)


def encode_publications(
    number: int, address: str, properties: Basic.Properties, bodies: Sequence[bytes], longest: int
) -> bytes:
    """Return the frames that publish each body on the channel of that number, mandatory; the same parts are made once.

    longest: bytes of a body in one frame; a longer one is cut into several.
    """
    method = frame.marshal(Basic.Publish(routing_key=address, mandatory=True), number)
    heads: dict[int, bytes] = {}
    pieces: list[bytes] = []
    for body in bodies:
        head = heads.get(len(body))
        if head is None:
            header = ContentHeader(body_size=len(body), properties=properties)
            head = heads[len(body)] = method + frame.marshal(header, number)
        pieces.append(head)
        pieces += [
            frame.marshal(ContentBody(body[start : start + longest]), number) for start in range(0, len(body), longest)
        ]
    return b"".join(pieces)


def trouble(code: int, why: str) -> Lost | KillreportError:
    """Return what a closing means that has this code of AMQP: what nothing will cure, or something lost."""
    words = " ".join(why.split()).rstrip(".")
    if code in (ACCESS_REFUSED, NOT_ALLOWED):
        return Refused(f"RabbitMQ refuses what KILLREPORT_BROKER_URL asks for: {words}.")
    if code == RESOURCE_LOCKED:
        return Conflict(f"Somebody else uses the queue alone: {words}.")
    return Lost(words, code)


def _ignore(_found: object) -> None:
    """Stand where nothing is expected."""
