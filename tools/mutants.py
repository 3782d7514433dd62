"""``python -m tools.mutants [WORD]``: makes the changes of ``tests/mutants.toml`` and says which tests notice.

Each change is made alone, in a copy of the tree, and the test that is named for it is run there: it must fail, and
without the change it must pass. With a WORD only the changes whose name has it.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "mutants.toml"
FOLDERS = ("onprem_csms", "tests", "tools", "bench")
FAILED = 1
"""What pytest returns when tests failed, and not for a fault of its own."""


class Mutant(NamedTuple):
    """A change of one place of a file, and the test that must notice it."""

    name: str
    file: str
    old: str
    new: str
    test: str


def mutants() -> list[Mutant]:
    """Return every change that is written down."""
    return [Mutant(**one) for one in tomllib.loads(DATA.read_text(encoding="utf-8"))["mutant"]]


def faults() -> Iterator[str]:
    """Say which changes can't be made, or name a test that is not there."""
    for mutant in mutants():
        times = (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old)
        if times != 1:
            yield (
                f"tests/mutants.toml, {mutant.name!r}: its old text stands {times} times in {mutant.file}, not once. "
                "The line has changed: write there what it is now, and the same mistake in it."
            )
        file, _, name = mutant.test.partition("::")
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8"):
            yield f"tests/mutants.toml, {mutant.name!r}: there is no test {mutant.test}"


def passes(tree: Path, *tests: str) -> bool:
    """Run tests in a tree; whether they pass. RuntimeError where they could not be run."""
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode not in {0, FAILED}:
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode == 0


def survives(tree: Path, mutant: Mutant) -> bool:
    """Make a change, run its test, and undo the change; whether the test passed all the same."""
    file = tree / mutant.file
    content = file.read_text(encoding="utf-8")
    file.write_text(content.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return passes(tree, mutant.test)
    finally:
        file.write_text(content, encoding="utf-8")


def main(word: str = "") -> int:
    """Make the changes one by one; the number of those that nothing noticed."""
    wanted = [mutant for mutant in mutants() if word in mutant.name]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        if not passes(tree, *sorted({mutant.test for mutant in wanted})):
            print("The tests fail without any change.")
            return 1
        survivors = 0
        for mutant in wanted:
            alive = survives(tree, mutant)
            survivors += alive
            print(f"{'SURVIVES' if alive else 'killed':8}  {mutant.name}", flush=True)
    print(f"{len(wanted)} changes, {survivors} survive")
    return survivors


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
