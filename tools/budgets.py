"""The size budgets: no function over 60 lines, half of them within 8 and nine of ten within 20; no file of the

package over 400 lines, no other one over 500. What grows past them is split.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("onprem_csms", "tools", "tests", "bench", "installer")
PACKAGE = "onprem_csms"
PACKAGE_FILE_LINES = 400
FILE_LINES = 500
FUNCTION_LINES = 60
MEDIAN_LINES = 8
NINETIETH_LINES = 20


def python_files() -> Iterator[Path]:
    """Every Python file of ours, and ./dev."""
    yield ROOT / "dev"
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def over_budget(source: str, file_lines: int = FILE_LINES) -> Iterator[tuple[int, str]]:
    """What in one file is too large, as (line, sentence)."""
    lines = source.count("\n") + 1
    if lines > file_lines:
        yield 1, f"the file has {lines} lines, {file_lines} are allowed"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {size} lines, {FUNCTION_LINES} are allowed"


def faults() -> list[str]:
    """Everything over the budget, one sentence each."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {sentence}"
        for path in python_files()
        for line, sentence in over_budget(path.read_text(encoding="utf-8"), allowed(path))
    ]
    median, ninetieth = spread()
    if median > MEDIAN_LINES or ninetieth > NINETIETH_LINES:
        found.append(f"half of the functions have up to {median} lines, nine of ten up to {ninetieth}")
    return found


def allowed(path: Path) -> int:
    """How many lines a file may have."""
    return PACKAGE_FILE_LINES if path.relative_to(ROOT).parts[0] == PACKAGE else FILE_LINES


def spread() -> tuple[int, int]:
    """The lines that half, and nine of ten, of the package's functions stay within."""
    sizes = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in (ROOT / PACKAGE).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return sizes[len(sizes) // 2], sizes[len(sizes) * 9 // 10]


def main() -> int:
    """Prints what is over the budget; the exit code."""
    found = faults()
    print("\n".join(found) or "Every file and function is within its budget.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
