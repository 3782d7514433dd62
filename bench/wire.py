"""What every simulated station needs: its identity, WebSocket frames, moments and a register.

Every call is a complete WebSocket frame. Its mask key is four zero bytes: the server unmasks as ever,
and the generator needs not mask.
"""

import time
from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

FIRST_REGISTER_WH = 100_000_000
"""Where every register begins; nine digits, so that no length changes on the way."""
POWER_W = 150_000
SESSION_WH = 200
"""What a session delivers at least: one of less than 100 Wh is taken for a charger that begins again and again."""
READING_BYTES = 780
"""Least length of a call that tells six sampled values, the frame's head not counted."""
_ZERO_KEY = b"\x00\x00\x00\x00"


class Identity(NamedTuple):
    """A station: its id, password and cards."""

    id: str
    password: str
    prepaid: str
    personal: str


def frame(text: bytes) -> bytes:
    """Wrap a text as a client's WebSocket frame (RFC 6455 section 5.2) with a zero mask key."""
    if len(text) < 126:
        return bytes((0x81, 0x80 | len(text))) + _ZERO_KEY + text
    return bytes((0x81, 0x80 | 126)) + len(text).to_bytes(2, "big") + _ZERO_KEY + text


def template(before: bytes, body: bytes, filling: tuple[object, ...]) -> bytes:
    """A frame with places to fill in, always at the same length; the call's id is padded to READING_BYTES."""
    length = len(before) + len(body % filling)
    padding = b"m" * max(0, READING_BYTES - length)
    head = frame(b"x" * (length + len(padding)))[: -(length + len(padding))]
    return head + before + padding + body


def handshake(station: Identity, port: int, subprotocol: str) -> bytes:
    """The HTTP request that opens the station's WebSocket, with Basic authentication."""
    credentials = b64encode(f"{station.id}:{station.password}".encode()).decode()
    return (
        f"GET /ocpp/{station.id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Protocol: {subprotocol}\r\nAuthorization: Basic {credentials}\r\n\r\n"
    ).encode()


@lru_cache(maxsize=4)
def _second(at: int) -> bytes:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


class Moments:
    """The wall clock of one station as OCPP text with milliseconds: no moment is told twice."""

    __slots__ = ("_ms",)

    def __init__(self) -> None:
        self._ms = 0

    def next(self) -> bytes:
        """Return the time now, a millisecond after the last one at least."""
        self._ms = max(self._ms + 1, time.time_ns() // 1_000_000)
        return b"%b.%03dZ" % (_second(self._ms // 1000), self._ms % 1000)


class Meter:
    """The register of one station; it runs with the wall clock and never jumps, but to what a session delivers."""

    __slots__ = ("_began", "_started", "register")

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._started = self.register = FIRST_REGISTER_WH

    def start(self) -> int:
        """Return the register in Wh at which a session begins."""
        self._started = self.register
        return self.register

    def stop(self) -> int:
        """Return the register in Wh at which it ends."""
        self.register = max(self.read(), self._started + SESSION_WH)
        return self.register

    def read(self) -> int:
        """Return the register in Wh; it is one higher than at the last call at least."""
        ran = int((time.monotonic() - self._began) * POWER_W / 3600)
        self.register = max(self.register + 1, FIRST_REGISTER_WH + ran)
        return self.register
