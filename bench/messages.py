"""What the simulated stations say: OCPP 1.6 calls, built once and filled in for almost nothing.

Every call is a complete WebSocket frame. Its mask key is four zero bytes: the server unmasks as ever,
and the generator needs not mask.
"""

import time
from base64 import b64encode
from datetime import UTC, datetime
from typing import NamedTuple

METER_VALUES_BYTES = 780
"""Length of a MeterValues call, the frame's head not counted."""
TIME_CHARACTERS = len("2026-11-22T07:00:00.000Z")
FIRST_REGISTER_WH = 100_000_000
"""Where every register begins; nine digits, so that no length changes on the way."""
POWER_W = 150_000

_ZERO_KEY = b"\x00\x00\x00\x00"
_SAMPLES = (
    b'{"value":"%d","context":"Sample.Periodic","format":"Raw","measurand":"Energy.Active.Import.Register",'
    b'"location":"Outlet","unit":"Wh"},'
    b'{"value":"149870.5","context":"Sample.Periodic","format":"Raw","measurand":"Power.Active.Import",'
    b'"location":"Outlet","unit":"W"},'
    b'{"value":"374.68","context":"Sample.Periodic","format":"Raw","measurand":"Current.Import",'
    b'"location":"Outlet","unit":"A"},'
    b'{"value":"400.1","context":"Sample.Periodic","format":"Raw","measurand":"Voltage",'
    b'"location":"Outlet","unit":"V"},'
    b'{"value":"57","context":"Sample.Periodic","format":"Raw","measurand":"SoC","location":"EV","unit":"Percent"}'
)
_METER_BEGIN = b'%010d","MeterValues",{"connectorId":1,"transactionId":'
_METER_END = b',"meterValue":[{"timestamp":"%b","sampledValue":[' + _SAMPLES + b"]}]}]"


class Identity(NamedTuple):
    """A station: its id, password and card."""

    id: str
    password: str
    card: str


def frame(text: bytes) -> bytes:
    """Wrap a text as a client's WebSocket frame (RFC 6455 section 5.2) with a zero mask key."""
    if len(text) < 126:
        return bytes((0x81, 0x80 | len(text))) + _ZERO_KEY + text
    return bytes((0x81, 0x80 | 126)) + len(text).to_bytes(2, "big") + _ZERO_KEY + text


def handshake(station: Identity, port: int) -> bytes:
    """The HTTP request that opens the station's WebSocket, with Basic authentication."""
    credentials = b64encode(f"{station.id}:{station.password}".encode()).decode()
    return (
        f"GET /ocpp/{station.id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {credentials}\r\n\r\n"
    ).encode()


class Clock:
    """The wall clock as OCPP text with milliseconds, formatted once per millisecond."""

    def __init__(self) -> None:
        self._ms = 0
        self._text = b""

    def text(self) -> bytes:
        """Return the time now."""
        ms = time.time_ns() // 1_000_000
        if ms != self._ms:
            self._ms = ms
            at = datetime.fromtimestamp(ms // 1000, UTC)
            self._text = b"%b.%03dZ" % (at.strftime("%Y-%m-%dT%H:%M:%S").encode(), ms % 1000)
        return self._text


CLOCK = Clock()


class Meter:
    """The register of one station; it runs with the wall clock."""

    __slots__ = ("_began", "register")

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.register = FIRST_REGISTER_WH

    def read(self) -> int:
        """Return the register in Wh; it is one higher than at the last call at least."""
        ran = int((time.monotonic() - self._began) * POWER_W / 3600)
        self.register = max(self.register + 1, FIRST_REGISTER_WH + ran)
        return self.register


def meter_template(transaction_id: int) -> bytes:
    """The MeterValues frame of one transaction, with places for ``(number, CLOCK.text(), register)``."""
    body = _METER_BEGIN + b"%d" % transaction_id + _METER_END
    filled = len(body % (0, b"0" * TIME_CHARACTERS, FIRST_REGISTER_WH)) + len(b'[2,"')
    padding = b"m" * (METER_VALUES_BYTES - filled)
    head = bytes((0x81, 0x80 | 126)) + METER_VALUES_BYTES.to_bytes(2, "big") + _ZERO_KEY
    return head + b'[2,"' + padding + body


def boot(station: Identity) -> bytes:
    """A BootNotification."""
    return frame(
        b'[2,"boot","BootNotification",{"chargePointVendor":"Bench","chargePointModel":"B1",'
        b'"chargePointSerialNumber":"%b","firmwareVersion":"1.0"}]' % station.id.encode()
    )


def authorize(number: int, station: Identity) -> bytes:
    """An Authorize."""
    return frame(b'[2,"%010d","Authorize",{"idTag":"%b"}]' % (number, station.card.encode()))


def status(number: int, status: bytes) -> bytes:
    """A StatusNotification of connector 1."""
    return frame(
        b'[2,"%010d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%b","timestamp":"%b"}]'
        % (number, status, CLOCK.text())
    )


def start(number: int, station: Identity, register: int) -> bytes:
    """A StartTransaction on connector 1."""
    return frame(
        b'[2,"%010d","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":%d,"timestamp":"%b"}]'
        % (number, station.card.encode(), register, CLOCK.text())
    )


def stop(number: int, station: Identity, transaction_id: int, register: int) -> bytes:
    """A StopTransaction."""
    return frame(
        b'[2,"%010d","StopTransaction",{"transactionId":%d,"idTag":"%b","meterStop":%d,"timestamp":"%b",'
        b'"reason":"Local"}]' % (number, transaction_id, station.card.encode(), register, CLOCK.text())
    )
