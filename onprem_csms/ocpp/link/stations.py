"""The chargers that are connected now, and the way to ask something of one."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from onprem_csms.domain.chargers.commands import Command, ReadVariables, SetVariables
from onprem_csms.errors import AppError, Conflict, Invalid, NotFound, StoreError
from onprem_csms.ocpp import versions
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.endpoint.throttle import Throttle
from onprem_csms.ocpp.link.caretaker import Caretaker
from onprem_csms.ocpp.link.connection import Connection
from onprem_csms.ocpp.link.outgoing import Answered, CommandKind, OutFrame, Pending
from onprem_csms.ocpp.link.router import Router
from onprem_csms.ocpp.rpc import frames, schemas
from onprem_csms.ocpp.rpc.frames import Limits
from onprem_csms.ocpp.versions import Version
from onprem_csms.services.chargers import commanding, configuration, inventory
from onprem_csms.services.chargers.commanding import Outcome
from onprem_csms.services.charging import presence
from onprem_csms.services.core.context import Context, Tx
from onprem_csms.services.core.ports import CommandResult

log = logging.getLogger(__name__)
FOREVER = "forever"


class Stations:
    """The port of the services to the chargers; one per process. ``bind`` it, then ``start`` it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.ctx: Context
        self.throttle = Throttle()
        self._connections: dict[str, Connection] = {}
        self.calling: set[Connection] = set()
        self.deviating: set[Connection] = set()
        self._routers: dict[str, Router] = {}
        self._limits: dict[str, Limits] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ life

    def bind(self, ctx: Context) -> None:
        """Take the program's context; before anything else."""
        self.ctx = ctx

    async def start(self) -> None:
        """Tidy up after the process before this one and begin to look after connections."""
        await self.ctx.write(presence.begin_process)
        await self.ctx.write(commanding.begin_process)
        caretaker = Caretaker(self)
        self.spawn(caretaker.look_after(), forever=True)
        self.spawn(caretaker.hear_of_changes(), forever=True)

    async def close(self) -> None:
        """End every connection and wait until that is written down."""
        for connection in self.all():
            connection.end("shutdown", 1001, "The central system stops.")
            self.left(connection)
        for task in self._tasks:
            if task.get_name() == FOREVER:
                task.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None], *, forever: bool = False) -> None:
        """Let something run beside; what fails is logged."""
        task = asyncio.create_task(_logged(work), name=FOREVER if forever else "beside")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def router(self, version: Version) -> Router:
        """Return the router of a version; all its connections share it."""
        found = self._routers.get(version.protocol)
        if found is None:
            found = self._routers[version.protocol] = Router(self.ctx, version)
        return found

    def limits(self, version: Version) -> Limits:
        """Return the limits of a version's frames."""
        found = self._limits.get(version.protocol)
        if found is None:
            found = self._limits[version.protocol] = Limits(
                self.options.max_message_bytes, self.options.max_depth, version.must_answer
            )
        return found

    # ------------------------------------------------------------------ who is here

    def online(self, charger_id: str) -> bool:
        """Tell whether the charger has a connection."""
        connection = self._connections.get(charger_id)
        return connection is not None and connection.ready

    def count(self) -> int:
        """Count the chargers that are connected."""
        return len(self._connections)

    def actions(self, charger_id: str) -> list[str]:
        """Return the commands that the charger's version knows."""
        return sorted(self._version(charger_id).commands)

    def all(self) -> list[Connection]:
        """Return every connection."""
        return list(self._connections.values())

    def get(self, charger_id: str) -> Connection | None:
        """Return a charger's connection."""
        return self._connections.get(charger_id)

    def came(self, connection: Connection) -> None:
        """Take a connection in; it stands for its charger from now on."""
        self._connections[connection.charger_id] = connection

    async def welcome(self, connection: Connection) -> None:
        """Write down that a charger has come, and ask again later what is still wanted of it."""
        connection.interval_id, wishes = await self.ctx.write(
            _arrive, connection.charger_id, connection.version.protocol, connection.remote
        )
        if wishes:
            self.spawn(self._ask_again(connection), forever=True)

    def left(self, connection: Connection) -> None:
        """Let a connection go: its calls end, and a newer one of the same charger stays. Twice is fine."""
        if self._connections.get(connection.charger_id) is connection:
            del self._connections[connection.charger_id]
        self.calling.discard(connection)
        self.deviating.discard(connection)
        for pending in connection.abandon():
            self.spawn(self.conclude(connection, pending, "timeout", {}))
        interval_id, connection.interval_id = connection.interval_id, 0
        if interval_id:
            self.spawn(self._write_left(connection, interval_id))

    async def _write_left(self, connection: Connection, interval_id: int) -> None:
        charger_id = connection.charger_id
        await self.ctx.write(presence.disconnected, charger_id, interval_id, connection.reason)
        counts = connection.take_quirks()
        if counts:
            await self.ctx.write(presence.count_quirks, charger_id, counts)

    def _version(self, charger_id: str) -> Version:
        connection = self._connections.get(charger_id)
        return versions.DEFAULT if connection is None else connection.version

    # ------------------------------------------------------------------ commands

    async def perform(self, charger_id: str, command: Command, *, origin: str) -> CommandResult:
        """Send a neutral command in the charger's own words; Conflict when it is offline."""
        version = self._version(charger_id)
        parts = [command]
        if isinstance(command, (ReadVariables, SetVariables)):
            parts = await self.ctx.read(version.parts, charger_id, command)
        for part in parts[:-1]:
            result = await self.send(charger_id, *version.translate(part), origin=origin)
            if result.accepted is False or result.status != "answered":
                return result
        if not parts:
            raise Invalid("Nothing is asked for.")
        return await self.send(charger_id, *version.translate(parts[-1]), origin=origin)

    async def send(
        self, charger_id: str, action: str, request: Mapping[str, Any], *, origin: str, wait: bool = True
    ) -> CommandResult:
        """Send a request as it is, and return how it ended, or with ``wait`` False that it is on its way.

        NotFound: no such command or charger; Invalid with the path of the fault; Conflict: offline, or too
        many commands wait. Nothing else is refused: the charger decides.
        """
        version = self._version(charger_id)
        kind = version.commands.get(action)
        if kind is None:
            raise NotFound("There is no command {action}.", action=action)
        _check(version, action, request)
        connection = self._connections.get(charger_id)
        if connection is None or not connection.ready:
            await self.ctx.read(inventory.get, charger_id)
            raise Conflict("The charger is offline.")
        frame, shown = _frame(action, kind, request)
        wish = commanding.Wish(charger_id, action, shown, origin)
        command_id = await self.ctx.write(_want, wish, _prepared(kind, request))
        pending = Pending(frame, command_id, kind, request)
        try:
            await connection.want(pending)
        except Conflict:
            await self.conclude(connection, pending, "error", {"code": "NotSent"})
            raise
        except (ConnectionError, OSError):
            connection.end("lost")
        if action in ("TriggerMessage", "ExtendedTriggerMessage"):
            connection.asked_for(str(request.get("requestedMessage")))
        if not wait:
            return CommandResult(pending.command_id, "sent", request)
        return await asyncio.shield(pending.result)

    def sent(self, connection: Connection, pending: Pending) -> None:
        """Write down, beside, that a command has gone out."""
        self.spawn(self._write_sent(connection.charger_id, pending.command_id))

    async def _write_sent(self, charger_id: str, command_id: int) -> None:
        await self.ctx.write(commanding.sent, charger_id, command_id)

    async def conclude(
        self, connection: Connection, pending: Pending, outcome: Outcome, response: Mapping[str, Any]
    ) -> None:
        """Write down how a command ended and tell who waits for it."""
        answered = Answered(connection.charger_id, pending.request, outcome, response)
        try:
            await self.ctx.write(_conclude, pending.command_id, answered, pending.kind)
        except StoreError as error:
            log.error("%s %s: %s", connection.charger_id, pending.action, error)  # noqa: TRY400 - says it all
        except Exception:
            # A record that can't be kept must not hide what the charger answered.
            log.exception("%s %s", connection.charger_id, pending.action)
            await self.ctx.write(_conclude, pending.command_id, answered, replace(pending.kind, record=None))
        if not pending.result.done():
            pending.result.set_result(_result(pending, answered))

    async def _ask_again(self, connection: Connection) -> None:
        """Ask again what a charger has not answered, once it has settled."""
        await asyncio.sleep(self.options.settle_s)
        for wish in await self.ctx.read(configuration.unmet, connection.charger_id):
            if connection.closing or self.get(connection.charger_id) is not connection:
                return
            command = SetVariables(((wish.variable, wish.value),))
            try:
                await self.perform(connection.charger_id, command, origin="configuration")
            except AppError as error:
                log.info("%s: %s", connection.charger_id, error)

    def watch(self, connection: Connection) -> None:
        """Look after a connection's calls."""
        self.calling.add(connection)

    def deviated(self, connection: Connection) -> None:
        """Store a connection's counters soon."""
        self.deviating.add(connection)


