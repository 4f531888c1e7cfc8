"""The progress bar and the line about what is measured."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from rich.console import Console

from equipoise import GAN
from equipoise.errors import EquipoiseWarning
from equipoise.metrics.budget import STEPS
from equipoise.training import progress
from equipoise.training.events import Evaluated, Finished, Report
from equipoise.training.progress import (
    EvaluationStatus,
    ProgressBar,
    clock,
    primary_metric,
    report_lines,
    step_line,
)

READINGS = {
    "discriminator_loss": 0.69314,
    "generator_loss": 12.5,
    "real_output": 0.51,
    "fake_output": -0.49,
}


def test_a_report_fits_beside_the_bar_in_eighty_columns() -> None:
    first, second = report_lines(
        Report(1_234_567, 600.0, 0.5, 98_765.4, 7265.0, READINGS)
    ).splitlines()
    assert first == "1,234,567 samples, 98,765/s, 2:01:05 left"
    assert second == "loss D 0.693 G 12.500, D(real) +0.51 D(fake) -0.49"
    assert max(len(first), len(second)) <= 80 - 16 - len(" 100% ")


@pytest.mark.parametrize(("seconds", "shown"), [(8.4, "8 s"), (187, "3:07"), (3729, "1:02:09")])
def test_the_time_left_is_shown_to_the_second(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_nothing_is_shown_where_output_is_not_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressBar() as bar:
        bar(Report(1, 1.0, 0.5, 1.0, 1.0, READINGS))
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


EVALUATED = Evaluated(
    16, {"wasserstein_1": 0.02134, "mean": 4.0}, {"wasserstein_1": 0.0051, "mean": 4.0}
)


def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have stderr pass for a terminal."""
    monkeypatch.setattr(
        progress,
        "Console",
        lambda **_: Console(stderr=True, force_terminal=True, width=120, legacy_windows=False),
    )


def test_the_primary_metric_stands_beside_its_baseline() -> None:
    assert primary_metric(EVALUATED) == "Wasserstein-1 0.02134 (real samples: 0.0051)"
    assert primary_metric(Evaluated(1, {"x": 2.0}, {})) == "x 2"


@pytest.mark.parametrize(("asked", "shown"), [(None, True), (True, True), (False, False)])
def test_a_bar_is_drawn_on_a_terminal_with_the_metric_unless_it_is_not_wanted(
    asked: bool | None,
    shown: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal(monkeypatch)
    with ProgressBar(asked) as bar:
        bar(EVALUATED)
        bar(Report(16, 1.0, 0.5, 1.0, 1.0, READINGS))
        bar.bar.refresh()
    output = capsys.readouterr().err
    assert ("Wasserstein-1 0.02134 (real samples: 0.0051)" in output) is shown
    assert ("16 samples" in output) is shown


def test_progress_that_is_asked_for_where_no_bar_can_be_drawn_is_a_few_plain_lines(
    capsys: pytest.CaptureFixture[str], tiny: dict[str, Any]
) -> None:
    GAN(**{**tiny, "samples": 16 * 100}).fit("gaussian", progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[4].startswith(" 50% 800 samples, ")
    assert "Wasserstein-1" in lines[-1]


@pytest.mark.parametrize("asked", [None, False])
def test_python_shows_nothing_where_stderr_is_no_terminal(
    asked: bool | None, capsys: pytest.CaptureFixture[str], tiny: dict[str, Any]
) -> None:
    GAN(**tiny).fit("gaussian", progress=asked)
    assert capsys.readouterr().err == ""


def test_a_notebook_without_ipywidgets_has_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "Console", lambda **_: Console(stderr=True, force_jupyter=True))
    monkeypatch.setattr(
        progress, "find_spec", lambda name: None if name == "ipywidgets" else find_spec(name)
    )
    with pytest.warns(EquipoiseWarning, match="a progress bar in a notebook needs ipywidgets"):
        bar = ProgressBar(True)
    assert bar.bar.disable
    assert ProgressBar(None).bar.disable


def test_what_is_measured_is_shown_on_a_terminal_and_nowhere_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert step_line(STEPS[2]) == "measuring: classifier two-sample test (3 of 7)"
    with EvaluationStatus() as status:
        status(STEPS[0])
    assert capsys.readouterr().err == ""
    terminal(monkeypatch)
    with EvaluationStatus() as status:
        for step in STEPS:
            status(step)
    assert "measuring" in capsys.readouterr().err


def test_a_bar_is_a_callback_that_needs_nothing_but_events(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(monkeypatch)
    bar = ProgressBar()
    bar(Report(16, 1.0, 0.5, 1.0, 1.0, READINGS))
    assert bar.bar.live.is_started
    bar(Finished("done"))
    assert not bar.bar.live.is_started
    assert "16 samples" in capsys.readouterr().err
