"""How a training ends: an exception of the caller's own loses nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import EquipoiseWarning
from equipoise.runs.directory import RunDirectory
from equipoise.sampling.sampler import Sampler
from equipoise.training.events import (
    Control,
    Drawn,
    Evaluated,
    Event,
    Finished,
    ImageDue,
    Report,
    SaveDue,
)
from equipoise.training.signals import InterruptedRunError

SETTINGS: dict[str, Any] = {"samples": 16 * 40, "batch_size": 16, "width": 8, "threads": 1}


class OwnError(Exception):
    """What a user's callback raises."""


def raising(kind: type[Any], after: int = 0) -> Any:
    """A callback that raises at the first event of a kind that so many came before."""
    events: list[Event] = []

    def on_event(event: Event) -> None:
        assert not any(isinstance(event, kind) for event in events[after:]), (
            "it is told of nothing after its exception"
        )
        events.append(event)
        if isinstance(event, kind) and len(events) > after:
            raise OwnError("mine")

    return on_event


@pytest.mark.parametrize("kind", [Report, SaveDue, Evaluated])
def test_an_exception_in_a_callback_is_raised_after_saving_with_a_note(
    kind: type[Any], tmp_path: Path
) -> None:
    out, handler = tmp_path / "run", signal.getsignal(signal.SIGINT)
    gan = GAN(**SETTINGS)
    with pytest.raises(OwnError, match=r"^mine\b") as raised:
        gan.fit("gaussian", out=out, callbacks=[raising(kind)])
    seen = gan._trained().sampler.samples_seen
    assert 0 < seen < SETTINGS["samples"]
    note = (
        f"training stopped after {seen:,} samples; saved in {out}: resume with fit(data, "
        f"out={str(out)!r}, resume=True)"
    )
    assert raised.value.__notes__ == [note]
    assert (out / "checkpoints" / f"{seen:09d}.safetensors").is_file()
    assert signal.getsignal(signal.SIGINT) is handler
    RunDirectory(out).lock()  # it is free


def test_the_training_goes_on_from_there_to_the_very_bits_of_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    with pytest.raises(OwnError):
        GAN(**SETTINGS).fit(
            "gaussian", out=tmp_path / "broken", callbacks=[raising(Report, after=20)]
        )
    GAN().fit(out=tmp_path / "broken", resume=True)
    GAN(**SETTINGS).fit("gaussian", out=tmp_path / "straight")
    broken, straight = (
        (tmp_path / name / "generator.safetensors").read_bytes() for name in ("broken", "straight")
    )
    assert broken == straight


def test_in_memory_what_was_trained_can_be_sampled_from_and_gone_on_from() -> None:
    gan = GAN(**SETTINGS)
    with pytest.raises(OwnError) as raised:
        gan.fit("gaussian", callbacks=[raising(Report)])
    assert raised.value.__notes__[0].endswith(
        "the GAN can be sampled from, and trained further with fit(data, init_from=gan)"
    )
    assert len(np.asarray(gan.sample(3))) == 3


def test_metrics_and_images_are_among_the_events(tmp_path: Path) -> None:
    events: list[Event] = []
    GAN(**SETTINGS).fit("gaussian", out=tmp_path / "run", callbacks=[events.append])
    evaluated = [event for event in events if isinstance(event, Evaluated)]
    logged = [line for line in RunDirectory(tmp_path / "run").read_log() if "metrics" in line]
    assert [(event.samples_seen, event.metrics) for event in evaluated] == [
        (line["samples_seen"], line["metrics"]) for line in logged
    ]
    assert all(event.baselines["wasserstein_1"] > 0 for event in evaluated)
    drawn = [event for event in events if isinstance(event, Drawn)]
    assert drawn[0] == Drawn(0, tmp_path / "run" / "samples" / "000000000.png")
    assert all(event.path.is_file() for event in drawn)
    assert len(drawn) == sum(isinstance(event, ImageDue) for event in events)
    after = [event for event in events if isinstance(event, Evaluated | SaveDue)]
    assert all(isinstance(then, SaveDue) for event, then in pairwise(after) if event in evaluated)


