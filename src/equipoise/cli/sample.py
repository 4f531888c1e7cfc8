"""`equipoise sample`: new samples, printed or in a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from equipoise.cli.options import Sample
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.errors import RequestError

DEFAULT_POINTS, DEFAULT_IMAGES = 1000, 64
ENDINGS = (".npy", ".npz", ".csv", ".png")


def sample(arguments: Sequence[str]) -> None:
    """equipoise sample RUN ..."""
    options = parse(Sample, "sample", arguments)
    suffix = _checked_suffix(options.out, options.n)

    from equipoise.api import GAN
    from equipoise.cli.sample_files import codes, encoded
    from equipoise.utils.atomic_io import write_atomic

    gan, code = GAN.load(options.run), codes(options.code)
    default = DEFAULT_IMAGES if gan.schema.is_image else DEFAULT_POINTS
    n = default if options.n is None else options.n
    if options.out is not None and suffix == ".png":
        gan.draw(options.out, options.n, label=options.label, code=code, seed=options.seed)
        echo(f"Wrote {options.out}{_data_name(n) if gan.schema.is_image else ''}")
        return
    content = encoded(gan, n, options.label, code, options.seed, suffix)
    if options.out is not None:
        write_atomic(options.out, content)
        echo(f"Wrote {options.out}")
    elif sys.stdout.isatty():
        echo(content.decode().removesuffix("\n"))
    else:
        sys.stdout.write(content.decode())


def _checked_suffix(out: Path | None, n: int | None) -> str | None:
    """The ending of the file to write; None where samples are printed.

    Raises:
        RequestError: For another ending, too few samples or a folder that is missing.
    """
    suffix = None if out is None else out.suffix.lower()
    if suffix is not None and suffix not in ENDINGS:
        listed = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise RequestError(f"--out = {str(out)!r}: must end in {listed}")
    minimum = 1 if suffix == ".png" else 0
    if n is not None and n < minimum:
        raise RequestError(f"-n = {n}: must be at least {minimum}")
    if out is not None and not out.absolute().parent.is_dir():
        raise RequestError(f"--out = {str(out)!r}: there is no folder {out.parent}")
    return suffix


def _data_name(n: int) -> str:
    from equipoise.plotting.grids import MAX_IMAGES

    return f": the first {MAX_IMAGES} of {n:,}" if n > MAX_IMAGES else ""
