"""What the balance of a wallet means for the cards that pay from it."""

from dataclasses import dataclass
from typing import Literal

from onprem_csms.db.cards import cards as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.errors import Invalid
from onprem_csms.services.cards import cards, people
from onprem_csms.services.money import ledger, wallets
from onprem_csms.services.money.ledger import LedgerEntry
from onprem_csms.services.money.wallets import Receipt, TopUp, Wallet

# The reason of a card that is blocked for this alone; with money again it works again.
BELOW_ZERO = "below_zero"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that comes in for a wallet, or for the one that a card pays from: either is named.

    ``currency`` is what the payer thinks the wallet is in; None: whatever it is in.
    """

    amount: int
    idempotency_key: str
    wallet_id: int | None = None
    uid: str | None = None
    currency: str | None = None
    method: Literal["cash", "bank"] = "cash"
    note: str = ""


def open_wallet(tx: Tx, currency: str | None = None, name: str = "", person_id: int | None = None) -> Wallet:
    """Make an empty wallet, without a currency in the site's; Invalid, NotFound for an unknown person."""
    if person_id is not None:
        people.get(tx, person_id)
    return wallets.get(tx, wallets.create(tx, currency or tx.settings.currency, name, person_id))


def pay_in(tx: Tx, payment: Payment) -> tuple[LedgerEntry, bool]:
    """Book a payment once; returns its entry and whether it had been booked before. Invalid with its path, NotFound."""
    wallet = wallets.get(tx, _wallet_of(tx, payment))
    if payment.currency is not None and payment.currency != wallet.currency:
        raise Invalid("The wallet is in {currency}.", path="currency", currency=wallet.currency)
    wanted = TopUp(wallet.id, payment.amount, payment.idempotency_key, payment.method, payment.note)
    receipt = top_up(tx, wanted)
    return ledger.entry(tx, receipt.entry_id), receipt.repeated


def _wallet_of(tx: Tx, payment: Payment) -> int:
    if (payment.wallet_id is None) == (payment.uid is None):
        raise Invalid("Name either a wallet or a token.", path="wallet")
    if payment.wallet_id is not None:
        return payment.wallet_id
    card = cards.get(tx, payment.uid or "")
    if card.wallet is None:
        raise Invalid("This card has no wallet.", path="token")
    return card.wallet.id


def top_up(tx: Tx, wanted: TopUp) -> Receipt:
    """Book money into a wallet (see ``wallets.top_up``); its cards that were blocked below zero work again."""
    receipt = wallets.top_up(tx, wanted)
    if wallets.balance(tx, wanted.wallet_id) >= 0:
        for record in rows.blocked_of_wallet(tx, wanted.wallet_id, BELOW_ZERO):
            cards.set_status(tx, record, "active", "")
    return receipt


def block_below_zero(tx: Tx, card_id: int) -> None:
    """Block a card whose session cost more than its balance, until a top-up; one that is out of use stays as it is."""
    record = rows.by_id(tx, card_id)
    if record is not None and record.archived_at is None and record.status == "active":
        cards.set_status(tx, record, "blocked", BELOW_ZERO)