def _check(version: Version, action: str, request: Mapping[str, Any]) -> None:
    schema = schemas.outgoing(version.schemas, action)
    if schema.is_valid(request):
        return
    faults = [(fault.path, fault.sentence) for fault in schema.faults(request)]
    path, sentence = faults[0]
    raise Invalid(sentence, path=path, faults=faults)


def _frame(action: str, kind: CommandKind, request: Mapping[str, Any]) -> tuple[OutFrame, dict[str, Any]]:
    """Write a call for the wire, and return what may be written down of its request."""
    id = str(uuid.uuid4())
    shown = kind.shown(request)
    try:
        data = frames.encode_call(id, action, dict(request))
        text = frames.encode_call(id, action, shown).decode()
    except TypeError as error:
        raise Invalid("The request holds what JSON can't: {reason}.", reason=str(error)) from error
    return OutFrame(id, action, data, text), shown


def _prepared(kind: CommandKind, request: Mapping[str, Any]) -> Callable[[Tx, str], None] | None:
    prepare = kind.prepare
    return None if prepare is None else lambda tx, charger_id: prepare(tx, charger_id, request)


def _want(tx: Tx, wish: commanding.Wish, prepare: Callable[[Tx, str], None] | None) -> int:
    if prepare is not None:
        prepare(tx, wish.charger_id)
    return commanding.want(tx, wish)


def _arrive(tx: Tx, charger_id: str, protocol: str, remote: str) -> tuple[int, bool]:
    """Note that a charger has come; returns its interval and whether something is wanted of it."""
    interval_id = presence.connected(tx, charger_id, protocol, remote)
    return interval_id, bool(configuration.unmet(tx, charger_id))


def _conclude(tx: Tx, command_id: int, answered: Answered, kind: CommandKind) -> None:
    response: Mapping[str, Any] | None = None if answered.outcome == "timeout" else answered.response
    if response is not None and kind.shown_answer is not None:
        response = kind.shown_answer(response)
    first = commanding.end(tx, answered.charger_id, command_id, answered.outcome, response)
    if first and kind.record is not None:
        kind.record(tx, answered)


def _result(pending: Pending, answered: Answered) -> CommandResult:
    accepted = None
    if answered.outcome == "answered" and pending.kind.accepted:
        accepted = answered.status in pending.kind.accepted
    response = None if answered.outcome == "timeout" else answered.response
    return CommandResult(pending.command_id, answered.outcome, pending.request, response, accepted)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except StoreError as error:
        log.error("charger endpoint: %s", error)  # noqa: TRY400 - the sentence says it all
    except Exception:
        log.exception("charger endpoint")
