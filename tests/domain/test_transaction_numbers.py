"""Transaction numbers: a permutation of the ids that only the key opens."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from onprem_csms.domain.charging.numbers import LARGEST, id_of, number_of

KEY = bytes(range(16))


@given(st.integers(1, LARGEST), st.binary(min_size=16, max_size=16))
def test_a_number_gives_its_id_back_and_fits_into_31_bits(session_id: int, key: bytes) -> None:
    number = number_of(session_id, key)
    assert 0 < number <= LARGEST
    assert id_of(number, key) == session_id


def test_the_numbers_of_neighbours_have_nothing_in_common() -> None:
    numbers = [number_of(id, KEY) for id in range(1, 2_001)]
    assert len(set(numbers)) == 2_000
    steps = {second - first for first, second in pairwise(numbers)}
    assert len(steps) > 1_990
    assert numbers != [number_of(id, KEY[::-1]) for id in range(1, 2_001)]


@given(st.integers(-(2**70), 0) | st.integers(2**31, 2**70))
def test_no_id_has_a_number_out_of_range(number: int) -> None:
    assert id_of(number, KEY) is None