@pytest.mark.parametrize("stopped", [False, True])
def test_the_last_save_alone_has_batch_norm_statistics_of_as_many_samples_as_possible(
    stopped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    recomputed: list[bool] = []
    events: list[Event] = []
    plain = Sampler.recalibrate_batchnorm

    def noted(sampler: Sampler, *arguments: Any) -> None:
        recomputed.append(arguments[-1])
        plain(sampler, *arguments)

    monkeypatch.setattr(Sampler, "recalibrate_batchnorm", noted)
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8), np.uint8)
    gan = GAN("dcgan", **SETTINGS | {"width": 2}, evaluate="none")
    trainer = gan.trainer(images, to_disk=False)

    def on_event(event: Event) -> None:
        events.append(event)
        if stopped and isinstance(event, Report) and event.samples_seen == 16 * 31:
            trainer.control.stop("SIGINT")

    with pytest.raises(InterruptedRunError) if stopped else nullcontext():
        gan.train(trainer, [on_event])
    saves = [event.last for event in events if isinstance(event, SaveDue)]
    assert len(saves) > 5
    assert saves == [False] * (len(saves) - 1) + [True]
    assert recomputed == [True] * (len(recomputed) - 1) + [False]


def test_a_callback_that_exits_loses_nothing_either(tmp_path: Path) -> None:
    def leave(event: Event) -> None:
        if isinstance(event, Report):
            raise SystemExit(3)

    gan = GAN(**SETTINGS)
    with pytest.raises(SystemExit):
        gan.fit("gaussian", out=tmp_path / "run", callbacks=[leave])
    seen = gan._trained().sampler.samples_seen
    assert (tmp_path / "run" / "checkpoints" / f"{seen:09d}.safetensors").is_file()


def test_a_signal_is_not_confused_with_early_stopping_at_the_same_step() -> None:
    control = Control()
    control.stop("SIGINT")
    control.stop("early_stopped")
    assert control.stop_reason == "SIGINT"


class Scripted:
    """Metrics of a training, whose primary one is at the least in one evaluation."""

    def __init__(self, suite: Any, least_at: int) -> None:
        self.suite, self.n = suite, suite.n
        self.values: Iterator[int] = iter([*range(40, 40 - least_at, -1), *[40] * (20 - least_at)])

    def __call__(self, x: Any) -> dict[str, float]:
        metrics = self.suite(x)
        return metrics | {next(iter(metrics)): float(next(self.values))}


@pytest.mark.parametrize(
    ("least_at", "is_over"), [(17, False), (15, True)], ids=["improving", "patience ends there"]
)
def test_until_converged_keeps_the_best_generator_at_full_length_too(
    least_at: int, is_over: bool, tmp_path: Path
) -> None:
    x, run = np.random.default_rng(0).normal(size=(400, 2)), tmp_path / "run"
    trainer = GAN(**SETTINGS, stop_when="converged").trainer(x, out=run)
    scripted: Any = Scripted(trainer.evaluator.suite, least_at)
    trainer.evaluator.suite = scripted
    best = least_at * SETTINGS["samples"] // 20
    with pytest.warns(EquipoiseWarning, match=f"after 640 samples; .* is the best, of {best} samp"):
        trainer.run()
    assert (trainer.state.samples_seen, trainer.sampler.samples_seen) == (640, best)
    assert ("early_stopped" in trainer.log[-1]) == is_over
    samples = GAN.load(run).sample(5, seed=0)
    (run / "checkpoints" / f"{best:09d}.safetensors").unlink()
    again = GAN().fit(x, out=run, resume=True)
    assert again._trained().sampler.samples_seen == best
    assert np.array_equal(again.sample(5, seed=0), samples)


def test_where_the_data_ends_the_generator_that_is_kept_is_told() -> None:
    x, said = np.random.default_rng(0).normal(size=(400, 2)), list[str]()
    gan = GAN(**SETTINGS, stop_when="converged")
    trainer = gan.trainer(x, to_disk=False, warn=said.append)
    said.clear()
    trainer.state.samples_seen = 640
    for best in (640, 320):
        trainer.sampler.samples_seen = best
        trainer._report_end(Finished("no more data"), 0)
    ended = "no more data; training ended after 640 samples"
    assert said == [ended, f"{ended}; the generator is the best, of 320 samples"]
