"""The currencies that are known here. One more is one row: nothing else names any of them."""

from dataclasses import dataclass

from onprem_csms.errors import Invalid


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: ``decimals`` of its minor unit (ISO 4217), ``cash_step`` the smallest coin in minor units.

    ``symbol_after``: written "5 000 Ft", the number as Hungarian writes it, in every language. ``quick_amounts``
    are the buttons of the desk and ``largest_topup`` the most that it books at once, in minor units.
    """

    code: str
    decimals: int
    symbol: str
    cash_step: int
    quick_amounts: tuple[int, ...]
    largest_topup: int
    symbol_after: bool = False

    def leads(self, language: str) -> bool:
        """Tell whether the symbol stands before the number in a language."""
        return not self.symbol_after and language != "hu"


CURRENCIES: dict[str, Currency] = {
    one.code: one
    for one in (
        # Forints have no smaller coin than 5 Ft (Hungarian Act III of 2008).
        Currency("HUF", 0, "Ft", 5, (2_000, 5_000, 10_000), 500_000, symbol_after=True),
        Currency("EUR", 2, "€", 1, (1_000, 2_000, 5_000), 150_000),
    )
}
DEFAULT_CURRENCY = next(iter(CURRENCIES))


def currency_of(code: str) -> Currency:
    """Return a currency by its code; Invalid (path "currency") when it is not known here."""
    money = CURRENCIES.get(code)
    if money is None:
        raise Invalid("The currency must be one of {codes}.", path="currency", codes=", ".join(CURRENCIES))
    return money
