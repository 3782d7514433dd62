"""Small files and small functions; the budgets stand in tools/budgets.py, which ./dev lint runs too."""

from tools import budgets


def test_no_file_and_no_function_is_over_its_budget() -> None:
    assert budgets.faults() == []


def test_a_file_and_a_function_over_the_budget_are_found() -> None:
    long_function = "def long():\n" + "    pass\n" * 60
    assert [line for line, _ in budgets.over_budget("x = 1\n" + long_function)] == [2]
    assert [line for line, _ in budgets.over_budget("x = 1\n" * 500)] == [1]
    assert list(budgets.over_budget("x = 1\n" * 499)) == []


def test_a_file_of_the_package_may_have_fewer_lines_than_another() -> None:
    allowed = budgets.allowed(budgets.ROOT / "onprem_csms" / "app.py")
    assert [line for line, _ in budgets.over_budget("x = 1\n" * 400, allowed)] == [1]
    assert list(budgets.over_budget("x = 1\n" * 399, allowed)) == []


def test_half_of_the_functions_and_nine_of_ten_are_short() -> None:
    median, ninetieth = budgets.spread()
    assert 1 < median <= budgets.MEDIAN_LINES
    assert median < ninetieth <= budgets.NINETIETH_LINES


def test_every_python_file_of_ours_is_measured() -> None:
    measured = {path.relative_to(budgets.ROOT).as_posix() for path in budgets.python_files()}
    assert {
        "dev",
        "onprem_csms/errors.py",
        "tools/budgets.py",
        "tests/project/test_size_budgets.py",
    } <= measured
