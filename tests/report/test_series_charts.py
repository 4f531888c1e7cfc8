import base64

import numpy as np

from equipoise.data.series.arrays import series_of
from equipoise.report.series_charts import autocorrelation_chart, windows_chart

RNG = np.random.default_rng(0)


def test_the_charts_of_a_page_say_what_they_show() -> None:
    rows, form = series_of([RNG.normal(size=(9, 7)) for _ in range(30)], "x", listed=False)
    image = windows_chart(form, rows, rows)
    assert "real windows of 9 steps of 7 channels" in image.alt
    assert "the first 4 of 7 channels" in image.caption
    assert b"<svg" in base64.b64decode(image.source.partition(",")[2])
    chart = autocorrelation_chart(form, rows, rows)
    assert chart is not None
    assert "differ by 0.00 at most" in chart.alt
    assert "the first 6 of 7 channels" in chart.caption


def test_windows_of_one_step_have_no_autocorrelations() -> None:
    rows, form = series_of([RNG.normal(size=(1, 2)) for _ in range(30)], "x", listed=False)
    assert autocorrelation_chart(form, rows, rows) is None
