from datetime import UTC, datetime

import pytest

from onprem_csms.errors import Conflict, Invalid
from onprem_csms.web.forms import Form


def test_every_fault_is_found_in_one_run():
    form = Form({"name": " ", "number": "x", "amount": "much", "kind": "other", "at": "soon"})
    form.text("name")
    form.integer("number")
    form.amount("amount", "HUF")
    form.choice("kind", ("a", "b"))
    form.moment("at", "Europe/Budapest")
    with pytest.raises(Invalid):
        form.check()
    assert set(form.faults) == {"name", "number", "amount", "kind", "at"}


def test_values_come_typed():
    form = Form(
        {
            "name": " Ági ",
            "number": "7",
            "amount": "5 000 Ft",
            "price": "12,5",
            "at": "2026-07-01T12:00",
            "on": "1",
        }
    )
    assert form.text("name") == "Ági"
    assert form.integer("number", 1, 10) == 7
    assert form.amount("amount", "HUF") == 5000
    assert form.decimal("price") == "12.5"
    assert form.moment("at", "Europe/Budapest") == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert form.flag("on")
    assert not form.flag("off")
    form.check()


@pytest.mark.parametrize("text", ["1/3", "1e9", "nan", "inf", "--1", "1.2.3", "٣"])
def test_only_plain_decimals_are_numbers(text: str):
    form = Form({"price": text})
    form.decimal("price")
    assert "price" in form.faults


def test_what_a_service_refuses_goes_to_its_field():
    form = Form({"uid": "04"})
    form.refuse(Conflict("This card is already issued.", path="uid"), 409)
    assert form.status == 409
    assert str(form.faults["uid"]) == "This card is already issued."
    assert form.shown("uid") == "04"
