"""Holds: balance that is set aside for a session or an order, so that nobody else spends it.

A hold ends exactly once, captured or released. The writer remembers the open ones: ``held_amount`` costs a
session no statement. How much one takes, and whether it grows, is the wallet's policy, else the site's.
"""

from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import holds as rows
from onprem_csms.db.money import wallets as wallet_rows
from onprem_csms.db.money.holds import HoldRow
from onprem_csms.db.money.wallets import WalletRow
from onprem_csms.domain.money.holds import POLICIES, HoldEvent, HoldPolicy, after, first_amount, next_amount
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event


def policy_of(tx: Tx, wallet_id: int) -> HoldPolicy:
    """Return by which policy sessions hold of a wallet."""
    chosen = _wallet(tx, wallet_id).hold_policy
    return next((one for one in POLICIES if one == chosen), tx.settings.prepaid.hold_policy)


def set_policy(tx: Tx, wallet_id: int, policy: str) -> None:
    """Choose a wallet's policy, empty for the site's; NotFound, Invalid. What is held already stays."""
    _wallet(tx, wallet_id)
    if policy and policy not in POLICIES:
        raise Invalid(
            "The policy must be one of {policies}.", path="hold_policy", policies=", ".join(POLICIES)
        )
    wallet_rows.set_policy(tx, wallet_id, policy)
    tx.emit(Event("wallet", str(wallet_id)))


def to_begin(tx: Tx, wallet_id: int, least: int) -> int:
    """Return what to hold for a session that costs ``least`` before it delivers anything."""
    wallet, step = _wallet(tx, wallet_id), tx.settings.prepaid.hold_step
    return first_amount(wallet.balance - wallet.held, least, policy_of(tx, wallet_id), step)


def hold(tx: Tx, wallet_id: int, amount: int, purpose: str) -> int:
    """Set an amount aside for a purpose, which no other open hold has; returns the hold's id.

    Conflict when the wallet has not so much available: holds never exceed the balance.
    """
    wallet = _wallet(tx, wallet_id)
    if amount > wallet.balance - wallet.held:
        raise Conflict("The balance is not enough.", path="amount")
    hold_id = rows.insert(tx, wallet_id, amount, purpose)
    _change_held(tx, wallet, amount)
    return hold_id


def extend(tx: Tx, hold_id: int) -> int:
    """Let an open hold grow by what its wallet's policy gives; returns how much that was."""
    row = _open(tx, hold_id, "resize")
    if row is None:
        return 0
    wallet = _wallet(tx, row.wallet_id)
    step = tx.settings.prepaid.hold_step
    more = next_amount(wallet.balance - wallet.held, policy_of(tx, wallet.id), step)
    if more:
        rows.resize(tx, row, row.amount + more)
        _change_held(tx, wallet, more)
    return more


def fit(tx: Tx, wallet_id: int) -> None:
    """Let the newest holds of a wallet shrink until they are covered again, after a session cost more than it held."""
    wallet = _wallet(tx, wallet_id)
    lacking = min(wallet.held, wallet.held - wallet.balance)
    for row in rows.open_of_wallet(tx, wallet_id) if lacking > 0 else ():
        less = min(row.amount, lacking)
        if less <= 0:
            break
        rows.resize(tx, row, row.amount - less)
        _change_held(tx, _wallet(tx, wallet_id), -less)
        lacking -= less


def held_amount(tx: Tx, hold_id: int | None) -> int:
    """Return the amount of a hold that is still open, else 0."""
    row = None if hold_id is None else rows.get(tx, hold_id)
    return row.amount if row is not None and row.state == "held" else 0


def release(tx: Tx, hold_id: int) -> bool:
    """Give back what was held; False when the hold had already ended."""
    return _end(tx, hold_id, "release", 0)


def capture(tx: Tx, hold_id: int, amount: int) -> bool:
    """End a hold because ``amount``, or all of it, was spent; the rest is free again. Spending is booked apart."""
    return _end(tx, hold_id, "capture", amount)


def _end(tx: Tx, hold_id: int, event: HoldEvent, amount: int) -> bool:
    row = end(tx, hold_id, event, amount)
    if row is not None:
        _change_held(tx, _wallet(tx, row.wallet_id), -row.amount)
    return row is not None


def end(tx: Tx, hold_id: int, event: HoldEvent, amount: int) -> HoldRow | None:
    """End a hold without touching its wallet, for who writes the wallet itself; None when it had already ended."""
    row = _open(tx, hold_id, event)
    if row is None:
        return None
    state = after(row.state, event)
    assert state is not None  # noqa: S101 - it is open
    rows.end(tx, row, state, min(row.amount, amount))
    return row


def _open(tx: Tx, hold_id: int, event: HoldEvent) -> HoldRow | None:
    row = rows.get(tx, hold_id)
    return None if row is None or after(row.state, event) is None else row


def _change_held(tx: Tx, wallet: WalletRow, by: int) -> None:
    wallet_rows.write(tx, wallet._replace(held=wallet.held + by))
    tx.emit(Event("wallet", str(wallet.id)))


def _wallet(tx: Tx, wallet_id: int) -> WalletRow:
    wallet = wallet_rows.get(tx, wallet_id)
    if wallet is None:
        raise NotFound("There is no wallet {id}.", id=wallet_id)
    return wallet
