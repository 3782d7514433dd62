"""One simulated station: a WebSocket client that is much cheaper than the server it speaks to.

It reads no JSON: an answer is recognised by its first bytes. What the server asks of the station is
answered with one word.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from bench import wire
from bench.speech import Speech, accepted
from bench.wire import Identity

TEXT, CLOSE, PING = 0x81, 0x88, 0x89
_PONG = b"\x8a\x80\x00\x00\x00\x00"
_SWITCHED = b"HTTP/1.1 101"


class Refused(Exception):
    """The server did not let the station in; the text is its status line."""


class Station(asyncio.Protocol):
    """A station; ``on_answer`` is called with the text of every answer."""

    __slots__ = (
        "_buffer",
        "_opening",
        "_transport",
        "asked",
        "closed",
        "identity",
        "on_answer",
        "refused",
        "speech",
    )

    def __init__(self, identity: Identity, speech: Speech) -> None:
        self.identity = identity
        self.speech = speech
        self.on_answer: Callable[[bytes], None] = _ignore
        self.asked = 0
        self.refused: list[bytes] = []
        self.closed = False
        self._buffer = b""
        self._opening: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport

    async def open(self, port: int, address: str = "127.0.0.1") -> None:
        """Connect from a loopback address of the station's own; Refused when the answer is not 101."""
        loop = asyncio.get_running_loop()
        self._opening = loop.create_future()
        await loop.create_connection(lambda: self, "127.0.0.1", port, local_addr=(address, 0))
        self._transport.write(wire.handshake(self.identity, port, self.speech.subprotocol))
        await self._opening

    async def call(self, frame: bytes) -> bytes:
        """Send a call and wait for its answer; only for preparations."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.on_answer = answered.set_result
        self._transport.write(frame)
        answer = await answered
        self.on_answer = _ignore
        return answer

    def send(self, frame: bytes) -> None:
        """Send a frame; its answer goes to ``on_answer``."""
        self._transport.write(frame)

    def must_accept(self, answer: bytes) -> None:
        """Note an answer that does not say yes: a run with one refusal counts for nothing."""
        if not accepted(answer):
            self.refused.append(answer)
            raise Refused(answer.decode())

    def close(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    # ------------------------------------------------------------------ asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is none by descent

    def connection_lost(self, error: Exception | None) -> None:
        """Fail what waits for the opening."""
        self.closed = True
        if self._opening is not None and not self._opening.done():
            self._opening.set_exception(Refused(str(error or "connection closed")))

    def data_received(self, data: bytes) -> None:
        """Take one short answer the quick way; anything else goes through the buffer."""
        if not self._buffer and data[0] == TEXT and len(data) == data[1] + 2 and data[3:4] == b"3":
            self.on_answer(data[2:])
            return
        self._buffer += data
        if self._opening is not None and not self._handshaken():
            return
        while self._buffer and self._next_frame():
            pass

    def _handshaken(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        assert self._opening is not None
        if head.startswith(_SWITCHED):
            self._buffer = rest
            self._opening.set_result(None)
        else:
            self._opening.set_exception(Refused(head.partition(b"\r\n")[0].decode()))
            self._buffer = b""
        self._opening = None
        return True

    def _next_frame(self) -> bool:
        length, head = self._buffer[1] if len(self._buffer) > 1 else 0, 2
        if length == 126:
            length, head = int.from_bytes(self._buffer[2:4], "big"), 4
        end = head + length
        if len(self._buffer) < max(end, 2):
            return False
        opcode, payload = self._buffer[0], self._buffer[head:end]
        self._buffer = self._buffer[end:]
        if opcode == TEXT:
            self._told(payload)
        elif opcode == PING:
            self._transport.write(_PONG)
        elif opcode == CLOSE:
            self._transport.close()
        return True

    def _told(self, text: bytes) -> None:
        if text[1:2] == b"2":
            self.asked += 1
            self._obey(text)
            return
        if text[1:2] == b"4":
            self.refused.append(text)
        self.on_answer(text)

    def _obey(self, text: bytes) -> None:
        """Answer the server's own call: settings are none, everything else is accepted."""
        id, action = text.split(b'"')[1:4:2]
        payload = _EMPTY.get(action, b'{"status":"Accepted"}')
        self._transport.write(wire.frame(b'[3,"%b",%b]' % (id, payload)))


_EMPTY = {
    b"GetConfiguration": b'{"configurationKey":[]}',
    b"GetVariables": b'{"getVariableResult":[]}',
    b"SetVariables": b'{"setVariableResult":[]}',
}


def _ignore(answer: bytes) -> None:
    pass
