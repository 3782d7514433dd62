"""The table ``currencies``: what the amounts of this file are counted in."""

from typing import NamedTuple

from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.money.currencies import Currency


class CurrencyRow(NamedTuple):
    """A currency as it was when its first amount was written."""

    code: str
    decimals: int
    cash_step: int


def keep(tx: Tx, money: Currency) -> None:
    """Note a currency at its first use."""
    tx.execute(
        "INSERT INTO currencies (code, decimals, cash_step) VALUES (?, ?, ?) ON CONFLICT (code) DO NOTHING",
        (money.code, money.decimals, money.cash_step),
    )


def find(tx: Tx) -> list[CurrencyRow]:
    """Return the currencies in use."""
    return [
        CurrencyRow(*row) for row in tx.all("SELECT code, decimals, cash_step FROM currencies ORDER BY code")
    ]
