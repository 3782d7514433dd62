"""What was reported of sessions: a journal while they run, a packed curve each when they have ended.

A fact of an active session is appended to the journal in the order of arrival, by one ``executemany`` for all of a
group: nothing is read, no page is touched but the last. The writer remembers the facts of the active sessions, packed;
at the stop they become the session's curve, from which pages, API, verify and corrections read. The journal is for
readers and for the time after a restart. It is bounded: its oldest rows go, and those of sessions that still run
become a part of their curve before. A fact may then stand in both; facts are a set.

Signed readings are kept verbatim beside, readings that belong to no session as they came.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, cast

import msgspec

from onprem_csms.db.engine.caches import Batch, Cache
from onprem_csms.db.engine.history import History
from onprem_csms.db.engine.tx import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.facts import ACTIVITIES, Fact
from onprem_csms.domain.charging.sessions import CONTEXTS

JOURNAL_ROWS = 16_384
TRIM_EVERY = 4_096
MOST_PARTS = 1_024
"""A curve has at most so many parts; its row's id is the session's times that, plus the part."""
LARGEST_PART = 65_536

LOOSE = History("loose_readings", "at", in_millis=True, most=5_000_000)
"""Their moments are the chargers' own: one whose clock is years ahead must not fill the disk."""

_FACT = struct.Struct("<qqqqqbBB")
_NONE = -(2**62)
_COLUMNS = """
    session_id,
    at,
    register_wh,
    power_w,
    current_ma,
    voltage_mv,
    soc_percent,
    context,
    activity
"""
_APPEND = f"INSERT INTO facts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - own names


class Told(NamedTuple):
    """The facts of an active session: how many parts of its curve are written, and the packed facts since."""

    parts: int
    packed: bytes


class SignedReading(NamedTuple):
    """A signed reading as it came."""

    at: int
    text: str


class LooseReading(NamedTuple):
    """A reading that belongs to no session."""

    charger_id: str
    evse: int
    connector: int
    at: int
    register_wh: int | None
    power_w: int | None


_TOLD: Cache[int, Told] = Cache("facts of active sessions", 50_000)


_WRITTEN: Cache[None, int] = Cache("facts since the journal was looked at", 1)


def _write_rows(tx: Tx, rows: Sequence[tuple[object, ...]]) -> None:
    tx.many(_APPEND, rows)
    written = (_WRITTEN.get(tx, None) or 0) + len(rows)
    _WRITTEN.set(tx, None, written % TRIM_EVERY)
    if written < TRIM_EVERY:
        return
    first, last = tx.value("SELECT min(id) FROM facts"), tx.value("SELECT max(id) FROM facts")
    if last - first > JOURNAL_ROWS:
        _trim(tx, last - JOURNAL_ROWS)


_JOURNAL: Batch[tuple[object, ...]] = Batch("facts", _write_rows)


def begin(tx: Tx, session_id: int) -> None:
    """Remember a session that has no facts yet."""
    _TOLD.set(tx, session_id, Told(0, b""))


def append(tx: Tx, session_id: int, fact: Fact) -> None:
    """Keep a fact of an active session."""
    told = _told(tx, session_id)
    _JOURNAL.add(tx, (session_id, *fact))
    packed = told.packed + pack(fact)
    if len(packed) > LARGEST_PART:
        _write_part(tx, session_id, told.parts, unpack(packed))
        told, packed = Told(told.parts + 1, b""), b""
    _TOLD.set(tx, session_id, Told(told.parts, packed))


def end(tx: Tx, session_id: int) -> None:
    """Write the curve of a session that ends."""
    told = _told(tx, session_id)
    if told.packed:
        _write_part(tx, session_id, told.parts, unpack(told.packed))
    _TOLD.drop(tx, session_id)


def append_after_end(tx: Tx, session_id: int, facts: Iterable[Fact]) -> None:
    """Keep facts of a session that has ended."""
    row = tx.one(
        "SELECT id, data FROM curves WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1", _span(session_id)
    )
    if row is None:
        _write_part(tx, session_id, 0, facts)
    elif len(row[1]) < LARGEST_PART or row[0] % MOST_PARTS == MOST_PARTS - 1:
        _write_part(tx, session_id, row[0] % MOST_PARTS, [*from_curve(row[1]), *facts])
    else:
        _write_part(tx, session_id, row[0] % MOST_PARTS + 1, facts)


