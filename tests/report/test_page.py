"""The page: the verdict first, all in one file, words for every image; and it holds in
a real browser."""

from __future__ import annotations

import base64
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.metrics.result import MetricResult
from equipoise.report import charts
from equipoise.report.comparison import rows
from equipoise.report.page import comparison, page
from equipoise.report.sections import column_chart

pytestmark = pytest.mark.usefixtures("brief_reports")

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
RNG = np.random.default_rng(0)


class Elements(HTMLParser):
    """Every start tag with its attributes, in order, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the ring, evaluated."""
    out = tmp_path_factory.mktemp("runs") / "ring"
    GAN(samples=2560, seed=0, threads=1).fit("ring", out=out).evaluate()
    return out


def test_a_run_directory_gets_a_page_that_needs_no_network(kept: Path) -> None:
    text = (kept / "report.html").read_text()
    found = Elements(text)
    for tag, attributes in found.tags:
        assert tag not in ("script", "link", "iframe")
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:").startswith("data:"), attributes
    assert "http" not in re.sub(r"data:[^\"]+", "", text)
    assert len(text) < 4_000_000


def test_the_verdict_comes_before_the_figures_and_they_before_the_images(kept: Path) -> None:
    text = (kept / "report.html").read_text()
    report = GAN.load(kept).report
    assert text.index(report.verdict.name.capitalize()) < text.index("<table") < text.index("<img")
    for name, *_ in report.rows():
        assert name.replace("'", "&#39;") in text


def test_every_image_is_described_in_words_and_every_table_has_heads_and_a_caption(
    kept: Path,
) -> None:
    tags = Elements((kept / "report.html").read_text()).tags
    images = [attributes for tag, attributes in tags if tag == "img"]
    assert len(images) >= 8
    assert all(len(image["alt"] or "") > 15 for image in images)
    assert ("html", {"lang": "en"}) in tags
    assert {attributes.get("scope") for tag, attributes in tags if tag == "th"} == {"col", "row"}
    assert any(tag == "caption" for tag, _ in tags)
    assert any(tag == "meta" and attributes.get("name") == "viewport" for tag, attributes in tags)


def test_it_holds_every_setting_and_version(kept: Path) -> None:
    text = Elements((kept / "report.html").read_text()).text
    for word in ("learning rate", "gamma", "fingerprint", "torch", "seed", "threads"):
        assert word in text


def test_the_optimum_and_ds_surface_are_drawn_where_the_distribution_is_known(
    kept: Path, tiny: dict[str, Any]
) -> None:
    assert "beside the optimal D" in (kept / "report.html").read_text()
    for recipe, expected in (("balanced", True), ("classic", True), ("lsgan", False)):
        text = page(GAN(recipe, **tiny).fit("gaussian").page_context())
        assert "D along the line" in text
        assert ("beside the optimal D" in text) is expected


@pytest.mark.parametrize("shape", [(60, 12, 12), (60, 3, 10, 8), (200, 5)])
def test_images_and_columns_have_pages_too(shape: tuple[int, ...], tiny: dict[str, Any]) -> None:
    data = RNG.integers(0, 255, shape, dtype=np.uint8) if len(shape) > 2 else RNG.normal(size=shape)
    text = page(GAN(**tiny).fit(data).page_context())
    assert ("the training image nearest to each" in text) == (len(shape) > 2)
    assert ("Histograms of 5 columns" in text) == (len(shape) == 2)


def test_a_column_of_one_large_value_has_a_page(tiny: dict[str, Any]) -> None:
    data = np.stack([RNG.normal(size=100), RNG.normal(size=100), np.full(100, 1.7e15)], 1)
    assert "Histograms of 3 columns" in page(GAN(**tiny).fit(data).page_context())


def test_a_generated_outlier_leaves_the_bars_of_a_column_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(charts, "svg_image", lambda figure, *_, **__: figures.append(figure))
    real = RNG.normal(size=(100, 3))
    generated = np.tile(real, (5, 1))
    generated[0, 0] = 1e5
    generated[:50, 1] *= 1e5
    column_chart(generated, real, Schema((3,), "ND", "float64"))
    first, second, third = figures[0].axes
    assert all(axes.get_xlim()[1] < 10 for axes in (first, second, third))
    assert (first.get_xlabel(), second.get_xlabel()) == ("", "10% outside")


def test_names_from_strangers_cannot_write_the_page(tiny: dict[str, Any], tmp_path: Path) -> None:
    frame = pd.DataFrame(RNG.normal(size=(100, 3)), columns=["<script>alert(1)</script>", "b", "c"])
    text = page(GAN(**tiny).fit(frame, out=tmp_path / "<script>").page_context())
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("name", ["$\\frac{$", "_hidden", "half \udcff", "two\nlines"])
def test_a_run_of_any_name_stands_in_the_legend_as_it_is(name: str) -> None:
    def texts(name: str) -> int:
        curve = charts.Curve([1, 2], [0.5, 0.25], 0.1, 2000)
        chart = charts.compared_runs({name: curve, "other": curve}, name)
        assert chart is not None
        return base64.b64decode(chart.source.partition(",")[2]).count(b'<g id="text_')

    assert texts(name) == texts("plain")


