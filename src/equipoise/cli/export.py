"""`equipoise export`: a generator for other programs."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.cli.options import Export
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.errors import RequestError


def export(arguments: Sequence[str]) -> None:
    """equipoise export RUN --to FILE"""
    options = parse(Export, "export", arguments)
    if options.to is None:
        raise RequestError("--to is missing: give --to FILE.onnx, FILE.pt2 or FILE.html")

    from equipoise.api import GAN

    gan = GAN.load(options.run, "cpu")
    made = gan._trained().export(options.to, options.int8)
    size = sum(path.stat().st_size for path in made.paths)
    checked = "samples are those of equipoise sample, but for roundings"
    if made.difference:
        checked = (
            f"samples differ from those of equipoise sample by {made.difference:.0e} of the "
            "largest value at most"
        )
    echo(f"Wrote {' and '.join(map(str, made.paths))}: {size / 1e6:.1f} MB, checked: {checked}")
    if made.note:
        echo(made.note[0].upper() + made.note[1:] + ".")
