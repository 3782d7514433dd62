"""Which role may do which deed: one table, read by the pages and by the API alike."""

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["viewer", "desk", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

Deed = Literal[
    "account.change",
    "api_key.change",
    "audit.read",
    "card.archive",
    "card.block",
    "card.change",
    "card.issue",
    "card.pin",
    "card.read",
    "charger.archive",
    "charger.command",
    "charger.configure",
    "charger.configuration.read",
    "charger.raw_command",
    "charger.read",
    "desk.use",
    "ledger.read",
    "message.read",
    "operator.change",
    "person.archive",
    "person.change",
    "person.read",
    "profile.apply",
    "profile.change",
    "profile.read",
    "report.read",
    "reservation.make",
    "reservation.read",
    "review.read",
    "review.resolve",
    "session.correct",
    "session.read",
    "session.stop",
    "site.configure",
    "site.read",
    "tariff.change",
    "tariff.read",
    "topup",
    "wallet.create",
    "wallet.read",
]
DEEDS: tuple[Deed, ...] = get_args(Deed)

_VIEWER: frozenset[Deed] = frozenset(
    {
        "account.change",
        "card.read",
        "charger.configuration.read",
        "charger.read",
        "ledger.read",
        "message.read",
        "person.read",
        "profile.read",
        "report.read",
        "reservation.read",
        "review.read",
        "session.read",
        "site.read",
        "tariff.read",
        "wallet.read",
    }
)
_DESK: frozenset[Deed] = _VIEWER | {
    "card.block",
    "card.change",
    "card.issue",
    "card.pin",
    "charger.command",
    "desk.use",
    "person.change",
    "reservation.make",
    "session.stop",
    "topup",
    "wallet.create",
}
# What costs money, can't be undone or opens the site to somebody.
_ADMIN: frozenset[Deed] = _DESK | {
    "api_key.change",
    "audit.read",
    "card.archive",
    "charger.archive",
    "charger.configure",
    "charger.raw_command",
    "operator.change",
    "person.archive",
    "profile.apply",
    "profile.change",
    "review.resolve",
    "session.correct",
    "site.configure",
    "tariff.change",
}
RIGHTS: Mapping[Role, frozenset[Deed]] = {"viewer": _VIEWER, "desk": _DESK, "admin": _ADMIN}


def may(role: Role, deed: Deed) -> bool:
    """Tell whether a role may do a deed."""
    return deed in RIGHTS[role]


def least_role(deed: Deed) -> Role:
    """Return the least role that may do a deed, as the documentation of the API names it."""
    return next(role for role in ROLES if deed in RIGHTS[role])
