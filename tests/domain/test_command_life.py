"""A command goes from wanted to one ending, and from no ending anywhere."""

from typing import get_args

import pytest

from onprem_csms.domain.chargers.command_life import LIFE, Ending, after


def test_a_command_is_sent_and_answered() -> None:
    assert after(after("wanted", "sent"), "answered") == "answered"


def test_what_was_sent_is_not_superseded() -> None:
    with pytest.raises(RuntimeError, match="sent can't become superseded"):
        after("sent", "superseded")


def test_an_ending_is_final() -> None:
    for ending in get_args(Ending):
        for step in ("sent", *get_args(Ending)):
            with pytest.raises(RuntimeError):
                after(ending, step)


def test_every_ending_can_be_reached_and_every_step_ends_where_it_says() -> None:
    assert set(LIFE.values()) == {"sent", *get_args(Ending)}
    assert all(step == to for (_, step), to in LIFE.items())
