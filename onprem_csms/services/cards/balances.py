"""What the balance of a wallet means for the cards that pay from it."""

from onprem_csms.db.cards import cards as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.services.cards import cards
from onprem_csms.services.money import wallets
from onprem_csms.services.money.wallets import Receipt, TopUp

# The reason of a card that is blocked for this alone; with money again it works again.
BELOW_ZERO = "below_zero"


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
