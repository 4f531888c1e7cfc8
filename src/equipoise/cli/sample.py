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
ARCHIVES = (".zip", ".tar")
FOLDER = "folder"


def sample(arguments: Sequence[str]) -> None:
    """equipoise sample RUN ..."""
    options = parse(Sample, "sample", arguments)
    kind = _checked_kind(options.out, options.n)

    from equipoise.api import GAN
    from equipoise.cli.sample_files import codes, encoded
    from equipoise.utils.atomic_io import write_atomic

    gan, code = GAN.load(options.run), codes(options.code)
    default = DEFAULT_IMAGES if gan.schema.is_image else DEFAULT_POINTS
    n = default if options.n is None else options.n
    if options.out is not None and kind == ".png":
        gan.draw(options.out, options.n, label=options.label, code=code, seed=options.seed)
        echo(f"Wrote {options.out}{_data_name(n) if gan.schema.is_image else ''}")
        return
    if options.out is not None and kind in (FOLDER, *ARCHIVES):
        gan.write_samples(options.out, n, label=options.label, code=code, seed=options.seed)
        echo(f"Wrote {options.out}: {n:,} image{'s' if n != 1 else ''}")
        return
    content = encoded(gan, n, options.label, code, options.seed, kind)
    if options.out is not None:
        write_atomic(options.out, content)
        echo(f"Wrote {options.out}")
    elif sys.stdout.isatty():
        echo(content.decode().removesuffix("\n"))
    else:
        sys.stdout.write(content.decode())


def _checked_kind(out: Path | None, n: int | None) -> str | None:
    """The ending of the file to write, or that it is a folder; None where samples are
    printed.

    Raises:
        RequestError: For another ending, too few samples or a folder that is missing.
    """
    kind = None
    if out is not None:
        kind = FOLDER if out.is_dir() or not out.suffix else out.suffix.lower()
        if kind not in (FOLDER, *ENDINGS, *ARCHIVES):
            listed = ", ".join((*ENDINGS, *ARCHIVES))
            raise RequestError(
                f"--out = {str(out)!r}: must end in {listed}, or be a folder, without an ending"
            )
    minimum = 1 if kind == ".png" else 0
    if n is not None and n < minimum:
        raise RequestError(f"-n = {n}: must be at least {minimum}")
    if out is not None and not out.absolute().parent.is_dir():
        raise RequestError(f"--out = {str(out)!r}: there is no folder {out.parent}")
    return kind


def _data_name(n: int) -> str:
    from equipoise.plotting.grids import MAX_IMAGES

    return f": the first {MAX_IMAGES} of {n:,}" if n > MAX_IMAGES else ""
