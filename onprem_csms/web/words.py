"""The words for states: each value's word and how its pill looks (ok, busy, warn, bad, off, info)."""

from collections.abc import Mapping
from typing import NamedTuple

from onprem_csms.services.admission import REASONS
from onprem_csms.services.review import KINDS
from onprem_csms.web.languages import N_


class Tag(NamedTuple):
    """A state as a reader sees it: the look of its pill, and its word."""

    look: str
    word: str


Words = Mapping[str, Tag]

CONNECTOR: Words = {
    "available": Tag("ok", N_("Available")),
    "preparing": Tag("info", N_("Preparing")),
    "charging": Tag("busy", N_("Charging")),
    "suspended_charger": Tag("warn", N_("Paused by the charger")),
    "suspended_vehicle": Tag("info", N_("Paused by the vehicle")),
    "finishing": Tag("info", N_("Finishing")),
    "reserved": Tag("info", N_("Reserved")),
    "occupied": Tag("info", N_("Occupied")),
    "unavailable": Tag("off", N_("Out of service")),
    "faulted": Tag("bad", N_("Fault")),
    "unknown": Tag("off", N_("Unknown")),
}
ONLINE: Words = {"True": Tag("ok", N_("Online")), "False": Tag("bad", N_("Offline"))}
REGISTRATION: Words = {
    "accepted": Tag("ok", N_("Accepted")),
    "pending": Tag("warn", N_("Held back")),
    "rejected": Tag("bad", N_("Rejected")),
}
SESSION: Words = {"active": Tag("busy", N_("Running")), "ended": Tag("off", N_("Ended"))}
ACTIVITY: Words = {
    "charging": Tag("busy", N_("Charging")),
    "idle": Tag("info", N_("Vehicle is full or waits")),
    "paused": Tag("warn", N_("Paused by the charger")),
}
VERDICT: Words = {
    "accepted": Tag("ok", N_("Card accepted")),
    "blocked": Tag("bad", N_("Card blocked")),
    "expired": Tag("bad", N_("Card expired")),
    "invalid": Tag("bad", N_("Card unknown")),
    "concurrent": Tag("warn", N_("Card in use elsewhere")),
    "no_credit": Tag("warn", N_("Balance too low")),
}
REASON: Words = {
    "local": Tag("off", N_("Ended at the charger")),
    "remote": Tag("off", N_("Ended from here")),
    "ev_disconnected": Tag("off", N_("Cable unplugged at the vehicle")),
    "deauthorized": Tag("warn", N_("Card refused")),
    "emergency": Tag("bad", N_("Emergency stop")),
    "power_loss": Tag("bad", N_("Power failed")),
    "reboot": Tag("warn", N_("Charger restarted")),
    "hard_reset": Tag("warn", N_("Charger was reset hard")),
    "soft_reset": Tag("warn", N_("Charger was reset")),
    "unlock": Tag("off", N_("Cable was unlocked")),
    "balance_used_up": Tag("info", N_("Balance used up")),
    "closed_by_operator": Tag("warn", N_("Closed by an operator")),
    "never_reported": Tag("warn", N_("End never reported")),
    "other": Tag("off", N_("Other reason")),
}
CARD: Words = {
    "active": Tag("ok", N_("Active")),
    "blocked": Tag("bad", N_("Blocked")),
    "lost": Tag("bad", N_("Lost")),
}
CARD_TYPE: Words = {"prepaid": Tag("info", N_("Prepaid")), "personal": Tag("off", N_("Personal"))}
COMMAND: Words = {
    "wanted": Tag("info", N_("Waiting")),
    "sent": Tag("busy", N_("Sent")),
    "answered": Tag("ok", N_("Answered")),
    "error": Tag("bad", N_("Error")),
    "timeout": Tag("bad", N_("No answer")),
}
DIRECTION: Words = {"in": Tag("info", N_("from charger")), "out": Tag("off", N_("to charger"))}
ROLE: Words = {
    "admin": Tag("info", N_("Admin: everything")),
    "desk": Tag("info", N_("Desk: people, cards, money, commands")),
    "viewer": Tag("off", N_("Viewer: looks, changes nothing")),
}
KNOCK: Words = {reason: Tag("warn", sentence) for reason, sentence in REASONS.items()}
WISH: Words = {
    "wanted": Tag("info", N_("Asked for")),
    "accepted": Tag("ok", N_("Accepted")),
    "reboot_required": Tag("warn", N_("Takes effect after a restart")),
    "rejected": Tag("bad", N_("Rejected")),
    "not_supported": Tag("off", N_("Not supported")),
}
REVIEW: Words = {kind: Tag("warn", sentence) for kind, sentence in KINDS.items()}
REVIEW_STATE: Words = {
    "none": Tag("ok", N_("Nothing to review")),
    "open": Tag("warn", N_("To review")),
    "done": Tag("ok", N_("Reviewed")),
}
ENTRY: Words = {
    "topup": Tag("ok", N_("Top-up")),
    "charge": Tag("busy", N_("Charging")),
    "correction": Tag("warn", N_("Correction")),
    "refund": Tag("info", N_("Refund")),
    "adjustment": Tag("warn", N_("Adjustment")),
}
BILL_LINE: Words = {
    "energy": Tag("", N_("Energy")),
    "time": Tag("", N_("Time")),
    "parking_time": Tag("", N_("Idle time")),
    "flat": Tag("", N_("Start fee")),
    "minimum": Tag("", N_("Up to the least price")),
    "maximum": Tag("", N_("Down to the highest price")),
}
READER: Words = {
    "connected": Tag("ok", N_("Connected")),
    "absent": Tag("off", N_("Not plugged in")),
    "error": Tag("bad", N_("Fault")),
}


def tag(words: Words, value: object) -> Tag:
    """Return the word for a value; a value without one is shown as it is."""
    return words.get(str(value), Tag("off", str(value)))


# By the names that templates use: ``ui.state('connector', status)``.
TABLES: dict[str, Words] = {
    "activity": ACTIVITY,
    "bill_line": BILL_LINE,
    "card": CARD,
    "card_type": CARD_TYPE,
    "command": COMMAND,
    "connector": CONNECTOR,
    "direction": DIRECTION,
    "entry": ENTRY,
    "knock": KNOCK,
    "online": ONLINE,
    "reader": READER,
    "reason": REASON,
    "registration": REGISTRATION,
    "review": REVIEW,
    "review_state": REVIEW_STATE,
    "role": ROLE,
    "session": SESSION,
    "verdict": VERDICT,
    "wish": WISH,
}
