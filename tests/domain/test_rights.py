"""The table of rights."""

from itertools import pairwise

from onprem_csms.domain.access.rights import DEEDS, RIGHTS, ROLES, least_role, may


def test_each_role_may_do_what_those_before_it_may() -> None:
    for lower, higher in pairwise(ROLES):
        assert RIGHTS[lower] < RIGHTS[higher]


def test_every_deed_is_somebody_s_right_and_an_admin_s() -> None:
    assert RIGHTS["admin"] == set(DEEDS)
    assert all(may(least_role(deed), deed) for deed in DEEDS)


def test_a_viewer_changes_nothing_but_their_own_account() -> None:
    assert {deed for deed in RIGHTS["viewer"] if not deed.endswith(".read")} == {"account.change"}


def test_the_desk_takes_money_and_gives_no_price_no_key_and_no_role() -> None:
    assert may("desk", "topup")
    for deed in ("tariff.change", "api_key.change", "operator.change", "session.correct", "review.resolve"):
        assert not may("desk", deed)
