"""The report: kept and read again as it was, commands as they are typed, and samples
that are not numbers."""

from __future__ import annotations

import io
import json
import math
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import TINY_OPTIONS

from equipoise import GAN
from equipoise.data.distributions import Gaussian, Ring
from equipoise.data.factory import open_source
from equipoise.data.sources import DistributionSource, Source
from equipoise.diagnosis import Verdict
from equipoise.metrics.budget import QUICK
from equipoise.metrics.result import MetricResult
from equipoise.recipes.balanced import Balanced
from equipoise.report.report import Report, gather
from equipoise.runs.config import Machine, Requested, RunConfig
from equipoise.runs.directory import RunDirectory
from equipoise.runs.generator import save_generator
from equipoise.runs.serialization import DamagedFileError, checked_line, write_json
from equipoise.runs.settings import RunSettings

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")

SOME = np.random.default_rng(0).normal(size=300)  # numbers that are soon measured


def data_arguments(source: Source, column: str | None = None, conditional: bool = False) -> str:
    """The arguments that name this data and its labels in a run's configuration."""
    return RunConfig(
        requested=Requested(),
        recipe=Balanced(conditional=conditional),
        settings=RunSettings(label_column=column),
        data=source.describe(),
        transform=(),
        notes=(),
        machine=Machine("cpu", 1, "float32", compiled=False),
    ).data_arguments


def test_a_report_is_read_as_it_was_kept(tiny: dict[str, Any], tmp_path: Path) -> None:
    report = GAN(**tiny).fit("ring", out=tmp_path / "run").evaluate()
    assert Report.read(tmp_path / "run" / "report.json") == report
    assert GAN.load(tmp_path / "run").report == report


def test_a_damaged_report_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / "report.json", {"format": 1, "metrics": [{"key": "x"}], "verdict": {}})
    with pytest.raises(
        DamagedFileError, match=r"report.json is not a report: .* lacks some of .*baseline"
    ):
        Report.read(tmp_path / "report.json")


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        (Gaussian(), "gaussian"),
        (Gaussian(mean=-2.0, std=3.0), "gaussian --mean -2.0 --std 3.0"),
        (Ring(circle_modes=5), "ring --circle-modes 5"),
    ],
)
def test_a_distribution_is_typed_with_its_settings(
    distribution: Gaussian | Ring, words: str
) -> None:
    assert data_arguments(DistributionSource(distribution)) == words


def test_a_file_is_typed_in_quotes_and_arrays_cannot_be_typed(tmp_path: Path) -> None:
    np.save(tmp_path / "my data.npy", np.arange(100.0))
    source = open_source(tmp_path / "my data.npy")
    assert data_arguments(source) == f"'{tmp_path / 'my data.npy'}'"
    assert (
        data_arguments(source, "my label")
        == f"'{tmp_path / 'my data.npy'}' --label-column 'my label'"
    )
    assert data_arguments(open_source(np.arange(100.0))) == ""


def test_labels_that_a_training_would_leave_aside_are_typed_with_the_option_to_learn_them(
    tmp_path: Path,
) -> None:
    assert (
        data_arguments(DistributionSource(Ring(circle_modes=5)), conditional=True)
        == "ring --circle-modes 5 --conditional"
    )
    np.savez(tmp_path / "labelled.npz", x=np.arange(100.0), y=[0, 1] * 50)
    assert data_arguments(open_source(tmp_path / "labelled.npz"), conditional=True) == str(
        tmp_path / "labelled.npz"
    )


def test_what_is_typed_of_a_conditional_run_is_a_conditional_training(
    tiny: dict[str, Any], command: Callable[..., Any], tmp_path: Path
) -> None:
    GAN("cgan", **tiny).fit("ring", out=tmp_path / "run")
    words = shlex.split(RunDirectory(tmp_path / "run").read_config().data_arguments)
    assert command("train", *words, *TINY_OPTIONS, "--out", str(tmp_path / "again")).status == 0
    assert np.asarray(GAN.load(tmp_path / "again").sample(2, label=3)).shape == (2, 2)
    longer = ["--recipe", "cgan", "--out", str(tmp_path / "run"), "--resume", "--samples", "64"]
    assert command("train", *words, *longer).status == 0


