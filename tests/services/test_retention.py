"""Every table that grows is bounded, or it stands here with the reason why it is kept."""

import re
import time
from datetime import timedelta

import pytest

from onprem_csms.clock import to_text
from onprem_csms.db.chargers import chargers as charger_rows
from onprem_csms.db.chargers import commands as command_rows
from onprem_csms.db.chargers import intervals
from onprem_csms.db.charging import facts as fact_rows
from onprem_csms.db.charging.facts import LooseReading
from onprem_csms.db.engine import history
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import ConnectorStatus, NewCharger, StatusChange
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.settings import SiteSettings
from onprem_csms.events import Bus
from onprem_csms.ocpp.endpoint.options import Options
from onprem_csms.ocpp.link.stations import Stations
from onprem_csms.rfid.station import Readers
from onprem_csms.services.chargers import inventory
from onprem_csms.services.charging import presence, reservations, review
from onprem_csms.services.charging.reservations import NewReservation
from onprem_csms.services.core.context import Context
from onprem_csms.services.site import history_keeping, housekeeping
from onprem_csms.services.site.history_keeping import HISTORIES
from onprem_csms.services.site.housekeeping import Housekeeper
from tests.services.conftest import BEGIN, House

UID = "04AABBCCDD"
# Bounded by what keeps them, besides those of ``history_keeping``.
BOUNDED = {
    "packs": "raw messages: days and megabytes",
    "charger_packs": "raw messages: days and megabytes",
    "facts": "the sessions that run, and at most so many rows (db/charging/facts.py)",
    "logins": "they end",
    "tries": "10,000 places",
    "connection_attempts": "500 identities",
    "reservations": "history_days after they have ended",
}
# As large as the site is: a row for each thing that somebody has, made or set.
AS_THE_SITE = {
    "meta": "a few names",
    "operators": "people who work here",
    "api_keys": "made by an admin",
    "currencies": "those in use",
    "tariffs": "made by an admin",
    "tariff_versions": "what a session was priced by must stay",
    "tariff_assignments": "made by an admin",
    "chargers": "accepted by an admin",
    "connectors": "places of chargers, bounded for each",
    "learned": "a row for each connector, or charger, and what was learned of it",
    "quirks": "a row for each charger and kind",
    "variables": "a row for each variable of a charger, written over",
    "desired_settings": "a row for each variable that the site wants",
    "charging_profiles": "made by an operator",
    "profiles_in_force": "a row for each charger and profile",
    "people": "made at the desk",
    "account_kinds": "a fixed list",
    "accounts": "a row for each kind and currency",
    "wallets": "a row for each holder of money",
    "card_kinds": "a fixed list",
    "card_statuses": "a fixed list",
    "cards": "issued at the desk",
    "entry_kinds": "a fixed list",
}
# Money, and what proves it: kept for good.
PROOF = {
    "entries": "the ledger",
    "holds": "what was set aside for which session",
    "orders": "what a driver ordered and was given back",
    "sessions": "what was sold",
    "corrections": "what a person decided of a session, and why",
    "curves": "what a session's bill is counted from",
    "signed_readings": "the meter's own proof",
    "audit": "who did what; tries of passwords are bounded before they are written down",
}


@pytest.fixture
def ctx(house: House) -> Context:
    """What the housekeeper is given."""
    bus = Bus()
    return Context(
        house.store, bus, house.clock, SiteSettings(), Stations(Options()), Readers((), bus, house.clock)
    )


def tables(tx: Tx) -> set[str]:
    found = tx.all(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    )
    return {row[0] for row in found}


async def test_every_table_is_bounded_or_kept_for_a_reason(house: House) -> None:
    ways = [{one.table for one in HISTORIES}, set(BOUNDED), set(AS_THE_SITE), set(PROOF)]
    assert await house.store.read(tables) == set().union(*ways)
    assert sum(map(len, ways)) == len(set().union(*ways)), "each in one way"


async def test_the_way_to_what_is_old_is_by_the_row_and_no_table_is_walked_through(house: House) -> None:
    def plans(tx: Tx) -> list[str]:
        select = "EXPLAIN QUERY PLAN SELECT rowid FROM {} WHERE rowid > 5 ORDER BY rowid"
        return [str(row[3]) for one in HISTORIES for row in tx.all(select.format(one.table))]

    for plan in await house.store.read(plans):
        assert re.match(r"SEARCH \w+ USING INTEGER PRIMARY KEY", plan), plan


