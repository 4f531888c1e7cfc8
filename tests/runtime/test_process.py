"""A call of the library leaves the process as it found it, however it ends."""

from __future__ import annotations

import os
import random
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn  # noqa: F401  # sets a variable of the environment when it is imported
import torch
import torch._dynamo.config
import torch._dynamo.package  # so does this

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.report import trained_run
from equipoise.runtime.process import iterate_with_torch_settings, torch_settings
from equipoise.training import loop, trainer
from equipoise.training.events import Control, Event
from equipoise.training.signals import InterruptedRunError, signals_stop
from equipoise.training.speed import Speed

POINTS = np.random.default_rng(0).normal(size=(200, 2))
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), np.uint8)


def snapshot() -> dict[str, Any]:
    """All of the process that a library might change."""
    return {
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "modes": (torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "derivatives": getattr(torch._dynamo.config, "trace_autograd_ops", None),
        "filters": list(warnings.filters),
        "show": warnings.showwarning,
        "handlers": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "torch": torch.get_rng_state().tolist(),
        "numpy": repr(np.random.get_state()),
        "numpy errors": np.geterr(),
        "python": random.getstate(),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
    }


def ignore(*_: Any) -> None:
    """A signal handler."""


@pytest.fixture
def program() -> Iterator[None]:
    """A program that has set two threads, float64, no gradients, filters and handlers,
    and has drawn from global generators."""
    handlers = [signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)]
    threads, states = torch.get_num_threads(), (torch.get_rng_state(), np.random.get_state())
    torch.set_num_threads(2)
    torch.set_default_dtype(torch.float64)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.filterwarnings("ignore", message="of the program's own")
        torch.manual_seed(11)
        np.random.seed(11)
        torch.rand(3), np.random.rand(3)
        yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("data", [POINTS, IMAGES])
def test_fit_evaluate_and_sample_leave_the_process_as_it_was(
    data: Any, tiny: dict[str, Any], tmp_path: Path
) -> None:
    gan, before = GAN(**tiny), snapshot()
    gan.fit(data)
    assert snapshot() == before
    gan.evaluate()
    assert snapshot() == before
    gan.sample(5, seed=0)
    gan.draw(tmp_path / "drawn.png", seed=0)
    gan.save(tmp_path / "run")
    GAN.load(tmp_path / "run").sample(5)
    assert snapshot() == before


def failing(error: BaseException) -> Callable[[Event], None]:
    def tell(_: Event) -> None:
        raise error

    return tell


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("error", [ValueError("the callback's own"), KeyboardInterrupt()])
def test_fit_leaves_the_process_as_it_was_when_a_callback_raises(
    error: BaseException, tiny: dict[str, Any]
) -> None:
    gan, before = GAN(**tiny), snapshot()
    with pytest.raises(type(error)):
        gan.fit(POINTS, callbacks=[failing(error)])
    assert snapshot() == before


@pytest.mark.usefixtures("program")
def test_fit_leaves_the_process_as_it_was_when_it_is_interrupted(tiny: dict[str, Any]) -> None:
    gan, before = GAN(**tiny), snapshot()
    with pytest.raises(InterruptedRunError):
        gan.fit(POINTS, callbacks=[lambda _: os.kill(os.getpid(), signal.SIGINT)])
    assert snapshot() == before


