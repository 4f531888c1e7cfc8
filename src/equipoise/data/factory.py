"""Opening data: the source for whatever `fit` and `train` accept."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from equipoise.data import arrays, frames, mnist, readers
from equipoise.data.description import DataDescription
from equipoise.data.distributions import DISTRIBUTIONS, Distribution
from equipoise.data.frames import TableOptions
from equipoise.data.hf_datasets import is_hugging_face, is_map_style, open_dataset
from equipoise.data.hf_streams import open_stream
from equipoise.data.image_folder import open_folder
from equipoise.data.image_options import ImageOptions
from equipoise.data.indexed import GIB, open_indexed, source_in_memory
from equipoise.data.large_tables import MEMORY_BUDGET, is_large, open_large, parquet_parts
from equipoise.data.mapped import MappedSamples, is_large_array
from equipoise.data.named_sources import NAMED_SOURCES
from equipoise.data.schema import Container
from equipoise.data.series.frames import NO_ROLES, Roles
from equipoise.data.sources import DistributionSource, RowsSource, Source
from equipoise.data.streams import StreamSource
from equipoise.data.tables.overrides import Overrides
from equipoise.data.tables.table import Table
from equipoise.data.tars.opening import open_tars
from equipoise.data.tars.patterns import shards_of
from equipoise.data.torch_datasets import DatasetSamples
from equipoise.errors import RequestError, clipped, nearest

LIST_NOTE = (
    "the list is read as windows of series; for batches of rows give an iterator, as iter(list)"
)
STREAM_BATCH = 256  # samples of an IterableDataset that are taken together
RUN_FILES = ("log.jsonl", "generator.safetensors")  # a run's images are not data
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib")


def open_source(
    data: Any,
    labels: arrays.Labels | None = None,
    *,
    label_column: str | None = None,
    memory_budget: float = MEMORY_BUDGET,
    split_seed: int = 0,
    images: ImageOptions | None = None,
    table: Table | None = None,
    overrides: Overrides | None = None,
    constraints: Sequence[str] | None = None,
    roles: Roles = NO_ROLES,
) -> Source:
    """The source for whatever `fit` and `train` accept.

    Args:
        data: A name, a path, an array, a table, a Dataset or an iterable of batches.
        labels: One per sample.
        label_column: The column of a table that holds labels.
        memory_budget: GiB. What is larger is read as it is needed.
        split_seed: Decides which rows are held out.
        images: How images are read.
        table: What the columns of a table are, where that is known.
        overrides: What the user says of them, see `data.tables.overrides`.
        constraints: What holds in every row, see `data.tables.constraints`.
        roles: Which columns make windows of series of a table.

    Raises:
        RequestError: If the data cannot be trained on.
    """
    options = images or ImageOptions()
    columns = TableOptions(label_column, table, overrides, tuple(constraints or ()), roles)
    if isinstance(data, str | Path):
        source = _named(str(data), labels, columns, memory_budget, split_seed, options)
    elif isinstance(data, Distribution):
        source = DistributionSource(data)
    else:
        source = _object(data, labels, columns, memory_budget, split_seed, options)
    is_folder = source.file_format is not None
    options.check(source.name, source.schema, is_folder=is_folder)
    if isinstance(data, str | Path):
        source.origin = (
            str(data)
            if source.distribution is not None or source.is_digits
            else str(Path(data).resolve())
        )
    asked = {"label_column": label_column, "series": roles.series, "time": roles.time}
    if is_hugging_face(data):
        del asked["label_column"]
    missing = [(role, name) for role, name in asked.items() if name is not None]
    if missing and source.schema.container != "frame":
        role, name = missing[0]
        raise RequestError(
            f"{role} = {name!r}: {source.name} has no columns; leave it out, or give a table"
        )
    rules = {"columns": overrides, "constraints": constraints}
    unused = [name for name, given in rules.items() if given]
    if unused and source.schema.table is None:
        raise _rules_error(unused[0], source)
    given = labels is not None or label_column is not None
    if given and source.schema.classes is None:
        raise RequestError(
            f"labels were given, but {source.name} cannot take any: give them with an array, "
            "a DataFrame or a file"
        )
    source.labels_given, source.labels_in_python = source.labels_given or given, labels is not None
    return source


def _rules_error(rules: str, source: Source) -> RequestError:
    """The error of columns or constraints that were given with data which is no
    table."""
    if source.schema.series is not None:
        return RequestError(
            f"{rules} were given, which are for rows, and {source.name} is read as windows of "
            "series: leave them out"
        )
    return RequestError(
        f"{rules} were given, but {source.name} has no columns: leave them out, or give a table"
    )


def open_again(
    described: DataDescription,
    *,
    label_column: str | None,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions | None = None,
    roles: Roles = NO_ROLES,
) -> Source:
    """The source that `Source.describe` recorded, split as before.

    Raises:
        RequestError: If it cannot be opened, or has changed.
    """
    if described.distribution is not None:
        return DistributionSource(described.distribution)
    origin = described.origin
    if origin is None:
        raise RequestError(
            "this run was trained on data passed in Python: give data to evaluate against"
        )
    if described.labels_in_python:  # the fingerprint is of the labels too
        raise RequestError(
            "this run was trained with labels passed in Python: give data and labels to "
            "evaluate against"
        )
    source = open_source(
        origin,
        label_column=label_column,
        memory_budget=memory_budget,
        split_seed=split_seed,
        images=images,
        table=described.schema.table,
        roles=roles,
    )
    if source.fingerprint != described.fingerprint:
        raise RequestError(
            f"{origin} has changed since this run was trained on it: give the data to "
            "evaluate against"
        )
    return source


def _named(
    name: str,
    labels: arrays.Labels | None,
    columns: TableOptions,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    path = Path(name)
    if not name:
        raise RequestError("data = '': give a file, a folder or a built-in source")
    if name in DISTRIBUTIONS:
        return DistributionSource(DISTRIBUTIONS[name]())
    if name == "mnist":
        (train, digits), (test, test_digits) = mnist.load("train"), mnist.load("test")
        rows = arrays.from_array(train, digits if labels is None else labels, "mnist")
        return RowsSource(
            "mnist",
            rows,
            split_seed,
            (test[:, None].copy(), test_digits.astype(np.int64) if labels is None else None),
        )
    files = [path] if path.is_file() and readers.find(path) is not None else []
    if path.is_dir():
        _refuse_run(path)
        files = readers.table_files(path)
    if files:
        return _files(path, files, labels, columns, memory_budget, split_seed, images)
    shards, others = shards_of(path)
    if shards:
        return open_tars(path, shards, others, labels, memory_budget, split_seed, images)
    if path.is_dir():
        return open_folder(path, labels, memory_budget, split_seed, images)
    raise _unreadable(path)


def _refuse_run(folder: Path) -> None:
    if (folder / "config.json").is_file() and any((folder / name).is_file() for name in RUN_FILES):
        raise RequestError(
            f"{folder} is a run, not data: resume it (equipoise train --resume RUN), or give data"
        )


def _unreadable(path: Path) -> RequestError:
    """The error of a path that is no data."""
    if path.suffix.lower() in PICKLES:
        return RequestError(
            f"{path} can hold Python objects, which can run code when read: save the numbers "
            "as a .npy file"
        )
    if path.is_file():
        return RequestError(
            f"{path} has the ending {path.suffix!r}: give a {readers.listed()} file, or a folder "
            "of images"
        )
    if os.path.lexists(path):
        return RequestError(f"{path} is neither a plain file nor a folder: give one that is")
    return RequestError(
        f"no file, folder or built-in source {clipped(repr(str(path)), 400)}: "
        f"{nearest(str(path), NAMED_SOURCES)}"
    )


def _files(
    path: Path,
    files: list[Path],
    labels: arrays.Labels | None,
    columns: TableOptions,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    """The source of a file, or of a folder whose files are the parts of one table."""
    name = readers.stem(path) if path.is_file() else path.resolve().name
    if is_large(files, memory_budget):
        return open_large(name, parquet_parts(files), labels, columns, split_seed)
    if path.is_file() and is_large_array(path, memory_budget):
        return open_indexed(MappedSamples.of_file(path), labels, memory_budget, split_seed, images)
    rows = (
        frames.from_file(path, labels, columns, images)
        if path.is_file()
        else frames.from_table(readers.read_parts(files), labels, name, columns)
    )
    source = source_in_memory(name, rows, split_seed)
    source.labels_given = rows.labels is not None
    return source


def _object(
    data: Any,
    labels: arrays.Labels | None,
    columns: TableOptions,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    from torch.utils.data import DataLoader

    if isinstance(data, list | tuple) and (rows := _windows(data, labels, images)) is not None:
        return source_in_memory("list", rows, split_seed)
    if isinstance(data, list | tuple) and _numbers(data):
        data = _array_of(data)
    if isinstance(data, DataLoader) and _loads_all(data):
        # Split and shuffled here: rows that are held out stay so when the loader
        # shuffles.
        data = data.dataset
        if not isinstance(data, np.ndarray | Tensor):
            return open_indexed(DatasetSamples(data), labels, memory_budget, split_seed, images)
    if isinstance(data, np.ndarray | Tensor):
        return _array(data, labels, memory_budget, split_seed, images)
    if type(data).__module__.startswith("scipy.sparse"):
        raise RequestError(
            "the data is a sparse matrix, and sparse data is not supported: give data.toarray()"
        )
    if (table := as_table(data)) is not None:
        rows = frames.from_frame(table, labels, "the DataFrame", columns)
        return source_in_memory("frame", rows, split_seed)
    return _by_samples(data, labels, columns, memory_budget, split_seed, images)


def _by_samples(
    data: Any,
    labels: arrays.Labels | None,
    columns: TableOptions,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    """What gives its samples one by one, or in batches."""
    from torch.utils.data import DataLoader, Dataset, IterableDataset

    if is_hugging_face(data):
        if is_map_style(data):
            return open_dataset(data, labels, columns, memory_budget, split_seed, images)
        _refuse_labels(labels)
        return open_stream(data, columns.label_column, memory_budget, images)
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        return open_indexed(DatasetSamples(data), labels, memory_budget, split_seed, images)
    if isinstance(data, Iterable):
        _refuse_labels(labels)
        if isinstance(data, IterableDataset):
            data = DataLoader(data, batch_size=STREAM_BATCH)
        return StreamSource("stream", data, images, memory_budget)
    raise RequestError(
        f"data of type {type(data).__name__}: give an array, a tensor, a DataFrame, a path, a "
        "Dataset, an iterable of batches or a name"
    )


def _refuse_labels(labels: arrays.Labels | None) -> None:
    """Check that no labels were given beside a stream."""
    if labels is not None:
        raise RequestError(
            "labels were given, but a stream cannot take any: give batches as pairs of samples "
            "and their labels"
        )


def _array(
    data: NDArray[Any] | Tensor,
    labels: arrays.Labels | None,
    memory_budget: float,
    split_seed: int,
    images: ImageOptions,
) -> Source:
    """An array or a tensor; one that NumPy has mapped from a file, over the memory
    budget, is read as it is needed."""
    if isinstance(data, np.memmap) and data.ndim and data.nbytes > memory_budget * GIB:
        mapped = MappedSamples(data, "array", "the array")
        return open_indexed(mapped, labels, memory_budget, split_seed, images)
    rows = arrays.from_array(data, labels, "the array", images)
    return source_in_memory("array", rows, split_seed)


def _windows(
    data: Sequence[Any], labels: arrays.Labels | None, images: ImageOptions
) -> arrays.Rows | None:
    """The rows of windows of series in a list of arrays, (T_i, C) or (T_i,); None where
    it is of something else.

    They are windows where their lengths differ, where there are more of them than each
    has steps, and where the layout is NTC. A few longer arrays of one length are
    batches of rows, of which the last may be shorter.
    """
    if len(data) < 2 or not all(isinstance(one, np.ndarray | Tensor) for one in data):
        return None
    if images.layout not in (None, "NTC") or any(one.ndim not in (1, 2) for one in data):
        return None
    lengths = [len(one) for one in data]
    are_batches = len({*lengths[:-1]}) == 1 and lengths[-1] <= lengths[0]
    if images.layout is None and are_batches and len(data) <= max(lengths):
        return None
    windows = [arrays.to_numpy(one, "the list") for one in data]
    container: Container = "tensor" if isinstance(data[0], Tensor) else "array"
    rows = arrays.from_windows(windows, labels, "the list", container, listed=True)
    return rows if images.layout else replace(rows, notes=(LIST_NOTE, *rows.notes))


def _loads_all(loader: Any) -> bool:
    """Whether a DataLoader gives every sample of its dataset once, in batches as torch
    makes them."""
    from torch.utils.data import BatchSampler, RandomSampler, SequentialSampler, default_collate

    sampler = loader.sampler
    return (
        loader.collate_fn is default_collate
        and type(loader.batch_sampler) is BatchSampler
        # Of a batch_sampler that the user passed it is another.
        and loader.batch_sampler.sampler is sampler
        and isinstance(sampler, RandomSampler | SequentialSampler)
        and sampler.data_source is loader.dataset
        and len(sampler) == len(loader.dataset)
        and not getattr(sampler, "replacement", False)
    )


def as_table(data: Any) -> Any:
    """A DataFrame as it is, a Series as a DataFrame of one column, None for anything
    else. pandas is not imported."""
    if hasattr(data, "iloc") and hasattr(data, "to_frame"):
        return data.to_frame()
    return data if hasattr(data, "iloc") and hasattr(data, "columns") else None


def _numbers(nested: Any) -> bool:
    """Whether a list starts with a number, however deeply nested, or is empty."""
    while isinstance(nested, list | tuple):
        if not nested:
            return True
        nested = nested[0]
    return isinstance(nested, int | float | np.number)


def _array_of(rows: Sequence[Any]) -> NDArray[Any]:
    """A list of numbers, or of lists of them, as an array."""
    try:
        return np.asarray(rows)
    except ValueError:
        raise RequestError(
            "the list has rows of different lengths: give every sample as many values, or windows "
            "of series as a list of arrays"
        ) from None
