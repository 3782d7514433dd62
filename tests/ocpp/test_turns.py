"""One call of ours is open at a time; the rest waits, and what nobody waits for is dropped."""

from collections.abc import Hashable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.errors import Conflict
from onprem_csms.ocpp.rpc.turns import LANES, TABLE, Turns


@dataclass(frozen=True)
class Wish:
    id: str
    lane: str = "rest"
    replaces: Hashable = None
    deadline: float = 10


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
    assert turns.overdue(9.9) == []
    assert turns.overdue(10) == [Wish("a"), Wish("b")]
    assert turns.overdue(10) == []
    turns.want(Wish("a", deadline=10))
    turns.want(Wish("b", deadline=20))
    assert turns.overdue(10) == [Wish("a")]
    assert turns.next() == Wish("b", deadline=20)
    assert turns.answer("a") is None
    assert turns.answer("b") == Wish("b", deadline=20)


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


def test_a_stop_overtakes_a_limit_and_a_limit_overtakes_the_rest() -> None:
    turns: Turns[Wish] = Turns(longest=5)
    turns.want(Wish("sent"))
    for name, lane in [
        ("r1", "rest"),
        ("l1", "limit"),
        ("s1", "stop"),
        ("r2", "rest"),
        ("l2", "limit"),
        ("s2", "stop"),
    ]:
        assert turns.want(Wish(name, lane)) is None
    turns.answer("sent")
    order = []
    while (following := turns.next()) is not None:
        order.append(following.id)
        turns.answer(following.id)
    assert order == ["s1", "s2", "l1", "l2", "r1", "r2"]


def test_a_lane_that_is_full_keeps_no_stop_out() -> None:
    turns: Turns[Wish] = Turns(longest=1)
    turns.want(Wish("sent"))
    turns.want(Wish("rest"))
    assert turns.want(Wish("stop", "stop")) is None
    turns.answer("sent")
    assert turns.next() == Wish("stop", "stop")


def test_of_limits_that_wait_for_one_place_only_the_newest_is_sent() -> None:
    turns: Turns[Wish] = Turns(longest=5)
    first, other, second = Wish("1", "limit", "A"), Wish("o", "limit", "B"), Wish("2", "limit", "A")
    turns.want(Wish("sent"))
    for wish, replaced in ((first, None), (other, None), (second, first)):
        assert turns.supersede(wish) == replaced
        turns.want(wish)
    turns.answer("sent")
    assert turns.next() == other
    turns.answer("o")
    assert turns.next() == second
    assert turns.supersede(Wish("3", "limit", "A")) is None, "what was sent is not taken back"


def test_an_event_that_cannot_happen_names_event_and_state() -> None:
    turns: Turns[Wish] = Turns(longest=1)
    with pytest.raises(RuntimeError, match="'answer' can't happen in the state 'free'"):
        turns._step("answer")
    assert ("free", "answer") not in TABLE


STEPS = st.tuples(
    st.sampled_from(["want", "answer", "stray", "late", "next", "close"]),
    st.sampled_from(LANES),
    st.sampled_from([None, "A", "B"]),
)


@given(st.lists(STEPS, max_size=60))
def test_whatever_happens_one_call_is_open_at_most_and_each_ends_once(
    steps: list[tuple[str, str, Hashable]],
) -> None:
    turns: Turns[Wish] = Turns(longest=3)
    handed_in, sent, ended = [], [], []
    for number, (step, lane, replaces) in enumerate(steps):
        out, done = None, []
        if step == "want":
            wish = Wish(str(number), lane, replaces, deadline=number + 10)
            older = turns.supersede(wish)
            ended += [older] if older else []
            try:
                out = turns.want(wish)
                handed_in.append(wish)
            except Conflict:
                continue
        elif step == "answer" and turns.current is not None:
            answered = turns.answer(turns.current.id)
            done = [answered] if answered else []
        elif step == "stray":
            assert turns.answer("stray") is None
        elif step == "late":
            done = turns.overdue(number)
        elif step == "next":
            out = turns.next()
        elif step == "close":
            done = turns.close()
        sent += [out] if out else []
        ended += done
        open_now = [wish for wish in sent if wish not in ended]
        assert len(open_now) <= 1
        assert (turns.current in open_now) if open_now else turns.current is None
    ended.extend(turns.close())
    assert sorted(ended, key=lambda wish: int(wish.id)) == handed_in
