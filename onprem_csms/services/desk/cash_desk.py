"""The cash desk: a card is shown, issued, topped up, blocked; each in one transaction with its audit line.

What is booked is what the operator saw: the form carries the key that was made when the card was shown, the
tap it was read by and the newest top-up of its balance. A repeated form books nothing; an outdated one is
refused.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.money.money import format_amount
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.services.cards import balances, cards, people, pins
from onprem_csms.services.cards.cards import Card, CardFilter, NewCard
from onprem_csms.services.cards.people import NewPerson, Person, PersonFilter
from onprem_csms.services.charging import sessions
from onprem_csms.services.charging.sessions import SessionFilter, SessionView
from onprem_csms.services.core.context import Tx
from onprem_csms.services.core.ports import Readers
from onprem_csms.services.money import ledger, wallets
from onprem_csms.services.money.ledger import EntryFilter
from onprem_csms.services.money.wallets import Movement, Receipt, TopUp, Wallet

Method = Literal["cash", "bank"]

MOVEMENTS_SHOWN = 30
_MATCHES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """What the form knew when the card was shown.

    ``key`` is the idempotency key made then; ``station`` and ``tap`` say which tap read the card (empty and 0
    when its number was typed); ``seen`` is the newest top-up of the balance at that time.
    """

    uid: str
    key: str
    station: str = ""
    tap: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class DeskCard:
    """A card as the desk shows it; ``known`` is None for one that was never issued."""

    uid: str
    known: Card | None
    movements: tuple[Movement, ...] = ()
    sessions: tuple[SessionView, ...] = ()
    seen: int = 0


@dataclass(frozen=True, slots=True)
class IssueCard:
    """A new card: its holder's name, or a group, or both; ``person_id`` for a holder who is known already.

    ``amount`` is the first top-up in minor units of the site's currency; 0: none, as for a personal card.
    """

    shown: Shown
    kind: Literal["prepaid", "personal"]
    name: str = ""
    group: str = ""
    person_id: int | None = None
    amount: int = 0
    method: Method = "cash"
    document: str = ""
    pin_hash: str | None = None


@dataclass(frozen=True, slots=True)
class DeskTopUp:
    """Money for the balance of a card; ``document`` is the number of the cash register's receipt."""

    shown: Shown
    amount: int
    method: Method = "cash"
    document: str = ""


@dataclass(frozen=True, slots=True)
class Blocking:
    """Why a card is blocked; a ``lost`` one takes no more money either."""

    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Booking:
    """What the desk did: the card afterwards, a receipt if money moved; ``repeated``: it was done before."""

    card: Card
    receipt: Receipt | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Slip:
    """A booked top-up as its result page and its printed slip show it; amounts in minor units."""

    entry_id: int
    at: datetime
    card: Card
    currency: str
    amount: int
    balance_before: int
    balance_after: int
    method: str
    document: str
    operator: str


def check_tap(readers: Readers, shown: Shown) -> None:
    """Conflict unless the card of the form is still the last one that its station read."""
    if not shown.station:
        return
    tap = readers.last_tap(shown.station)
    if tap is None or (tap.number, tap.uid) != (shown.tap, shown.uid):
        raise Conflict(
            "Another card was held to the reader since this one was shown. Nothing was booked; hold the "
            "right card to the reader again."
        )


def show(tx: Tx, uid: str) -> DeskCard:
    """The card with its balance, its last movements and its last sessions."""
    card = find_card(tx, uid)
    if card is None:
        return DeskCard(uid, None)
    movements: list[Movement] = []
    if card.wallet is not None:
        movements = wallets.movements(tx, card.wallet.id, limit=MOVEMENTS_SHOWN)
    found = sessions.find(tx, SessionFilter(card_id=card.id, limit=MOVEMENTS_SHOWN))
    return DeskCard(uid, card, tuple(movements), tuple(found), _newest_top_up(tx, card.wallet))


def find_card(tx: Tx, uid: str) -> Card | None:
    """The card of a number, or None when none was issued."""
    try:
        return cards.get(tx, uid)
    except NotFound:
        return None


def search(tx: Tx, text: str) -> list[Card]:
    """Cards by a part of their number, label, group or holder's name, for a card that isn't at hand."""
    return cards.find(tx, CardFilter(text=text, limit=_MATCHES_SHOWN))


def namesakes(tx: Tx, name: str) -> list[Person]:
    """The people who bear exactly this name, so that the desk asks before it makes another one."""
    wanted = " ".join(name.split()).casefold()
    if not wanted:
        return []
    return [person for person in people.find(tx, PersonFilter(text=name)) if person.name.casefold() == wanted]


def issue(tx: Tx, new: IssueCard) -> Booking:
    """Make the card with its holder, its balance and the first top-up.

    Conflict when the card is known already (unless this very form made it), Invalid without a holder.
    """
    if (earlier := find_card(tx, new.shown.uid)) is not None:
        return _issued_before(tx, earlier, new)
    person_id = _holder(tx, new)
    card = cards.create(
        tx,
        NewCard(
            uid=new.shown.uid,
            kind=new.kind,
            group=new.group.strip() or None,
            person_id=person_id,
            currency=tx.settings.currency,
            pin_hash=new.pin_hash,
        ),
    )
    if not new.amount:
        return Booking(card)
    if card.wallet is None:
        raise Invalid("A personal card has no balance to top up.", path="amount")
    receipt = _book(tx, card.wallet, DeskTopUp(new.shown, new.amount, new.method, new.document))
    return Booking(cards.get(tx, card.uid), receipt)


