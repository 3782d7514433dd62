"""Cash rounding."""

from onprem_csms.domain.money.currencies import currency_of


def round_cash(minor: int, currency: str) -> int:
    """What is paid in coins for `minor` minor units: to the nearest step of the currency, 5 Ft say.

    For the final sum of a cash payment only; a refund rounds like a payment.
    """
    coin = currency_of(currency).cash_step
    size = (abs(minor) + coin // 2) // coin * coin
    return size if minor >= 0 else -size