def test_data_whose_labels_were_handed_over_in_python_cannot_be_typed(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(100.0))
    assert data_arguments(open_source(tmp_path / "x.npy", [0, 1] * 50)) == ""


def test_every_flipped_byte_of_a_report_is_noticed_or_means_the_same(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    path, rng = tmp_path / "report.json", np.random.default_rng(0)
    report = GAN(**tiny).fit("gaussian").evaluate()
    replace(report, metrics=report.metrics[:2]).save(path)  # the others are written the same way
    raw, whole, noticed = path.read_bytes(), Report.read(path), 0
    for place in range(len(raw)):
        path.write_bytes(
            raw[:place] + bytes([raw[place] ^ (1 << rng.integers(8))]) + raw[place + 1 :]
        )
        try:
            assert Report.read(path) == whole
        except DamagedFileError:
            noticed += 1
    assert noticed > 0.7 * len(raw)  # the rest is the white space
    for length in range(len(raw) - 1):  # the last byte ends the line
        path.write_bytes(raw[:length])
        with pytest.raises(DamagedFileError):
            Report.read(path)


def test_of_samples_that_are_not_finite_nothing_else_is_measured(
    tiny: dict[str, Any],
) -> None:
    gan = GAN(**tiny).fit("gaussian")
    with torch.no_grad():
        for weight in gan._trained().sampler.generator.parameters():
            weight.fill_(float("nan"))
    report = gan.evaluate()
    assert [metric.key for metric in report.metrics] == ["finite_fraction"]
    assert report["finite_fraction"] == 0
    assert "finite samples" in str(report)
    assert "100% of the samples are not finite numbers" in report.verdict.sentence
    assert report.verdict.name == "diverged"


def strict(text: str) -> Any:
    """JSON, of which NaN and Infinity are no part."""
    return json.loads(text, parse_constant=pytest.fail)


def test_all_json_of_a_run_that_diverged_is_json(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((3000, 2)))
    away = ["--learning-rate", "1e30", "--samples", "320", *TINY_OPTIONS[2:]]
    answer = command("train", str(tmp_path / "x.npy"), "--out", str(out), *away)
    assert answer.status == 1, answer.err
    gan = GAN.load(out)
    with torch.no_grad():
        for weight in gan._trained().sampler.generator.parameters():
            weight.fill_(float("inf"))
    save_generator(gan._trained().sampler, out / "generator.safetensors")
    with RunDirectory(out).log_file.open("a") as file:
        file.write(
            checked_line(
                {
                    "samples_seen": 32,
                    "seconds": 1.0,
                    "metrics": {"x": math.nan},
                    "balance": math.inf,
                }
            )
        )
    answer = command("evaluate", str(out), "--json")
    assert strict(answer.out)["verdict"]["name"] == "diverged"
    for path in sorted(out.rglob("*.json*")):
        assert all(
            strict(text)
            for text in (
                path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
            )
        )
    for path in out.rglob("*.safetensors"):
        raw = path.read_bytes()
        strict(
            strict(raw[8 : 8 + int.from_bytes(raw[:8], "little")].decode())["__metadata__"][
                "equipoise"
            ]
        )


def test_values_that_are_not_finite_are_null_and_read_as_nan(tmp_path: Path) -> None:
    lost = [
        MetricResult("a", math.nan, math.inf, "lower", "of none"),
        MetricResult("b", 1.0, 2.0, "lower", "of none", math.nan, math.inf),
    ]
    report = Report(
        "x", "classic", 32, tuple(lost), Verdict("diverged", "It diverged.", "sure", "Next.")
    )
    report.save(tmp_path / "report.json")
    assert [
        metric["value"] for metric in strict((tmp_path / "report.json").read_text())["metrics"]
    ] == [None, 1.0]
    read = Report.read(tmp_path / "report.json")
    assert math.isnan(read["a"])
    assert math.isnan(read.metrics[0].baseline)
    assert read.metrics[1] == MetricResult(
        "b", 1.0, 2.0, "lower", "of none"
    )  # an interval that is not known
    assert "not a number" in str(read)
    read.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "report.json").read_bytes()


