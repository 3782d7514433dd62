"""The changes that ``python -m tools.mutants`` makes still fit the code; making them takes minutes."""

from tools import mutants


def test_every_change_of_one_line_fits_the_code_and_names_a_test_that_is_there() -> None:
    assert list(mutants.faults()) == []
    assert len({mutant.name for mutant in mutants.mutants()}) >= 22
