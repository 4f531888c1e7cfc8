"""`python -m equipoise` is the command `equipoise`."""

import sys

from equipoise.cli import main

sys.exit(main())