def test_a_d_that_sees_whole_batches_is_not_asked_point_by_point(tiny: dict[str, Any]) -> None:
    text = page(
        GAN("classic", discriminator_sees="batch-spread", **tiny).fit("gaussian").page_context()
    )
    assert "D along the line" not in text
    assert "Histogram of generated samples" in text


def test_a_run_on_arrays_of_another_process_is_shown_without_real_ones(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    for name, shape in (("images", (60, 12, 12)), ("points", (100, 2))):
        GAN(**tiny).fit(
            RNG.integers(0, 255, shape).astype(np.uint8), out=tmp_path / name
        ).evaluate()
    images, points = (
        page(GAN.load(tmp_path / name).page_context()) for name in ("images", "points")
    )
    assert "36 generated images in a grid" in images
    assert "real images in a grid" not in images
    assert "Curves" in points


def test_every_metric_of_the_table_has_its_line_and_its_better_side(kept: Path) -> None:
    text = (kept / "report.html").read_text()
    table = Elements(text[text.index("<table") : text.index("</table>")])
    rows = len(GAN.load(kept).report.rows())
    spans = [attributes.get("class") for tag, attributes in table.tags if tag == "span"]
    assert spans.count("meaning") == spans.count("sign") == spans.count("unseen") == rows
    assert "accuracy of a newly trained real-vs-generated classifier" in table.text
    assert re.search(r"[↓] *, lower is better", table.text)
    for head in ("generated", "± 95% interval", "real (baseline)"):
        assert head in table.text


def test_the_page_says_when_it_was_made_and_how_long_was_trained(kept: Path) -> None:
    report = GAN.load(kept).report
    text = Elements((kept / "report.html").read_text()).text
    assert report.training_summary.removeprefix("trained") in text
    assert re.search(r"Trained on 2,560 samples in .*; \d+ \w+ \d{4}, \d\d:\d\d UTC", text)


@pytest.mark.parametrize(
    ("name", "sure", "severity", "mark"),
    [
        ("converged", "sure", "good", "good"),
        ("converged", "likely", "fair", "not there yet"),
        ("still improving", "sure", "fair", "not there yet"),
        ("mode collapse", "likely", "bad", "problem"),
    ],
)
def test_a_verdict_shows_how_severe_it_is_by_more_than_colour(
    kept: Path, name: Any, sure: Any, severity: str, mark: str
) -> None:
    context = GAN.load(kept).page_context()
    verdict = replace(context.report.verdict, name=name, sure=sure)
    text = page(replace(context, report=replace(context.report, verdict=verdict)))
    assert f'class="verdict {severity}"' in text
    assert re.search(rf'class="mark">. {mark}<', text)


def test_a_curve_has_its_own_baseline_and_says_why_it_is_another() -> None:
    log: list[dict[str, Any]] = [
        {"samples_seen": 10, "baselines": {"m": 0.5}, "evaluated_samples": 2000}
    ]
    log += [{"samples_seen": 10 * i, "metrics": {"m": 10.0 / i}} for i in (1, 2, 3)]
    table = MetricResult("m", 3.0, 0.25, "lower", "", n_samples=10_000)
    image = charts.primary(log, table)
    assert image is not None
    assert image.caption == (
        "Measured on 2,000 samples during training, by a quick version of the metric. Its baseline "
        "here is 0.5000; the table's, 0.2500, was measured on 10,000 samples."
    )
    assert charts.metric_curve(log, "m").baseline == 0.5  # not the table's
    same = charts.primary(log, replace(table, baseline=0.5))
    assert same is not None
    assert same.caption == image.caption.partition(" Its")[0]


def test_a_critics_estimate_is_drawn_beside_the_metric_and_nothing_elses_is() -> None:
    log: list[dict[str, Any]] = [
        {"samples_seen": 10 * i, "w1_times_unknown_factor": 3.0 / i} for i in (1, 2, 3)
    ]
    table = MetricResult("m", 3.0, 0.25, "lower", "")
    assert charts.critic(log, table) is None  # nothing to compare it with
    log += [{"samples_seen": 10 * i, "metrics": {"m": 10.0 / i}} for i in (1, 2, 4)]
    image = charts.critic(log, table)
    assert image is not None
    assert "from 3 to 1, the metric from 10 to 2.5000" in image.alt
    assert charts.critic(log[3:], table) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_not_finite_is_left_out_of_a_curve(value: float | None) -> None:
    log: list[dict[str, Any]] = [{"samples_seen": 1, "baselines": {"m": value}}]
    log += [{"samples_seen": i, "metrics": {"m": each}} for i, each in enumerate((1.0, value, 0.5))]
    curve = charts.metric_curve(log, "m")
    assert (curve.values, curve.baseline) == ([1.0, 0.5], None)
    assert charts.primary(log, MetricResult("m", 1.0, math.nan, "lower", "")) is not None


def test_figures_that_are_not_finite_have_rows(kept: Path) -> None:
    context = GAN.load(kept).page_context()
    odd = (
        MetricResult("sliced_wasserstein", math.inf, math.nan, "lower", "n samples"),
        MetricResult("of_another_version", math.nan, 1.0, "near", "n samples", math.nan, math.nan),
    )
    report = replace(context.report, metrics=odd)
    assert [(row.cells, row.baseline) for row in rows([report])] == [
        ([("∞", "")], "not a number"),
        ([("not a number", "")], "1"),
    ]
    assert "not a number" in page(replace(context, report=report))
    assert "∞" in str(report)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.02, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"]),
        ([0.001, 40.0], ["0.001", "0.01", "0.1", "1", "10"]),
        ([0.5, 1.0], None),
        ([0.0, 1.0], None),
    ],
)
def test_a_logarithmic_scale_has_plain_round_numbers(
    values: list[float], ticks: list[str] | None
) -> None:
    metric = charts.new_figure()
    axes = charts._axes(metric, "y")
    axes.plot([0, 1], values)
    charts.scale_metric(axes, values)
    assert axes.get_yscale() == ("linear" if ticks is None else "log")
    metric.draw_without_rendering()
    low, high = axes.get_ylim()
    at = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    shown = [label.get_text() for y, label in at if low <= y <= high]
    assert ticks is None or shown == ticks
    assert not any(label.get_text() for label in axes.get_yticklabels(minor=True))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_points_with_labels_are_shown_by_class(size: int, tiny: dict[str, Any]) -> None:
    x, labels = RNG.normal(size=(200, size)), ["setosa", "virginica"] * 100
    found = Elements(page(GAN(**tiny).fit(x, labels=labels).page_context()))
    alts = [attributes["alt"] or "" for tag, attributes in found.tags if tag == "img"]
    by_class = [alt for alt in alts if "the classes setosa, virginica, real and generated" in alt]
    assert len(by_class) == (1 if size < 3 else 0)


