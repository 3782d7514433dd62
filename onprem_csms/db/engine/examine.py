"""Looking through the whole file for damage, and at the books, in one view."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from onprem_csms.db.engine.connection import Line, Opener, SqlError, as_store_error
from onprem_csms.db.engine.tx import Tx

R = TypeVar("R")
MOST_FINDINGS = 10_000_000
MOST_SAID = 100


@dataclass(frozen=True, slots=True)
class Examination(Generic[R]):
    """What was found: damage in sentences, and what was counted, None where damage kept it from being read."""

    damage: list[str]
    result: R | None


async def examine(opener: Opener, make_tx: Callable[[Any], Tx], fn: Callable[[Tx], R]) -> Examination[R]:
    """Check every page in use and the structure, and run ``fn(tx)``; StoreError when the file can't be opened.

    Everything is read through one transaction: a writer beside it, even of another process, makes no false alarm.
    ``cipher_integrity_check`` reads past the log and would; it only names the pages once damage is certain.
    """
    line = Line(opener)
    try:
        try:
            return Examination(*await line.run_once(lambda raw: _look(raw, make_tx, fn)))
        except SqlError as error:
            damage = [str(as_store_error(error, opener.path))]
        # Each on a connection of its own: the one before has failed.
        await line.open()
        damage += await line.run_once(_bad_pages)
        await line.open()
        try:
            return Examination(
                damage, (await line.run_once(lambda raw: _look(raw, make_tx, fn, deep=False)))[1]
            )
        except SqlError:
            return Examination(damage, None)
    finally:
        await line.close()


def _look(
    raw: Any, make_tx: Callable[[Any], Tx], fn: Callable[[Tx], R], *, deep: bool = True
) -> tuple[list[str], R]:
    raw.execute("BEGIN")
    try:
        rows = raw.execute(f"PRAGMA integrity_check({MOST_FINDINGS})") if deep else ()
        # Pages that nothing uses are what was left behind when a table was made anew (see ``renew``).
        damage = [row[0] for row in rows if row[0] != "ok" and not row[0].endswith("never used")]
        return damage[:MOST_SAID], fn(make_tx(raw))
    finally:
        if raw.in_transaction:
            raw.execute("ROLLBACK")


def _bad_pages(raw: Any) -> list[str]:
    return [str(row[0]) for row in raw.execute("PRAGMA cipher_integrity_check").fetchall()]