def of_active(tx: Tx, session_id: int) -> list[Fact]:
    """Return the facts of an active session, the newest last."""
    if tx.state is None:
        return of_sessions(tx, (session_id,))[session_id]
    told = _told(tx, session_id)
    return [*(_parts(tx, session_id) if told.parts else ()), *unpack(told.packed)]


def of_ended(tx: Tx, session_id: int) -> list[Fact]:
    """Return the facts of a session that has ended, with those that came after its end."""
    return list(_parts(tx, session_id))


def of_sessions(tx: Tx, ids: Iterable[int]) -> dict[int, list[Fact]]:
    """Return the facts of active sessions, for a reader: the journal is gone through once."""
    found: dict[int, list[Fact]] = {id: list(_parts(tx, id)) for id in ids}
    if found:
        for row in tx.all(f"SELECT {_COLUMNS} FROM facts ORDER BY id"):  # noqa: S608 - own names
            if row[0] in found:
                found[row[0]].append(Fact(*tuple(row)[1:]))
    return found


def last_powers(tx: Tx) -> dict[int, int]:
    """Return the power last told in the journal, in W, by session."""
    rows = tx.all("SELECT session_id, power_w FROM facts WHERE power_w IS NOT NULL ORDER BY id")
    return {row[0]: row[1] for row in rows}


def _told(tx: Tx, session_id: int) -> Told:
    told = _TOLD.get(tx, session_id)
    if told is None:
        _load(tx, session_id)
        told = _TOLD.get(tx, session_id)
    return told or Told(0, b"")


def _load(tx: Tx, session_id: int) -> None:
    """After a restart: read the facts of all active sessions at once."""
    _JOURNAL.flush(tx)
    ids = {row[0] for row in tx.all("SELECT id FROM sessions WHERE state = 'active'")} | {session_id}
    packed: dict[int, list[bytes]] = {id: [] for id in ids if _TOLD.get(tx, id) is None}
    for row in tx.all(f"SELECT {_COLUMNS} FROM facts ORDER BY id"):  # noqa: S608 - own names
        if row[0] in packed:
            packed[row[0]].append(pack(Fact(*tuple(row)[1:])))
    for id, facts in packed.items():
        last = tx.value("SELECT max(id) FROM curves WHERE id >= ? AND id < ?", _span(id))
        _TOLD.set(tx, id, Told(0 if last is None else last % MOST_PARTS + 1, b"".join(facts)))


def _trim(tx: Tx, until: int) -> None:
    """Delete the oldest rows of the journal; what sessions that still run said becomes a part of their curves."""
    for row in tx.all("SELECT DISTINCT session_id FROM facts WHERE id <= ?", (until,)):
        told = _TOLD.get(tx, row[0])
        if told is not None and told.packed:
            _write_part(tx, row[0], told.parts, unpack(told.packed))
            _TOLD.set(tx, row[0], Told(told.parts + 1, b""))
    tx.execute("DELETE FROM facts WHERE id <= ?", (until,))


def _write_part(tx: Tx, session_id: int, part: int, facts: Iterable[Fact]) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO curves (id, data) VALUES (?, ?)",
        (session_id * MOST_PARTS + part, to_curve(facts)),
    )


def _parts(tx: Tx, session_id: int) -> Iterator[Fact]:
    for row in tx.all("SELECT data FROM curves WHERE id >= ? AND id < ? ORDER BY id", _span(session_id)):
        yield from from_curve(row[0])


def _span(session_id: int) -> tuple[int, int]:
    return session_id * MOST_PARTS, (session_id + 1) * MOST_PARTS


