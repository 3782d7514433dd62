"""From the end of a session to its bill and its ledger entries; each is booked exactly once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from onprem_csms.db.charging.sessions import Session
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.money import pricing
from onprem_csms.domain.money.tariffs import Tariff
from onprem_csms.services.cards import balances
from onprem_csms.services.charging import review
from onprem_csms.services.money import charges, holds, wallets
from onprem_csms.services.money import tariffs as tariff_service
from onprem_csms.services.money.charges import Charge, Correction
from onprem_csms.services.money.tariffs import ANYBODY, Payer, StoredTariff


def tariff_for(
    tx: Tx, charger_id: str, place: Place, currency: str, payer: Payer = ANYBODY
) -> StoredTariff | None:
    """Return the tariff of a place in a currency, or None."""
    stored = tariff_service.price_for(tx, charger_id, place, payer)
    return stored if stored is not None and stored.currency == currency else None


def tariff_of(tx: Tx, session: Session) -> Tariff | None:
    """Return the prices that a session began with."""
    if session.tariff_version_id is None:
        return None
    tariff = tariff_service.version(tx, session.tariff_version_id).tariff
    return without_start_fee(tariff) if session.fee_taken else tariff


def without_start_fee(tariff: Tariff) -> Tariff:
    """Return the same prices for a session that follows another one of its card: what is due once was paid."""
    elements = (
        replace(one, components=tuple(price for price in one.components if price.dimension != "flat"))
        for one in tariff.elements
    )
    return replace(tariff, elements=tuple(one for one in elements if one.components), min_price=None)


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


def bill_of(session: Session, running: pricing.Running | None) -> pricing.Bill | None:
    """Return the bill of a session as it ended, None where it owes nothing and nothing was booked of it."""
    if running is None or (owes_nothing(session, running) and not session.cost):
        return None
    return pricing.bill(running)


def settle(tx: Tx, session: Session, bill: pricing.Bill | None) -> dict[str, Any]:
    """Book the end of a session and return the columns that it sets.

    The first time the cost is charged and the hold captured; when the session had been closed here
    before and a late report changes the figures, the difference is booked as a correction.
    """
    if bill is None:
        _release(tx, session)
        return {"cost": 0, "vat": 0}
    if not session.settled and not session.cost:
        owed = session._replace(currency=bill.currency, cost=bill.gross, vat=bill.vat)
        charge(tx, owed, {"bill": bill_document(bill)})
    else:
        if not session.settled and session.hold_id is not None:
            holds.capture(tx, session.hold_id, max(0, bill.gross - session.cost))
        _correct(tx, session, bill)
    look_at_balance(tx, session)
    return {"cost": bill.gross, "vat": bill.vat}


def at_start(tariff: Tariff | None, at: datetime) -> int:
    """Return what a session costs before it delivers anything, minor units: a start fee, a minimum price."""
    return 0 if tariff is None else pricing.at_start(tariff, at)


def owes_nothing(session: Session, running: pricing.Running) -> bool:
    """Tell whether nothing is owed whatever the tariff says: a refused card that got no energy pays no start fee."""
    return session.verdict != "accepted" and running.energy_wh == 0


def _release(tx: Tx, session: Session) -> None:
    if session.hold_id is not None:
        holds.release(tx, session.hold_id)


def charge(tx: Tx, session: Session, document: Mapping[str, Any]) -> None:
    """Book what a session costs by its row, once, against its hold; ``document`` is kept with the entry."""
    if session.wallet_id is None:
        return
    place = {"charger": session.charger_id, "evse": session.evse, "connector": session.connector}
    owed = (session.currency, session.cost, session.vat)
    charges.charge(tx, Charge(session.id, session.wallet_id, *owed, session.hold_id, {**document, **place}))


def _correct(tx: Tx, session: Session, bill: pricing.Bill) -> None:
    if session.wallet_id is None:
        return
    change = Correction(
        session.id,
        session.wallet_id,
        bill.currency,
        bill.gross - session.cost,
        bill.vat - session.vat,
        "late_report",
        document={"bill": bill_document(bill), "before": {"gross": session.cost, "vat": session.vat}},
    )
    charges.correct(tx, change)


def look_at_balance(tx: Tx, session: Session) -> None:
    """Flag a session whose wallet is below zero, and block its card where the site wants that."""
    wallet_id = session.wallet_id
    balance = 0 if wallet_id is None else wallets.balance(tx, wallet_id)
    if balance >= 0:
        return
    review.flag_session(tx, session, "below_zero", {"balance": balance})
    if tx.settings.prepaid.block_below_zero and session.card_id is not None:
        balances.block_below_zero(tx, session.card_id)
