"""A desk station with a real serial line (a pseudo-terminal) that comes, goes and sends what it likes."""

import asyncio
import os
import time
from pathlib import Path

import pytest
import serial

from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.rfid.serial_port import Pace

OPEN_FILES = Path("/proc/self/fd")


def devices_open() -> list[str]:
    """The pseudo-terminals' reader side that this process holds open."""
    links = []
    for entry in OPEN_FILES.iterdir():
        try:
            links.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return [link for link in links if link.startswith("/dev/pts/")]


async def test_a_reader_that_is_not_there_is_absent_and_says_so(desk):
    state = desk.state()
    assert (state.id, state.name, state.decoder, state.state) == ("desk", "Front desk", "line", "absent")
    assert "not plugged in" in state.detail
    assert desk.readers.last_tap("desk") is None
    assert desk.readers.last_tap("nowhere") is None


async def test_a_reader_plugged_in_later_is_found_and_its_card_shown(desk, plug):
    plug.plug()
    state = await desk.until_state("connected")
    assert state.detail == ""
    plug.send(b"046e51c2b33480\r\n")
    tap = await desk.tap()
    assert (tap.station_id, tap.number, tap.uid, tap.refusal) == ("desk", 1, "046E51C2B33480", "")
    assert tap.at.isoformat() == "2026-11-22T07:00:00+00:00"


async def test_an_unplugged_reader_is_absent_and_works_again_when_plugged_in_again(desk, plug):
    for number in range(1, 6):
        plug.plug()
        await desk.until_state("connected")
        desk.seconds.at += 10
        plug.send(b"8A4CB512\r")
        assert (await desk.tap(number)).uid == "8A4CB512"
        plug.unplug()
        await desk.until_state("absent")


