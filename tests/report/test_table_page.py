"""The page and the report of a table of mixed columns, from a training to the end."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN
from equipoise.report.page import page
from equipoise.report.report import SHOWN_COLUMNS

N = 600
HOSTILE = "<script>$\\frac{\u202e" + "x" * 100


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "signed up": pd.Timestamp("2019-03-01") + pd.to_timedelta(rng.integers(0, 900, N), "D"),
            "spent": rng.lognormal(3, 1, N).round(2),
            "plan": rng.choice(["free", "pro", "<b>team</b>"], N),
            HOSTILE: rng.normal(size=N),
            "member": rng.random(N) < 0.3,
        }
    )
    frame.loc[rng.random(N) < 0.2, "spent"] = np.nan
    return frame


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training, evaluated, with its page."""
    out = tmp_path_factory.mktemp("runs") / "run"
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Glyph")
        GAN(samples=2560, seed=0, threads=1).fit(table(), out=out).evaluate(quick=True)
    return out


def test_the_page_names_what_is_off_and_shows_both_sides(run: Path) -> None:
    text = unescape((run / "report.html").read_text())
    for said in (
        "What is off, and what binds the columns",
        "The columns furthest off",
        "The pairs of columns furthest off",
        "Distributions of 5 columns",
        "Associations of 5 columns, of real rows on the left",
        "Pearson's correlation of numbers, Cramér's V of categories",
    ):
        assert said in text, said
    assert "blank cells" in text


def test_the_page_is_one_file_without_a_script(run: Path) -> None:
    found: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(tag)

    text = (run / "report.html").read_text()
    Tags().feed(text)
    assert not {"script", "b", "link"} & set(found)
    assert "http" not in re.sub(r"data:[^\"]+", "", text)
    assert "x" * 60 not in re.sub(r"data:[^\"]+", "", text.split("Every setting")[0])


def test_the_printed_report_is_short_and_has_the_worst_columns_alone(run: Path) -> None:
    report = GAN.load(run).report
    assert sum("shape of column" in name for name, *_ in report.rows()) == SHOWN_COLUMNS
    assert len(report.rows()) <= 20
    assert max(map(len, str(report).splitlines()[: len(report.rows())])) <= 100
    shapes = [metric for metric in report.metrics if metric.family == "column_shape"]
    assert len(shapes) == 5
    worst = min(shapes, key=lambda metric: metric.value - metric.baseline)
    assert worst in report.shown


def test_a_page_without_the_data_is_still_one(run: Path) -> None:
    text = page(replace(GAN.load(run).page_context(), source=None, table=None))
    assert "What is off" not in text
    assert "Curves" in text
