"""Arrays and tensors as checked rows of numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from equipoise.data.image_options import ImageOptions
from equipoise.data.labels import distinct_labels, plain_label
from equipoise.data.levels import levels_of
from equipoise.data.limits import image_limits, range_note
from equipoise.data.schema import (
    ALPHA_CHANNELS,
    Container,
    Layout,
    Schema,
    detect_layout,
    is_series,
    layout_note,
    to_network_layout,
)
from equipoise.data.series.arrays import series_of
from equipoise.data.series.description import described_channels
from equipoise.data.series.layout import read_note
from equipoise.data.series.windows import Series
from equipoise.data.tables.table import Described
from equipoise.errors import RequestError, clipped

if TYPE_CHECKING:
    pass

MAX_EXACT = 2**53  # up to here float64 holds every whole number
# The last channel is transparency where so much of it is at the ends of the range, and
# at the upper one, in so many images.
MIN_AT_ENDS, MIN_OPAQUE, ALPHA_IMAGES = 0.5, 0.01, 1_000
Labels = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """Checked rows in memory."""

    values: NDArray[Any]
    """(N, *schema.shape), in the user's units."""
    schema: Schema
    labels: NDArray[np.int64] | None
    """The positions of the labels among the schema's classes, (N,)."""
    notes: tuple[str, ...] = ()
    """What the user should know of how the data was read, a line each."""
    columns: tuple[Described, ...] = ()
    """The columns of a table of mixed ones, in words."""


def from_array(
    data: NDArray[Any] | torch.Tensor,
    labels: Labels | None,
    what: str,
    images: ImageOptions | None = None,
) -> Rows:
    """Rows of an array or tensor in any accepted layout.

    `what` names the data in messages, `images` says how images are read.
    """
    options = images or ImageOptions()
    container: Container = "tensor" if isinstance(data, torch.Tensor) else "array"
    array = to_numpy(data, what)
    if array.size == 0:
        raise RequestError(
            f"{what} is empty (shape {array.shape}): give at least one batch of samples"
        )
    if is_series(array, options.layout):
        rows = from_windows([*array], labels, what, container)
        notes = [read_note(array.shape, as_series=True)] if options.layout is None else []
        return replace(rows, notes=(*notes, *rows.notes))
    layout = detect_layout(array.shape, options.layout)
    values = to_network_layout(array, layout)
    check_values(values, what, layout=layout)
    levels = levels_of(values) if values.ndim == 2 else None
    alpha, notes = read_as(values, array.shape, layout, options)
    schema = Schema(
        values.shape[1:], layout, array.dtype.name, container, levels=levels, alpha=alpha
    )
    return replace(with_labels(values, schema, labels, what), notes=tuple(notes))


def from_windows(
    windows: Sequence[NDArray[Any]],
    labels: Labels | None,
    what: str,
    container: Container = "array",
    *,
    listed: bool = False,
    known: Series | None = None,
) -> Rows:
    """Rows of windows of series, (T_i, C) each, or (T_i,).

    Args:
        windows: The windows.
        labels: One a window.
        what: Names the data in messages.
        container: What samples are.
        listed: Whether they are a list.
        known: The form of the windows, where that is known.
    """
    values, series = series_of(windows, what, listed=listed, known=known)
    dtype = np.result_type(*{window.dtype for window in windows}).name
    check_values(values[:, series.first :], what)
    schema = Schema((series.size,), "NTC", dtype, container, series=series)
    rows = with_labels(values, schema, labels, what)
    return replace(rows, columns=described_channels(series, values))


def read_as(
    values: NDArray[Any],
    shape: Sequence[int],
    layout: Layout,
    options: ImageOptions,
    ends: tuple[float, float] | None = None,
) -> tuple[bool, list[str]]:
    """How images of an array are read.

    Args:
        values: The images, (N, C, H, W), or some; points are left alone.
        shape: That of the whole array as it was given.
        layout: Its layout.
        options: What the user asked for.
        ends: The least and the greatest value, where `values` are some images of many.

    Returns:
        Whether the last channel is transparency, and notes for the user.
    """
    if values.ndim != 4:
        return False, []
    notes = [layout_note(shape, layout)] if options.layout is None else []
    if layout == "NHW" and options.layout is None and values.dtype.kind == "f":
        notes.append(read_note(tuple(shape), as_series=False))
    alpha = values.shape[1] == ALPHA_CHANNELS and options.alpha is not False
    if alpha and options.alpha is None:
        alpha = has_alpha(values)
        notes.append(
            "the fourth channel is read as transparency: most of its values are the lowest or "
            "the highest; if it is not, type --no-alpha (in Python alpha=False)"
            if alpha
            else "the fourth channel is not read as transparency; if it is, type --alpha "
            "(in Python alpha=True)"
        )
    if values.dtype != np.uint8:
        low, high = ends or (float(values.min()), float(values.max()))
        notes.append(range_note(values.dtype.name, low, high))
    return alpha, [note for note in notes if note]


def has_alpha(values: NDArray[Any]) -> bool:
    """Whether the last channel of images, (N, C, H, W), looks like transparency: half
    of it or more is at the ends of the range, and a hundredth or more at the upper
    one."""
    low, high = image_limits(values)
    alpha = values[:ALPHA_IMAGES, -1]
    full = float((alpha == high).mean())
    return full >= MIN_OPAQUE and full + float((alpha == low).mean()) >= MIN_AT_ENDS


