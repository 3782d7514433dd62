"""The words for states: each value's word and how its pill looks (ok, busy, warn, bad, off, info)."""

from collections.abc import Mapping
from typing import NamedTuple

from onprem_csms.services.chargers.admission import REASONS
from onprem_csms.services.charging.review import KINDS
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
WAITS: Words = {
    "energy": Tag("warn", N_("more energy than is usual here")),
    "duration": Tag("warn", N_("longer than is usual here")),
    "sum": Tag("warn", N_("a larger sum than is usual here")),
    "power": Tag("warn", N_("more than the connector can deliver in the time")),
    "clock": Tag("warn", N_("the charger’s clock was wrong, and the price depends on the time")),
    "shared_meter": Tag("warn", N_("another connector shows the same meter")),
    "placeholder": Tag("warn", N_("the meter at the begin looks like a placeholder")),
}
SESSION: Words = {
    "active": Tag("busy", N_("Running")),
    "waiting": Tag("warn", N_("Waits for a person")),
    "ended": Tag("off", N_("Ended")),
}
ACTIVITY: Words = {
    "charging": Tag("busy", N_("Charging")),
    "idle": Tag("info", N_("Vehicle waits")),
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
    "local": Tag("off", N_("Stopped at the charger")),
    "remote": Tag("off", N_("Stopped remotely")),
    "by_driver": Tag("off", N_("Stopped by the driver")),
    "ev_disconnected": Tag("off", N_("Cable unplugged at the vehicle")),
    "deauthorized": Tag("warn", N_("Card refused")),
    "emergency": Tag("bad", N_("Emergency stop")),
    "power_loss": Tag("bad", N_("Power failed")),
    "reboot": Tag("warn", N_("Charger restarted")),
    "hard_reset": Tag("warn", N_("Charger was reset hard")),
    "soft_reset": Tag("warn", N_("Charger was reset")),
    "unlock": Tag("off", N_("Cable was unlocked")),
    "balance_used_up": Tag("info", N_("Balance used up")),
    "card_ended": Tag("warn", N_("The card was blocked or expired meanwhile")),
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
    "lost": Tag("bad", N_("Connection lost")),
    "superseded": Tag("off", N_("Superseded")),
}
DIRECTION: Words = {"in": Tag("info", N_("from charger")), "out": Tag("off", N_("to charger"))}
ROLE: Words = {
    "admin": Tag("info", N_("Admin: everything")),
    "desk": Tag("info", N_("Desk: people, cards, money, commands")),
    "viewer": Tag("off", N_("Viewer: looks, changes nothing")),
}
# What was done, as the audit names it.
DEED: Words = {
    "attempt.dismissed": Tag("", N_("Connection attempt dismissed")),
    "driver.sign-in": Tag("", N_("Driver signed in")),
    "driver.sign-in-refused": Tag("", N_("Driver’s sign-in refused")),
    "operator.sign-in": Tag("", N_("Operator signed in")),
    "operator.sign-in-refused": Tag("", N_("Operator’s sign-in refused")),
    "profile.added": Tag("", N_("Charging profile added")),
    "profile.changed": Tag("", N_("Charging profile changed")),
    "profile.deleted": Tag("", N_("Charging profile deleted")),
    "tariff.assigned": Tag("", N_("Tariff assigned")),
    "wallet.added": Tag("", N_("Wallet added")),
    "wallet.refund": Tag("", N_("Money paid back")),
    "wallet.topup": Tag("", N_("Balance topped up")),
    "api-key.created": Tag("", N_("API key made")),
    "api-key.revoked": Tag("", N_("API key revoked")),
    "card.archived": Tag("", N_("Card archived")),
    "card.block": Tag("", N_("Card was blocked")),
    "card.changed": Tag("", N_("Card changed")),
    "card.issue": Tag("", N_("Card issued")),
    "card.pin": Tag("", N_("PIN set")),
    "card.replaced": Tag("", N_("Card replaced")),
    "card.unblock": Tag("", N_("Card unblocked")),
    "charger.accepted": Tag("", N_("Charger accepted")),
    "charger.added": Tag("", N_("Charger added")),
    "charger.archived": Tag("", N_("Charger archived")),
    "charger.changed": Tag("", N_("Charger’s settings changed")),
    "charger.password": Tag("", N_("Charger’s password renewed")),
    "clock.jumped": Tag("bad", N_("The machine’s clock jumped")),
    "command.wanted": Tag("", N_("Command given to a charger")),
    "connector.changed": Tag("", N_("Connector’s settings changed")),
    "operator.added": Tag("", N_("Operator added")),
    "operator.disabled": Tag("", N_("Operator disabled")),
    "operator.enabled": Tag("", N_("Operator enabled again")),
    "operator.role": Tag("", N_("Operator’s role changed")),
    "operator.password": Tag("", N_("Operator’s password changed")),
    "person.added": Tag("", N_("Person added")),
    "person.archived": Tag("", N_("Person archived")),
    "person.changed": Tag("", N_("Person changed")),
    "reservation.cancelled": Tag("", N_("Reservation cancelled")),
    "reservation.made": Tag("", N_("Connector reserved")),
    "review.resolved": Tag("", N_("Reviewed")),
    "session.booked": Tag("", N_("Session booked")),
    "session.closed": Tag("", N_("Session closed")),
    "session.corrected": Tag("", N_("Session corrected")),
    "session.stopped": Tag("", N_("Session stopped")),
    "tariff.added": Tag("", N_("Tariff added")),
    "tariff.archived": Tag("", N_("Tariff archived")),
    "tariff.changed": Tag("", N_("Tariff changed")),
    "tariff.default": Tag("", N_("Tariff made the default")),
}
# How chargers deviate from their protocol; the kinds are explained in docs/chargers.md.
QUIRK: Words = {
    "action_case": Tag("info", N_("Wrote an action in another case, or with a slash in front")),
    "binary": Tag("info", N_("Sent a message as a binary frame")),
    "broken_json": Tag("info", N_("Sent broken JSON, of which the sound part was read")),
    "connector_zero": Tag("info", N_("Began a session on connector 0")),
    "elements": Tag("info", N_("Sent a message with too few or too many parts")),
    "empty_list": Tag("info", N_("Sent an empty list where something must be in it")),
    "extra_property": Tag("info", N_("Added a field that the message does not have")),
    "former_transaction": Tag("info", N_("Sent readings under the number of a session that had ended")),
    "fraction": Tag("info", N_("Sent a fraction for a whole number")),
    "half_a_place": Tag("info", N_("Named a connector without its EVSE")),
    "message_id": Tag("info", N_("Sent a message id that is empty, too long or no text")),
    "message_type": Tag("info", N_("Wrote the type of the message as a text or a fraction")),
    "missing": Tag("info", N_("Left out a field that must be there")),
    "neutral_phase": Tag("info", N_("Measured on the neutral conductor alone")),
    "no_subprotocol": Tag("info", N_("Named no OCPP version when it connected")),
    "not_a_list": Tag("info", N_("Sent one thing where a list belongs")),
    "not_an_object": Tag("info", N_("Sent a list where one thing belongs")),
    "null": Tag("info", N_("Sent null instead of leaving a field out")),
    "number_for_text": Tag("info", N_("Sent a number where a text belongs")),
    "number_format": Tag("info", N_("Wrote a number with spaces or a comma")),
    "other_version": Tag("info", N_("Wrote something as another version of OCPP does")),
    "over_limit": Tag("info", N_("Sent a message beyond every limit; the connection ended")),
    "payload": Tag("info", N_("Sent a payload that is no object")),
    "stray_answer": Tag("info", N_("Answered what nobody had asked, or too late")),
    "synonym": Tag("info", N_("Used another word than the standard's")),
    "text_for_number": Tag("info", N_("Sent a text where a number belongs")),
    "time_format": Tag("info", N_("Wrote a time in a form of its own")),
    "time_in_future": Tag("info", N_("Named a time that is yet to come")),
    "time_missing": Tag("info", N_("Named no time")),
    "time_too_old": Tag("info", N_("Named a time long ago: its clock is not set")),
    "time_unreadable": Tag("info", N_("Named a time that can't be read")),
    "time_without_zone": Tag("info", N_("Named a time without a zone")),
    "too_big": Tag("info", N_("Sent a message over the limit that was read for its money")),
    "too_deep": Tag("info", N_("Nested a message too deeply")),
    "too_long": Tag("info", N_("Sent a text longer than allowed; it is kept whole")),
    "total_on_each_phase": Tag("info", N_("Repeated the total energy on each phase; counted once")),
    "unknown_action": Tag("info", N_("Used an action that does not exist")),
    "unknown_measurand": Tag("info", N_("Measured something that the standard does not know; left out")),
    "unknown_status": Tag("info", N_("Named a status that the standard does not know; left out")),
    "unknown_word": Tag("info", N_("Used a word that the standard does not know")),
    "unreadable": Tag("info", N_("Sent a message that could not be read")),
    "unreadable_value": Tag("info", N_("Sent a meter value that is no number; left out")),
    "wrong_case": Tag("info", N_("Wrote a word or a field in another case")),
    "wrong_type": Tag("info", N_("Sent something of another kind altogether; left out")),
    "wrong_unit": Tag("info", N_("Named a unit that does not fit what was measured")),
}
ATTEMPT: Words = {reason: Tag("warn", sentence) for reason, sentence in REASONS.items()}
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
    "minimum": Tag("", N_("Up to the minimum price")),
    "maximum": Tag("", N_("Down to the price cap")),
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
    "deed": DEED,
    "direction": DIRECTION,
    "entry": ENTRY,
    "attempt": ATTEMPT,
    "online": ONLINE,
    "quirk": QUIRK,
    "reader": READER,
    "reason": REASON,
    "registration": REGISTRATION,
    "review": REVIEW,
    "review_state": REVIEW_STATE,
    "role": ROLE,
    "session": SESSION,
    "verdict": VERDICT,
    "waits": WAITS,
    "wish": WISH,
}
