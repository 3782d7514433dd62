"""Keeping raw messages: older packs are regrouped by charger, the oldest go by age and by size.

A charger's history in fresh packs lies in all of them; regrouped, it is one row for each run of the job. The
messages keep their ids.
"""

from collections import defaultdict
from datetime import datetime

from onprem_csms.clock import to_millis
from onprem_csms.db.chargers import message_log, messages
from onprem_csms.db.chargers.message_log import LARGEST_PACK, POSITION_BITS, PackRow
from onprem_csms.db.chargers.messages import MessageRow
from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.tx import Tx

BITE = 400
"""Packs that one write takes, so that the writer is never away for long."""


def regroup(tx: Tx, before: datetime) -> int:
    """Regroup a bite of the oldest packs from before a moment by charger; returns how many were taken."""
    rows = tx.all(
        "SELECT id, upto, chargers, data FROM packs WHERE id < ? ORDER BY id LIMIT ?",
        (to_millis(before), BITE),
    )
    by_charger: defaultdict[str, list[MessageRow]] = defaultdict(list)
    for row in map(_pack, rows):
        for position, one in enumerate(message_log.unpack(message_log.expand(row.data))):
            message = MessageRow(row.id << POSITION_BITS | position, one.millis, one.incoming, one.data)
            by_charger[one.charger_id].append(message)
    for charger_id in sorted(by_charger):
        _store(tx, charger_id, by_charger[charger_id])
    if rows:
        message_log.drop(tx, rows[-1]["id"])
    return len(rows)


def _store(tx: Tx, charger_id: str, of_charger: list[MessageRow]) -> None:
    for begin in range(0, len(of_charger), LARGEST_PACK):
        part = of_charger[begin : begin + LARGEST_PACK]
        data = message_log.compress(messages.encode(part))
        upto = tx.value("SELECT upto FROM charger_packs ORDER BY id DESC LIMIT 1") or 0
        tx.execute(
            """
            INSERT INTO charger_packs (
                charger_id,
                first_id,
                last_id,
                upto,
                data
            )
            VALUES (?, ?, ?, ?, ?)
            """,
            (charger_id, part[0].id, part[-1].id, upto + len(data), data),
        )


def has_fresh(tx: Tx, before: datetime) -> bool:
    """Tell whether packs from before a moment are not regrouped yet."""
    oldest = tx.value("SELECT id FROM packs ORDER BY id LIMIT 1")
    return oldest is not None and oldest < to_millis(before)


def is_due(tx: Tx, before: datetime, most_bytes: int) -> bool:
    """Tell whether ``forget`` has anything to do."""
    return bool(
        _too_old(tx, before)
        or _too_much(tx, "packs", most_bytes)
        or _too_much(tx, "charger_packs", most_bytes)
    )


def forget(tx: Tx, before: datetime, most_bytes: int) -> int:
    """Delete a bite of the oldest packs, from before a moment or above a size; returns how many."""
    oldest = to_millis(before)
    gone = 0
    for table, last_id in (("charger_packs", f"last_id >> {POSITION_BITS}"), ("packs", "id")):
        gone += tx.execute(
            f"""
            DELETE FROM {table}
            WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?)
            AND ({last_id} < ? OR upto <= (SELECT upto FROM {table} ORDER BY id DESC LIMIT 1) - ?)
            """,  # noqa: S608 - own words
            (BITE, oldest, most_bytes),
        )
    return gone


def _too_old(tx: Tx, before: datetime) -> bool:
    oldest = tx.value(
        """
        SELECT min(
            ifnull((SELECT last_id >> 10 FROM charger_packs ORDER BY id LIMIT 1), 9e15),
            ifnull((SELECT id FROM packs ORDER BY id LIMIT 1), 9e15)
        )
        """
    )
    return bool(oldest < to_millis(before))


def _too_much(tx: Tx, table: str, most_bytes: int) -> bool:
    size = tx.value(
        f"""
        SELECT (SELECT upto FROM {table} ORDER BY id DESC LIMIT 1) - (SELECT upto FROM {table} ORDER BY id LIMIT 1)
        """  # noqa: S608 - own words
    )
    return size is not None and size >= most_bytes


def _pack(row: Row) -> PackRow:
    return PackRow(row["id"], row["upto"], row["chargers"], row["data"])
