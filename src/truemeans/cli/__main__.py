"""Run the command line as ``python -m truemeans.cli``."""

import sys

from truemeans.cli import main

sys.exit(main())
