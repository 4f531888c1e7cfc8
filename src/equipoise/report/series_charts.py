"""Charts of a page about windows of series: windows of both sides, and their
autocorrelations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.data.series.windows import Series
from equipoise.plotting.series import (
    MAX_SHOWN_ACF,
    autocorrelation_panels,
    channels_note,
    window_panels,
    windows_size,
)
from equipoise.report.charts import Image, new_figure, svg_image

Array = NDArray[np.float64]
ROW, HEAD, WIDTH = 1.7, 0.6, 7.2  # inches of autocorrelations


def windows_chart(series: Series, generated: Array, real: Array) -> Image:
    """Some windows of both, and the band that most windows are in.

    Args:
        series: The form of the windows.
        generated: Rows, (N, D).
        real: Others, (M, D).
    """
    figure = new_figure(*windows_size(series))
    window_panels(figure, series, generated, real)
    caption = (
        "Windows drawn at random, on the same axes. 90% of all windows are in the band, step by "
        f"step{channels_note(series)}."
    )
    alt = f"Lines over steps: real {series.described()} on the left, generated on the right."
    return svg_image(figure, alt, caption, wide=True)


def autocorrelation_chart(series: Series, generated: Array, real: Array) -> Image | None:
    """The autocorrelations of both; None for windows of one step."""
    if series.steps < 2:
        return None
    shown = min(len(series.channels), MAX_SHOWN_ACF)
    figure = new_figure(WIDTH, ROW * -(-shown // 3) + HEAD)
    gaps = autocorrelation_panels(figure, series, generated, real)
    caption = (
        "Autocorrelations: how much a value tells of the one some steps later. Both lines should "
        f"be the same{channels_note(series, MAX_SHOWN_ACF)}."
    )
    alt = f"Autocorrelations of {shown} channels. Both differ by {max(gaps):.2f} at most."
    return svg_image(figure, alt, caption, wide=True)
