"""The rules of card numbers, on the vectors that were gathered from real cards, readers and chargers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.domain.cards.numbers import (
    NUMBER_FORMATS,
    canonical_uid,
    check_rule,
    desk_uid,
    from_keyboard,
    from_reader,
    learn_rule,
    matches,
    transform,
)
from onprem_csms.errors import Invalid

RULES = ("none", "reverse", "strip_zeros", "strip_bcc", *(f"first:{size}" for size in range(4, 10)))

uids = (
    st.integers(4, 10)
    .flatmap(lambda size: st.binary(min_size=size, max_size=size))
    .map(lambda b: b.hex().upper())
)


@pytest.mark.parametrize(
    "text, uid",
    [
        ("8a4cb512", "8A4CB512"),
        (" 046e51c2b33480\r\n", "046E51C2B33480"),
        ("free charging", "FREE CHARGING"),
        ("#FreeCharging", "#FREECHARGING"),
        ("x" * 36, "X" * 36),
    ],
)
def test_a_number_or_a_word_is_written_trimmed_and_in_upper_case(text, uid):
    assert canonical_uid(text) == uid


@pytest.mark.parametrize(
    "text", ["", "  \r\n", "x" * 37, "ß" * 19, "04\x0012", "04\x7f12", "04\ud80012", "a\nb"]
)
def test_what_is_empty_too_long_or_unprintable_is_no_number(text):
    with pytest.raises(Invalid) as refused:
        canonical_uid(text)
    assert refused.value.path == "uid"


@given(st.text(max_size=60))
def test_a_canonical_number_stays_as_it_is(text):
    try:
        uid = canonical_uid(text)
    except Invalid:
        return
    assert canonical_uid(uid) == canonical_uid(f" {uid}\t") == uid
    assert 1 <= len(uid) <= 36


@pytest.mark.parametrize(
    "text, uid",
    [
        ("8a4cb512", "8A4CB512"),
        ("62E3086CED", "62E3086CED"),
        ("046E51C2B33480", "046E51C2B33480"),
        ("04:6e:51:c2:b3:34:80", "046E51C2B33480"),
        ("04 6E 51 C2", "046E51C2"),
        ("04-6E-51-C2", "046E51C2"),
        ("01020304050607080910", "01020304050607080910"),
        ("0804030201", "0804030201"),  # five bytes: no random number
        ("88046E51B33480", "88046E51B33480"),  # seven bytes: no misread one
    ],
)
def test_the_desk_takes_the_numbers_of_real_cards(text, uid):
    assert desk_uid(text) == uid


@pytest.mark.parametrize(
    "text, word",
    [
        ("087D6B96", "makes up a new number"),
        ("88046E51", "Only a part"),
        ("88046E51B3", "Only a part"),
        ("046E51C2B3348", "odd number"),
        ("046E51", "too short"),
        ("046E51C2AB12", "lost a part"),
        ("046E51C2AB12345678", "lost a part"),
        ("0102030405060708091011", "too long"),
        ("FREE CHARGING", "digits 0 to 9"),
        ("0G6E51C2", "digits 0 to 9"),
        ("٠٤٦٧٨٩٠١", "digits 0 to 9"),
        ("04:6E-51:C2", "digits 0 to 9"),
        ("", "empty"),
    ],
)
def test_the_desk_refuses_with_a_sentence_that_says_why(text, word):
    with pytest.raises(Invalid, match=word):
        desk_uid(text)


@pytest.mark.parametrize(
    "text, number_format, uid",
    [
        ("1386022627", "decimal", "529D06E3"),
        ("3808861522", "decimal", "E3069D52"),
        ("3808861522", "decimal-reversed", "529D06E3"),
        ("1386022627", "decimal-reversed", "E3069D52"),
        ("0045131261", "decimal", "02B0A5FD"),
        ("45131261", "decimal", "02B0A5FD"),
        ("0004340098557", "decimal", "0102B0A5FD"),
        ("0004335823930", "decimal", "01026F6C3A"),
        ("0025779137885", "decimal", "06008E6D5D"),
        ("529D06E3", "decimal", "529D06E3"),
        ("529D06E3", "decimal-reversed", "529D06E3"),
        ("1386022627", "hex", "1386022627"),
        ("E3069D52", "hex-reversed", "529D06E3"),
        ("E3 06 9D 52", "hex-reversed", "529D06E3"),
    ],
)
def test_the_setting_of_the_reader_decides_what_its_digits_mean(text, number_format, uid):
    assert from_reader(text, number_format) == from_keyboard(text, number_format) == uid


@pytest.mark.parametrize("text", ["4294967296", "12345678901", "1099511627776", "9" * 13, "9" * 5000])
def test_a_decimal_number_beyond_the_bytes_of_a_card_is_refused(text):
    with pytest.raises(Invalid, match="decimal"):
        from_reader(text, "decimal")


def test_an_odd_number_of_digits_is_refused_in_either_order():
    for number_format in ("hex", "hex-reversed"):
        with pytest.raises(Invalid, match="odd"):
            from_reader("529D06E35", number_format)


def test_a_random_number_is_refused_in_every_format():
    with pytest.raises(Invalid, match="makes up a new number"):
        from_reader("966B7D08", "hex-reversed")
    with pytest.raises(Invalid, match="makes up a new number"):
        from_reader(str(0x087D6B96), "decimal")


def test_the_zero_of_a_hungarian_keyboard_is_a_zero():
    assert from_keyboard("ö46E51C2B3348ö\n") == "046E51C2B33480"
    assert from_keyboard("Ö46e51c2b3348Ö") == "046E51C2B33480"
    assert from_keyboard("öö45131261", "decimal") == "02B0A5FD"


@given(st.text(max_size=80), st.sampled_from(NUMBER_FORMATS))
def test_any_text_is_a_card_number_or_invalid(text, number_format):
    try:
        uid = from_keyboard(text, number_format)
    except Invalid as refused:
        # The desk shows the sentence as it stands: nothing may be left to fill in.
        if not refused.params:
            return
        raise
    assert desk_uid(uid) == canonical_uid(uid) == uid


@pytest.mark.parametrize(
    "charger, rule, card",
    [
        ("E3069D52", "reverse", "529D06E3"),
        ("047DAFBA7F823100", "strip_zeros", "047DAFBA7F8231"),  # KEBA
        ("8A4CB51200000000", "strip_zeros", "8A4CB512"),
        ("AABBCC0000000000", "strip_zeros", "AABBCC00"),
        ("DD17380AF8", "strip_bcc", "DD17380A"),
        ("4140436677", "decimal", "F6CA0CC5"),
        ("3305949942", "decimal-reversed", "F6CA0CC5"),
        ("046E51C2", "first:4", "046E51C2B33480"),  # DBT
        ("046E51C2B334", "first:6", "046E51C2B33480"),  # SmartEVSE
    ],
)
def test_a_charger_that_spells_numbers_its_own_way_means_the_same_card(charger, rule, card):
    assert matches(charger, card, rule)
    assert not matches(charger, card, "none")
    assert learn_rule(charger, card) == rule


@pytest.mark.parametrize(
    "uid, rule, rewritten",
    [
        ("046E51C2B33480", "none", "046E51C2B33480"),
        ("046E51C2B33480", "first:4", "046E51C2"),
        ("DD17380AF9", "strip_bcc", "DD17380AF9"),  # no check byte: an EM4100 number
        ("047DAFBA7F8231", "strip_zeros", "047DAFBA7F8231"),
        ("FREE CHARGING", "reverse", "FREE CHARGING"),
        ("ABC", "reverse", "ABC"),
    ],
)
def test_a_rule_leaves_alone_what_it_does_not_fit(uid, rule, rewritten):
    assert transform(uid, rule) == rewritten


def test_a_longer_number_that_merely_begins_alike_is_another_card():
    assert not matches("046E51C2FFFFFF", "046E51C2B33480", "first:4")
    assert not matches("046E51", "046E51C2B33480", "first:4")


@pytest.mark.parametrize("rule", ["", "first:", "first:3", "first:10", "first:0", "Reverse", "guess"])
def test_an_unknown_rule_is_refused(rule):
    with pytest.raises(Invalid):
        check_rule(rule)
    with pytest.raises(Invalid):
        transform("046E51C2", rule)


@given(uids, st.sampled_from(RULES))
def test_what_a_remote_start_gave_a_charger_always_comes_back_as_that_card(uid, rule):
    assert matches(uid, uid, rule)


@given(uids)
def test_reversing_twice_gives_the_number_back(uid):
    assert transform(transform(uid, "reverse"), "reverse") == uid


@given(st.text(max_size=36), uids)
def test_a_proposed_rule_fits_the_tap_that_it_was_learned_from(charger, card):
    rule = learn_rule(charger, card)
    assert rule is None or matches(charger, card, check_rule(rule))
