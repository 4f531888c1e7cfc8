"""The registry: one function adds a metric everywhere, and a broken one breaks only
itself."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import EquipoiseWarning, RequestError
from equipoise.metrics import registry
from equipoise.metrics.reference import KINDS, Array, TabularReference
from equipoise.metrics.registry import (
    KEY,
    Metric,
    catalogue,
    describe,
    find,
    label_of,
    measures,
    register,
)
from equipoise.metrics.suites import MetricSuite
from equipoise.report.comparison import rows
from equipoise.report.page import page
from equipoise.runs.directory import RunDirectory

RNG = np.random.default_rng(0)
RANGE = Metric("largest_value", "largest value", "near", "the largest value in the table")
PLUGINS = {
    "good": "def extent(reference, rows):\n    return float(rows.max() - rows.min())\n",
    "failing": "def extent(reference, rows):\n    raise RuntimeError('not today')\n",
    "lacking": "import no_such_module\n",
    "odd": "extent = 5\n",
    "taken": "def extent(reference, rows):\n    return 0.0\n",
}
KEYS = {"taken": "sliced_wasserstein"}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What a test registers is gone after it."""
    catalogue()
    metrics, known = dict(registry._METRICS), list(registry._MEASURES)
    yield
    registry._METRICS.clear()
    registry._METRICS.update(metrics)
    registry._MEASURES[:] = known
    registry._BROKEN.clear()


def load_plugins(names: list[str], folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Look for the entry points of these packages."""
    for name in names:
        text = PLUGINS[name]
        if text.startswith("def"):
            metric = f"Metric({KEYS.get(name, f'{name}_extent')!r}, 'extent', 'near', 'an extent')"
            text = (
                "from equipoise.metrics.registry import Metric, register\n"
                f"@register({metric}, kinds=['tabular'], while_training=True)\n{text}"
            )
        (folder / f"{name}_metric.py").write_text(text)
    patch.syspath_prepend(folder)
    points = [EntryPoint(name, f"{name}_metric:extent", registry.ENTRY_POINTS) for name in names]
    patch.setattr(
        registry, "entry_points", lambda group: points if group == registry.ENTRY_POINTS else []
    )
    registry._load.cache_clear()
    catalogue()


def largest_value(_: TabularReference, x: Array) -> float:
    return float(x.max())


def test_keys_and_meanings_have_their_form() -> None:
    for key, metric in catalogue().items():
        assert KEY.fullmatch(key)
        assert metric.key == key
        assert 4 < len(metric.meaning) <= registry.MAX_MEANING
        assert "\n" not in metric.meaning


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_has_one_primary_metric_which_is_computed_while_training(
    kind: Any,
) -> None:
    assert [m.position for m in measures(kind)].count(0) == 1
    assert measures(kind)[0] is measures(kind, while_training=True)[0]
    assert set(measures(kind, while_training=True)) < set(measures(kind))


def test_a_registered_metric_is_in_report_log_page_and_comparison(tmp_path: Path) -> None:
    register(RANGE, kinds=["tabular"], while_training=True)(largest_value)
    settings: dict[str, Any] = {"batch_size": 16, "width": 8, "threads": 1}
    gan = GAN(samples=64, **settings).fit(RNG.normal(size=(300, 2)), out=tmp_path / "run")
    assert gan.report["largest_value"] > 0
    assert "≈ largest value " in str(gan.report)
    assert "the largest value in the table" in gan.report.explained()
    assert "largest value" in [row.label for row in rows([gan.report, gan.report])]
    assert any(
        "largest_value" in line.get("metrics", {})
        for line in RunDirectory(tmp_path / "run").read_log()
    )
    assert "the largest value in the table" in page(gan.page_context())


def test_a_family_has_a_label_with_its_detail() -> None:
    assert label_of("digit_frequency/7") == "frequency of digit 7"
    assert label_of("class_frequency/a/b") == "frequency of class a/b"
    assert find("digit_frequency/7").key == "digit_frequency"


def test_an_unknown_key_is_a_key_error_with_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean 'coverage'"):
        find("coverages")


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (Metric("Some Key", "label", "near", "a meaning"), "must be lower case"),
        (Metric("key", "", "near", "a meaning"), "needs a label and a meaning"),
        (Metric("key", "label", "near", "long " * 30), "needs a label and a meaning"),
        (Metric("coverage", "label", "near", "a meaning"), "is taken"),
    ],
)
def test_a_wrong_description_is_refused(metric: Metric, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        describe(metric)


def test_another_packages_metric_cannot_be_the_primary_one() -> None:
    with pytest.raises(RequestError, match="a position above 0"):
        register(RANGE, kinds=["tabular"], position=0)(largest_value)


def test_entry_points_add_metrics_and_broken_ones_break_only_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.warns(EquipoiseWarning) as warned:
        load_plugins(["good", "lacking", "odd", "taken"], tmp_path, monkeypatch)
    assert "good_extent" in catalogue()
    assert registry.broken().keys() == {"lacking", "odd", "taken"}
    assert "No module named 'no_such_module'" in registry.broken()["lacking"]
    assert "not a function registered as a metric" in registry.broken()["odd"]
    assert "'sliced_wasserstein' is taken" in registry.broken()["taken"]
    assert len(warned) == 3
    suite = MetricSuite(TabularReference(RNG.normal(size=(50, 2))), quick=True)
    assert list(suite(np.array([[0.0, 1.0], [3.0, 2.0]]))) == ["sliced_wasserstein", "good_extent"]


def test_a_metric_of_another_package_that_fails_is_left_out_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_plugins(["failing"], tmp_path, monkeypatch)
    suite = MetricSuite(TabularReference(RNG.normal(size=(50, 2))), quick=True)
    with pytest.warns(EquipoiseWarning, match="'failing_extent' failed .* not today"):
        results = suite.metrics(RNG.normal(size=(50, 2)), [RNG.normal(size=(50, 2))])
    assert [result.key for result in results] == ["sliced_wasserstein"]
