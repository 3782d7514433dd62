"""The table ``tries``: when all tries of a place will be there again, in UTC ms; past moments say nothing."""

from onprem_csms.clock import to_millis
from onprem_csms.db.engine.tx import Tx

MOST = 10_000


def free_at(tx: Tx, place: str) -> int:
    """Return when all tries of a place will be there again; 0 where none was spent."""
    found = tx.value("SELECT free_at FROM tries WHERE place = ?", (place,))
    return 0 if found is None else int(found)


def set_free_at(tx: Tx, place: str, moment: int) -> None:
    """Keep when all tries of a place will be there again."""
    tx.execute(
        """
        INSERT INTO tries (place, free_at)
        VALUES (?, ?)
        ON CONFLICT (place) DO UPDATE SET free_at = excluded.free_at
        """,
        (place, moment),
    )


def forget(tx: Tx, place: str) -> None:
    """Forget the tries of a place."""
    tx.execute("DELETE FROM tries WHERE place = ?", (place,))


def trim(tx: Tx) -> None:
    """Forget what says nothing any more, and of too many those with the least wrong tries."""
    tx.execute("DELETE FROM tries WHERE free_at <= ?", (to_millis(tx.now),))
    over = int(tx.value("SELECT count(*) FROM tries")) - MOST
    if over > 0:
        tx.execute(
            "DELETE FROM tries WHERE place IN (SELECT place FROM tries ORDER BY free_at LIMIT ?)",
            (over + MOST // 20,),
        )


def all_of(tx: Tx, kind: str) -> dict[str, int]:
    """Return every place of a kind."""
    rows = tx.all("SELECT place, free_at FROM tries WHERE place >= ? AND place < ?", (f"{kind} ", f"{kind}!"))
    return {row["place"]: row["free_at"] for row in rows}
