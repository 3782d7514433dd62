"""What is slightly wrong in a payload is put right; what it means never changes on the way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.ocpp.rpc import schemas
from onprem_csms.ocpp.rpc.repair import repair
from onprem_csms.ocpp.versions import V16


def mend(action: str, payload: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    return repair(payload, schemas.incoming("v16", action).document)


START = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-11-22T07:00:00Z"}


@pytest.mark.parametrize(
    "change,expected,quirk",
    [
        ({"extra": 1}, {}, "extra_property"),
        ({"connectorId": "1"}, {"connectorId": 1}, "text_for_number"),
        ({"meterStart": 12.0}, {"meterStart": 12}, "fraction"),
        ({"meterStart": "12,7"}, {"meterStart": 13}, "fraction"),
        ({"meterStart": " 1 000 "}, {"meterStart": 1000}, "text_for_number"),
        ({"idTag": 1234}, {"idTag": "1234"}, "number_for_text"),
        ({"idTag": "A" * 30}, {"idTag": "A" * 30}, "too_long"),
        ({"reservationId": None}, {}, "null"),
        ({"reservationId": {}}, {}, "wrong_type"),
        ({"reservationId": True}, {}, "wrong_type"),
        ({"reservationId": "9" * 400}, {}, "wrong_type"),
        ({"reservationId": "nan"}, {}, "wrong_type"),
    ],
)
def test_a_start_is_put_right(change: dict[str, Any], expected: dict[str, Any], quirk: str) -> None:
    mended, quirks = mend("StartTransaction", START | change)
    assert mended == START | expected
    assert quirk in quirks


def test_names_in_another_case_or_with_underscores_are_known() -> None:
    mended, quirks = mend(
        "StartTransaction", {"ConnectorID": 1, "id_tag": "A", "meterstart": 3, "timestamp": "t"}
    )
    assert mended == {"connectorId": 1, "idTag": "A", "meterStart": 3, "timestamp": "t"}
    assert quirks == ("wrong_case",)


def test_a_second_spelling_never_replaces_the_right_one() -> None:
    mended, quirks = mend("StartTransaction", {"IDTAG": "B", **START})
    assert mended == START
    assert quirks == ("extra_property",)


def test_a_meter_value_that_is_no_list_becomes_one() -> None:
    value = {"timestamp": "t", "sampledValue": {"value": 5, "unit": "wh", "measurand": "Nonsense"}}
    mended, quirks = mend("MeterValues", {"connectorId": 1, "meterValue": value})
    sample = {"value": "5", "unit": "Wh", "measurand": "Nonsense"}
    assert mended == {"connectorId": 1, "meterValue": [{"timestamp": "t", "sampledValue": [sample]}]}
    assert set(quirks) == {"not_a_list", "number_for_text", "wrong_case", "unknown_word"}


def test_an_unknown_measurand_stays_so_that_it_is_never_taken_for_the_default() -> None:
    samples = [{"value": "5", "measurand": "Energy.Strange"}]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "t", "sampledValue": samples}]}
    mended, quirks = mend("MeterValues", payload)
    assert mended == payload
    assert quirks == ("unknown_word",)


def test_words_of_other_makers_become_those_of_the_standard() -> None:
    status = {"connectorId": 1, "errorCode": "Error", "status": "available"}
    assert mend("StatusNotification", status)[0] == {
        "connectorId": 1,
        "errorCode": "OtherError",
        "status": "Available",
    }


def test_schemas_that_refer_to_definitions_are_followed() -> None:
    mended, quirks = mend("LogStatusNotification", {"status": "uploaded", "requestId": "5"})
    assert mended == {"status": "Uploaded", "requestId": 5}
    assert set(quirks) == {"wrong_case", "text_for_number"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    ["connectorId", "idTag", "meterStart", "meterStop", "timestamp", "transactionId", "meterValue", "status"]
)


@given(
    st.sampled_from(sorted(V16.actions)), st.dictionaries(names | st.text(max_size=5), anything, max_size=6)
)
def test_what_is_mended_breaks_its_schema_only_where_something_is_missing_or_unknown(
    action: str, payload: dict[str, Any]
) -> None:
    schema = schemas.incoming("v16", action)
    mended, _ = repair(payload, schema.document)
    left = {fault.keyword for fault in schema.faults(mended)}
    assert left <= {"required", "enum", "maxLength", "minItems"}
    assert repair(mended, schema.document)[0] == mended
