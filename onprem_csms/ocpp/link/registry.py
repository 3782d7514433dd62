"""Who is connected now, what must be looked after, and the tasks that run beside."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from onprem_csms.errors import StoreError, say_fault
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.link.connection import Connection

log = logging.getLogger(__name__)
FOREVER = "forever"


class Registry:
    """One per process."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.calling: set[Connection] = set()
        self.deviating: set[Connection] = set()
        self._connections: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: list[tuple[Connection, bytes]] = []

    def online(self, charger_id: str) -> bool:
        """Tell whether the charger has a connection."""
        connection = self._connections.get(charger_id)
        return connection is not None and connection.ready

    def count(self) -> int:
        """Count the chargers that are connected."""
        return len(self._connections)

    def all(self) -> list[Connection]:
        """Return every connection."""
        return list(self._connections.values())

    def get(self, charger_id: str) -> Connection | None:
        """Return a charger's connection."""
        return self._connections.get(charger_id)

    def came(self, connection: Connection) -> None:
        """Take a connection in; it stands for its charger from now on."""
        self._connections[connection.charger_id] = connection

    def went(self, connection: Connection) -> None:
        """Let a connection go; a newer one of the same charger stays. Twice is fine."""
        if self._connections.get(connection.charger_id) is connection:
            del self._connections[connection.charger_id]
        self.calling.discard(connection)
        self.deviating.discard(connection)

    def watch(self, connection: Connection) -> None:
        """Look after a connection's calls."""
        self.calling.add(connection)

    def deviated(self, connection: Connection) -> None:
        """Store a connection's counters soon."""
        self.deviating.add(connection)

    def reply(self, connection: Connection, answer: bytes) -> None:
        """Send an answer with those that come at the same moment: one task serves a whole group of writes."""
        if not self._answers:
            self.spawn(self._send_answers())
        self._answers.append((connection, answer))

    async def _send_answers(self) -> None:
        answers, self._answers = self._answers, []
        for connection, answer in answers:
            # Who does not take what it is sent keeps nobody else waiting.
            if connection.unsent:
                self.spawn(connection.send_answer(answer))
            else:
                await connection.send_answer(answer)

    def booted(self, connection: Connection) -> None:
        """See to the settings of a charger that has started; ``Stations`` does."""

    def spawn(self, work: Coroutine[Any, Any, None], *, forever: bool = False) -> None:
        """Let something run beside; what fails is logged. With ``forever`` the end does not wait for it."""
        task = asyncio.create_task(_logged(work), name=FOREVER if forever else "beside")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """End what runs forever and wait for the rest."""
        for task in self._tasks:
            if task.get_name() == FOREVER:
                task.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except StoreError as error:
        say_fault(log, "chargers", error)
    except Exception:
        log.exception("chargers")
