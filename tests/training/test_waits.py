"""A training on a GPU, without one: the host neither waits for a step nor copies to it.

torch's meta device stands in for the GPU. Its tensors have no values: what reads one
(`.item()`, `.tolist()`, `bool`, `.cpu()`, `nonzero`) raises, and so does an operation
on tensors of both devices. What a copy to it would be is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from tests.helpers import chain_of
from tests.training.test_cost import AUGMENTATIONS, recipe_for, step
from torch import Tensor

from equipoise.data.distributions import Ring
from equipoise.data.loading import (
    DistributionLoader,
    IndexedLoader,
    Loader,
    PrefetchingLoader,
    moved,
)
from equipoise.recipes import catalogue
from equipoise.recipes._building import build_method
from equipoise.training import loop, state
from equipoise.training.events import Control, Finished, ImageDue, Report, SaveDue
from equipoise.training.guard import Guard
from equipoise.training.memory import ZeroLoader
from equipoise.training.state import State
from equipoise.utils.torch_private import DispatchMode

GPU = torch.device("meta")
TABLES = ("ctgan",)
POINTS = ("balanced", "classic", "wgan-gp", "infogan", "pacgan")
AUGMENTED = {"augment": "color,cutout,translation", "augment_target": 0.6}


class GpuGenerator(torch.Generator):
    """A generator that draws on the stand-in."""

    device = GPU


class Copies(DispatchMode):
    """A context that notes operations with a tensor of the CPU whose result is on the
    stand-in. Numbers, (), are passed by value."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        results = function(*arguments, **(named or {}))
        if any(tensor.device == GPU for tensor in tensors_in(results)):
            moves = function.overloadpacket in (torch.ops.aten._to_copy, torch.ops.aten.copy_)
            self.found += [
                str(function)
                for tensor in tensors_in((arguments, named))
                if tensor.device.type == "cpu" and (tensor.dim() or moves)
            ]
        return results


def tensors_in(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, Mapping):
        yield from tensors_in(tuple(tree.values()))
    elif isinstance(tree, tuple | list):
        for branch in tree:
            yield from tensors_in(branch)


@pytest.fixture(autouse=True)
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "seeded", lambda *_, **__: GpuGenerator())
    # Autocast does not know the stand-in.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


def state_for(name: str, kind: str, **settings: Any) -> State:
    recipe = recipe_for(name, kind, **settings)
    method, transform = build_method(recipe, AUGMENTATIONS[kind], 0), chain_of(AUGMENTATIONS[kind])
    transform.to(GPU)
    loader = ZeroLoader(AUGMENTATIONS[kind], recipe.batch_size, transform, GPU)
    return State(method, recipe, loader, 0, GPU)


@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        *((name, "images", {}) for name in catalogue() if name not in TABLES),
        *((name, "plane", {}) for name in POINTS),
        ("balanced", "images", AUGMENTED),
    ],
)
def test_a_step_neither_waits_for_the_gpu_nor_copies_to_it(
    name: str, kind: str, settings: dict[str, Any]
) -> None:
    trained = state_for(name, kind, **settings)
    step(trained)  # makes what later steps find
    with Copies() as copies:
        readings = step(trained)
    assert not copies.found
    assert {value.device for value in readings.values()} == {GPU}


def test_between_reports_the_loop_neither_waits_nor_copies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reported(trained: State, _: loop.Clock, progress: float, recent: Any) -> Report:
        assert len(recent) > 0
        return Report(trained.samples_seen, 0.0, progress, 0.0, 0.0, {})

    monkeypatch.setattr(loop, "report", reported)
    monkeypatch.setattr(Guard, "finite", property(lambda _: True))
    monkeypatch.setattr(loop, "REPORTS_PER_RUN", 4)
    monkeypatch.setattr(loop, "SAVES_PER_RUN", 2)
    trained = state_for("classic", "line")
    samples = 20 * trained.samples_per_step
    with Copies() as copies:
        events = list(loop.train(trained, loop.Clock(trained, samples, None), Control()))
    assert not copies.found
    assert trained.samples_seen == samples
    assert sum(isinstance(event, Report) for event in events) == 4
    assert {type(event) for event in events} == {Report, SaveDue, ImageDue, Finished}


def test_the_stand_in_shows_what_waits_and_what_copies() -> None:
    x = torch.ones(3, device=GPU)
    for waits in (lambda: x.sum().item(), x.tolist, x.cpu, x.nonzero, lambda: bool(x.any())):
        with pytest.raises((RuntimeError, NotImplementedError)):
            waits()
    with Copies() as copies:
        _ = x * torch.tensor(2.0)
        assert not copies.found
        torch.ones(3).to(GPU)
        _ = x[torch.tensor([0])]
    assert copies.found == ["aten._to_copy.default", "aten.index.Tensor"]


def test_what_comes_from_the_cpu_is_copied_from_pinned_memory_without_waiting() -> None:
    calls: list[Any] = []

    class Row:
        is_cuda = False

        def pin_memory(self) -> Row:
            calls.append("pin_memory")
            return self

        def to(self, device: torch.device, non_blocking: bool = False) -> Row:
            calls.append((device.type, non_blocking))
            return self

    row: Any = Row()
    moved(row, torch.device("cuda", 1))
    assert calls == ["pin_memory", ("cuda", True)]
    calls.clear()
    moved(row, torch.device("cpu"))
    assert calls == [("cpu", False)]


def test_loaders_copy_a_batch_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows on the GPU: the order of an epoch. Rows on the CPU: a batch and its
    indices. Draws: a block."""
    shapes: list[tuple[int, ...]] = []

    def noted(x: Tensor, device: torch.device) -> Tensor:
        shapes.append((device.type, *x.shape))
        return x.to(device)

    monkeypatch.setattr("equipoise.data.loading.moved", noted)
    x, y = torch.ones(20, 3), torch.zeros(20, dtype=torch.int64)
    on_gpu = x.to(GPU)

    def copies(loader: Loader) -> tuple[list[Any], list[Any]]:
        """Of the first three batches, and of the operations that copy by themselves."""
        shapes.clear()
        with Copies() as found:
            for _ in range(3):
                batch = loader.next()
                assert batch[0].device == GPU
        return [shape for shape in shapes if shape[0] == GPU.type], found.found

    as_it_is = (y, 0, 5, lambda raw: raw, GPU)
    kept = IndexedLoader(lambda rows: on_gpu[rows], 20, *as_it_is)
    assert copies(kept) == ([("meta", 20)], ["aten._to_copy.default"])
    fetched = PrefetchingLoader(lambda rows: x[rows], 20, *as_it_is)
    assert copies(fetched)[0] == [("meta", 5), ("meta", 5, 3)] * 3
    drawn = DistributionLoader(Ring(), 0, 5, lambda raw: raw, GPU)
    assert copies(drawn) == ([], [])
