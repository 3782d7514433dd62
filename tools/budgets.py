"""The size budgets: no function over 60 lines, no file over 500; what grows past them is split."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("onprem_csms", "tools", "tests", "bench", "installer")
FILE_LINES = 500
FUNCTION_LINES = 60


def python_files() -> Iterator[Path]:
    """Every Python file of ours, and ./dev."""
    yield ROOT / "dev"
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def over_budget(source: str) -> Iterator[tuple[int, str]]:
    """What in one file is too large, as (line, sentence)."""
    lines = source.count("\n") + 1
    if lines > FILE_LINES:
        yield 1, f"the file has {lines} lines, {FILE_LINES} are allowed"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {size} lines, {FUNCTION_LINES} are allowed"


def faults() -> list[str]:
    """Everything over the budget, one sentence each."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {sentence}"
        for path in python_files()
        for line, sentence in over_budget(path.read_text(encoding="utf-8"))
    ]


def main() -> int:
    """Prints what is over the budget; the exit code."""
    found = faults()
    print("\n".join(found) or "Every file and function is within its budget.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