def pack(fact: Fact) -> bytes:
    """Pack a fact for the memory: every fact has the same size."""
    at, register, power, current, voltage, soc, context, activity = fact
    return _FACT.pack(
        at,
        _NONE if register is None else register,
        _NONE if power is None else power,
        _NONE if current is None else current,
        _NONE if voltage is None else voltage,
        -1 if soc is None else soc,
        CONTEXTS.index(context),
        0 if activity is None else 1 + ACTIVITIES.index(activity),
    )


def unpack(packed: bytes) -> Iterator[Fact]:
    """Unpack what ``pack`` packed, one after the other."""
    for at, register, power, current, voltage, soc, context, activity in _FACT.iter_unpack(packed):
        yield Fact(
            at,
            None if register == _NONE else register,
            None if power == _NONE else power,
            None if current == _NONE else current,
            None if voltage == _NONE else voltage,
            None if soc < 0 else soc,
            CONTEXTS[context],
            None if activity == 0 else ACTIVITIES[activity - 1],
        )


def to_curve(facts: Iterable[Fact]) -> bytes:
    """Pack facts into a curve: a column for each value, each the difference to the one before; msgpack."""
    columns = list(zip(*facts, strict=True))
    numbers = [_differences(column) for column in columns[:6]]
    contexts = [CONTEXTS.index(context) for context in columns[6]]
    activities = [0 if one is None else 1 + ACTIVITIES.index(one) for one in columns[7]]
    return msgspec.msgpack.encode([*numbers, _short(contexts), _short(activities)])


def from_curve(data: bytes) -> Iterator[Fact]:
    """Unpack a curve."""
    *numbers, contexts, activities = msgspec.msgpack.decode(data, type=list[list[int | None] | int])
    moments = _sums(cast("list[int | None]", numbers[0]), 0)
    count = len(moments)
    columns = [moments, *(_sums(one, count) for one in numbers[1:])]
    context, activity = _long(contexts, count), _long(activities, count)
    for index, values in enumerate(zip(*columns, strict=True)):
        mark = activity[index]
        told = None if not mark else ACTIVITIES[mark - 1]
        yield Fact(*(*values, CONTEXTS[context[index] or 0], told))


def _differences(column: Sequence[int | None]) -> list[int | None] | int:
    """Return each number less the one before; 0 for a column that says nothing."""
    if all(value is None for value in column):
        return 0
    last, differences = 0, list[int | None]()
    for value in column:
        differences.append(None if value is None else value - last)
        last = last if value is None else value
    return differences


def _sums(column: list[int | None] | int, count: int) -> list[int | None]:
    if isinstance(column, int):
        return [None] * count
    last, numbers = 0, list[int | None]()
    for difference in column:
        last += difference or 0
        numbers.append(None if difference is None else last)
    return numbers


def _short(marks: list[int]) -> list[int] | int:
    """Return one number for a column whose marks are all the same."""
    return marks[0] if len(set(marks)) == 1 else marks


def _long(marks: list[int | None] | int, count: int) -> list[int | None]:
    return [marks] * count if isinstance(marks, int) else marks


def insert_signed(tx: Tx, session_id: int, at: int, text: str) -> None:
    """Keep a signed reading as it came."""
    tx.execute("INSERT INTO signed_readings VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (session_id, at, text))


def signed(tx: Tx, session_id: int) -> list[SignedReading]:
    """Return a session's signed readings."""
    rows = tx.all("SELECT at, text FROM signed_readings WHERE session_id = ? ORDER BY at", (session_id,))
    return [SignedReading(*row) for row in rows]


def insert_loose(tx: Tx, readings: Sequence[LooseReading]) -> None:
    """Keep readings that belong to no session."""
    tx.many("INSERT INTO loose_readings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", readings)


def last_loose(tx: Tx, charger_id: str, place: Place) -> tuple[int, int] | None:
    """Return moment and register (Wh) of the newest reading at a place that belongs to no session."""
    row = tx.one(
        """
        SELECT
            at,
            register_wh
        FROM loose_readings
        WHERE charger_id = ?
        AND evse = ?
        AND connector = ?
        AND register_wh IS NOT NULL
        ORDER BY at DESC
        LIMIT 1
        """,
        (charger_id, *place),
    )
    return None if row is None else (row[0], row[1])
