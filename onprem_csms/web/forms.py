"""Forms: what was typed → values, with the faults by field; the page comes back with both."""

import functools
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from onprem_csms.domain.money.money import parse_amount
from onprem_csms.errors import AppError, Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from onprem_csms.web.bodies import read_form
from onprem_csms.web.guards import DRIVER, OPERATOR
from onprem_csms.web.languages import N_

_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
REQUIRED = N_("Fill this in.")
# Bytes of a form. Before the sign-in there are only short ones.
LARGEST, LARGEST_OF_STRANGERS = 1024 * 1024, 8 * 1024


class Form:
    """A form as it was sent. The readers give a value or remember a fault; ``check`` raises them all at once."""

    def __init__(self, typed: Mapping[str, str] | None = None) -> None:
        self.typed = dict(typed or {})
        self.faults: dict[str, AppError] = {}
        self.error: AppError | None = None
        self.status = 200

    def __contains__(self, name: str) -> bool:
        return name in self.typed

    def shown(self, name: str, default: object = "") -> str:
        """What the field shows: what was typed, else the given value."""
        return self.typed[name] if name in self.typed else "" if default is None else str(default)

    def fault(self, name: str, message: str, **params: object) -> None:
        """Remember what is wrong with a field; the first fault stays."""
        fault = Invalid(message, path=name)
        fault.params = params
        self.faults.setdefault(name, fault)

    def text(self, name: str, *, required: bool = True, max_length: int = 200) -> str:
        """A text without blanks around it."""
        value = self.typed.get(name, "").strip()
        if required and not value:
            self.fault(name, REQUIRED)
        if len(value) > max_length:
            self.fault(name, N_("At most {most} characters."), most=max_length)
        return value

    def secret(self, name: str) -> str:
        """A password, exactly as typed."""
        value = self.typed.get(name, "")
        if not value:
            self.fault(name, REQUIRED)
        return value

    def integer(self, name: str, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
        """A whole number within bounds."""
        value = self.text(name, max_length=20)
        try:
            number = int(value)
        except ValueError:
            self.fault(name, N_("Write a whole number."))
            return minimum
        if not minimum <= number <= maximum:
            self.fault(name, N_("A number from {minimum} to {maximum}."), minimum=minimum, maximum=maximum)
        return number

    def number_or_none(self, name: str) -> int | None:
        """The number that was chosen, None for the empty choice."""
        return self.integer(name, 0) if self.typed.get(name, "").strip() else None

    def decimal(self, name: str, *, required: bool = True) -> str:
        """A number that may have decimals, as text with a point; "0" when nothing was typed."""
        value = self.text(name, required=required, max_length=20).replace(" ", "").replace(",", ".")
        if value and not _DECIMAL.fullmatch(value):
            self.fault(name, N_("Write a number, such as 12.5."))
            return "0"
        return value or "0"

    def time(self, name: str) -> time:
        """A time of day, such as 22:00; midnight when it is none."""
        try:
            found = time.fromisoformat(self.typed.get(name, "").strip())
        except ValueError:
            found = None
        if found is None or found.tzinfo is not None:
            self.fault(name, N_("Write a time, such as 22:00."))
            return time(0)
        return found

    def amount(self, name: str, currency: str) -> int:
        """An amount of money in minor units."""
        value = self.text(name, max_length=30)
        try:
            return parse_amount(value, currency) if value else 0
        except Invalid as error:
            self.faults.setdefault(name, error)
            return 0

    def choice(self, name: str, options: Collection[str], default: str = "") -> str:
        """One of some values."""
        value = self.typed.get(name, default)
        if value not in options:
            self.fault(name, N_("Choose one of the given values."))
        return value

    def flag(self, name: str) -> bool:
        """A box that is ticked or not."""
        return self.typed.get(name, "") not in ("", "0")

    def moment(self, name: str, timezone: str) -> datetime | None:
        """A local date and time, as UTC; None when left empty."""
        value = self.typed.get(name, "").strip()
        if not value:
            return None
        try:
            return datetime.fromisoformat(value).replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fault(name, N_("Write a date and a time."))
            return None

    def check(self) -> None:
        """Raise Invalid if any reader found a fault."""
        if self.faults:
            raise Invalid("Some fields need another look. Nothing was saved yet.")

    def refuse(self, error: AppError, status: int) -> None:
        """Take over what a service said, so that the page shows it beside its field."""
        self.status = status
        for path, message in error.faults:
            self.faults.setdefault(path, Invalid(message, path=path))
        if error.path:
            self.faults.setdefault(error.path, error)
        self.error = error


# For a page before anything was typed. Showing a form never changes it.
NO_FORM = Form()


class Show(Protocol):
    """A view that shows a form, empty or as it was typed."""

    def __call__(self, request: web.Request, form: Form = ...) -> Awaitable[web.StreamResponse]:
        """Show the page."""


Submit = Callable[[web.Request, Form], Awaitable[web.StreamResponse]]
STATUS: dict[type[AppError], int] = {
    Invalid: 422,
    Conflict: 409,
    NotFound: 404,
    Forbidden: 403,
    Unauthenticated: 401,
}


def posted(
    show: Show, also: tuple[type[AppError], ...] = ()
) -> Callable[[Submit], Callable[[web.Request], Awaitable[web.StreamResponse]]]:
    """Read the form for a view; when it is Invalid or a Conflict, ``show`` it again with what was typed.

    ``also`` names further errors that are told on the form and not on a page of their own.
    """
    told: tuple[type[AppError], ...] = (Invalid, Conflict, *also)

    def wrap(submit: Submit) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        @functools.wraps(submit)
        async def view(request: web.Request) -> web.StreamResponse:
            form = await read(request)
            try:
                return await submit(request, form)
            except told as error:
                form.refuse(error, STATUS[type(error)])
                return await show(request, form)

        return view

    return wrap


async def read(request: web.Request) -> Form:
    """Read the form of a request; files and repeated fields are not for us, and strangers send little."""
    known = OPERATOR in request or DRIVER in request
    return Form(await read_form(request, LARGEST if known else LARGEST_OF_STRANGERS))
