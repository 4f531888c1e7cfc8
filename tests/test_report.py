"""The report: kept and read again as it was, commands as they are typed, and samples that are not numbers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.data.laws import Gaussian, Ring
from equipoise.data.opening import open_source
from equipoise.data.sources import LawSource, Source
from equipoise.metrics.figures import FINITE, Figure
from equipoise.report import Report, half_width, number, typed
from equipoise.training.files import DamagedFileError, write_json
from equipoise.training.rundir import RunDirectory
from tests.helpers import TINY_OPTIONS

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")


def config(source: Source, column: str | None = None, conditional: bool = False) -> dict[str, Any]:
    """What config.json would hold of the data and its labels."""
    said = {"data": source.describe(), "run": {"label_column": column}, "recipe": {"conditional": conditional}}
    return json.loads(json.dumps(said))


def test_a_report_is_read_as_it_was_kept(tiny: dict[str, Any], tmp_path: Path) -> None:
    report = GAN(**tiny).fit("ring", out=tmp_path / "run").evaluate()
    assert Report.read(tmp_path / "run" / "report.json") == report
    assert GAN.load(tmp_path / "run").report == report


def test_a_damaged_report_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / "report.json", {"format": 1, "figures": [{"name": "x"}], "verdict": {}})
    with pytest.raises(DamagedFileError, match=r"report.json is not a report: .* lacks some of .*floor"):
        Report.read(tmp_path / "report.json")


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (Gaussian(), "gaussian"),
        (Gaussian(mean=-2.0, std=3.0), "gaussian --mean -2.0 --std 3.0"),
        (Ring(circle_modes=5), "ring --circle-modes 5"),
    ],
)
def test_a_law_is_typed_with_its_settings(law: Gaussian | Ring, words: str) -> None:
    assert typed(config(LawSource(law))) == words


def test_a_file_is_typed_in_quotes_and_arrays_cannot_be_typed(tmp_path: Path) -> None:
    np.save(tmp_path / "my data.npy", np.arange(100.0))
    source = open_source(tmp_path / "my data.npy")
    assert typed(config(source)) == f"'{tmp_path / 'my data.npy'}'"
    assert typed(config(source, "my label")) == f"'{tmp_path / 'my data.npy'}' --label-column 'my label'"
    assert typed(config(open_source(np.arange(100.0)))) == ""


def test_labels_that_a_training_would_leave_aside_are_typed_with_the_option_to_learn_them(tmp_path: Path) -> None:
    assert typed(config(LawSource(Ring(circle_modes=5)), conditional=True)) == "ring --circle-modes 5 --conditional True"
    np.savez(tmp_path / "labelled.npz", x=np.arange(100.0), y=[0, 1] * 50)
    assert typed(config(open_source(tmp_path / "labelled.npz"), conditional=True)) == str(tmp_path / "labelled.npz")


def test_what_is_typed_of_a_conditional_run_is_a_conditional_training(
    tiny: dict[str, Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    GAN("cgan", **tiny).fit("ring", out=tmp_path / "run")
    words = shlex.split(typed(RunDirectory(tmp_path / "run").read_config()))
    assert command("train", *words, *TINY_OPTIONS, "--out", str(tmp_path / "again")).status == 0
    assert np.asarray(GAN.load(tmp_path / "again").sample(2, label=3)).shape == (2, 2)
    longer = ["--recipe", "cgan", "--out", str(tmp_path / "run"), "--resume", "--samples", "64"]
    assert command("train", *words, *longer).status == 0


def test_data_whose_labels_were_handed_over_in_python_cannot_be_typed(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(100.0))
    assert typed(config(open_source(tmp_path / "x.npy", [0, 1] * 50))) == ""


def test_every_flipped_byte_of_a_report_is_noticed_or_means_the_same(tiny: dict[str, Any], tmp_path: Path) -> None:
    path, rng = tmp_path / "report.json", np.random.default_rng(0)
    report = GAN(**tiny).fit("gaussian").evaluate()
    replace(report, figures=report.figures[:2]).save(path)  # the others are written alike
    raw, whole, noticed = path.read_bytes(), Report.read(path), 0
    for place in range(len(raw)):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ (1 << rng.integers(8))]) + raw[place + 1 :])
        try:
            assert Report.read(path) == whole
        except DamagedFileError:
            noticed += 1
    assert noticed > 0.7 * len(raw)  # the rest is the white space
    for length in range(len(raw) - 1):  # the last byte ends the line
        path.write_bytes(raw[:length])
        with pytest.raises(DamagedFileError):
            Report.read(path)


def test_samples_that_are_not_numbers_are_told_and_nothing_else_is_measured(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit("gaussian")
    with torch.no_grad():
        for weight in gan._trained().generator.parameters():
            weight.fill_(float("nan"))
    report = gan.evaluate()
    assert [figure.name for figure in report.figures] == [FINITE]
    assert report[FINITE] == 0
    assert FINITE in str(report)
    assert "100% of the samples are not numbers" in report.verdict.sentence
    assert report.verdict.name == "diverged"


def test_numbers_are_as_long_as_they_need_be() -> None:
    assert [number(value) for value in (8.0, 0.12345678, 0.000012345, 12345.678, float("nan"))] == [
        "8",
        "0.1235",
        "1.23e-05",
        "1.23e+04",
        "nan",
    ]


def test_half_a_width_is_left_out_where_it_is_not_known() -> None:
    assert half_width(Figure("x", 1.0, 1.0, "lower", "", 0.75, 1.25)) == "± 0.25"
    assert half_width(Figure("x", 1.0, 1.0, "lower", "")) == ""


def test_a_report_prints_every_figure_the_verdict_and_what_to_type(tiny: dict[str, Any], tmp_path: Path) -> None:
    report = GAN(**tiny).fit("ring", out=tmp_path / "run").evaluate()
    text = str(report)
    assert all(name in text for name, *_ in report.rows())
    assert "column" not in text.replace("worst column", "")  # each column's distance is kept, and would crowd the table
    assert report.verdict.sentence in text
    assert report.verdict.command.startswith("equipoise train ring")
    assert report.verdict.command in text
