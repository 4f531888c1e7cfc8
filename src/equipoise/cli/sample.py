"""`equipoise sample`: new samples, printed or in a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.options import Sample
from equipoise.cli.output import echo, warn
from equipoise.cli.parser import parse
from equipoise.data import writers
from equipoise.errors import RequestError
from equipoise.runtime.launch import rank, world_size

if TYPE_CHECKING:
    from equipoise.api import GAN

DEFAULT_POINTS, DEFAULT_IMAGES = 1000, 64
ARRAYS = (".npy", ".npz")
ENDINGS = (*ARRAYS, *writers.endings(), ".png")
ARCHIVES = (".zip", ".tar")
FOLDER = "folder"


def sample(arguments: Sequence[str]) -> None:
    """equipoise sample RUN ..."""
    options = parse(Sample, "sample", arguments)
    kind = _checked_kind(options.out, options.n)
    _check_one_writes(options, kind)

    from equipoise.runtime import processes

    processes.check_not_nested(options.processes)
    size = world_size()
    if size == 1 and (size := options.processes or 1) > 1:
        if note := processes.core_note(size):
            warn(note)
        sys.exit(processes.start(size, ["sample", *arguments]))
    with processes.joined(options.device):
        _sample(options, kind)


def _sample(options: Sample, kind: str | None) -> None:
    """Write or print the samples, in this process and those that it was started
    with."""
    from equipoise.api import GAN
    from equipoise.cli.sample_files import check_kind, codes, encoded, write_table
    from equipoise.utils.atomic_io import write_atomic

    gan, code = GAN.load(options.run, options.device), codes(options.code)
    check_kind(gan, kind)
    default = DEFAULT_IMAGES if gan.schema.is_image else DEFAULT_POINTS
    n = default if options.n is None else options.n
    asked: dict[str, Any] = {"label": options.label, "code": code, "seed": options.seed}
    asked["truncation"] = options.truncation
    if options.where:
        from equipoise.sampling.conditions import where_of_texts

        if kind == ".png" or kind in ARCHIVES:
            raise RequestError(f"--where is for rows of a table, and --out = {str(options.out)!r}")
        asked["where"] = where_of_texts(gan.schema, options.where)
    if options.out is not None and kind == ".png":
        gan.draw(options.out, options.n, **asked)
        echo(f"Wrote {options.out}{_data_name(n) if gan.schema.is_image else ''}")
        return
    if options.out is not None and kind in (FOLDER, *ARCHIVES):
        _write_files(gan, options.out, n, asked, options.shard_size)
        return
    drawn = None
    in_table = gan.schema.container == "frame" or gan.schema.series is not None
    if in_table and kind not in ARRAYS:
        drawn = write_table(gan, n, asked, options.out)
    else:
        content, drawn = encoded(gan, n, asked, kind)
        if options.out is not None:
            write_atomic(options.out, content)
        else:
            _print(content.decode())
    of = "" if drawn is None else _of_drawn(n, drawn)
    if options.out is not None:
        echo(f"Wrote {options.out}{f': {of}' if of else ''}")
    elif of:
        warn(of)


def _write_files(
    gan: GAN, out: Path, n: int, asked: Mapping[str, Any], shard_size: int | None
) -> None:
    """Write several files, or an archive of them."""
    from equipoise.runtime import processes
    from equipoise.sampling.manifest import Manifest

    processes.tell_rest(f"the files in {out} are whole; the same command goes on with the others")
    gan.write_samples(out, n, shard_size=shard_size, **asked)
    if rank() != 0:
        return
    what = "image" if gan.schema.is_image else "window" if gan.schema.series is not None else "row"
    shards = Manifest.read(out) if out.is_dir() else None
    text = f"Wrote {out}: {n:,} {what}{'s' * (n != 1)}"
    if shards is not None:
        text += f" in {shards.shards:,} {shards.ending} file{'s' * (shards.shards != 1)}"
        text += "" if shards.dropped is None else f"; {shards.dropped:.1%} of those drawn dropped"
    echo(text)


def _check_one_writes(options: Sample, kind: str | None) -> None:
    """Check that several files, or processes, have a folder.

    Raises:
        RequestError: If not.
    """
    several = {
        "--shard-size": options.shard_size is not None,
        "--processes": (options.processes or 1) > 1,
        "several processes": world_size() > 1 and options.processes is None,
    }
    asked = [name for name, is_asked in several.items() if is_asked]
    if asked and kind != FOLDER:
        given = " is not given" if options.out is None else f" = {str(options.out)!r}"
        raise RequestError(
            f"{' and '.join(asked)}: for files in a folder, and --out{given}: give a name without "
            "an ending"
        )


def _of_drawn(n: int, drawn: int) -> str:
    """How many rows were drawn for those that meet conditions and constraints."""
    dropped = f", {1 - n / drawn:.1%} dropped" if drawn > n else ""
    return f"{n:,} row{'s' * (n != 1)} of {drawn:,} drawn{dropped}"


def _print(text: str) -> None:
    if sys.stdout.isatty():
        echo(text.removesuffix("\n"))
    else:
        sys.stdout.write(text)


def _checked_kind(out: Path | None, n: int | None) -> str | None:
    """The ending of the file to write, or that it is a folder; None where samples are
    printed.

    Raises:
        RequestError: For another ending, too few samples or a folder that is missing.
    """
    kind = None
    if out is not None:
        suffix = FOLDER if out.is_dir() or not out.suffix else out.suffix.lower()
        kind = suffix if suffix == FOLDER else writers.ending_of(out) or suffix
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
