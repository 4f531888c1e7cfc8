"""`equipoise demo`: the smallest training, with words on what is seen."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.cli.options import Demo
from equipoise.cli.output import echo
from equipoise.cli.parser import parse

SAMPLES = 256_000  # half of the usual length, in about two seconds
BEFORE = """\
A GAN learns the normal distribution with mean 4 and standard deviation 1.25, from samples
alone. The generator makes numbers, the discriminator tells them from real ones, and each
learns from the other.
"""
AFTER = """
What to read: each metric stands beside its baseline, the value of as many real samples.
Next: equipoise train mnist --minutes 10, or your own data: equipoise train FILE"""


def demo(arguments: Sequence[str]) -> None:
    """equipoise demo"""
    options = parse(Demo, "demo", arguments)

    from equipoise.cli.train import train

    echo(BEFORE)
    out = [] if options.out is None else ["--out", str(options.out)]
    train(["gaussian", "--samples", str(SAMPLES), "--evaluate", "quick", *out])
    echo(AFTER)
