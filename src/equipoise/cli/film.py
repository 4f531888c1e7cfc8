"""`equipoise film`: a training or a walk as a film."""

from __future__ import annotations

from collections.abc import Sequence

from equipoise.cli.latent_options import Film
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.errors import RequestError


def film(arguments: Sequence[str]) -> None:
    """equipoise film RUN ..."""
    options = parse(Film, "film", arguments)
    out = options.out or options.run / f"{options.kind}.gif"
    if options.out is not None and not out.absolute().parent.is_dir():
        raise RequestError(f"--out = {str(out)!r}: there is no folder {out.parent}")

    from equipoise.api import GAN

    gan = GAN.load(options.run, options.device)
    gan.film(
        out,
        options.kind,
        frames=options.frames,
        fps=options.fps,
        size=options.size,
        label=options.label,
        seed=options.seed,
        truncation=options.truncation,
    )
    echo(f"Wrote {out}")
