"""How much of what is public has a type, by pyright's --verifytypes.

    python scripts/type_completeness.py

Fails below 99%, with the names that lack one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

GOAL = 0.99
SHOWN = 40
COMMAND = ("-m", "pyright", "--verifytypes", "equipoise", "--ignoreexternal", "--outputjson")


def main() -> None:
    """Print the score, and fail below the goal."""
    programs = Path(sys.executable).parent  # pyright asks the first python on the path
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, *COMMAND],
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    if not done.stdout.startswith("{"):
        sys.exit(f"pyright did not answer: {done.stdout}{done.stderr}")
    found = json.loads(done.stdout)["typeCompleteness"]
    score = found["completenessScore"]
    counts = found["exportedSymbolCounts"]
    print(f"{score:.2%} of {sum(counts.values()):,} public names have a known type")
    if score < GOAL:
        lacking = [
            symbol
            for symbol in found["symbols"]
            if symbol["isExported"] and not symbol["isTypeKnown"] and symbol["diagnostics"]
        ]
        for symbol in lacking[:SHOWN]:
            print(f"{symbol['name']}: {symbol['diagnostics'][0]['message'].splitlines()[0]}")
        sys.exit(f"at least {GOAL:.0%} are needed; {len(lacking):,} names lack one")


if __name__ == "__main__":
    main()
