"""A process of a sweep: `python -m equipoise.sweeps.worker FOLDER NUMBER WORKERS
DEADLINE`, which `sweeps.processes` starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.runtime.parent import end_with_parent
from equipoise.sweeps.config import SweepConfig
from equipoise.sweeps.storage import Storage, quiet
from equipoise.sweeps.trial import Runner
from equipoise.sweeps.work import Work

# The variable that has the storage's URL, which may have a password.
STORAGE = "EQUIPOISE_SWEEP_STORAGE"


def main() -> int:
    """Work until the sweep is done, and return the exit status."""
    folder, number, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    deadline = float(sys.argv[4]) if sys.argv[4] else None
    end_with_parent()
    config = SweepConfig.read(folder)
    try:
        with quiet():
            Work(
                config,
                Storage(os.environ[STORAGE], config.name),
                Runner(config, folder, threads=1),
                number,
                workers,
                deadline,
            ).run()
    except EquipoiseError as error:
        if error.status < 128:
            sys.stderr.write(f"equipoise: worker {number}: {error}\n")
        return error.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
