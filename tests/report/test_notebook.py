"""What a notebook shows of a GAN and of a report."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN

pytestmark = pytest.mark.usefixtures("brief_reports")


def text_of(page: str) -> str:
    """The text that a reader sees."""
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append  # type: ignore[method-assign]
    parser.feed(page)
    return re.sub(r"\s+", " ", " ".join(found))


def test_a_report_is_its_table_and_its_verdict(trained_images: Path) -> None:
    report = GAN.load(trained_images).report
    shown = text_of(report._repr_html_())
    assert report.verdict.name.capitalize() in shown
    assert report.verdict.sentence in shown
    for name, value, _, baseline in report.rows():
        assert name in shown
        assert value in shown
        assert baseline in shown
    assert repr(report) == str(report)


def test_a_trained_gan_is_a_picture_with_its_report(trained_images: Path) -> None:
    gan = GAN.load(trained_images)
    page = gan._repr_html_()
    assert '<img src="data:image/png;base64,' in page
    assert gan.report.verdict.name.capitalize() in page
    assert "<script" not in page
    assert "<style" not in page


def test_showing_a_gan_measures_nothing(tiny: dict[str, Any], monkeypatch: Any) -> None:
    gan = GAN(**tiny).fit("gaussian")
    monkeypatch.setattr(GAN, "evaluate", None)
    assert "Not measured yet" in text_of(gan._repr_html_())
    assert "Not trained yet" in text_of(GAN()._repr_html_())


def test_names_from_data_are_no_markup(tiny: dict[str, Any]) -> None:
    frame = pd.DataFrame({"<b>x</b>": np.arange(60) / 7, "y": np.arange(60) / 9})
    gan = GAN(**tiny, columns={"<b>x</b>": {"kind": "number"}}).fit(frame)
    gan.evaluate(quick=True)
    assert "<b>" not in gan._repr_html_()
    assert "&lt;b&gt;" in gan._repr_html_()
