"""Making tables anew, empty, when a page of theirs is damaged and what was in them is not money.

The damaged tree can't be walked, so it can't be dropped: the name gets another root, in one transaction. The old
pages stay in the file, unused; nothing reads them again. The text of the schema stays what it was.
"""

from collections.abc import Sequence
from typing import Any

_FRESH = "fresh_"


def renew(raw: Any, tables: Sequence[str]) -> None:
    """Let tables and their indexes begin anew, empty. The connection knows the old roots: it is closed then."""
    raw.execute("BEGIN IMMEDIATE")
    try:
        for table in tables:
            _renew(raw, table)
        # So that every other connection reads the schema again.
        cookie = raw.execute("PRAGMA schema_version").fetchone()[0]
        raw.execute(f"PRAGMA schema_version = {cookie + 1}")
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _renew(raw: Any, table: str) -> None:
    parts = raw.execute(
        """
        SELECT
            name,
            sql
        FROM sqlite_schema
        WHERE tbl_name = ?
        AND sql IS NOT NULL
        ORDER BY type DESC
        """,
        (table,),
    ).fetchall()
    for name, sql in parts:
        raw.execute(
            sql.replace(f" {name} ", f" {_FRESH}{name} ", 1).replace(
                f" ON {table} ", f" ON {_FRESH}{table} ", 1
            )
        )
    raw.execute("PRAGMA writable_schema = ON")
    try:
        for name, _ in parts:
            raw.execute(
                """
                UPDATE sqlite_schema
                SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = ?)
                WHERE name = ?
                """,
                (_FRESH + name, name),
            )
            raw.execute("DELETE FROM sqlite_schema WHERE name = ?", (_FRESH + name,))
    finally:
        raw.execute("PRAGMA writable_schema = OFF")