def a_day(tx: Tx, charger_id: str) -> None:
    """What a day leaves of a charger besides sessions."""
    interval = presence.connected(tx, charger_id, "ocpp1.6", "10.0.0.1")
    shown: tuple[ConnectorStatus, ...] = ("charging", "available")
    for status in shown:
        change = StatusChange(charger_id, Place(0, 1), status, tx.now)
        presence.status_changed(tx, change)
    presence.noticed(tx, charger_id, "firmware", {"status": "Installed"})
    order = command_rows.NewCommand(charger_id, "Reset", "{}", "")
    command_id = command_rows.insert(tx, order)
    command_rows.ended(tx, command_id, "answered", "{}")
    fact_rows.insert_loose(tx, [LooseReading(charger_id, 0, 1, int(tx.now.timestamp() * 1000), 5, None)])
    presence.disconnected(tx, charger_id, interval, "lost")


def counts(tx: Tx) -> dict[str, int]:
    names = [one.table for one in HISTORIES] + ["reservations"]
    return {name: int(tx.value(f"SELECT count(*) FROM {name}")) for name in names}  # noqa: S608


async def test_what_is_old_is_forgotten_and_what_is_newer_or_money_stays(house: House, ctx: Context) -> None:
    wallet_id = await house.prepaid_card(UID, 5_000)
    started = await house.start(UID, meter=1_000)
    house.later(3_600)
    await house.stop(started, 8_000)
    await house.start("DEADBEEF", "CP2")
    for item in await house.store.read(review.find):
        await house.do(review.resolve, item.id, "seen")
    reservation = NewReservation("CP1", 7, Place(0, 1), UID, house.clock.at + timedelta(minutes=10))
    await house.do(reservations.made, reservation)
    house.later(3_600)
    await house.do(reservations.expire)
    await house.do(a_day, "CP1")
    await Housekeeper(ctx).tick()
    before = await house.store.read(counts)
    house.later(399 * 86_400)
    assert await history_keeping.keep(ctx) == 0
    house.later(2 * 86_400)
    await house.do(a_day, "CP1")
    assert await history_keeping.keep(ctx) > 0
    after = await house.store.read(counts)
    # The first "charging" is forgotten; the "available" after it ended only now.
    assert (before.pop("status_intervals"), after.pop("status_intervals")) == (2, 3)
    assert all(left <= before[name] for name, left in after.items()), after
    assert (after["commands"], after["notices"], after["connection_intervals"], after["loose_readings"]) == (
        (1,) * 4
    )
    assert (after["reservations"], after["process_intervals"]) == (0, 0)
    assert (await house.session(started.session_id)).cost == 1_343
    assert (await house.wallet(wallet_id)).balance == 5_000 - 1_343
    assert await house.faults() == []


async def test_retention_keeps_up_with_five_thousand_chargers_in_short_writes(
    house: House, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = to_text(BEGIN)

    def years_of_statuses(tx: Tx) -> None:
        # What 5,000 connectors show since then has not ended; before and after it stands what has.
        for number in range(5_000):
            intervals.begin_status(tx, (f"C{number}", 0, 1), "available", "", at)
        for number in range(20_000):
            interval = intervals.begin_status(tx, (f"C{number % 5_000}", 0, 2), "charging", "", at)
            intervals.end_status(tx, interval, at)

    await house.do(years_of_statuses)
    house.later(401 * 86_400)
    largest = 0
    forget = history.forget

    def watched(tx: Tx, kept: history.History, rows: tuple[int, ...]) -> None:
        nonlocal largest
        largest = max(largest, len(rows))
        forget(tx, kept, rows)

    monkeypatch.setattr(history, "forget", watched)
    assert await history_keeping.keep(ctx) == 20_000
    assert 0 < largest <= 500
    assert (await house.store.read(counts))["status_intervals"] == 5_000
    assert await history_keeping.keep(ctx) == 0


async def test_readings_of_a_charger_whose_clock_is_years_ahead_are_bounded_too(
    house: House, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def readings(tx: Tx) -> None:
        fact_rows.insert_loose(tx, [LooseReading("CP1", 0, 1, 2**42 + n, n, None) for n in range(1_200)])

    await house.do(readings)
    bounded = fact_rows.LOOSE._replace(most=1_000)
    monkeypatch.setattr(history_keeping, "HISTORIES", (bounded,))
    assert await history_keeping.keep(ctx) == 200
    assert charger_rows.NOTICES.most is not None


async def test_nothing_is_forgotten_on_the_day_of_a_start_that_finds_the_last_one_long_ago(
    house: House, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.do(inventory.create, NewCharger("CP77", security_profile=0))
    await Housekeeper(ctx).tick()
    await house.do(a_day, "CP77")
    before = await house.store.read(counts)
    # Ten years on: the machine was in a cellar, or its clock is wrong.
    house.later(3_650 * 86_400)
    keeper = Housekeeper(ctx)
    await keeper.tick()
    assert (await house.store.read(counts))["notices"] == before["notices"]
    seconds = time.monotonic()
    monkeypatch.setattr(housekeeping, "monotonic", lambda: seconds + 86_401)
    await keeper.tick()
    assert (await house.store.read(counts))["notices"] == 0
