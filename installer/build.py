"""Packs the product with a Python of its own: dist/onprem-csms/, a folder for machines without Python.

    ./dev binary [--any-python]

A Python that was built without profile-guided optimization is refused: everything would be 15 to 20 % slower.

A folder and not one file: one file unpacks itself to /tmp at every start, fails where nothing may be run from
there, and leaves its copy behind when it is killed. The C library must not be older than where it was built
(built on Debian 12 it runs on Debian 12 and newer). Needs Debian's binutils.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import PyInstaller.__main__
from optimized import profile_guided

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
WORK = ROOT / "build" / "installer"
NAME = "onprem-csms"
SLOW = (
    f"{sys.executable} was built without profile-guided optimization; packed with it the product would be 15 to 20 %"
    " slower. Debian's own Python has it (apt-get install python3); --any-python packs with this one all the same."
)
# Files that are read at run time and that no import names.
DATA_OF = ("onprem_csms", "ocpp", "tzdata", "babel")
# What only development needs and analysis would find through optional imports.
NOT_NEEDED = ("tkinter", "pytest", "hypothesis", "mypy", "PyInstaller", "setuptools", "pip")


def arguments() -> list[str]:
    """What PyInstaller is told."""
    return [
        str(ROOT / "onprem_csms" / "__main__.py"),
        *("--name", NAME, "--onedir", "--noconfirm", "--clean", "--strip", "--log-level", "WARN"),
        *("--distpath", str(DIST), "--workpath", str(WORK), "--specpath", str(WORK)),
        *(part for name in DATA_OF for part in ("--collect-data", name)),
        *("--collect-submodules", "onprem_csms", "--copy-metadata", NAME),
        *(part for name in NOT_NEEDED for part in ("--exclude-module", name)),
    ]


def prove(folder: Path) -> None:
    """The packed program tells its help; a file that is missing shows at the latest here."""
    program = folder / NAME
    subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL, env={}, cwd="/")


def main() -> int:
    """Builds and proves; the exit code."""
    if not shutil.which("objdump"):
        print("Debian's binutils is needed: apt-get install binutils", file=sys.stderr)
        return 1
    if not profile_guided() and "--any-python" not in sys.argv:
        print(SLOW, file=sys.stderr)
        return 1
    # Two builds of one source are the same, byte by byte.
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600")
    os.environ["PYTHONHASHSEED"] = "1"
    PyInstaller.__main__.run(arguments())
    for name in ("NOTICE", "README.md", "config.example.toml"):
        shutil.copy(ROOT / name, DIST / NAME)
    prove(DIST / NAME)
    size = sum(path.stat().st_size for path in (DIST / NAME).rglob("*") if path.is_file())
    print(f"{DIST / NAME}: {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
