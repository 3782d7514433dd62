"""What a simulated station says, whatever the version of OCPP: the words of a session, built for almost nothing."""

from typing import Protocol

from bench.wire import Identity, Meter, Moments

CALLS_BESIDE_READINGS = 6
"""Plugged in, authorize, start, charging, stop, freed."""


class Speech(Protocol):
    """The calls of one station, each a frame; ids count up and no moment is told twice."""

    subprotocol: str

    def boot(self) -> bytes:
        """The power came on."""

    def plugged(self) -> bytes:
        """A car is plugged in."""

    def authorize(self, card: str) -> bytes:
        """A card is shown."""

    def start(self, card: str) -> bytes:
        """A session begins."""

    def started(self, answer: bytes) -> None:
        """Take from the answer to the start what the next calls need."""

    def charging(self) -> bytes:
        """Power flows."""

    def reading(self) -> bytes:
        """Six values are sampled."""

    def stop(self) -> bytes:
        """The session ends."""

    def freed(self) -> bytes:
        """The car is gone."""


class Spoken:
    """What both versions count: calls, moments, the register."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.moments = Moments()
        self.meter = Meter()
        self._calls = 0

    def id(self) -> int:
        """The next call's id."""
        self._calls += 1
        return self._calls


def accepted(answer: bytes) -> bool:
    """Whether an answer to a card or a boot says yes."""
    return b'"Accepted"' in answer