def to_numpy(data: Any, what: str) -> NDArray[Any]:
    """An array or tensor of numbers as NumPy holds them, in the machine's byte order.

    Raises:
        RequestError: For types that torch lacks.
    """
    if isinstance(data, torch.Tensor):
        try:
            data = data.detach().cpu().numpy()
        except (TypeError, RuntimeError):  # bfloat16, sparse, quantised and others
            is_dense = data.layout == torch.strided
            kind = str(data.dtype if is_dense else data.layout).removeprefix("torch.")
            instead = "float32 (x.float())" if is_dense else "a dense tensor (x.to_dense())"
            raise RequestError(
                f"{what} has type {kind}, which NumPy lacks: give {instead}"
            ) from None
    if np.ma.is_masked(data):
        raise RequestError(f"{what} has masked values: fill or remove them first")
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise RequestError(
            f"{what} has type {array.dtype}: give numbers (integers, floats or booleans)"
        )
    if array.dtype.itemsize > 8:
        raise RequestError(f"{what} has type {array.dtype}: give float64 or smaller")
    check_exact(array, what)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def with_labels(
    values: NDArray[Any],
    schema: Schema,
    labels: Labels | None,
    what: str,
    classes: Sequence[Hashable] | None = None,
) -> Rows:
    """Rows with their labels counted and turned into positions among the classes: those
    that are given, else those that the labels have."""
    if labels is None:
        return Rows(values, schema, None)
    if not hasattr(labels, "__len__") or getattr(labels, "ndim", 1) != 1:
        raise RequestError(f"labels = {clipped(repr(labels))}: give one label per sample")
    if len(labels) != len(values):
        raise RequestError(
            f"labels: {len(labels)} given for {len(values)} samples of {what}: give one label "
            "per sample"
        )
    # The list of an array of dates would be of plain numbers.
    are_dates = getattr(getattr(labels, "dtype", None), "kind", "") in "mM"
    listed = labels.tolist() if hasattr(labels, "tolist") and not are_dates else labels
    plain = [plain_label(label) for label in listed]
    known = distinct_labels(plain if classes is None else classes)
    index = {label: i for i, label in enumerate(known)}
    if classes is not None and (others := [label for label in plain if label not in index]):
        raise RequestError(
            f"{what} has the label {clipped(repr(others[0]))}, which is not among its classes: "
            f"{clipped(', '.join(map(str, known)))}"
        )
    positions = np.array([index[label] for label in plain], np.int64)
    counts = tuple(np.bincount(positions, minlength=len(known)).tolist())
    return Rows(values, replace(schema, classes=known, class_counts=counts), positions)


def check_values(
    values: NDArray[Any],
    what: str,
    layout: str = "ND",
    columns: tuple[str | int, ...] | None = None,
) -> None:
    """Check that all values are finite, and that samples differ.

    Raises:
        RequestError: If not.
    """
    check_finite(values, what, layout, columns)
    if (values == values.flat[0]).all():
        raise one_value_error(values.flat[0], what)
    check_different(values, what)


def check_different(values: NDArray[Any], what: str) -> None:
    """Check that samples differ.

    Raises:
        RequestError: If there are several, all of them the same.
    """
    if len(values) > 1 and all((sample == values[0]).all() for sample in values):
        raise one_sample_error(len(values), what)


def one_sample_error(times: int, what: str) -> RequestError:
    """The error of data with one distinct sample."""
    return RequestError(
        f"{what} has one distinct sample, {times:,} times: there is no distribution to learn; "
        "give data that varies"
    )


def one_value_error(value: Any, what: str) -> RequestError:
    """The error of data with one distinct value."""
    return RequestError(
        f"{what} has one distinct value, {value}: there is no distribution to learn; give "
        "data that varies"
    )


def check_finite(
    values: NDArray[Any],
    what: str,
    layout: str = "ND",
    columns: tuple[str | int, ...] | None = None,
    first_row: int = 0,
) -> None:
    """Check that all values are finite. `first_row` is the number of the first sample.

    Raises:
        RequestError: On NaN or infinity, with how many and where the first is.
    """
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    where = np.unravel_index(int(bad.argmax()), values.shape)
    kind = "NaN" if np.isnan(values[where]) else "infinity"
    place = f"row {first_row + int(where[0])}"
    if columns is not None:
        place += f", column {columns[where[1]]!r}"
    elif layout != "N":
        place += f", position {tuple(int(i) for i in where[1:])}"
    raise RequestError(
        f"{what} has {int(bad.sum())} NaN or infinite values, the first ({kind}) at {place}: "
        "remove or fill them first"
    )


def check_exact(array: NDArray[Any], what: str) -> None:
    """Check that float64, in which everything is computed, holds these whole numbers.

    Raises:
        RequestError: If it would round one.
    """
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8 or not array.size:
        return
    beyond = next(
        (int(value) for value in (array.max(), array.min()) if abs(int(value)) > MAX_EXACT), None
    )
    if beyond is not None:
        raise RequestError(
            f"{what} has the whole number {beyond}, beyond 2**53, which would be rounded: "
            "subtract an offset, or give floats"
        )