@pytest.mark.usefixtures("program")
def test_wrong_requests_leave_the_process_as_it_was(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit(POINTS)
    before = snapshot()
    wrong: list[Callable[[], Any]] = [
        lambda: GAN(**tiny).fit(np.full((9, 2), np.nan)),
        lambda: GAN("dcgan", **tiny).fit(POINTS),
        lambda: gan.evaluate(IMAGES),
        lambda: gan.sample(3, label="none"),
    ]
    for asked in wrong:
        with pytest.raises(RequestError):
            asked()
    assert snapshot() == before


@pytest.mark.parametrize("data", [POINTS, IMAGES])
def test_what_is_trained_and_judged_does_not_depend_on_what_the_program_has_set(
    data: Any, tiny: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    expected = GAN(**tiny).fit(data)
    samples, report = expected.sample(9, seed=1), expected.evaluate()
    request.getfixturevalue("program")
    found = GAN(**tiny).fit(data)
    found.save(tmp_path / "run")
    for gan in (found, GAN.load(tmp_path / "run")):
        assert np.array_equal(gan.sample(9, seed=1), samples)
    assert found.evaluate().metrics == report.metrics


MODES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "inference mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "another default device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("data", [POINTS, IMAGES])
def test_what_is_trained_and_judged_does_not_depend_on_the_modes_of_torch_around(
    mode: str, data: Any, tiny: dict[str, Any], tmp_path: Path
) -> None:
    def all_of_it() -> tuple[Any, Any, Any]:
        gan = GAN(**tiny).fit(data)
        gan.save(run := tmp_path / str(len(list(tmp_path.iterdir()))))
        parts = list(gan.sample_batches(9, 4, seed=1))
        return GAN.load(run).sample(9, seed=1), np.concatenate(parts), gan.evaluate().metrics

    expected = all_of_it()
    with MODES[mode]():
        before, found = snapshot(), all_of_it()
        assert snapshot() == before
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])
    assert found[2] == expected[2]


def test_training_and_judging_run_on_the_threads_of_the_run_and_preparing_on_one(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("equipoise.report.trained_run.usable_cores", lambda: 3)
    seen: list[tuple[str, int]] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            seen.append((name, torch.get_num_threads()))
            return function(*arguments, **named)

        return called

    for module, name in (
        (trainer, "fit_chain"),
        (loop, "adversarial_step"),
        (trained_run, "evaluate"),
    ):
        monkeypatch.setattr(module, name, noting(name, getattr(module, name)))
    gan = GAN(**{**tiny, "threads": 2}).fit("gaussian", out=tmp_path / "run")
    gan.evaluate()
    GAN.load(tmp_path / "run").evaluate()
    assert set(seen) == {("fit_chain", 1), ("adversarial_step", 2), ("evaluate", 2)}
    assert [name for name, _ in seen].count("evaluate") == 2


def test_work_within_work_comes_back_to_the_work_around_it() -> None:
    before = torch.get_num_threads()
    with torch_settings(2):
        with torch_settings(3):
            assert torch.get_num_threads() == 3
        assert torch.get_num_threads() == 2
        with torch_settings():
            assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_two_threads_at_work_at_once_leave_behind_what_there_was() -> None:
    torch.set_default_dtype(torch.float64)
    before, inside, first_is_out = snapshot(), threading.Event(), threading.Event()
    seen = []

    def second() -> None:
        with torch_settings(3):
            inside.set()
            first_is_out.wait(10)
            seen.append(torch.get_default_dtype())

    thread = threading.Thread(target=second)
    try:
        with torch_settings(1):
            thread.start()
            inside.wait(10)
        first_is_out.set()
        thread.join()
        assert seen == [torch.float32]  # of the one that is still at work
        assert snapshot() == before
        threading.Thread(target=lambda: seen.append(torch.get_num_threads())).run()
        assert seen[-1] == before["threads"]
    finally:
        torch.set_default_dtype(torch.float32)


def test_between_two_items_the_process_is_the_callers() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        made = iterate_with_torch_settings(torch.get_default_dtype() for _ in range(2))
        assert [(inside, torch.get_default_dtype()) for inside in made] == [
            (torch.float32, torch.float64)
        ] * 2
    finally:
        torch.set_default_dtype(torch.float32)


def test_torch_compiles_through_derivatives_only_while_a_compiled_step_runs() -> None:
    if not hasattr(torch._dynamo.config, "trace_autograd_ops"):
        pytest.skip("this torch cannot")
    before = torch._dynamo.config.trace_autograd_ops
    for compiled in (True, False):
        with Speed(1, "float32", compiled).torch_settings():
            assert torch._dynamo.config.trace_autograd_ops is (compiled or before)
        assert torch._dynamo.config.trace_autograd_ops is before


def test_a_handler_that_python_did_not_set_and_cannot_put_back_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = []
    monkeypatch.setattr(
        signal, "getsignal", lambda number: None if number == signal.SIGTERM else ignore
    )
    monkeypatch.setattr(signal, "signal", lambda number, _: changed.append(number))
    with signals_stop(Control()):
        pass
    assert set(changed) == {signal.SIGINT}
