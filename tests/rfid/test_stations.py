"""A desk station with a real serial line (a pseudo-terminal) that comes, goes and sends what it likes."""

import asyncio
import os
from pathlib import Path

import pytest
import serial

from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.rfid.reader import Sight
from onprem_csms.rfid.serial_port import Pace, _open_now


def times_open(device: Path) -> int:
    """How often this process holds a device open."""
    real = device.resolve()
    return sum(link.resolve() == real for link in Path("/proc/self/fd").iterdir())


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


async def test_a_path_that_leads_to_no_serial_device_is_an_error_until_it_does(plug, opened):
    plug.path.write_text("a file")
    async with opened(ReaderConfig("desk", str(plug.path))) as desk:
        assert "no serial device" in (await desk.until_state("error")).detail
        plug.path.unlink()
        plug.path.symlink_to("/dev/null")
        assert "no serial device" in (await desk.until_state("error")).detail
        plug.path.unlink()
        plug.plug()
        await desk.until_state("connected")


async def test_a_drawn_plug_is_noticed_at_once_and_not_at_the_next_look(plug, opened):
    plug.plug()
    async with opened(ReaderConfig("desk", str(plug.path)), pace=Pace(look_s=3600)) as desk:
        await desk.until_state("connected")
        plug.unplug()
        await desk.until_state("absent")


def test_reading_a_silent_line_is_no_hang_up(plug):
    plug.plug()
    with _open_now(plug.path, 9600) as port, pytest.raises(BlockingIOError):
        os.read(port.fileno(), 1)


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


async def test_a_device_that_another_program_uses_is_an_error_that_mends_itself(plug, opened):
    plug.plug()
    other = serial.Serial(str(plug.path), exclusive=True)
    async with opened(ReaderConfig("desk", str(plug.path))) as desk:
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
    lines = [b"%016X\r" % (0x0400000000000000 + number) for number in range(3000)]
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(other())
    flood = asyncio.create_task(asyncio.to_thread(lambda: [plug.send(line) for line in lines]))
    assert (await desk.tap(len(lines))).uid == "0400000000000BB7"
    others.cancel()
    await flood
    # One piece is at most a kilobyte, and after each the others have their turn.
    assert turns > len(b"".join(lines)) // 1024


async def test_closing_closes_the_device_and_can_be_done_twice(plug, opened):
    async with opened(ReaderConfig("desk", str(plug.path))) as desk:
        plug.plug()
        await desk.until_state("connected")
        assert times_open(plug.path) == 1
        await desk.readers.close()
        assert times_open(plug.path) == 0


@pytest.mark.parametrize("step", range(12))
async def test_closing_at_any_moment_of_opening_leaves_no_device_open(plug, opened, step):
    plug.plug()
    async with opened(ReaderConfig("desk", str(plug.path)), pace=Pace(look_s=0.001)) as desk:
        for _ in range(step):
            await asyncio.sleep(0)
        await desk.readers.close()
        assert times_open(plug.path) == 0


async def test_a_bug_in_a_decoder_is_logged_and_shown_and_the_reader_comes_back(desk, plug, caplog):
    plug.plug()
    await desk.until_state("connected")

    def broken(_data: bytes) -> list[Sight]:
        raise ZeroDivisionError

    # As after bytes that came just now: a pause would begin with a new decoder.
    desk.readers._stations["desk"]._heard_at = desk.seconds.at
    desk.readers._stations["desk"]._decoder.feed = broken
    plug.send(b"8A4CB512\r")
    assert "internal error" in (await desk.until_state("error")).detail
    assert "ZeroDivisionError" in caplog.text
    await desk.until_state("connected")
    plug.send(b"8A4CB512\r")
    assert (await desk.tap()).uid == "8A4CB512"
