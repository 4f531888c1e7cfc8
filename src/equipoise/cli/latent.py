"""`equipoise latent`: walks, directions, inversion and nearest training samples."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.latent_options import Directions, Interpolate, Invert, Nearest
from equipoise.cli.output import echo
from equipoise.cli.parser import parse
from equipoise.data import writers
from equipoise.errors import RequestError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from equipoise.api import GAN

ALPHAS = (-3, -2, -1, 0, 1, 2, 3)  # standard deviations of a sheet of directions
MAX_SHOWN = 20  # rows of a sheet, and lines of errors
HELP = """usage: equipoise latent RUN WHAT [OPTIONS]

Explore the latents of a trained run (docs/latent.md).

  equipoise latent RUN interpolate --between 0 1   samples between two samples
  equipoise latent RUN directions                  along which samples change most
  equipoise latent RUN invert --data FILE          the latents of given samples
  equipoise latent RUN nearest                     training samples near to generated ones

Each has --help.
"""


def latent(arguments: Sequence[str]) -> None:
    """equipoise latent RUN interpolate|directions|invert|nearest ..."""
    places = [place for place, word in enumerate(arguments[:2]) if word in ACTIONS]
    if not places:
        if {"-h", "--help"} & {*arguments}:
            print(HELP, end="")
            return
        words = [word for word in arguments if not word.startswith("-")]
        given = ""
        if len(words) > 1:
            given = f"no {words[1]!r} of equipoise latent: {nearest(words[1], ACTIONS)}; "
        raise RequestError(
            f"{given}equipoise latent needs a run directory and one of {', '.join(ACTIONS)}: see "
            "equipoise latent --help"
        )
    place = places[-1]  # a run may have such a name
    ACTIONS[arguments[place]]([*arguments[:place], *arguments[place + 1 :]])


def interpolate(arguments: Sequence[str]) -> None:
    """equipoise latent RUN interpolate ..."""
    options = parse(Interpolate, "latent interpolate", arguments)
    if len(options.between) != 2:
        raise RequestError(f"--between = {options.between}: must be two numbers of samples")
    _check_folder(options.out)

    from equipoise.cli.sample_files import codes

    gan = _loaded(options.run, options.device)
    samples = gan.interpolate(
        *options.between,
        options.steps,
        label=options.label,
        code=codes(options.code),
        seed=options.seed,
        truncation=options.truncation,
    )
    _write_samples(gan, samples, options.out)


def directions(arguments: Sequence[str]) -> None:
    """equipoise latent RUN directions ..."""
    options = parse(Directions, "latent directions", arguments)
    _check_folder(options.out, ".png", ".npz")
    gan = _loaded(options.run, options.device)
    _check_images(gan, options.out)
    found = gan.directions(options.k, label=options.label, seed=options.seed)
    what = "styles w" if found.space == "w" else "samples"
    echo(f"Directions of {found.space}, and their share of the change of {what}:")
    for number, one in enumerate(found):
        echo(f"  {number:3}  {one.explained:6.1%}")
    if options.out is None:
        return
    if options.out.suffix.lower() == ".npz":
        arrays = {name: getattr(found, name) for name in ("vectors", "stds", "explained")}
        _write_npz(options.out, arrays)
    else:
        start = gan.latents(1, label=options.label, seed=options.seed)
        rows = [gan.pixels(gan.move(start, one, ALPHAS)) for one in found[:MAX_SHOWN]]
        _write_sheet(options.out, rows, [f"{i}" for i in range(len(rows))])
    echo(f"Wrote {options.out}")


def invert(arguments: Sequence[str]) -> None:
    """equipoise latent RUN invert --data DATA ..."""
    options = parse(Invert, "latent invert", arguments)
    if options.data is None:
        raise RequestError("equipoise latent invert needs --data: an image, a folder or a file")
    if not Path(options.data).exists():
        raise RequestError(f"--data = {options.data!r}: there is no such file or folder")
    _check_folder(options.out, ".png", ".npz")

    from equipoise.utils.progress_bar import bar

    gan = _loaded(options.run, options.device)
    _check_images(gan, options.out)
    with bar("Finding latents", None) as done:
        found = gan.invert(
            options.data,
            label=options.label,
            steps=options.steps,
            restarts=options.restarts,
            seed=options.seed,
            progress=done,
        )
    echo(str(found).capitalize() + ".")
    for number, error in enumerate(found.errors[:MAX_SHOWN]):
        nearest_one, mean = found.nearest_errors[number], found.mean_errors[number]
        echo(
            f"  {number:3}  {error:.3g} (nearest random sample {nearest_one:.3g}, mean {mean:.3g})"
        )
    if options.out is None:
        return
    if options.out.suffix.lower() == ".npz":
        latents = found.latents
        arrays = {"z": latents.z, "classes": latents.classes, "w": latents.w}
        given = {name: array for name, array in arrays.items() if array is not None}
        _write_npz(options.out, {**given, "errors": found.errors})
    else:
        rows = [gan.pixels(options.data), gan.pixels(found.samples)]
        _write_sheet(options.out, [row[:MAX_SHOWN] for row in rows], ["given", "found"])
    echo(f"Wrote {options.out}")


def closest(arguments: Sequence[str]) -> None:
    """equipoise latent RUN nearest ..."""
    options = parse(Nearest, "latent nearest", arguments)
    if options.n < 1:
        raise RequestError(f"-n = {options.n}: must be at least 1")
    _check_folder(options.out, ".png")
    gan = _loaded(options.run, options.device)
    _check_images(gan, options.out)
    samples = gan.sample(options.n, label=options.label, seed=options.seed)
    found = gan.nearest(samples, options.k)
    of = found.training_samples
    among = f"{found.searched:,}" + (f" of {of:,}" if of and of > found.searched else "")
    echo(f"Distances of {options.n} generated samples to the nearest of {among} training samples:")
    for number, distances in enumerate(found.distances[:MAX_SHOWN]):
        echo(f"  {number:3}  {' '.join(f'{distance:.3g}' for distance in distances)}")
    if options.out is not None:
        import numpy as np

        own = gan.pixels(samples)
        rows = [
            np.concatenate([one[None], gan.pixels(near)])
            for one, near in zip(own, found.samples, strict=True)
        ]
        _write_sheet(options.out, rows, [f"{i}" for i in range(len(rows))])
        echo(f"Wrote {options.out}")


ACTIONS: dict[str, Callable[[Sequence[str]], None]] = {
    "interpolate": interpolate,
    "directions": directions,
    "invert": invert,
    "nearest": closest,
}


def _loaded(run: Path, device: str) -> GAN:
    from equipoise.api import GAN

    return GAN.load(run, device)


def _check_folder(out: Path | None, *endings: str) -> None:
    """Raises:
    RequestError: If `out` has another ending than these, where there are any, or
        its folder is not there."""
    if out is None:
        return
    if endings and out.suffix.lower() not in endings:
        raise RequestError(f"--out = {str(out)!r}: must end in {' or '.join(endings)}")
    if not out.absolute().parent.is_dir():
        raise RequestError(f"--out = {str(out)!r}: there is no folder {out.parent}")


def _check_images(gan: GAN, out: Path | None) -> None:
    """Raises:
    RequestError: If a .png is asked for, and samples are no images."""
    if out is not None and out.suffix.lower() == ".png" and not gan.schema.is_image:
        raise RequestError(f"--out = {str(out)!r}: .png is for images: leave it out, or give .npz")


def _write_samples(gan: GAN, samples: Any, out: Path | None) -> None:
    """Write samples as the ending says, or print them."""
    from equipoise.cli.sample_files import check_kind, content_of
    from equipoise.data.writers.text import CsvWriter
    from equipoise.utils.atomic_io import write_atomic

    kind = None if out is None else writers.ending_of(out) or out.suffix.lower()
    known = (".npy", ".npz", *writers.endings(), *([".png"] if gan.schema.is_image else []))
    if kind is not None and kind not in known:
        raise RequestError(f"--out = {str(out)!r}: must end in {', '.join(known)}")
    if kind is None and gan.schema.is_image:
        raise RequestError("images need --out with a file that ends in .png, .npy or .npz")
    check_kind(gan, kind)
    if out is not None and kind == ".png":
        _write_sheet(out, [gan.pixels(samples)], [""])
    elif gan.schema.container == "frame" and kind not in (".npy", ".npz"):
        if out is None or kind is None:
            sys.stdout.writelines(text.decode() for text in CsvWriter().texts(iter([samples])))
            return
        writers.find(kind).write(out, iter([samples]))
    elif out is None:
        sys.stdout.write(content_of(gan, samples, None).decode())
        return
    else:
        write_atomic(out, content_of(gan, samples, kind))
    echo(f"Wrote {out}")


def _write_sheet(out: Path, rows: Sequence[NDArray[np.uint8]], labels: Sequence[str]) -> None:
    from equipoise.plotting.sheets import sheet_of
    from equipoise.utils.atomic_io import write_atomic

    write_atomic(out, sheet_of(rows, labels))


def _write_npz(out: Path, arrays: dict[str, Any]) -> None:
    import numpy as np

    from equipoise.utils.atomic_io import write_atomic

    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_atomic(out, content.getvalue())
