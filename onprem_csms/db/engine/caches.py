"""What the writer remembers between writes, and what a group of writes does once: typed, and undone with a failure.

Both are declared at module level by the module that owns the table, and take the transaction::

    _CARDS: Cache[str, Card] = Cache("cards", 20_000)
    _READINGS: Batch[ReadingRow] = Batch("readings", _insert_all)

    _CARDS.set(tx, uid, card)
    _READINGS.add(tx, row)

The values lie with the open database, in its writer alone: a reader has none, and two open databases
share none.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from onprem_csms.db.engine.tx import Tx

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")
_NOTHING: Any = object()


class WriterState:
    """The values of every cache and the rows gathered for every batch, with the way back. The writer's thread alone."""

    __slots__ = ("caches", "gathered", "undo")

    def __init__(self) -> None:
        self.caches: defaultdict[Cache[Any, Any], OrderedDict[Any, Any]] = defaultdict(OrderedDict)
        self.gathered: dict[Batch[Any], list[Any]] = {}
        self.undo: list[tuple[Any, ...]] = []

    def accept(self) -> None:
        """What was done since the last accept or reject stands."""
        self.undo.clear()

    def reject(self) -> None:
        """What was done since then is undone, as the savepoint or the transaction is."""
        for step, *values in reversed(self.undo):
            step(*values)
        self.undo.clear()

    def forget(self) -> None:
        """Forget all, after a group that failed as a whole: what the file shows is read again."""
        self.caches.clear()
        self.gathered.clear()
        self.undo.clear()


class Cache(Generic[K, V]):
    """Immutable values that can be made again from the database, at most ``size`` of them: the oldest goes.

    After any failure it shows what the database shows: what a failed write set, dropped or pushed out is put
    back. The module that writes the table sets or drops the value in the same write, always.
    """

    __slots__ = ("name", "size")

    def __init__(self, name: str, size: int) -> None:
        self.name = name
        self.size = size

    def get(self, tx: "Tx", key: K) -> V | None:
        """Return what is remembered, or None; always None on a reader."""
        state = tx.state
        return None if state is None else state.caches[self].get(key)

    def set(self, tx: "Tx", key: K, value: V) -> None:
        """Remember a value; it is the newest then. Nothing happens on a reader."""
        state = tx.state
        if state is None:
            return
        values = state.caches[self]
        state.undo.append((_put_back, values, key, values.get(key, _NOTHING)))
        values[key] = value
        values.move_to_end(key)
        if len(values) > self.size:
            state.undo.append((_put_back, values, *values.popitem(last=False)))

    def drop(self, tx: "Tx", key: K) -> None:
        """Forget a value."""
        state = tx.state
        if state is None:
            return
        values = state.caches[self]
        if key in values:
            state.undo.append((_put_back, values, key, values.pop(key)))

    def clear(self, tx: "Tx") -> None:
        """Forget every value of this cache; for what seldom changes and concerns many."""
        state = tx.state
        if state is not None and self in state.caches:
            state.undo.append((state.caches.__setitem__, self, state.caches.pop(self)))


def _put_back(values: OrderedDict[Any, Any], key: Any, before: Any) -> None:
    if before is _NOTHING:
        values.pop(key, None)
    else:
        values[key] = before


class Batch(Generic[T]):
    """Work done once a group: what its writes add is handed to ``write(tx, items)`` in one piece before COMMIT.

    For rows that nobody reads before the COMMIT (``executemany`` over a group's readings) and for sums that many
    writes move (the balance of a revenue account). What a failed write added is taken out again; when the batch
    itself fails, the group is done again with a batch for each write, so that only the guilty one fails. Who must
    see the rows earlier, in the same transaction, calls ``flush``.
    """

    __slots__ = ("name", "tables", "write_apart")

    def __init__(
        self, name: str, write: "Callable[[Tx, Sequence[T]], None]", tables: tuple[str, ...] = ()
    ) -> None:
        """``tables`` are its own and may be made anew, empty, when a page of theirs is damaged (see ``renew``)."""
        self.name = name
        self.write_apart = write
        self.tables = tables

    def add(self, tx: "Tx", item: T) -> None:
        """Have an item written before COMMIT, in the order of adding."""
        state = tx.state
        if state is None:
            # On a reader this fails as any writing does.
            self.write_apart(tx, (item,))
            return
        items = state.gathered.get(self)
        if items is None:
            items = state.gathered[self] = []
        items.append(item)
        state.undo.append((items.pop,))

    def flush(self, tx: "Tx") -> None:
        """Write now what was added so far, by this write and those before it in the group."""
        state = tx.state
        items = None if state is None else state.gathered.pop(self, None)
        if state is not None and items:
            state.undo.append((state.gathered.__setitem__, self, items))
            self.write_apart(tx, tuple(items))


def flush_all(tx: "Tx") -> None:
    """Write what every batch has gathered; a batch may add to another one."""
    while tx.state is not None and tx.state.gathered:
        next(iter(tx.state.gathered)).flush(tx)
