"""The chargers that are connected now, and the way to ask something of one: the port that the services know."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from onprem_csms.domain.chargers.commands import Command
from onprem_csms.domain.chargers.readings import Readings
from onprem_csms.domain.chargers.variables import Variable
from onprem_csms.errors import Conflict, Invalid, NotFound, StoreError, say_fault
from onprem_csms.ocpp import versions
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.endpoint.throttle import Throttle
from onprem_csms.ocpp.link.caretaker import Caretaker
from onprem_csms.ocpp.link.connection import Connection
from onprem_csms.ocpp.link.outgoing import Pending
from onprem_csms.ocpp.link.registry import Registry
from onprem_csms.ocpp.link.router import Router
from onprem_csms.ocpp.link.surroundings import Surroundings
from onprem_csms.ocpp.rpc import schemas
from onprem_csms.ocpp.rpc.frames import Limits
from onprem_csms.ocpp.versions import Version
from onprem_csms.services.chargers import commanding, configuration, desired, readings
from onprem_csms.services.charging import presence
from onprem_csms.services.core import tries
from onprem_csms.services.core.context import Context, Tx
from onprem_csms.services.core.ports import Order, Reply

log = logging.getLogger(__name__)


class Stations(Registry):
    """One per process. ``bind`` it, then ``start`` it."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.ctx: Context
        self.throttle = Throttle()
        self._surroundings: dict[str, Surroundings] = {}

    # ------------------------------------------------------------------ life

    def bind(self, ctx: Context) -> None:
        """Take the program's context; before anything else."""
        self.ctx = ctx

    async def start(self) -> None:
        """Tidy up after the process before this one and begin to look after connections."""
        for tidy in (presence.begin_process, commanding.begin_process):
            try:
                await self.ctx.write(tidy)
            except StoreError as error:
                # A bad page among old connections or commands is no reason not to take calls.
                say_fault(log, "what the process before left", error)
        await self._restore_tries()
        caretaker = Caretaker(self, self.ctx, self.throttle)
        self.spawn(caretaker.look_after(), forever=True)
        self.spawn(caretaker.hear_of_changes(), forever=True)

    async def _restore_tries(self) -> None:
        """A restart is no fresh start for who guesses."""
        try:
            kept = await self.ctx.read(tries.kept, "charger")
        except StoreError as error:
            say_fault(log, "wrong tries", error)
            return
        self.throttle.restore(kept, asyncio.get_running_loop().time())

    async def close(self) -> None:
        """End every connection and wait until that is written down."""
        for connection in self.all():
            connection.end("shutdown", 1001, "The central system stops.")
            self.left(connection)
        await self.finish()

    # ------------------------------------------------------------------ who comes and goes

    def connection(self, charger_id: str, version: Version) -> Connection:
        """Make the connection of a charger that was admitted."""
        surroundings = self._surroundings.get(version.protocol)
        if surroundings is None:
            surroundings = self._surroundings[version.protocol] = self._of(version)
        return Connection(surroundings, charger_id)

    def _of(self, version: Version) -> Surroundings:
        options = self.options
        limits = Limits(options.max_message_bytes, options.max_depth, version.must_answer)
        return Surroundings(self, options, self.ctx.store.log_message, Router(self.ctx, version), limits)

    async def welcome(self, connection: Connection) -> None:
        """Write down that a charger has come, and ask again later what is still wanted of it."""
        arrival = await self.ctx.write(
            _arrive, connection.charger_id, connection.version.protocol, connection.remote
        )
        connection.interval_id = arrival.interval_id
        charger_id, settle_s = connection.charger_id, self.options.settle_s
        if connection.version.reads_first and arrival.unread:
            self.spawn(desired.read_all(self.ctx, charger_id, settle_s), forever=True)
        if arrival.wishes:

            def here() -> bool:
                return connection.ready and self.get(charger_id) is connection

            self.spawn(desired.ask_again(self.ctx, charger_id, here, settle_s), forever=True)

    def booted(self, connection: Connection) -> None:
        """Let a charger that has started send the readings that are needed, once it has settled."""
        if self.options.set_readings:
            # A handle for each, not a task: thousands boot at once.
            asyncio.get_running_loop().call_later(self.options.settle_s, self._set_readings, connection)

    def _set_readings(self, connection: Connection) -> None:
        if self.get(connection.charger_id) is connection and connection.ready:
            self.spawn(readings.settle(self.ctx, connection.charger_id), forever=True)

    def left(self, connection: Connection) -> None:
        """Let a connection go: its calls end, and a newer one of the same charger stays. Twice is fine."""
        self.went(connection)
        connection.abandon()
        interval_id, connection.interval_id = connection.interval_id, 0
        if interval_id:
            self.spawn(self._write_left(connection, interval_id))

    async def _write_left(self, connection: Connection, interval_id: int) -> None:
        charger_id = connection.charger_id
        await self.ctx.write(presence.disconnected, charger_id, interval_id, connection.reason)
        counts = connection.take_quirks()
        if counts:
            await self.ctx.write(presence.count_quirks, charger_id, counts)

    # ------------------------------------------------------------------ commands

    def protocols(self) -> Mapping[str, str]:
        """Return the versions that are spoken here, by the name on the wire, the newest first."""
        return {protocol: f"OCPP {version.name}" for protocol, version in versions.VERSIONS.items()}

    def actions(self, charger_id: str) -> list[str]:
        """Return the commands that the charger's version knows."""
        return sorted(self._version(charger_id).commands)

    def translate(self, charger_id: str, command: Command) -> tuple[str, Mapping[str, Any]]:
        """Return the action and the request that a command is in the charger's version; Invalid."""
        return self._version(charger_id).translate(command)

    def parts(self, tx: Tx, charger_id: str, command: Command) -> list[Command]:
        """Split a command into what the charger takes at once."""
        return self._version(charger_id).parts(tx, charger_id, command)

    def reading_variables(self, charger_id: str, wanted: Readings) -> tuple[tuple[Variable, str], ...]:
        """Return the variables, with their values, that let a charger send readings."""
        return self._version(charger_id).readings(wanted)

    def order(self, charger_id: str, action: str, request: Mapping[str, Any]) -> Order:
        """Check a request against the charger's version; NotFound, Invalid with the path of the fault."""
        version = self._version(charger_id)
        kind = version.commands.get(action)
        if kind is None:
            raise NotFound("There is no command {action}.", action=action)
        _check(version, action, request)
        return kind.order(charger_id, action, request)

    def dispatch(self, order: Order, sent: Callable[[], None]) -> "asyncio.Future[Reply]":
        """Send an order in its turn; Conflict when the charger is offline or too much waits for it."""
        connection = self.get(order.charger_id)
        if connection is None or not connection.ready:
            raise Conflict("The charger is offline.")
        patience_s = min(order.patience_s or self.options.call_timeout_s, self.options.call_timeout_s)
        deadline = asyncio.get_running_loop().time() + patience_s
        pending = Pending(order, sent, deadline)
        connection.want(pending)
        asked_for = connection.version.commands[order.action].asks_for(order.request)
        if asked_for:
            connection.asked_for(asked_for)
        return pending.reply

    def _version(self, charger_id: str) -> Version:
        connection = self.get(charger_id)
        return versions.DEFAULT if connection is None else connection.version


def _check(version: Version, action: str, request: Mapping[str, Any]) -> None:
    schema = schemas.outgoing(version.schemas, action)
    if schema.is_valid(request):
        return
    faults = [(fault.path, fault.sentence) for fault in schema.faults(request)]
    path, sentence = faults[0]
    raise Invalid(sentence, path=path, faults=faults)


class _Arrival(NamedTuple):
    """A charger has come: its connection's interval, whether something is wanted of it, whether it was never read."""

    interval_id: int
    wishes: bool
    unread: bool


def _arrive(tx: Tx, charger_id: str, protocol: str, remote: str) -> _Arrival:
    interval_id = presence.connected(tx, charger_id, protocol, remote)
    wishes = bool(configuration.unmet(tx, charger_id))
    return _Arrival(interval_id, wishes, not configuration.knows_model(tx, charger_id))