def test_images_with_labels_have_a_sheet_by_class(tiny: dict[str, Any]) -> None:
    x = RNG.integers(0, 255, (60, 8, 8), dtype=np.uint8)
    text = page(GAN(**tiny).fit(x, labels=["dark", "light"] * 30).page_context())
    assert "Generated images, a row for each of the classes dark, light." in text
    assert "Samples by class" not in page(GAN(**tiny).fit(x).page_context())


def test_runs_compared_stand_side_by_side(kept: Path, tiny: dict[str, Any], tmp_path: Path) -> None:
    other = tmp_path / "other"
    GAN("lsgan", **tiny).fit("ring", out=other).evaluate()
    text = comparison([GAN.load(kept).page_context(), GAN.load(other).page_context()])
    tags = Elements(text)
    assert sum(tag == "section" for tag, _ in tags.tags) == 2
    heads = [str(kept), str(other)]
    assert all(head in tags.text for head in heads)
    assert f"Samples of {kept}" in tags.text
    assert f"sliced Wasserstein of each run against samples seen: {kept} ends at" in text


def test_compare_prints_one_table_and_writes_one_page(
    kept: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    answer = command("compare", str(kept), str(kept), "--out", str(tmp_path / "both.html"))
    assert answer.status == 0
    assert answer.out.count("sliced Wasserstein") == 1
    assert "verdict" in answer.out
    assert (tmp_path / "both.html").is_file()
    assert (
        command("compare").err
        == "equipoise: equipoise compare needs run directories: see equipoise compare --help\n"
    )
    assert "must end in .html" in command("compare", str(kept), "--out", "x.pdf").err
    assert "is not a run directory" in command("compare", str(tmp_path)).err


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("width", [1100, 390])
def test_a_browser_shows_it_without_a_sideways_scroll(
    kept: Path, tmp_path: Path, width: int
) -> None:
    """In a frame, since a window cannot be as narrow as a phone."""
    shown, inner = tmp_path / "page.html", tmp_path / "inner.html"
    script = (
        "parent.postMessage(document.documentElement.scrollWidth + ' of ' + window.innerWidth, '*')"
    )
    inner.write_text(
        (kept / "report.html").read_text().replace("</body>", f"<script>{script}</script></body>")
    )
    listen = "<script>addEventListener('message', event => document.title = event.data)</script>"
    shown.write_text(
        f'<title>-</title>{listen}<iframe src="inner.html" '
        f'style="width:{width}px;height:900px;border:0"></iframe>'
    )
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-sync",
    ]
    flags += [
        "--disable-component-update",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1200,900",
        "--virtual-time-budget=5000",
    ]
    assert CHROMIUM is not None
    dumped = subprocess.run(
        [CHROMIUM, *flags, "--dump-dom", shown.as_uri()],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    ).stdout
    title = re.search(r"<title>(\d+) of (\d+)</title>", dumped)
    assert title is not None
    assert int(title[1]) <= int(title[2])
    image = tmp_path / "page.png"
    subprocess.run(
        [CHROMIUM, *flags, f"--screenshot={image}", shown.as_uri()],
        capture_output=True,
        timeout=600,
        check=True,
    )
    pixels = np.asarray(Image.open(image).convert("L"))
    assert pixels.std() > 10  # something is drawn
