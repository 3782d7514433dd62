"""A group of writes in one transaction: what runs in the writer's thread.

The writes of a group share one COMMIT. When one of them fails, the transaction is undone and done again with
each write in a savepoint of its own, so that the failure undoes only itself; a write is a plain function of its
transaction and may be run twice.
"""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onprem_csms.db.engine.caches import Batch, WriterState, flush_all
from onprem_csms.db.engine.connection import RuleError, SqlError, as_store_error, is_page_fault, tellable
from onprem_csms.db.engine.tx import SYSTEM, Actor, Tx
from onprem_csms.events import Event

log = logging.getLogger(__name__)
Done = Callable[[Any, Exception | None], None]
"""Called on the loop after COMMIT with the result, or with what went wrong; it must not raise."""
Appended = dict[Batch[Any], list[Any]]
MakeTx = Callable[[Any, WriterState], Tx]


class Write:
    """One write of a group: the function, who acts, and who is told."""

    __slots__ = ("actor", "args", "done", "error", "fn", "result")

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], done: Done, actor: Actor) -> None:
        self.fn = fn
        self.args = args
        self.done = done
        self.actor = actor
        self.result: Any = None
        self.error: Exception | None = None


class DamagedError(Exception):
    """On a fresh connection a page failed under this write, or under this batch of what was appended."""

    def __init__(self, guilty: "Write | Batch[Any]", fault: Exception) -> None:
        super().__init__(str(fault))
        self.guilty = guilty
        self.fault = fault


class _OneFailedError(Exception):
    """A write of a group failed; the group is done again with each write in a savepoint of its own."""


def _nobody(result: Any, error: Exception | None) -> None:
    """Answer to nobody."""


class Committer:
    """Runs groups on a raw connection. It belongs to the writer's thread."""

    def __init__(self, path: Path, make_tx: MakeTx) -> None:
        self._path = path
        self._make_tx = make_tx
        self._state = WriterState()
        self._suspicious = False

    def forget(self) -> None:
        """Forget what is remembered: a table was changed beside it."""
        self._state.forget()

    def commit(self, raw: Any, group: list[Write], appended: Appended) -> list[Event]:
        """Run a group and COMMIT; returns the events. What each write gave or raised stands in it."""
        try:
            events = self._attempt_both(raw, group, appended)
        except SqlError as error:
            # A page that failed leaves the connection failed: on a fresh one each write is tried apart.
            self._suspicious = is_page_fault(error)
            raise
        self._suspicious = False
        return events

    def _attempt_both(self, raw: Any, group: list[Write], appended: Appended) -> list[Event]:
        if not self._suspicious:
            try:
                return self._attempt(raw, group, appended, self._run_together)
            except _OneFailedError as failed:
                # Savepoints cost more than many writes do, so there are none until one of a group fails.
                if failed.__cause__ is not None and is_page_fault(failed.__cause__):
                    raise failed.__cause__ from None
        return self._attempt(raw, group, appended, self._run_apart)

    def _attempt(
        self, raw: Any, group: list[Write], appended: Appended, run: Callable[[Tx, list[Write]], None]
    ) -> list[Event]:
        state = self._state
        raw.execute("BEGIN IMMEDIATE")
        try:
            state.gathered = {batch: list(items) for batch, items in appended.items()}
            tx = self._make_tx(raw, state)
            run(tx, group)
            raw.execute("COMMIT")
        except BaseException as error:
            if isinstance(error, _OneFailedError):
                state.reject()
            else:
                state.forget()
            with contextlib.suppress(SqlError):
                raw.execute("ROLLBACK")
            raise
        state.accept()
        return tx.events

    @staticmethod
    def _run_together(tx: Tx, group: list[Write]) -> None:
        try:
            for write in group:
                tx.actor = write.actor
                write.result = write.fn(tx, *write.args)
            tx.actor = SYSTEM
            flush_all(tx)
        except BaseException as error:
            raise _OneFailedError from error

    def _run_apart(self, tx: Tx, group: list[Write]) -> None:
        appended, self._state.gathered = self._state.gathered, {}
        for batch, items in appended.items():
            fault = self._run_one(tx, Write(batch.write_apart, (items,), _nobody, SYSTEM), batch)[1]
            if fault is not None:
                log.error("%d %s are lost: %s", len(items), batch.name, fault)
        for write in group:
            write.result, write.error = self._run_one(tx, write, write)

    def _run_one(self, tx: Tx, write: Write, name: "Write | Batch[Any]") -> tuple[Any, Exception | None]:
        state, told = self._state, len(tx.events)
        state.accept()
        tx.execute("SAVEPOINT one")
        try:
            tx.actor = write.actor
            result = write.fn(tx, *write.args)
            flush_all(tx)
        except BaseException as error:
            # Whatever it is: the caller is told, and nothing that a write raises ends the writer.
            del tx.events[told:]
            state.reject()
            if isinstance(error, SqlError) and is_page_fault(error) and self._suspicious:
                raise DamagedError(name, error) from error
            if not tx.in_transaction or is_page_fault(error):
                # A full disk rolls the whole transaction back by itself: nothing of the group stands.
                raise
            tx.execute("ROLLBACK TO one")
            tx.execute("RELEASE one")
            return None, self._told(error)
        tx.execute("RELEASE one")
        return result, None

    def _told(self, error: BaseException) -> Exception:
        """Return what the caller is told of a failure."""
        # A rule of a table that one write broke is a bug of ours: the next attempt would break it too.
        if isinstance(error, SqlError) and not isinstance(error, RuleError):
            return as_store_error(error, self._path)
        return tellable(error)
