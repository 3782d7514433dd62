"""Whose turn it is to call on one connection, pure: one call of ours at a time, the others wait in lanes.

OCPP-J 1.6 section 4.1.1: no new call before the one before was answered or has timed out. A stop overtakes
a limit, a limit overtakes the rest; within a lane calls keep their order. The state is a table; an event
that is not in it is a bug of ours and names state and event.
"""

from collections import deque
from collections.abc import Hashable
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


LANES = ("stop", "limit", "rest")
"""In the order of their precedence."""


class Turn(Protocol):
    """A call of ours; ``id`` is the one on the wire, ``deadline`` a time after which nobody waits for it.

    Of those that wait with the same ``replaces`` only the newest is sent.
    """

    @property
    def id(self) -> str:
        """Return the message id."""

    @property
    def deadline(self) -> float:
        """Return when it is given up, sent or not."""

    @property
    def lane(self) -> str:
        """Return one of ``LANES``."""

    @property
    def replaces(self) -> Hashable:
        """Return what it sets, None: nothing that a later one could set as well."""


C = TypeVar("C", bound=Turn)


class Turns(Generic[C]):
    """The turns of one connection. Every method returns what is to be sent or ended; it does nothing itself."""

    __slots__ = ("_current", "_lanes", "_longest", "_state")

    def __init__(self, longest: int) -> None:
        self._state: State = "free"
        self._longest = longest
        self._current: C | None = None
        self._lanes: dict[str, deque[C]] = {lane: deque() for lane in LANES}

    @property
    def current(self) -> C | None:
        """The call that was sent and not answered yet."""
        return self._current

    @property
    def idle(self) -> bool:
        """Whether nothing is sent and nothing waits."""
        return self._current is None and not any(self._lanes.values())

    def want(self, call: C) -> C | None:
        """Hand in a call; returns it when it is to be sent now. Conflict when its lane is full, or closed."""
        verb = self._step("want")
        if verb == "refuse":
            raise Conflict("The charger is offline.")
        if verb == "queue":
            lane = self._lanes[call.lane]
            if len(lane) >= self._longest:
                raise Conflict("Too many commands are waiting for this charger.")
            lane.append(call)
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

    def supersede(self, newer: C) -> C | None:
        """Take out the call that waits and sets what a newer one is about to set."""
        if newer.replaces is None:
            return None
        lane = self._lanes[newer.lane]
        older = next((call for call in lane if call.replaces == newer.replaces), None)
        if older is not None:
            lane.remove(older)
        return older

    def overdue(self, now: float) -> list[C]:
        """Give up calls whose time is over; returns them, first the one that was sent."""
        late = []
        if self._current is not None and self._current.deadline <= now:
            self._step("late")
            late.append(self._current)
            self._current = None
        for name, lane in self._lanes.items():
            if lane and any(call.deadline <= now for call in lane):
                late += [call for call in lane if call.deadline <= now]
                self._lanes[name] = deque(call for call in lane if call.deadline > now)
        return late

    def next(self) -> C | None:
        """Return the call whose turn it is; it counts as sent."""
        lane = next(filter(None, self._lanes.values()), None)
        if self._state != "free" or lane is None:
            return None
        self._step("want")
        self._current = lane.popleft()
        return self._current

    def close(self) -> list[C]:
        """End with the connection; returns every call that will never be answered."""
        self._step("close")
        lost = [] if self._current is None else [self._current]
        self._current = None
        for lane in self._lanes.values():
            lost.extend(lane)
            lane.clear()
        return lost

    def _step(self, event: Event) -> Verb:
        found = TABLE.get((self._state, event))
        if found is None:
            message = f"the event {event!r} can't happen in the state {self._state!r}"
            raise RuntimeError(message)
        self._state, verb = found
        return verb
