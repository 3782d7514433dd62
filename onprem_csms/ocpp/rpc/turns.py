"""Whose turn it is to call on one connection, pure: one call of ours at a time, the others wait in line.

OCPP-J 1.6 section 4.1.1: no new call before the one before was answered or has timed out. The state is
a table; an event that is not in it is a bug of ours and names state and event.
"""

from collections import deque
from typing import Generic, Literal, Protocol, TypeVar

from onprem_csms.errors import Conflict

State = Literal["free", "waiting", "closed"]
Event = Literal["want", "answer", "stray", "late", "close"]
Verb = Literal["send", "queue", "finish", "drop", "give up", "lose", "refuse"]

TABLE: dict[tuple[State, Event], tuple[State, Verb]] = {
    ("free", "want"): ("waiting", "send"),
    ("free", "stray"): ("free", "drop"),
    ("free", "late"): ("free", "drop"),
    ("free", "close"): ("closed", "lose"),
    ("waiting", "want"): ("waiting", "queue"),
    ("waiting", "answer"): ("free", "finish"),
    ("waiting", "stray"): ("waiting", "drop"),
    ("waiting", "late"): ("free", "give up"),
    ("waiting", "close"): ("closed", "lose"),
    ("closed", "want"): ("closed", "refuse"),
    ("closed", "stray"): ("closed", "drop"),
    ("closed", "late"): ("closed", "drop"),
    ("closed", "close"): ("closed", "lose"),
}


class HasId(Protocol):
    """A call of ours; its ``id`` is the one on the wire."""

    @property
    def id(self) -> str:
        """Return the message id."""


C = TypeVar("C", bound=HasId)


class Turns(Generic[C]):
    """The turns of one connection. Every method returns what is to be sent or ended; it does nothing itself."""

    __slots__ = ("_current", "_line", "_longest", "_state")

    def __init__(self, longest: int) -> None:
        self._state: State = "free"
        self._longest = longest
        self._current: C | None = None
        self._line: deque[C] = deque()

    @property
    def current(self) -> C | None:
        """The call that was sent and not answered yet."""
        return self._current

    @property
    def idle(self) -> bool:
        """Whether nothing is sent and nothing waits."""
        return self._current is None and not self._line

    def want(self, call: C) -> C | None:
        """Hand in a call; returns it when it is to be sent now. Conflict when the line is full or closed."""
        verb = self._step("want")
        if verb == "refuse":
            raise Conflict("The charger is offline.")
        if verb == "queue":
            if len(self._line) >= self._longest:
                raise Conflict("Too many commands are waiting for this charger.")
            self._line.append(call)
            return None
        self._current = call
        return call

    def answer(self, id: object) -> C | None:
        """Take an answer; returns the call it ends, None when it is late, repeated or never asked for."""
        if self._current is None or id != self._current.id:
            self._step("stray")
            return None
        self._step("answer")
        done, self._current = self._current, None
        return done

    def late(self) -> C | None:
        """Give up waiting for the answer; returns the call that is given up."""
        self._step("late")
        lost, self._current = self._current, None
        return lost

    def next(self) -> C | None:
        """Return the next call in line when it is its turn; it counts as sent."""
        if self._state != "free" or not self._line:
            return None
        self._step("want")
        self._current = self._line.popleft()
        return self._current

    def close(self) -> list[C]:
        """End with the connection; returns every call that will never be answered."""
        self._step("close")
        lost = [] if self._current is None else [self._current]
        lost.extend(self._line)
        self._current = None
        self._line.clear()
        return lost

    def _step(self, event: Event) -> Verb:
        found = TABLE.get((self._state, event))
        if found is None:
            message = f"the event {event!r} can't happen in the state {self._state!r}"
            raise RuntimeError(message)
        self._state, verb = found
        return verb
