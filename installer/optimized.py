"""Whether a Python was built with profile-guided optimization: one without is 15 to 20 % slower.

    PYTHON installer/optimized.py       ends with 0 when PYTHON was, with 1 when it wasn't

Only the standard library is needed, so that any Python can be asked.
"""

import sys
import sysconfig
from pathlib import Path


def profile_guided() -> bool:
    """Tell whether this Python was: its build says so, or it is Debian's own, whose rules train it beside configure."""
    configured = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    flags = " ".join(str(sysconfig.get_config_var(name) or "") for name in ("PY_CFLAGS", "PY_CORE_CFLAGS"))
    of_debian = sys.base_prefix == "/usr" and Path("/etc/debian_version").exists()
    return "--enable-optimizations" in configured or "-fprofile-use" in flags or of_debian


if __name__ == "__main__":
    sys.exit(0 if sys.version_info >= (3, 11) and profile_guided() else 1)
