"""The desk of the demo: people whose balance is used up come and pay."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from onprem_csms.clock import to_text
from onprem_csms.demo.scenery import DESK
from onprem_csms.domain.access.actor import Actor
from onprem_csms.services.cards import balances, cards
from onprem_csms.services.core.context import Context, Tx
from onprem_csms.services.money.wallets import TopUp

_EVERY_S = 20.0
_POOR = 500
_AMOUNT = 5_000


AT_DESK = Actor("operator", DESK, role="desk", channel="page")


@contextmanager
def at_desk(tx: Tx) -> Iterator[None]:
    """Let the clerk act in a transaction, whoever acts otherwise."""
    before, tx.actor = tx.actor, AT_DESK
    try:
        yield
    finally:
        tx.actor = before


def top_up(tx: Tx, wanted: TopUp) -> None:
    """Book money that somebody paid at the desk."""
    with at_desk(tx):
        balances.top_up(tx, wanted)


async def keep_the_till(ctx: Context, numbers: Sequence[str]) -> None:
    """Top up whoever has next to nothing left, one at a time, until cancelled."""
    while True:
        await asyncio.sleep(_EVERY_S)
        await ctx.write(_serve_one, numbers)


def _serve_one(tx: Tx, numbers: Sequence[str]) -> None:
    for uid in numbers:
        card = cards.get(tx, uid)
        if card.status == "lost" or card.wallet is None or card.wallet.balance >= _POOR:
            continue
        key = f"demo:{uid}:{to_text(tx.now)}"
        top_up(tx, TopUp(card.wallet.id, _AMOUNT, key))
        return
