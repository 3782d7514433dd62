"""``python -m onprem_csms`` is the command line."""

import sys

from onprem_csms.cli import main

sys.exit(main())
