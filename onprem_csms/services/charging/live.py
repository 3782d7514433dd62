"""The running state of an active session: what its meter showed and what it costs so far.

It is a fold over the readings and can be made again from them at any time; between writes the
writer's cache keeps it, so that a reading costs one insert.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, cast

from onprem_csms.clock import from_text, to_text
from onprem_csms.db.charging import readings as rows
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.charging.metering import COARSE_WH, Limit, Meter, follow
from onprem_csms.domain.charging.sessions import Activity, Reading
from onprem_csms.domain.money import pricing
from onprem_csms.services.charging import billing
from onprem_csms.services.money import holds


class Live(NamedTuple):
    """An active session as of its last reading; ``spendable`` is what its hold allows, None without a limit.

    ``exhausts_at`` is when a stop is due if it goes on with ``forecast_power_w``, which is believed
    until ``forecast_until`` and ``forecast_cost``.
    """

    id: int
    transaction_id: str
    at: datetime
    meter: Meter
    limit: Limit
    running: pricing.Running | None
    cost: int
    power_w: int | None
    activity: Activity
    spendable: int | None
    exhausts_at: datetime | None
    forecast_power_w: int
    forecast_until: datetime
    forecast_cost: int
    stop_wanted: bool
    interval_s: float


class Taken(NamedTuple):
    """What one reading did: the state after it, and what was odd about the meter if the reading was new."""

    live: Live
    flags: tuple[str, ...] = ()


STATES: Cache[int, Live] = Cache("running sessions", 20_000)


def known(tx: Tx, session_id: int) -> Live | None:
    """Return the running state of a session that the writer remembers."""
    return STATES.get(tx, session_id)


def of(tx: Tx, session: Row) -> Live:
    """Return the running state of a session, from the cache or from its readings."""
    state = known(tx, session["id"])
    return state if state is not None else rebuild(tx, session)


def limits(tx: Tx, charger_id: str) -> dict[str, int]:
    """Return the columns by which a session that begins now is judged, in W and Wh.

    They are copied into it as its tariff is: what is set later does not change what was billed.
    """
    settings = tx.settings.sessions
    power = session_rows.max_power(tx, charger_id)
    if power is None:
        return {"max_power_w": settings.default_max_power_w, "allowance_wh": settings.energy_allowance_wh}
    return {"max_power_w": power, "allowance_wh": COARSE_WH}


def begin(tx: Tx, session: Row) -> Live:
    """Return the state of a session before its first reading."""
    began_at = from_text(session["began_at"])
    tariff = billing.tariff_of(session)
    limit = Limit(began_at, session["max_power_w"], session["allowance_wh"])
    running = None if tariff is None else pricing.begin(tariff, began_at, 0)
    exhausts_at = session["exhausts_at"]
    return Live(
        session["id"],
        session["transaction_id"],
        began_at,
        Meter(session["meter_start_wh"]),
        limit,
        running,
        0 if running is None else pricing.total(running),
        None,
        "charging",
        holds.held_amount(tx, session["hold_id"]) if session["hold_id"] is not None else None,
        None if exhausts_at is None else from_text(exhausts_at),
        0,
        began_at,
        0,
        session["stop_wanted"] is not None,
        0.0,
    )


def rebuild(tx: Tx, session: Row) -> Live:
    """Fold all readings of a session again and remember the state."""
    live = fold(tx, session)._replace(activity=session["activity"])
    STATES.set(tx, session["id"], live)
    return live


def step(live: Live, at: datetime, reading: Reading, activity: Activity) -> tuple[Live, str]:
    """Fold one reading that is not before the last one; ``activity`` is what the span until it was."""
    meter, flag = follow(live.meter, at, reading.energy_wh, live.limit)
    running = live.running
    cost = live.cost
    power = live.power_w if reading.power_w is None else reading.power_w
    if running is not None:
        running = pricing.advance(running, at, meter.energy_wh, activity=activity, power_w=reading.power_w)
        cost = pricing.total(running)
    # Field by field: _replace takes twice as long, and this runs for every reading of every session.
    after = Live(
        live.id,
        live.transaction_id,
        at,
        meter,
        live.limit,
        running,
        cost,
        power,
        live.activity,
        live.spendable,
        live.exhausts_at,
        live.forecast_power_w,
        live.forecast_until,
        live.forecast_cost,
        live.stop_wanted,
        (at - live.at).total_seconds(),
    )
    return after, flag


def take(tx: Tx, session_id: int, live: Live, reading: Reading) -> Taken:
    """Store a reading of an active session and fold it in; a repeated one changes nothing."""
    if reading.at.microsecond % 1000:
        # The table keeps milliseconds; the fold must see what a later one will read.
        reading = replace(reading, at=reading.at.replace(microsecond=reading.at.microsecond // 1000 * 1000))
    if reading.at <= live.at:
        return _take_late(tx, session_id, live, reading)
    after, flag = step(live, reading.at, reading, live.activity)
    rows.append(tx, _row(tx, after, reading))
    return Taken(after, (flag,) if flag else ())


def _take_late(tx: Tx, session_id: int, live: Live, reading: Reading) -> Taken:
    if reading.at < live.limit.began_at:
        # The register at the begin counts; an earlier moment is a clock that was set since.
        reading = replace(reading, at=live.limit.began_at)
    if not rows.insert(tx, _row(tx, live, reading)):
        return Taken(live)
    session = session_rows.get(tx, session_id)
    if session is None:
        return Taken(live)
    _, flags = recount(tx, session)
    return Taken(rebuild(tx, session), tuple(sorted(flags)))


def recount(tx: Tx, session: Row) -> tuple[Live, set[str]]:
    """Write energy and cost of every reading up to the session's end anew.

    Returns the state at the end and what was odd about the meter on the way.
    """
    changed, flags = [], set()
    live = begin(tx, session)
    for row, live, flag in _states(tx, session):
        flags.add(flag)
        if (live.meter.energy_wh, live.cost) != (row["energy_wh"], row["cost"]):
            changed.append((live.meter.energy_wh, live.cost, row["at"]))
    rows.recount(tx, session["id"], changed)
    return live, flags - {""}


def fold(tx: Tx, session: Row) -> Live:
    """Return the state at a session's end, or now, counted again from its readings; writes nothing."""
    live = begin(tx, session)
    for state in _states(tx, session):
        live = state[1]
    return live


def _states(tx: Tx, session: Row) -> Iterator[tuple[Row, Live, str]]:
    live = begin(tx, session)
    for row in rows.of_session(tx, session["id"]):
        if session["ended_at"] is not None and row["at"] > session["ended_at"]:
            return
        live, flag = step(live, from_text(row["at"]), _from_row(row), cast(Activity, row["activity"]))
        yield row, live, flag


def _row(tx: Tx, live: Live, reading: Reading) -> tuple[Any, ...]:
    """Return the row of a reading; a signed one is kept verbatim besides."""
    at = to_text(reading.at)
    if reading.signed is not None:
        rows.insert_signed(tx, live.id, at, reading.signed)
    return (
        live.id,
        at,
        reading.energy_wh,
        live.meter.energy_wh,
        live.cost,
        reading.power_w,
        reading.current_ma,
        reading.voltage_mv,
        reading.soc_percent,
        live.activity,
        reading.context,
    )


def _from_row(row: Row) -> Reading:
    return Reading(from_text(row["at"]), row["register_wh"], row["power_w"])
