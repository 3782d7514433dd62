"""The desk stations: one per reader, each with the state of its line and its current tap."""

import asyncio
import logging
from collections.abc import Sequence

from onprem_csms.clock import Clock
from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.errors import N_
from onprem_csms.events import Bus, Event
from onprem_csms.rfid.reader import Debounce, Sight, Tap
from onprem_csms.rfid.registry import DECODERS
from onprem_csms.rfid.serial_port import ABSENT, Pace, SerialLine, State
from onprem_csms.services.core.ports import DeskTap, ReaderState

log = logging.getLogger(__name__)

_BUG = N_("The reader stopped because of an internal error; it is tried again.")


class Station:
    """One reader at one desk; every change is told as ``Event('desk', id)``."""

    def __init__(self, config: ReaderConfig, bus: Bus, clock: Clock, pace: Pace) -> None:
        self._config = config
        self._bus = bus
        self._clock = clock
        self._pace = pace
        self._kind = DECODERS[config.decoder]
        self._decoder = self._kind.make(config)
        self._debounce = Debounce(pace.hold_s)
        self._heard_at = 0.0
        self._state: tuple[State, str] = ("absent", ABSENT)
        self.tap: DeskTap | None = None

    def state(self) -> ReaderState:
        """Return how the reader is now."""
        config, (state, detail) = self._config, self._state
        return ReaderState(config.id, config.name or config.id, config.decoder, config.port, state, detail)

    async def run(self) -> None:
        """Serve the reader until cancelled."""
        config, pace = self._config, self._pace
        while True:
            try:
                await SerialLine(config.port, config.baud, self, pace=pace, ask=self._kind.ask).run()
            except Exception:
                # The reader's loop: a bug in one reader must end neither the reader nor the others.
                log.exception("reader %s", config.id)
                self.on_state("error", _BUG)
                await asyncio.sleep(pace.longest_wait_s)

    def on_state(self, state: State, detail: str) -> None:
        """Keep the state of the line and tell about a change."""
        if (state, detail) != self._state:
            log.info("reader %s is %s %s", self._config.id, state, detail)
            self._state = (state, detail)
            self._decoder = self._kind.make(self._config)
            self._publish()

    def on_bytes(self, data: bytes) -> None:
        """Decode what arrived; each new tap becomes the current one."""
        at = self._pace.monotonic()
        if at - self._heard_at > self._pace.pause_s:
            # What was begun before a pause is noise or half a number, never the beginning of the next one.
            self._decoder = self._kind.make(self._config)
        self._heard_at = at
        for sight in self._decoder.feed(data):
            if self._debounce.is_new(sight, at):
                self._show(sight)

    def _show(self, sight: Sight) -> None:
        uid, refusal = (sight.uid, "") if isinstance(sight, Tap) else (None, sight.sentence)
        number = 1 if self.tap is None else self.tap.number + 1
        self.tap = DeskTap(self._config.id, number, self._clock.now(), uid, refusal)
        self._publish()

    def _publish(self) -> None:
        self._bus.publish(Event("desk", self._config.id))


class Readers:
    """Every configured reader: the ``services.ports.Readers`` of the running program.

    ``start`` in a running loop, ``close`` before it ends; the configuration has passed ``registry.faults``.
    """

    def __init__(
        self, configs: Sequence[ReaderConfig], bus: Bus, clock: Clock, pace: Pace | None = None
    ) -> None:
        self._stations = {config.id: Station(config, bus, clock, pace or Pace()) for config in configs}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to look for the readers; returns at once, plugged in or not."""
        self._tasks = [
            asyncio.create_task(station.run(), name=f"reader {key}")
            for key, station in self._stations.items()
        ]

    async def close(self) -> None:
        """Stop, with every line closed; asked twice is fine."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def states(self) -> list[ReaderState]:
        """List every configured reader with its state, in the order of the configuration."""
        return [station.state() for station in self._stations.values()]

    def last_tap(self, station_id: str) -> DeskTap | None:
        """Return the station's current tap; None before the first, or for a station there is not."""
        station = self._stations.get(station_id)
        return None if station is None else station.tap
