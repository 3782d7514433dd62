"""Values as people read them: money, energy, power, local time; in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal

from onprem_csms.domain.money.currencies import currency_of
from onprem_csms.domain.money.money import format_amount

NOTHING = "–"
_NO_BREAK = "\u00a0"
# Babel's locale for each of our languages: English readers here read dates the British way.
LOCALES = {"en": "en_GB", "hu": "hu_HU"}
_UNITS = {"en": ("h", "min", "s"), "hu": ("ó", "p", "mp")}


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats of one language at one site. None is written as a dash."""

    language: str
    timezone: ZoneInfo

    @property
    def locale(self) -> str:
        """Babel's name of the locale."""
        return LOCALES[self.language]

    def money(self, minor: int | None, currency: str) -> str:
        """Write minor units with their currency."""
        return NOTHING if minor is None else format_amount(minor, currency, self.language)

    def price(self, minor: Fraction | None, currency: str) -> str:
        """Write a price in minor units, which may have a fraction: 149 Ft, 2.5 Ft, €0.253."""
        if minor is None:
            return NOTHING
        if minor.denominator == 1:
            return self.money(int(minor), currency)
        money = currency_of(currency)
        pattern = "#,##0." + "0" * money.decimals + "#" * (4 - money.decimals)
        number = format_decimal(float(minor / 10**money.decimals), pattern, locale=self.locale)
        return (
            f"{money.symbol}{number}" if money.leads(self.language) else f"{number}{_NO_BREAK}{money.symbol}"
        )

    def number(self, value: float | None, digits: int = 0) -> str:
        """Write a number with its thousands grouped and at most some decimals."""
        if value is None:
            return NOTHING
        return format_decimal(value, "#,##0." + "#" * digits if digits else "#,##0", locale=self.locale)

    def energy(self, wh: int | None) -> str:
        """Write Wh as kWh: three decimals, one from 100 kWh on."""
        if wh is None:
            return NOTHING
        pattern = "#,##0.000" if abs(wh) < 100_000 else "#,##0.0"
        return format_decimal(wh / 1000, pattern, locale=self.locale) + f"{_NO_BREAK}kWh"

    def power(self, watts: int | None) -> str:
        """Write W as kW with one decimal."""
        if watts is None:
            return NOTHING
        return format_decimal(watts / 1000, "#,##0.0", locale=self.locale) + f"{_NO_BREAK}kW"

    def local(self, at: datetime) -> datetime:
        """Return a moment in the site's time; the end of time (a card that never expires) stays as it is."""
        try:
            return at.astimezone(self.timezone)
        except OverflowError:
            return at

    def when(self, at: datetime | None) -> str:
        """Write a moment as local date and time, to the minute."""
        if at is None:
            return NOTHING
        return format_datetime(
            self.local(at),
            "d MMM y, HH:mm" if self.language == "en" else "y. MMM d. HH:mm",
            locale=self.locale,
        )

    def clock(self, at: datetime | None) -> str:
        """Write a moment as local time to the second."""
        return NOTHING if at is None else format_time(self.local(at), "HH:mm:ss", locale=self.locale)

    def moment(self, at: datetime | None) -> str:
        """Write a moment as local date and time to the millisecond, for logs."""
        return NOTHING if at is None else self.local(at).isoformat(" ", "milliseconds")[:23]

    def day(self, at: datetime | None) -> str:
        """Write a moment as its local date."""
        return NOTHING if at is None else format_date(self.local(at), "medium", locale=self.locale)

    def date(self, day: date) -> str:
        """Write a local day with its weekday, short."""
        pattern = "EEE d MMM" if self.language == "en" else "MMM d. EEE"
        return format_date(day, pattern, locale=self.locale)

    def duration(self, seconds: float | None) -> str:
        """Write a duration in its two largest units: 2 h 05 min, 3 min 20 s, 45 s."""
        if seconds is None:
            return NOTHING
        whole = max(0, int(seconds))
        hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
        h, m, s = _UNITS[self.language]
        if hours:
            return f"{hours}{_NO_BREAK}{h} {minutes:02}{_NO_BREAK}{m}"
        if minutes:
            return f"{minutes}{_NO_BREAK}{m} {rest:02}{_NO_BREAK}{s}"
        return f"{rest}{_NO_BREAK}{s}"
