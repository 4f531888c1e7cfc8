"""`python -m equipoise` is the command `equipoise`."""

import sys

from equipoise.cli.main import main

sys.exit(main())
