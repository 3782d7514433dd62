"""One call of ours is open at a time; the rest waits, and what nobody waits for is dropped."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.errors import Conflict
from onprem_csms.ocpp.rpc.turns import TABLE, Turns


@dataclass(frozen=True)
class Wish:
    id: str


def test_the_first_call_goes_out_and_the_second_waits_for_its_answer() -> None:
    turns: Turns[Wish] = Turns(longest=2)
    assert turns.want(Wish("a")) == Wish("a")
    assert turns.want(Wish("b")) is None
    assert turns.next() is None
    assert turns.answer("a") == Wish("a")
    assert turns.next() == Wish("b")
    assert turns.answer("b") == Wish("b")
    assert turns.idle


def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    turns: Turns[Wish] = Turns(longest=2)
    assert turns.answer("never") is None
    turns.want(Wish("a"))
    assert turns.answer("b") is None
    assert turns.answer("") is None
    assert turns.answer("a") == Wish("a")
    assert turns.answer("a") is None


def test_after_a_call_is_given_up_its_late_answer_is_dropped_and_the_next_goes_out() -> None:
    turns: Turns[Wish] = Turns(longest=2)
    turns.want(Wish("a"))
    turns.want(Wish("b"))
    assert turns.late() == Wish("a")
    assert turns.late() is None
    assert turns.next() == Wish("b")
    assert turns.answer("a") is None
    assert turns.answer("b") == Wish("b")


def test_a_full_line_refuses() -> None:
    turns: Turns[Wish] = Turns(longest=1)
    turns.want(Wish("a"))
    turns.want(Wish("b"))
    with pytest.raises(Conflict):
        turns.want(Wish("c"))
    assert turns.answer("a") == Wish("a")


def test_the_end_gives_back_every_call_and_takes_no_more() -> None:
    turns: Turns[Wish] = Turns(longest=5)
    for name in "abc":
        turns.want(Wish(name))
    assert turns.close() == [Wish("a"), Wish("b"), Wish("c")]
    assert turns.close() == []
    assert turns.answer("a") is None
    with pytest.raises(Conflict):
        turns.want(Wish("d"))


def test_an_event_that_cannot_happen_names_event_and_state() -> None:
    turns: Turns[Wish] = Turns(longest=1)
    with pytest.raises(RuntimeError, match="'answer' can't happen in the state 'free'"):
        turns._step("answer")
    assert ("free", "answer") not in TABLE


@given(st.lists(st.sampled_from(["want", "answer", "stray", "late", "next", "close"]), max_size=60))
def test_whatever_happens_one_call_is_open_at_most_and_each_ends_once(steps: list[str]) -> None:
    turns: Turns[Wish] = Turns(longest=3)
    handed_in, sent, ended = [], [], []
    for number, step in enumerate(steps):
        out = done = None
        if step == "want":
            try:
                out = turns.want(Wish(str(number)))
                handed_in.append(Wish(str(number)))
            except Conflict:
                continue
        elif step == "answer" and turns.current is not None:
            done = turns.answer(turns.current.id)
        elif step == "stray":
            assert turns.answer("stray") is None
        elif step == "late":
            done = turns.late()
        elif step == "next":
            out = turns.next()
        elif step == "close":
            ended.extend(turns.close())
        sent += [out] if out else []
        ended += [done] if done else []
        open_now = [wish for wish in sent if wish not in ended]
        assert len(open_now) <= 1
        assert (turns.current in open_now) if open_now else turns.current is None
    ended.extend(turns.close())
    assert sorted(ended, key=lambda wish: int(wish.id)) == handed_in
