"""The documented fields of report.json, log.jsonl and config.json are a run's."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.metrics.registry import catalogue, family_of, label_of

PAGE = Path(__file__).parents[1] / "docs" / "files.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
TYPES = {"int": int, "float": float, "str": str, "dict": dict, "list": list, "null": type(None)}


@cache
def fields(heading: str) -> dict[str, str]:
    """The documented types by field, of the section with this heading."""
    section = re.split(r"^#+ ", PAGE.read_text(), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{heading}\n")]
    return {name: kind.strip() for name, kind, _ in ROW.findall(text)}


def agrees(value: Any, kind: str) -> bool:
    """Whether a value from JSON has a type such as "float or null"."""
    kinds = tuple(TYPES[name] for name in kind.split(" or "))
    return isinstance(value, kinds) or (float in kinds and isinstance(value, int))


def check(stored: dict[str, Any], documented: dict[str, str], *, every: bool) -> None:
    assert stored.keys() <= documented.keys()
    assert not every or stored.keys() == documented.keys()
    wrong = {name: value for name, value in stored.items() if not agrees(value, documented[name])}
    assert wrong == {}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("format") / "run"
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(600, 2)), ["a", "b"] * 300
    tiny: dict[str, Any] = {"samples": 2000, "batch_size": 50, "width": 8, "threads": 1}
    GAN(**tiny, stop_when="converged").fit(x, y, out=out).evaluate()
    return out


def test_a_report_has_the_documented_fields(run: Path) -> None:
    report = json.loads((run / "report.json").read_text())
    check(report, fields("report.json"), every=True)
    check(report["verdict"], fields("The verdict of report.json"), every=True)
    for metric in report["metrics"]:
        check(metric, fields("A metric of report.json"), every=True)


def test_every_line_of_a_log_has_documented_fields(run: Path) -> None:
    documented, lines = fields("log.jsonl"), (run / "log.jsonl").read_text().splitlines()
    found: set[str] = set()
    for line in map(json.loads, lines):
        check(line, documented, every=False)
        assert {"samples_seen", "seconds", "crc32"} <= line.keys()
        found |= line.keys()
        for named in (line.get("metrics", {}), line.get("baselines", {})):
            assert {family_of(key) for key in named} <= catalogue().keys()
    assert {"balance", "metrics", "baselines", "evaluated_samples"} <= found


def test_a_config_has_the_documented_fields(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    check(config, fields("config.json"), every=True)


def test_documented_metrics_are_in_the_catalogue_with_their_labels() -> None:
    for key, label in fields("Keys of metrics").items():
        assert family_of(key) in catalogue()
        family = catalogue()[family_of(key)]
        expected = family.label.replace("{}", "…") if family.is_family else label_of(key)
        assert label == expected