def top_up(tx: Tx, wanted: DeskTopUp) -> Booking:
    """Book money onto a card's balance; the same form again is answered with what it booked.

    Conflict when the card has no balance, was reported lost, or its balance was topped up since it was shown.
    """
    card = cards.get(tx, wanted.shown.uid)
    if card.wallet is None:
        raise Conflict("This card has no balance: its holder charges without paying.")
    if card.status == "lost":
        raise Conflict("This card was reported lost. Nothing was booked.")
    seen = _newest_top_up(tx, card.wallet)
    receipt = _book(tx, card.wallet, wanted)
    if not receipt.repeated and seen != wanted.shown.seen:
        # Undone with the rest of this function: another window or another desk was faster.
        raise Conflict(
            "This balance was topped up elsewhere since the card was shown. Nothing was booked here; look at "
            "the new balance first."
        )
    return Booking(cards.get(tx, card.uid), receipt, receipt.repeated)


def block(tx: Tx, uid: str, blocking: Blocking) -> Card:
    """Block a card; its balance stays. Invalid without a reason, since somebody will ask for it."""
    if not blocking.reason.strip():
        raise Invalid("Say why the card is blocked.", path="reason")
    return cards.block(tx, uid, blocking.reason, "lost" if blocking.lost else "blocked")


def unblock(tx: Tx, uid: str) -> Card:
    """Let a blocked card charge again."""
    return cards.unblock(tx, uid)


def slip(tx: Tx, uid: str, entry_id: int) -> Slip:
    """What one top-up of a card did; NotFound when the entry is none of this card's top-ups."""
    card = cards.get(tx, uid)
    entry = ledger.entry(tx, entry_id)
    wallet = card.wallet
    if wallet is None or entry.kind != "topup" or entry.wallet_id != wallet.id:
        raise NotFound("This card has no such top-up.")
    return Slip(
        entry_id=entry_id,
        at=entry.at,
        card=card,
        currency=wallet.currency,
        amount=entry.amount,
        balance_before=entry.balance_after - entry.amount,
        balance_after=entry.balance_after,
        method=str(entry.document.get("method", "")),
        document=str(entry.document.get("note", "")),
        operator=entry.operator,
    )


def set_pin(tx: Tx, uid: str, pin_hash: str) -> Card:
    """Give a card a new PIN, for a holder who forgot theirs."""
    return pins.set_pin(tx, uid, pin_hash)


def check_amount(amount: int, currency: str, method: Method) -> int:
    """Return the amount; Invalid when it is zero, too large for the desk, or can't be paid in coins."""
    if amount <= 0:
        raise Invalid("The amount must be above zero.", path="amount")
    money = currency_of(currency)
    if amount > money.largest_topup:
        limit = format_amount(money.largest_topup, currency)
        raise Invalid("The desk books at most {limit} at once.", path="amount", limit=limit)
    if method == "cash" and amount % money.cash_step:
        step = format_amount(money.cash_step, currency)
        raise Invalid("In cash the amount must be a multiple of {step}.", path="amount", step=step)
    return amount


def _issued_before(tx: Tx, card: Card, new: IssueCard) -> Booking:
    """The same form once more: only its top-up can tell; one that turns out to be new is undone."""
    if new.amount and card.wallet is not None:
        topped = DeskTopUp(new.shown, new.amount, new.method, new.document)
        receipt = balances.top_up(tx, _ledger_top_up(card.wallet, topped))
        if receipt.repeated:
            return Booking(card, receipt, repeated=True)
    raise Conflict("This card has been issued already. Nothing was done a second time.")


def _holder(tx: Tx, new: IssueCard) -> int | None:
    if new.person_id is not None:
        return people.get(tx, new.person_id).id
    name = " ".join(new.name.split())
    if name:
        return people.create(tx, NewPerson(name=name)).id
    if not new.group.strip():
        raise Invalid("Write a name or a group.", path="name")
    return None


def _book(tx: Tx, wallet: Wallet, wanted: DeskTopUp) -> Receipt:
    check_amount(wanted.amount, wallet.currency, wanted.method)
    return balances.top_up(tx, _ledger_top_up(wallet, wanted))


def _ledger_top_up(wallet: Wallet, wanted: DeskTopUp) -> TopUp:
    return TopUp(
        wallet_id=wallet.id,
        amount=wanted.amount,
        idempotency_key=f"desk:{wanted.shown.key}",
        method=wanted.method,
        note=wanted.document.strip(),
    )


def _newest_top_up(tx: Tx, wallet: Wallet | None) -> int:
    if wallet is None:
        return 0
    newest = ledger.entries(tx, EntryFilter(kind="topup", wallet_id=wallet.id, limit=1))
    return newest[0].id if newest else 0
