"""Every decoder gives, for any input in pieces of any size, the same sights and never an exception."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onprem_csms.domain.cards.numbers import NUMBER_FORMATS, canonical_uid
from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.rfid.reader import Debounce, ReaderFault, Tap
from onprem_csms.rfid.registry import DECODERS, faults

EM4100 = bytes.fromhex("02363245333038364345443038 03")
STX = bytes.fromhex("020A0206008E6D5DB003")
TWN4 = b"00018020048A4CB512\r"

# Pieces of real traffic among noise, so that the search meets more than refusals.
traffic = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [EM4100, STX, TWN4, STX[:5], b"0000\r", b"8A4CB512\r\n", b"\x02\x0a", b"A" * 70, b"\r", b"\n"]
        ),
    ),
    max_size=12,
).map(b"".join)
every_decoder = pytest.mark.parametrize("name", DECODERS)


def decoder(name, number_format="hex"):
    return DECODERS[name].make(ReaderConfig("desk", "/dev/reader", decoder=name, number_format=number_format))


def read(name, data, number_format="hex"):
    return decoder(name, number_format).feed(data)


def taps(sights):
    return [sight.uid for sight in sights if isinstance(sight, Tap)]


def complaint(sights):
    (fault,) = sights
    assert isinstance(fault, ReaderFault)
    return fault.sentence


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r\n"])
def test_a_line_is_a_card_however_it_ends(end):
    assert read("line", b"8a4cb512" + end + b"046E51C2B33480" + end) == [
        Tap("8A4CB512"),
        Tap("046E51C2B33480"),
    ]


def test_a_line_is_no_card_before_it_ended():
    line = decoder("line")
    assert line.feed(b"8A4CB512") == []
    assert line.feed(b"\r") == [Tap("8A4CB512")]


def test_empty_lines_and_blanks_around_a_number_are_passed_over():
    assert read("line", b"\r\n \t\r\n  8A 4C B5 12 \r\n\r\n") == [Tap("8A4CB512")]


@pytest.mark.parametrize(
    "number_format, line",
    [
        ("hex", b"529D06E3\r"),
        ("hex-reversed", b"E3069D52\r"),
        ("decimal", b"1386022627\r"),
        ("decimal-reversed", b"3808861522\r"),
    ],
)
def test_the_same_card_is_the_same_number_in_every_format_of_a_line_reader(number_format, line):
    assert read("line", line, number_format) == [Tap("529D06E3")]


@pytest.mark.parametrize(
    "line, word",
    [
        (b"087D6B96\r", "makes up a new number"),
        (b"88046E51B3\r", "Only a part"),
        (b"8A4CB51\r", "odd"),
        (b"hello\r", "digits 0 to 9"),
        (b"\xfe\x80\x1f\r", "decoder and its speed"),
        (b"8A4C\x00B512\r", "decoder and its speed"),
    ],
)
def test_a_line_that_is_no_card_to_issue_says_why(line, word):
    assert word in complaint(read("line", line))


def test_an_endless_line_is_complained_about_once_and_the_next_line_is_read():
    line = decoder("line")
    complaints = [sight for _ in range(1000) for sight in line.feed(b"A" * 100)]
    assert "decoder and its speed" in complaint(complaints)
    assert line.feed(b"8A4CB512\r8A4CB512\r") == [Tap("8A4CB512")]


def test_an_em4100_packet_is_a_card():
    assert read("em4100", EM4100) == [Tap("62E3086CED")]


@pytest.mark.parametrize("number", ["0102B0A5FD", "01026F6C3A", "06008E6D5D", "8800000001", "0812345678"])
def test_every_em4100_number_is_good_whatever_it_begins_with(number):
    check = 0
    for byte in bytes.fromhex(number):
        check ^= byte
    assert read("em4100", f"\x02{number}{check:02x}\x03".encode()) == [Tap(number)]


def test_an_em4100_packet_with_a_wrong_digit_is_refused_and_the_next_one_read():
    damaged = EM4100.replace(b"62E3", b"62E4")
    assert "damaged" in complaint(read("em4100", damaged))
    assert taps(read("em4100", damaged + EM4100)) == ["62E3086CED"]


def test_a_broken_off_em4100_packet_does_not_spoil_the_next_one():
    assert read("em4100", EM4100[:7] + EM4100 + b"\r\n" + EM4100) == [Tap("62E3086CED")] * 2


def test_an_stx_packet_is_a_card():
    assert read("stx", STX) == [Tap("06008E6D5D")]


def test_an_stx_packet_is_found_among_noise_that_looks_like_a_beginning():
    for noise in (b"\x00\xff", b"\x02", b"\x02\x0a", STX[:6], b"\x02\x09\x02"):
        assert taps(read("stx", noise + STX + STX)) == ["06008E6D5D"] * 2


def test_an_stx_packet_inside_what_looked_like_a_longer_one_is_read():
    assert taps(read("stx", b"\x02\x0c" + STX)) == ["06008E6D5D"]


def test_an_stx_packet_with_a_wrong_check_byte_is_refused():
    assert "damaged" in complaint(read("stx", STX.replace(b"\xb0", b"\xb1")))


@pytest.mark.parametrize(
    "answer, seen",
    [
        (b"00018020048A4CB512\r", ["8A4CB512"]),
        (b"000180380704A1B2C3D4E580\r", ["04A1B2C3D4E580"]),
        (b"0000\r", []),
    ],
)
def test_a_twn4_answer_is_a_card_or_an_empty_field(answer, seen):
    sights = read("twn4", answer)
    assert sights == [Tap(uid) for uid in seen]


@pytest.mark.parametrize(
    "answer", [b"01\r", b"0001\r", b"00018020058A4CB512\r", b"zz\r", b"0002\r", b"A" * 70]
)
def test_a_twn4_answer_that_makes_no_sense_is_complained_about(answer):
    assert "decoder and its speed" in complaint(read("twn4", answer))


@every_decoder
@given(
    data=traffic,
    cuts=st.lists(st.integers(0, 200), max_size=6),
    number_format=st.sampled_from(NUMBER_FORMATS),
)
@example(data=STX[:6] + STX, cuts=[], number_format="hex")
def test_pieces_of_any_size_give_what_the_whole_gives(name, data, cuts, number_format):
    whole = read(name, data, number_format)
    single, cut = decoder(name, number_format), decoder(name, number_format)
    assert [sight for at in range(len(data)) for sight in single.feed(data[at : at + 1])] == whole
    edges = [0, *sorted(min(at, len(data)) for at in cuts), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(edges)]
    assert [sight for piece in pieces for sight in cut.feed(piece)] == whole
    assert all(canonical_uid(uid) == uid for uid in taps(whole))


@every_decoder
@given(noise=st.binary(max_size=300))
def test_after_any_noise_a_card_tapped_three_times_is_read(name, noise):
    card = {"line": b"\r8A4CB512\r", "em4100": EM4100, "stx": STX, "twn4": b"\r" + TWN4}[name]
    number = {"line": "8A4CB512", "em4100": "62E3086CED", "stx": "06008E6D5D", "twn4": "8A4CB512"}[name]
    assert number in taps(read(name, noise + 3 * card))


def test_a_card_that_is_held_over_the_reader_is_one_tap():
    held = Debounce(1.5)
    sights = [held.is_new(Tap("8A4CB512"), at) for at in (0.0, 1.0, 2.0, 3.4, 4.9)]
    assert sights == [True, False, False, False, True]


def test_another_card_is_a_tap_at_once_and_each_is_held_for_itself():
    held = Debounce(1.5)
    order = [("A", 0.0), ("B", 0.2), ("A", 0.4), ("B", 0.6), ("A", 2.0)]
    assert [held.is_new(Tap(uid), at) for uid, at in order] == [True, True, False, False, True]


def test_noise_of_ever_new_numbers_is_not_remembered_for_ever():
    held = Debounce(1.5)
    assert all(held.is_new(Tap(str(number)), 0.0) for number in range(1000))
    assert len(held._sights) <= 8


def test_every_fault_of_the_readers_tables_is_told_at_once_with_its_path():
    good = ReaderConfig("desk", "/dev/ttyUSB0")
    octal: Any = "octal"
    bad = ReaderConfig("Desk 2", "COM1", decoder="pn533", baud=3, number_format=octal)
    paths = [path for path, _ in faults([good, bad, good])]
    assert paths == [
        "readers.2.id",
        "readers.2.port",
        "readers.2.decoder",
        "readers.2.baud",
        "readers.2.number_format",
        "readers.3.id",
        "readers.3.port",
    ]
    assert faults([good]) == []
