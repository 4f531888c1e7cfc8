"""Train the generator of digits that Equipoise ships, and write it: python
scripts/pretrained.py --minutes 10

It is written in float16, in which it is sampled as it is in float32; its report is made
after that rounding, against the official test digits. One core.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

from equipoise import GAN
from equipoise.hub.publish import write_run
from equipoise.pretrained import FOLDER

MAX_BYTES = 1_600_000  # of the generator: it comes with every installation
# Channels of the finest grid. The default, 16, would be larger.
WIDTH = 11


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--width", type=int, default=WIDTH)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--out", type=Path, default=FOLDER / "mnist")
    options = arguments.parse_args()
    gan = GAN(
        conditional=True,
        width=options.width,
        minutes=options.minutes,
        seed=options.seed,
        threads=1,
    )
    gan.fit("mnist", progress=True)
    run = gan._trained()
    run.sampler.generator.half().float()
    report = gan.evaluate()
    print(report)
    run.sampler.generator.half()
    if options.out.exists():
        shutil.rmtree(options.out)
    # Of the settings only those of the recipe are for who trains on from it.
    requested = replace(run.config.requested, run={})
    run.config = replace(run.config, requested=requested)
    write_run(run, options.out, report)
    size = (options.out / "generator.safetensors").stat().st_size
    print(f"{options.out}: {size:,} bytes")
    if size > MAX_BYTES:
        raise SystemExit(f"{size:,} bytes are more than {MAX_BYTES:,}: give a smaller --width")


if __name__ == "__main__":
    main()