def test_a_report_prints_every_metric_the_verdict_and_the_command(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    report = GAN(**tiny).fit("ring", out=tmp_path / "run").evaluate()
    text = str(report)
    assert all(name in text for name, *_ in report.rows())
    assert "column" not in text.replace(
        "worst column", ""
    )  # each column's distance is kept, and would crowd the table
    assert report.verdict.sentence in text
    assert report.verdict.command.startswith("equipoise train ring")
    assert report.verdict.command in text


def test_a_report_has_arrows_its_date_and_a_line_for_each_metric(tiny: dict[str, Any]) -> None:
    report = GAN(**tiny).fit("ring").evaluate()
    text = str(report)
    assert "↓ sliced Wasserstein " in text
    assert "↑ modes covered, of 8 " in text
    assert "≈ spread inside modes " in text
    assert text.splitlines()[0].split() == [
        "generated",
        "±",
        "95%",
        "interval",
        "real",
        "(baseline)",
    ]
    assert "ring, balanced, trained on 32 samples in " in text
    lines = report.explained().splitlines()
    assert len(lines) == len(report.rows())
    assert all(len(line.split("  ")[-1]) > 15 for line in lines)


def test_a_report_prints_where_output_is_not_utf_8(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = GAN(**tiny).fit("ring").evaluate()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    text = str(report)
    assert text.isascii()
    assert "v sliced Wasserstein " in text
    assert "+- 95% interval" in text
    assert report.explained().isascii()


def test_an_unknown_metric_is_a_key_error_with_the_nearest_key(tiny: dict[str, Any]) -> None:
    report = GAN(**tiny).fit(SOME).evaluate()
    with pytest.raises(KeyError, match=r"no metric 'Wasserstein-1': did you mean 'wasserstein_1'?"):
        report["Wasserstein-1"]
    assert "wasserstein_1" in report
    assert "Wasserstein-1" not in report


def test_reports_are_equal_whenever_they_were_made(tiny: dict[str, Any]) -> None:
    report = GAN(**tiny).fit(SOME).evaluate()
    assert replace(report, date="2030-01-01T00:00:00+00:00", training_seconds=1e6) == report


@pytest.mark.parametrize(("name", "value"), [("date", "yesterday"), ("training_seconds", "long")])
def test_a_report_with_an_odd_date_or_time_is_damaged(
    tiny: dict[str, Any], tmp_path: Path, name: str, value: str
) -> None:
    content = GAN(**tiny).fit(SOME).evaluate().to_dict()
    write_json(tmp_path / "report.json", {**content, name: value})
    with pytest.raises(DamagedFileError, match=r"report.json is not a report"):
        Report.read(tmp_path / "report.json")


def test_no_file_but_the_report_has_its_date(tiny: dict[str, Any], tmp_path: Path) -> None:
    for name in ("a", "b"):
        GAN(seed=0, **tiny).fit(SOME, out=tmp_path / name).evaluate()
    first, second = (tmp_path / name / "generator.safetensors" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert json.loads((tmp_path / "a" / "report.json").read_text())["date"].endswith("+00:00")


def test_only_what_the_user_set_otherwise_than_the_recipe_would_counts_as_changed() -> None:
    x = np.random.default_rng(0).normal(size=(300, 2))

    def changed(**settings: Any) -> tuple[str, ...]:
        training = GAN(**settings, threads=1).trainer(x, to_disk=False)
        return gather(training.sampler, training.source, [], training.config, None, QUICK).changed

    assert changed() == ()  # as many clusters as are found is not a choice
    assert changed(gamma=0.1, width=128, samples=32) == ()  # what the recipe says too
    assert changed(gamma=0.5, clusters=3, samples=32) == ("gamma", "clusters")
