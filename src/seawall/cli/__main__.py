"""`python -m seawall.cli`, for a process that starts another of its own kind."""

import sys

from seawall.cli import main

sys.exit(main())
