"""Cash rounding."""

# The smallest coin in circulation, in minor units.
_SMALLEST_COIN = {"HUF": 5}


def round_cash(minor: int, currency: str) -> int:
    """What is paid in coins for `minor` minor units: HUF to the nearest 5, EUR unchanged.

    For the final sum of a cash payment only (Hungarian Act III of 2008); a refund rounds like a payment.
    """
    coin = _SMALLEST_COIN.get(currency, 1)
    size = (abs(minor) + coin // 2) // coin * coin
    return size if minor >= 0 else -size
