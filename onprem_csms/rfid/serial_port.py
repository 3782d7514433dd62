"""A serial line that may be plugged and unplugged at any time, read without ever holding up the event loop.

A reader's line is looked for until its path appears, opened in a thread (a driver may take its time), read
with ``loop.add_reader``, and given up as soon as the kernel hangs it up or its path leads elsewhere.
"""

import asyncio
import contextlib
import errno
import os
import stat
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from serial import Serial

from onprem_csms.errors import N_

State = Literal["connected", "absent", "error"]

ABSENT = N_("The reader is not plugged in: there is no such device.")
LOST = N_("The connection to the reader was lost; it is tried again.")
SILENT = N_("The device can't be opened. Unplug the reader and plug it in again.")
FORBIDDEN = N_("The device may not be opened: the user of this program must be in the group dialout.")
BUSY = N_("Another program uses the device.")
WRONG_SPEED = N_("The device can't be set to this speed.")
NOT_SERIAL = N_("The path leads to something that is no serial device.")

_SENTENCES = {
    errno.ENOENT: ABSENT,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EAGAIN: BUSY,
    errno.EBUSY: BUSY,
    errno.ENOTTY: NOT_SERIAL,
    errno.EINVAL: NOT_SERIAL,
}

# At 115200 baud a second brings 11 KiB: one piece is a moment's work between others' turns.
_PIECE = 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are done, in seconds.

    ``look_s`` between two looks at the path and two questions to a reader that wants asking;
    ``longest_wait_s`` between two tries at a device that can't be opened; ``pause_s`` of silence end a number
    that was begun; ``hold_s`` is how soon a repeated number is the same tap.
    """

    look_s: float = 0.5
    longest_wait_s: float = 10.0
    pause_s: float = 1.0
    hold_s: float = 1.5
    monotonic: Callable[[], float] = time.monotonic


class Listener(Protocol):
    """Who is told what happens on a line."""

    def on_state(self, state: State, detail: str) -> None:
        """Hear how the line is, with a sentence where it is not connected; may repeat itself."""

    def on_bytes(self, data: bytes) -> None:
        """Take what arrived."""


class SerialLine:
    """One serial line; ``run`` it as a task, cancel the task to close it."""

    def __init__(self, path: str, baud: int, listener: Listener, *, pace: Pace, ask: bytes = b"") -> None:
        self._path = Path(path)
        self._baud = baud
        self._listener = listener
        self._pace = pace
        self._ask = ask

    async def run(self) -> None:
        """Keep the line open whenever it is there; returns never, closes when cancelled."""
        while True:
            port = await self._opened()
            try:
                await self._listen(port)
            finally:
                await _close(port)
            self._report_loss()
            await asyncio.sleep(self._pace.look_s)

    async def _opened(self) -> Serial:
        """Wait until the device is there and can be opened."""
        wait = self._pace.look_s
        while True:
            try:
                return await _open(self._path, self._baud)
            except (OSError, termios.error, ValueError) as error:
                state, sentence = _trouble(error)
            self._listener.on_state(state, sentence)
            # Something new on the path is noticed soon; what refuses to open is not asked again and again.
            wait = self._pace.look_s if state == "absent" else min(2 * wait, self._pace.longest_wait_s)
            await asyncio.sleep(wait)

    async def _listen(self, port: Serial) -> None:
        """Hand on what arrives until the line is lost."""
        loop = asyncio.get_running_loop()
        descriptor = port.fileno()
        lost = loop.create_future()
        loop.add_reader(descriptor, self._take, descriptor, lost)
        try:
            self._listener.on_state("connected", "")
            while not lost.done() and self._leads_to(descriptor):
                self._put_question(descriptor)
                # Not wait_for: in Python 3.11 it may swallow the cancellation that closes the line.
                await asyncio.wait({lost}, timeout=self._pace.look_s)
            if lost.done():
                lost.result()
        finally:
            loop.remove_reader(descriptor)

    def _take(self, descriptor: int, lost: "asyncio.Future[None]") -> None:
        """Read one piece; ``lost`` is done when there will be no more, or fails with what the listener raised."""
        try:
            data = os.read(descriptor, _PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            try:
                self._listener.on_bytes(data)
            except Exception as error:  # noqa: BLE001 - handed on to the task that waits, not handled here
                self._end(descriptor, lost, error)
        else:
            self._end(descriptor, lost)

    def _end(self, descriptor: int, lost: "asyncio.Future[None]", error: Exception | None = None) -> None:
        # A line that was hung up stays readable: it must be forgotten at once, or the loop spins on it.
        asyncio.get_running_loop().remove_reader(descriptor)
        if lost.done():
            return
        if error is None:
            lost.set_result(None)
        else:
            lost.set_exception(error)

    def _put_question(self, descriptor: int) -> None:
        # A line that can't be written to is about to hang up, and reading it tells.
        if self._ask:
            with contextlib.suppress(OSError):
                os.write(descriptor, self._ask)

    def _leads_to(self, descriptor: int) -> bool:
        """Tell whether the path still means the open device: some drivers forget to hang up."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except OSError:
            return False

    def _report_loss(self) -> None:
        if self._path.exists():
            self._listener.on_state("error", LOST)
        else:
            self._listener.on_state("absent", ABSENT)


async def _open(path: Path, baud: int) -> Serial:
    opening = asyncio.ensure_future(asyncio.to_thread(_open_now, path, baud))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The thread can't be cancelled; what it still opens must not stay open.
        await asyncio.wait({opening}, timeout=2)
        if opening.done() and opening.exception() is None:
            await _close(opening.result())
        raise


def _open_now(path: Path, baud: int) -> Serial:
    if not stat.S_ISCHR(path.stat().st_mode):
        raise OSError(errno.ENOTTY, "not a character device")
    # exclusive: a second program on the line would get half of every number. inter_byte_timeout=0 sets VMIN
    # to 1, so that a read without bytes means a hang-up and nothing else (termios, non-canonical mode).
    return Serial(str(path), baud, timeout=0, inter_byte_timeout=0, exclusive=True)


async def _close(port: Serial) -> None:
    # In a thread: closing waits for bytes on their way out. An unplugged device may well complain.
    with contextlib.suppress(OSError, termios.error):
        await asyncio.shield(asyncio.to_thread(port.close))


def _trouble(error: BaseException) -> tuple[State, str]:
    """Say why a device could not be opened."""
    number = _errno(error)
    if number == 0 and isinstance(error, ValueError):
        return "error", WRONG_SPEED
    return "absent" if number == errno.ENOENT else "error", _SENTENCES.get(number, SILENT)


def _errno(error: BaseException) -> int:
    """Return the system's number of an error; pyserial keeps a terminal's in the context only."""
    for cause in (error, error.__context__):
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause.errno
        if isinstance(cause, termios.error) and cause.args:
            return int(cause.args[0])
    return 0
