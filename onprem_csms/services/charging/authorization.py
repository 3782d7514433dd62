"""May this card charge? Asked by a charger before a session, at its start and to stop it."""

from dataclasses import dataclass
from datetime import datetime

from onprem_csms.db.cards import cards as rows
from onprem_csms.db.cards.cards import CardRecord
from onprem_csms.db.chargers import chargers as charger_rows
from onprem_csms.db.chargers import connectors as connector_rows
from onprem_csms.db.charging import orders as order_rows
from onprem_csms.db.charging import sessions as session_rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.cards.numbers import canonical_uid, is_cut, matches, rules_of, transform
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import AuthorizeRequest, Verdict, VerdictStatus
from onprem_csms.errors import Invalid
from onprem_csms.services.charging import billing
from onprem_csms.services.money import tariffs as tariff_service
from onprem_csms.services.money import wallets
from onprem_csms.services.money.tariffs import Payer, StoredTariff
from onprem_csms.services.money.wallets import Wallet

_SIMILAR = 3


@dataclass(frozen=True, slots=True)
class Recognised:
    """A card number as a charger sent it, and the card it means, if any."""

    uid: str
    card: CardRecord | None

    @property
    def card_id(self) -> int | None:
        """The card that was found."""
        return None if self.card is None else self.card.id

    @property
    def group(self) -> str | None:
        """The group whose members may stop each other's sessions."""
        return None if self.card is None else self.card.group


def recognise(tx: Tx, charger_id: str, sent: str) -> Recognised:
    """Find the card that a charger means, by its own way of writing numbers; never an error.

    A number that was cut short means a card only where that is the only one.
    """
    try:
        uid = canonical_uid(sent)
    except Invalid:
        return Recognised(sent.strip().upper()[:64], None)
    card = rows.by_uid(tx, uid)
    if card is not None:
        return Recognised(uid, card)
    rule = charger_rows.token_rule(tx, charger_id)
    if rule == "none":
        return Recognised(uid, None)
    meant = (_by_rule(tx, uid, one) for one in rules_of(rule))
    return Recognised(uid, next((card for card in meant if card is not None), None))


def _by_rule(tx: Tx, uid: str, rule: str) -> CardRecord | None:
    if is_cut(rule):
        similar = [card for card in rows.beginning_with(tx, uid, _SIMILAR) if matches(uid, card.uid, rule)]
        return similar[0] if len(similar) == 1 else None
    return rows.by_uid(tx, transform(uid, rule))


def authorize(tx: Tx, request: AuthorizeRequest) -> Verdict:
    """Judge a card; the balance is looked at and nothing is taken.

    A card whose own session, or whose group's, runs on this charger is accepted, because it may be
    held there to end it while its whole balance is set aside.
    """
    found = recognise(tx, request.charger_id, request.uid)
    if found.card is None:
        return Verdict("invalid")
    if _may_stop(tx, request.charger_id, found):
        return verdict_on(found.card, "accepted")
    verdict = judge_card(found.card, tx.now)
    if verdict.status != "accepted" or order_rows.open_for(tx, request.charger_id, found.card.id):
        return verdict
    if not any(can_pay(tx, request.charger_id, place, found.card) for place in _places(tx, request)):
        return verdict_on(found.card, "no_credit")
    return verdict


def _may_stop(tx: Tx, charger_id: str, found: Recognised) -> bool:
    running = () if found.card is None else session_rows.active_of_card(tx, found.card.id)
    if any(session.charger_id == charger_id for session in running):
        return True
    return bool(found.group) and session_rows.active_of_group(tx, charger_id, found.group or "")


def judge_card(card: CardRecord, now: datetime) -> Verdict:
    """Judge a card by its own state, without its money."""
    if card.status != "active":
        return verdict_on(card, "blocked")
    if card.expires_at is not None and card.expires_at <= now:
        return verdict_on(card, "expired")
    return verdict_on(card, "accepted")


def verdict_on(card: CardRecord, status: VerdictStatus) -> Verdict:
    """Return a verdict with what the charger is told of the card; prepaid money is counted here alone."""
    return Verdict(status, card.expires_at, card.group, ask_again=card.kind == "prepaid")


def _places(tx: Tx, request: AuthorizeRequest) -> tuple[Place, ...]:
    """Return the places that are meant: the one that the charger names, else its connectors that are not in use."""
    if request.place is not None and request.place.connector:
        return (request.place,)
    places = connector_rows.places(tx, request.charger_id) or (Place(0, 1),)
    if len(places) == 1:
        return places
    used = [session.place for session in session_rows.active_of_charger(tx, request.charger_id)]
    # Where all are in use, one may be so only for us: its end was lost.
    return tuple(place for place in places if not any(_same(place, one) for one in used)) or places


def _same(place: Place, used: Place) -> bool:
    """Tell whether a place can't be charged at while another is used: the cables of one EVSE share it."""
    return place == used or 0 < place.evse == used.evse


def can_pay(tx: Tx, charger_id: str, place: Place, card: CardRecord) -> bool:
    """Tell whether a card has more available than a session costs before it delivers anything."""
    if card.kind == "personal" or card.wallet_id is None:
        return True
    return covers(tx, charger_id, place, wallets.get(tx, card.wallet_id), payer_of(card))


def payer_of(card: CardRecord) -> Payer:
    """Return who pays, as far as a tariff depends on it."""
    return Payer(card.person_id, card.group)


def covers(tx: Tx, charger_id: str, place: Place, wallet: Wallet, payer: Payer) -> bool:
    """Tell whether a wallet has more available than a session costs before it delivers anything."""
    stored = tariff_service.price_for(tx, charger_id, place, payer)
    if stored is not None and stored.currency != wallet.currency:
        return False  # what it delivers has a price, and none that this card can pay
    return wallet.available > _least(tx, stored)


def least(tx: Tx, charger_id: str, place: Place, currency: str, payer: Payer) -> int:
    """Return what a session costs that ends as it begins (start fee, minimum price), or the site's minimum."""
    return _least(tx, billing.tariff_for(tx, charger_id, place, currency, payer))


def _least(tx: Tx, stored: StoredTariff | None) -> int:
    at_start = billing.at_start(None if stored is None else stored.tariff, tx.now)
    return max(at_start, tx.settings.prepaid.minimum_balance)
