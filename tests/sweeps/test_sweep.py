from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from tests.helpers import Answer

import equipoise
from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.sweeps import trial as trials
from equipoise.sweeps.config import SweepConfig
from equipoise.sweeps.result import SweepResult
from equipoise.sweeps.storage import Storage, quiet, recover, url_of
from equipoise.sweeps.summary import sentences
from equipoise.training.events import Evaluated
from equipoise.training.guard import DivergedError
from equipoise.training.signals import InterruptedRunError

RNG = np.random.default_rng(0)
TINY: dict[str, Any] = {
    "trials": 4,
    "trial_samples": 32,
    "seeds": 2,
    "workers": 1,
    "batch_size": 16,
    "width": 8,
    "threads": 1,
    "search": {"learning_rate": None},
    "only": True,
}
OPTIONS = [
    *("--trials", "4", "--trial-samples", "32", "--seeds", "2", "--workers", "1"),
    *("--batch-size", "16", "--width", "8", "--threads", "1"),
    *("--search", "learning_rate", "--only"),
]
pytestmark = pytest.mark.usefixtures("here", "brief_reports", "no_pages")


@pytest.fixture(autouse=True)
def little_to_draw(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No charts and images, which take longer than the trials."""
    if "page" not in request.node.name:
        monkeypatch.setattr("equipoise.sweeps.sweep.write_page", lambda *_: None)
    monkeypatch.setattr("equipoise.plotting.plots.draw", lambda *_, **__: None)


def test_the_first_trial_is_the_default_and_the_best_is_never_worse_in_the_search() -> None:
    result = equipoise.sweep("gaussian", **TINY)
    first = result.trials[0]
    assert first.is_default
    assert first.values == {}
    assert len(result.trials) == 4
    assert result.best.score <= first.score
    assert result.folder == Path("sweeps/gaussian-balanced-0")
    assert len({trial.values["learning_rate"] for trial in result.trials[1:]}) == 3
    assert result.comparison is not None
    assert [run.seed for run in result.comparison.default] == [1, 2]
    _is_the_trial_when_typed(result)


def _is_the_trial_when_typed(result: SweepResult) -> None:
    trial = result.trials[1]
    made = {**trial.values, "batch_size": 16, "width": 8, "threads": 1}
    trainer = GAN(**made, samples=32, validation=True).trainer("gaussian", to_disk=False)
    GAN().train(trainer)
    last = [line["metrics"] for line in trainer.log if "metrics" in line][-1]
    assert next(iter(last.values())) == trial.score
    assert f"--learning-rate {trial.values['learning_rate']:g}" in result.command(trial.values)


def test_its_run_is_an_ordinary_one_on_the_sweeps_split() -> None:
    np.save("x.npy", RNG.normal(size=(400, 2)))
    result = equipoise.sweep("x.npy", **TINY, seed=3)
    assert result.run is not None
    gan = GAN.load(result.run)
    settings = gan._trained().config.settings
    assert gan.sample(3).shape == (3, 2)
    assert settings.validation
    assert settings.seed_of_split == 3
    assert settings.seed in (4, 5)


def test_a_trial_that_diverges_is_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(self: Any, gan: GAN, *rest: Any) -> Any:
        if gan._settings.recipe.get("learning_rate", 0) > 0:
            raise DivergedError("training diverged")
        return train(self, gan, *rest)

    train = trials.Runner._train
    monkeypatch.setattr(trials.Runner, "_train", diverge)
    result = equipoise.sweep("gaussian", **TINY)
    assert [trial.end for trial in result.trials] == ["complete", *["diverged"] * 3]
    assert all(trial.score == math.inf for trial in result.trials[1:])
    assert result.best.is_default
    assert result.settings == {}
    assert "no setting had a lower" in sentences(result)[0]


def test_a_setting_that_the_recipe_refuses_is_a_trial_with_its_message() -> None:
    search = {"regularization": ["penalties", "spectral"]}
    result = equipoise.sweep("gaussian", **{**TINY, "trials": 6, "search": search})
    refused = [trial for trial in result.trials if trial.end == "refused"]
    assert refused
    assert all("is for images" in trial.note for trial in refused)


def test_a_worse_trial_is_pruned() -> None:
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    good = study.ask()
    good.report(1.0, 2)
    study.tell(good, 1.0)
    watch = trials.Watch(study.ask())
    watch(Evaluated(10, {"wasserstein_1": 2.0}, {}, progress=0.25))
    with pytest.raises(optuna.TrialPruned):
        watch(Evaluated(20, {"wasserstein_1": 2.0}, {}, progress=0.45))
    assert watch.curve == [(0.25, 2.0), (0.45, 2.0)]


def test_a_sweep_that_was_stopped_goes_on_with_the_trial_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(self: Any, *rest: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise InterruptedRunError("stopped by SIGINT", "SIGINT")
        return train(self, *rest)

    calls: list[int] = []
    train = trials.Runner._train
    monkeypatch.setattr(trials.Runner, "_train", stop)
    with pytest.raises(InterruptedRunError, match="equipoise sweep --resume sweeps/gaussian"):
        equipoise.sweep("gaussian", **TINY)
    folder = Path("sweeps/gaussian-balanced-0")
    result = equipoise.sweep(out=folder, resume=True)
    assert len(result.trials) == 4
    assert all(trial.end in ("complete", "pruned") for trial in result.trials)
    again = equipoise.sweep(out=folder, resume=True)  # which has nothing left to do
    assert again.trials == result.trials
    assert again.runs == result.runs


def test_a_trial_whose_process_is_gone_is_run_again(tmp_path: Path) -> None:
    with quiet():
        storage = Storage(url_of(tmp_path), "sweep")
        storage.create({"some": "thing"}, {})
        study = storage.search()
        gone, lives, unknown = study.ask(), study.ask(), study.ask()
        host = os.uname().nodename
        gone.set_user_attr("owner", f"{host}:{2**22 + 1}")
        lives.set_user_attr("owner", f"{host}:{os.getpid()}")
        recover(study)
        states = {trial.number: trial.state.name for trial in study.trials}
        assert states[gone.number] == "FAIL"
        assert states[lives.number] == states[unknown.number] == "RUNNING"
        assert states[3] == "WAITING"
        recover(study, alone=True)
        assert study.trials[unknown.number].state.name == "FAIL"


def test_data_in_python_is_swept_in_this_process_and_needed_to_resume() -> None:
    x = RNG.normal(size=(400, 2))
    result = equipoise.sweep(x, **{**TINY, "workers": None})
    assert result.command({"beta1": 0.5}).startswith("GAN('balanced', ")
    with pytest.raises(RequestError, match="pass the same again"):
        equipoise.sweep(out=result.folder, resume=True)
    with pytest.raises(RequestError, match="workers = 2: other processes do not have data"):
        equipoise.sweep(x, out=result.folder, resume=True, workers=2)
    with pytest.raises(RequestError, match="has changed"):
        equipoise.sweep(x + 1, out=result.folder, resume=True)
    assert equipoise.sweep(x, out=result.folder, resume=True).trials == result.trials


def test_the_choice_and_the_final_figures_are_on_different_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = []
    train = GAN.train

    def noted(self: GAN, trainer: Any, callbacks: Any = ()) -> None:
        sources.append(trainer.source)
        train(self, trainer, callbacks)

    monkeypatch.setattr(GAN, "train", noted)
    equipoise.sweep(RNG.normal(size=(400, 2)), **TINY)
    chosen, final = (
        {row.numpy().tobytes() for source in part for row in rows(source)}
        for part, rows in (
            (sources[:4], lambda source: source.validation(99, 0)),
            (sources[4:], lambda source: source.held_out(99, 0)),
        )
    )
    assert len(chosen) == len(final) == 20
    assert not chosen & final


def test_another_command_with_the_same_storage_joins_or_is_refused(here: Path) -> None:
    shared = {**TINY, "storage": f"sqlite:///{here}/shared.db", "trials": 2}
    with quiet():
        from equipoise.sweeps.settings import SweepSettings
        from equipoise.sweeps.start import Asked, begin

        def begun(**changed: Any) -> SweepConfig:
            of_sweep = {
                name: value
                for name, value in {**shared, **changed}.items()
                if name in SweepSettings.__dataclass_fields__
            }
            asked = Asked("gaussian", None, None, {}, {"learning_rate": None}, True)
            return begin(asked, SweepSettings(**of_sweep), None)[1]

        first = begun(trial_samples=None, minutes=2.0)
        joined = begun(trial_samples=None, minutes=2.0, workers=2)
        assert joined.length == first.length
        with pytest.raises(RequestError, match="with other settings: give the same command"):
            begun(trial_samples=None, minutes=2.0, trials=3)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"trials": 1}, "trials = 1: must be"),
        ({"samples": 5}, "samples: of each trial they are trial_samples"),
        ({"storage": "nonsense"}, "storage = 'nonsense' cannot be used"),
        ({"storage": "sqlite:////no/such/folder/x.db"}, "cannot be used: .*unable to open"),
        ({"out": "."}, "out = '.' exists"),
        ({"search": {"gama": None}}, "did you mean 'gamma'"),
        ({"gama": 1}, "did you mean 'gamma'"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_written(
    here: Path, given: dict[str, Any], text: str
) -> None:
    with pytest.raises(RequestError, match=text):
        equipoise.sweep("gaussian", **{**TINY, **given})
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (np.zeros((5, 2)) + np.arange(5)[:, None], "held-out samples, of which half"),
        ("nowhere.csv", "no file, folder or built-in source"),
    ],
)
def test_data_that_cannot_be_swept_is_refused(here: Path, data: Any, text: str) -> None:
    with pytest.raises(RequestError, match=text):
        equipoise.sweep(data, **TINY)
    assert list(here.iterdir()) == []


def test_an_iterator_that_ends_is_refused() -> None:
    batches = iter([RNG.normal(size=(64, 2)) for _ in range(20)])
    with pytest.raises(RequestError, match="an iterator that ends"):
        equipoise.sweep(batches, **TINY)


def test_settings_of_a_resumed_sweep_do_not_change() -> None:
    with pytest.raises(RequestError, match="recipe, gamma, trials cannot change"):
        equipoise.sweep(recipe="wgan", gamma=1, trials=3, out="x", resume=True)
    with pytest.raises(RequestError, match="seed, beta1, conditional cannot change"):
        equipoise.sweep(seed=0, beta1=0.0, conditional=False, out="x", resume=True)


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("equipoise.sweeps.storage.find_spec", lambda _: None)
    with pytest.raises(RequestError, match=re.escape("pip install 'equipoise[sweep]'")):
        equipoise.sweep("gaussian")


def test_optunas_verbosity_is_left_as_it_was() -> None:
    before = optuna.logging.get_verbosity()
    with pytest.raises(RequestError):
        equipoise.sweep("gaussian", trials=1)
    assert optuna.logging.get_verbosity() == before


def test_the_command_prints_the_trials_and_writes_a_page(
    here: Path, command: Callable[..., Answer]
) -> None:
    answer = command("sweep", "gaussian", "--std", "2", *OPTIONS)
    assert answer.status == 0, answer.err
    assert "[1/4] trial 0:" in answer.out
    assert "default setting, seed 2: " in answer.out
    assert "equipoise train gaussian --std 2.0 --batch-size 16 --width 8" in answer.out
    assert "Page: sweeps/gaussian-balanced-0/report.html" in answer.out
    page = (here / "sweeps/gaussian-balanced-0/report.html").read_text()
    assert "<h2>Trials</h2>" in page
    assert page.count("<tr") == 1 + 4
    assert "http" not in page.replace("http://www.w3.org", "")
    again = command("sweep", "--resume", "sweeps/gaussian-balanced-0")
    assert again.status == 0, again.err
    assert "4 of them are done already" in again.out


def test_the_command_names_all_mistakes_in_one_line(command: Callable[..., Answer]) -> None:
    answer = command("sweep", "gaussian", "--search", "gama=1..2", "beta1=x..1", "--trials", "1")
    assert answer.status == 2
    assert answer.err.count("\n") == 1
    for part in ("did you mean 'gamma'?", "beta1 = 'x'", "trials = 1"):
        assert part in answer.err


@pytest.mark.slow
def test_two_workers_share_a_sweep_that_is_killed_and_resumed(here: Path) -> None:
    words = [sys.executable, "-m", "equipoise", "sweep", "gaussian", *OPTIONS]
    words[words.index("--workers") + 1] = "2"
    words[words.index("--trial-samples") + 1] = "20000"
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if "trial 1:" in line:
            break
    child.send_signal(signal.SIGKILL)
    child.wait()
    folder = here / "sweeps" / "gaussian-balanced-0"
    done = _result(folder).trials
    assert any(trial.end == "complete" for trial in done)
    again = [sys.executable, "-m", "equipoise", "sweep", "--resume", str(folder)]
    assert subprocess.run(again, check=False, stdout=subprocess.PIPE).returncode == 0
    result = _result(folder)
    assert len(result.trials) == 4
    assert all(trial.end in ("complete", "pruned") for trial in result.trials)
    assert len(result.runs) in (2, 4)
    assert (folder / "report.html").is_file()


def _result(folder: Path) -> SweepResult:
    config = SweepConfig.read(folder)
    with quiet():
        return SweepResult.read(folder, config, Storage(url_of(folder), config.name))
