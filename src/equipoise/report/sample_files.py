"""Samples in files: what `GAN.write_samples` does. Images are files of a folder or an
archive; many images, and all other samples, are shards."""

from __future__ import annotations

from collections.abc import Set
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from equipoise.coerce import whole
from equipoise.data.description import DataDescription
from equipoise.data.images.encode import ImageEncoder
from equipoise.errors import EquipoiseError, RequestError
from equipoise.runs.generator import digest
from equipoise.runtime.lockstep import StoppedError
from equipoise.runtime.process import torch_settings
from equipoise.runtime.ranks import Ranks
from equipoise.sampling import manifest, shard_formats
from equipoise.sampling.archives import ARCHIVES
from equipoise.sampling.conditions import Where
from equipoise.sampling.image_files import ImageFiles, write_images
from equipoise.sampling.manifest import Manifest
from equipoise.sampling.sampler import Asked, Sampler
from equipoise.sampling.shard_formats import ParquetShards, ShardFormat, TarShards
from equipoise.sampling.shards import begun, write_shards
from equipoise.sampling.truncation import truncated
from equipoise.training.events import Control
from equipoise.training.signals import InterruptedRunError, signals_stop

MAX_LOOSE_IMAGES = 100_000  # files in a folder, unless shards are asked for


@dataclass(frozen=True)
class WriteRequest:
    """What is to be written."""

    path: Path
    asked: Asked
    where: Where | None
    """The conditions as the user gave them."""
    shard_size: int | None
    """Samples of a shard; None for as many as there usually are."""
    left_open: Set[str]
    """Which of "seed" and "shard_size" the user did not give."""
    truncation: float | None
    """From 0 to 1; None for none."""


def write(sampler: Sampler, data: DataDescription, request: WriteRequest) -> None:
    """Write samples. Raises as `GAN.write_samples`.

    Args:
        sampler: The generator.
        data: What it was trained on.
        request: What to write, and where.
    """
    plain, sampler = sampler, truncated(sampler, request.truncation)
    schema, path, asked = sampler.schema, request.path, request.asked
    ranks, conditions = Ranks.current(), asked.conditions or sampler.constraints()
    asked = replace(asked, conditions=conditions)
    if not schema.is_image:
        _check_folder(path)
        return _write_shards(ParquetShards(sampler), plain, asked, request, ranks)
    files = ImageFiles(sampler, ImageEncoder.of(schema, data.limits, data.file_format))
    if _are_loose(request, ranks):
        return write_images(path, files, asked)
    return _write_shards(TarShards(files), plain, asked, request, ranks)


def _check_folder(path: Path) -> None:
    """Check that a path names a folder, for samples that are no images.

    Raises:
        RequestError: If not.
    """
    if path.suffix and not path.is_dir():
        raise RequestError(
            f"out = {str(path)!r}: only images go into one such file here, others into a folder of "
            ".parquet files: give a name without an ending"
        )


def _are_loose(request: WriteRequest, ranks: Ranks) -> bool:
    """Whether images become single files, in a folder or one archive.

    Raises:
        RequestError: Shards were asked for, and one archive.
    """
    path, archive = request.path, request.path.suffix.lower() in ARCHIVES
    if archive and not path.is_dir():
        if request.shard_size is not None or ranks.size > 1:
            raise RequestError(
                f"out = {str(path)!r} is one file: for several, or from several processes, give a "
                "folder, without an ending"
            )
        return True
    many = request.asked.n > MAX_LOOSE_IMAGES or ranks.size > 1
    return not (many or request.shard_size is not None or (path / manifest.NAME).is_file())


def _write_shards(
    shards: ShardFormat, sampler: Sampler, asked: Asked, request: WriteRequest, ranks: Ranks
) -> None:
    """Write the shards that are missing, together with other ranks."""
    wanted, control = _manifest(shards.ending, sampler, asked, request), Control()
    stops = signals_stop(control, ranks)
    threads = torch_settings(1) if ranks.size > 1 else nullcontext()
    with begun(request.path, wanted, request.left_open, ranks) as task, stops, threads:
        asked = replace(asked, seed=task.manifest.seed)
        try:
            write_shards(request.path, task, shards, asked, ranks, lambda: control.stop_reason)
        except StoppedError as stopped:
            rest = _rest(task.manifest, request.path)
            raise InterruptedRunError(
                f"stopped by {stopped.signal}: {rest}", stopped.signal
            ) from None
        except EquipoiseError as error:
            if not isinstance(error, RequestError):
                error.args = (f"{error}; {_rest(task.manifest, request.path)}",)
            raise


def _manifest(ending: str, sampler: Sampler, asked: Asked, request: WriteRequest) -> Manifest:
    """What the shards will hold.

    Raises:
        RequestError: If they cannot be numbered, or codes are not a number each.
    """
    given = request.shard_size
    size = shard_formats.default_size(sampler) if given is None else whole("shard_size", given)
    if size < 1:
        raise RequestError(f"shard_size = {size}: must be at least 1")
    try:
        code = {name: float(value) for name, value in (asked.codes or {}).items()}  # type: ignore[arg-type]  # others raise
    except (TypeError, ValueError):
        raise RequestError("code: give one number for each, for samples in shards") from None
    sampler.prior.code_values(code, asked.n)
    classes = sampler.schema.classes or ()
    return Manifest(
        asked.n,
        size,
        ending,
        asked.seed,
        digest(sampler),
        None if asked.label is None else str(classes[asked.label]),
        code,
        manifest.where_as_text(request.where),
        sampler.device.type,
        request.truncation,
    )


def _rest(wanted: Manifest, folder: Path) -> str:
    """How many shards are there, and how to go on."""
    there = wanted.shards - len(wanted.missing(folder))
    return f"{there:,} of {wanted.shards:,} shards are in {folder}; ask for the same to go on"