async def test_an_unplugged_reader_leaves_the_last_tap_on_the_desk(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    plug.send(b"8A4CB512\r")
    tap = await desk.tap()
    plug.unplug()
    await desk.until_state("absent")
    assert desk.readers.last_tap("desk") == tap


async def test_a_line_that_hangs_up_while_its_path_stays_is_an_error_until_it_is_back(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    other = os.openpty()
    target = plug.path.parent / "regular-file"
    target.write_text("")
    plug.path.unlink()
    plug.path.symlink_to(target)
    assert "no serial device" in (await desk.until_state("error")).detail or "lost" in desk.state().detail
    await desk.until(lambda: "no serial device" in desk.state().detail)
    plug.path.unlink()
    plug.path.symlink_to(os.ttyname(other[1]))
    await desk.until_state("connected")
    os.write(other[0], b"8A4CB512\r")
    assert (await desk.tap()).uid == "8A4CB512"
    for descriptor in other:
        os.close(descriptor)


async def test_a_path_that_leads_to_another_device_is_followed_even_without_a_hang_up(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    first, plug.master = plug.master, None
    plug.path.unlink()
    await desk.until_state("absent")
    plug.plug()
    await desk.until_state("connected")
    plug.send(b"8A4CB512\r")
    assert (await desk.tap()).uid == "8A4CB512"
    os.close(first)


async def test_a_device_that_another_program_uses_is_an_error_that_mends_itself(desk, plug):
    plug.plug()
    other = serial.Serial(str(plug.path), exclusive=True) if not devices_open() else None
    if other is None:
        pytest.skip("the desk was quicker")
    assert "Another program" in (await desk.until_state("error")).detail
    other.close()
    await desk.until_state("connected")


async def test_a_card_held_over_the_reader_is_one_tap_and_taken_away_and_back_two(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    plug.send(b"8A4CB512\r" * 20)
    first = await desk.tap()
    desk.seconds.at += 1.4
    plug.send(b"8A4CB512\r046E51C2B33480\r")
    second = await desk.tap(2)
    assert (first.number, second.number, second.uid) == (1, 2, "046E51C2B33480")
    desk.seconds.at += 1.6
    plug.send(b"046E51C2B33480\r")
    assert (await desk.tap(3)).uid == "046E51C2B33480"


async def test_half_a_number_before_a_pause_is_not_the_beginning_of_the_next(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    plug.send(b"8A4CB512\rAABB")
    await desk.tap()
    desk.seconds.at += 5
    plug.send(b"046E51C2B33480\r")
    assert (await desk.tap(2)).uid == "046E51C2B33480"


async def test_half_a_number_before_the_plug_was_drawn_is_forgotten(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    plug.send(b"8A4CB512\rAABB")
    await desk.tap()
    plug.unplug()
    await desk.until_state("absent")
    plug.plug()
    await desk.until_state("connected")
    plug.send(b"046E51C2B33480\r")
    assert (await desk.tap(2)).uid == "046E51C2B33480"


async def test_a_number_that_arrives_byte_by_byte_is_one_card(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    for byte in b"046E51C2B33480\r\n":
        plug.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await desk.tap()).uid == "046E51C2B33480"


async def test_a_refused_card_is_shown_with_its_sentence_and_no_number(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    plug.send(b"087D6B96\r")
    tap = await desk.tap()
    assert tap.uid is None
    assert "new number at each tap" in tap.refusal


async def test_noise_on_the_line_is_complained_about_and_the_next_card_read(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    plug.send(bytes(range(14, 256)) * 4 + b"\r")
    assert "decoder and its speed" in (await desk.tap()).refusal
    plug.send(b"8A4CB512\r")
    assert (await desk.tap(2)).uid == "8A4CB512"


async def test_two_readers_are_two_stations_and_one_absent_does_not_hold_up_the_other(plug, opened, tmp_path):
    missing = ReaderConfig("back", str(tmp_path / "not-there"))
    async with opened(missing, ReaderConfig("desk", str(plug.path))) as desk:
        plug.plug()
        await desk.until_state("connected")
        plug.send(b"8A4CB512\r")
        assert (await desk.tap()).station_id == "desk"
        assert [(state.id, state.name, state.state) for state in desk.readers.states()] == [
            ("back", "back", "absent"),
            ("desk", "desk", "connected"),
        ]
        assert desk.readers.last_tap("back") is None


async def test_a_reader_that_wants_asking_is_asked_until_a_card_is_there(plug, opened):
    async with opened(ReaderConfig("desk", str(plug.path), decoder="twn4")) as desk:
        plug.plug()
        await desk.until_state("connected")
        for answer in (b"0000\r", b"000180380704A1B2C3D4E580\r"):
            asked = await asyncio.to_thread(os.read, plug.master, 7)
            assert asked == b"0500FF\r"
            plug.send(answer)
        assert (await desk.tap()).uid == "04A1B2C3D4E580"


async def test_a_flood_from_one_reader_leaves_the_loop_to_the_others(desk, plug):
    plug.plug()
    await desk.until_state("connected")
    stop = asyncio.Event()

    def flood() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            plug.send(b"%016X\r" % (0x0400000000000000 + number))

    flooding = asyncio.create_task(asyncio.to_thread(flood))
    await desk.tap(1)
    waits = []
    for _ in range(200):
        before = time.perf_counter()
        await asyncio.sleep(0)
        waits.append(time.perf_counter() - before)
    stop.set()
    # The writer may be waiting for the reader: both end together.
    await flooding
    assert desk.readers.last_tap("desk").number > 200
    assert sorted(waits)[len(waits) // 2] < 0.05


async def test_closing_closes_the_device_and_can_be_done_twice(plug, opened):
    async with opened(ReaderConfig("desk", str(plug.path))) as desk:
        plug.plug()
        await desk.until_state("connected")
        assert len(devices_open()) == 1
        await desk.readers.close()
        assert devices_open() == []
        serial.Serial(str(plug.path), exclusive=True).close()


@pytest.mark.parametrize("step", range(12))
async def test_closing_at_any_moment_of_opening_leaves_no_device_open(plug, opened, step):
    plug.plug()
    async with opened(ReaderConfig("desk", str(plug.path)), pace=Pace(look_s=0.001)) as desk:
        for _ in range(step):
            await asyncio.sleep(0)
        await desk.readers.close()
        assert devices_open() == []


async def test_a_bug_in_a_decoder_is_shown_and_ends_neither_the_reader_nor_the_others(desk, plug, caplog):
    plug.plug()
    await desk.until_state("connected")

    def broken(_data):
        raise ZeroDivisionError

    desk.readers._stations["desk"]._decoder.feed = broken
    desk.seconds.at += 0.1
    plug.send(b"8A4CB512\r")
    await desk.until(lambda: caplog.records and "desk" in caplog.text and "ZeroDivisionError" in caplog.text)
