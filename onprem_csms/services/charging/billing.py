"""From the end of a session to its bill and its ledger entries; each is booked exactly once."""

import json
from datetime import datetime
from typing import Any, TypeVar

from onprem_csms.db.engine.connection import Row
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.money import pricing
from onprem_csms.domain.money.tariffs import Tariff, tariff_from_json, tariff_to_json
from onprem_csms.services.cards import balances
from onprem_csms.services.charging import review
from onprem_csms.services.money import charges, holds, wallets
from onprem_csms.services.money import tariffs as tariff_service
from onprem_csms.services.money.charges import Charge, Correction
from onprem_csms.services.money.tariffs import ANYBODY, Payer

K = TypeVar("K")
V = TypeVar("V")


def tariff_for(tx: Tx, charger_id: str, place: Place, currency: str, payer: Payer = ANYBODY) -> Tariff | None:
    """Return the tariff that holds for a payer at a connector in a currency, or None."""
    stored = tariff_service.price_for(tx, charger_id, place, payer)
    return stored.tariff if stored is not None and stored.currency == currency else None


def dump_tariff(tariff: Tariff) -> str:
    """Write a tariff as it is copied into a session."""
    text = _dumped.get(tariff)
    if text is None:
        text = json.dumps(tariff_to_json(tariff), ensure_ascii=False)
        _remember(_dumped, tariff, text)
        # Reading it again gives this very tariff, so that its plan is found at once.
        _remember(_parsed, text, tariff)
    return text


def tariff_of(session: Row) -> Tariff | None:
    """Return the tariff that was copied into a session at its start."""
    text: str | None = session["tariff"]
    return None if text is None else _parse(text)


# The same few tariffs stand in thousands of sessions.
_parsed: dict[str, Tariff] = {}
_dumped: dict[Tariff, str] = {}
_REMEMBERED = 256


def _parse(text: str) -> Tariff:
    tariff = _parsed.get(text)
    if tariff is None:
        tariff = tariff_from_json(json.loads(text))
        _remember(_parsed, text, tariff)
    return tariff


def _remember(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value


def bill_document(bill: pricing.Bill) -> dict[str, Any]:
    """Write a bill as it is kept: amounts in minor units, quantities and prices as exact fractions."""
    return {
        "currency": bill.currency,
        "net": bill.net,
        "vat": bill.vat,
        "gross": bill.gross,
        "energy_wh": bill.energy_wh,
        "seconds_charging": bill.seconds_charging,
        "seconds_idle": bill.seconds_idle,
        "lines": [
            {
                "kind": line.kind,
                "quantity": str(line.quantity),
                "price": str(line.price),
                "vat_percent": str(line.vat_percent),
                "gross": line.gross,
            }
            for line in bill.lines
        ],
    }


def settle(tx: Tx, session: Row, running: pricing.Running | None) -> dict[str, Any]:
    """Book the end of a session and return the columns that it sets.

    The first time the cost is charged and the hold captured; when the session had been closed here
    before and a late report changes the figures, the difference is booked as a correction.
    """
    if running is None or owes_nothing(session, running):
        _release(tx, session)
        return {"cost": 0, "bill": None}
    bill = pricing.bill(running)
    document = bill_document(bill)
    if session["bill"] is None:
        _charge(tx, session, bill, document)
    else:
        _correct(tx, session, document)
    _look_at_balance(tx, session)
    return {"cost": bill.gross, "bill": json.dumps(document, ensure_ascii=False)}


def at_start(tariff: Tariff | None, at: datetime) -> int:
    """Return what a session costs before it delivers anything, minor units: a start fee, a minimum price."""
    return 0 if tariff is None else pricing.at_start(tariff, at)


def owes_nothing(session: Row, running: pricing.Running) -> bool:
    """Tell whether nothing is owed whatever the tariff says: a refused card that got no energy pays no start fee."""
    return session["verdict"] != "accepted" and running.energy_wh == 0


def _release(tx: Tx, session: Row) -> None:
    if session["hold_id"] is not None:
        holds.release(tx, session["hold_id"])


def _charge(tx: Tx, session: Row, bill: pricing.Bill, document: dict[str, Any]) -> None:
    if session["wallet_id"] is None:
        return
    place = {"charger": session["charger_id"], "connector": session["connector"]}
    charges.charge(
        tx,
        Charge(
            session["id"],
            session["wallet_id"],
            bill.currency,
            bill.gross,
            bill.vat,
            session["hold_id"],
            {"bill": document, **place},
        ),
    )


def _correct(tx: Tx, session: Row, document: dict[str, Any]) -> None:
    before = json.loads(session["bill"])
    if session["wallet_id"] is None:
        return
    change = Correction(
        session["id"],
        session["wallet_id"],
        document["currency"],
        document["gross"] - before["gross"],
        document["vat"] - before["vat"],
        "late_report",
        document={"bill": document, "before": before},
    )
    charges.correct(tx, change)


def _look_at_balance(tx: Tx, session: Row) -> None:
    wallet_id = session["wallet_id"]
    balance = 0 if wallet_id is None else wallets.balance(tx, wallet_id)
    if balance >= 0:
        return
    review.flag_session(tx, session, "below_zero", {"balance": balance})
    if tx.settings.prepaid.block_below_zero and session["card_id"] is not None:
        balances.block_below_zero(tx, session["card_id"])
