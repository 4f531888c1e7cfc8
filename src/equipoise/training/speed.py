"""How a machine does the arithmetic of a step: threads, precision, compiling.

Rules of the networks' shape, the length of the run and what the processor can do, so
that equal runs on equal machines are equal; a stopwatch only where `tune_speed` asks
for one.

The constants come from `python -m benchmarks.speed`: benchmarks/RESULTS.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import is_parametrized

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks.conditioning import Discriminator, Generator
from equipoise.networks.mlp import Dropout
from equipoise.recipes.method import Method
from equipoise.runs.settings import RunSettings
from equipoise.runtime.process import at_work
from equipoise.training.state import State
from equipoise.training.step import discriminator_gradients, generator_gradients
from equipoise.transforms.chain import example_classes
from equipoise.utils.system import usable_cores

Precision = Literal["float32", "bfloat16"]

COMPILE_SECONDS = 45.0  # that compiling both networks' gradients takes on one core
COMPILE_GAIN = {
    "points": 0.35,
    "float32": 0.1,
    "bfloat16": 0.25,
}  # share of a step's time that compiled code saves, by kind or by type
WORTH = 2.0  # compiling must save this many times what it costs: a run can be stopped early
# Operations of a step that are worth a thread: 16 x 16 images have .7e9, MNIST's 2e9,
# 64 x 64 in colour 17e9.
SHARE = 1e9
TUNING_BLOCKS, TUNING_SECONDS = 5, 0.3  # of each choice that is measured


@dataclass(frozen=True)
class Speed:
    """The choices for one run."""

    threads: int
    precision: Precision
    compiled: bool

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """For the while, torch works this way: a
        compiled step is made, and made anew, only so."""
        with at_work(self.threads), _following_derivatives() if self.compiled else nullcontext():
            yield

    def apply(self, state: State) -> None:
        """Have the networks of `state` work this way;
        the compiled step is made by `compile_step`."""
        for network in (state.generator, state.discriminator):
            if isinstance(network, Generator | Discriminator):
                network.mixed = self.precision == "bfloat16"


class Example(NamedTuple):
    """A batch like the training's, for trying out a step: scaled samples, classes or
    None, latents."""

    x: Tensor
    y: Tensor | None
    z: Tensor


def example(state: State, schema: Schema) -> Example:
    """Numbers drawn from a generator of their own; nothing of the training moves."""
    n, generator = state.loader.batch_size, torch.Generator(state.device).manual_seed(0)
    x = torch.randn(n, *schema.shape, generator=generator, device=state.device)
    return Example(
        x,
        example_classes(schema, state.transform, n, state.device),
        state.method.prior.sample(n, generator),
    )


def choose(
    method: Method,
    run: RunSettings,
    images: bool,
    device: torch.device,
    seconds: float,
    threads: int,
) -> Speed:
    """What the user chose, and by rule what was left open, for a run that will take
    about `seconds` on so many threads by rule.

    Raises:
        RequestError: For a choice that cannot be.
    """
    ruled = by_rule(method, images=images, device=device, seconds=seconds, threads=threads)
    if run.compile == "on" and not can_compile(method, device):
        raise RequestError(
            "compile = 'on', but this step cannot be compiled here: it needs a C++ compiler, "
            "a newer torch, or a recipe without "
            "BatchNorm, dropout, augmentation and draws in its penalty; leave it out"
        )
    return Speed(
        run.threads or ruled.threads,
        ruled.precision if run.precision == "auto" else run.precision,
        ruled.compiled if run.compile == "auto" else run.compile == "on",
    )


def as_before(machine: dict[str, Any], run: RunSettings) -> Speed:
    """The choices that a resumed run was made with, by what its config.json says of the
    machine."""
    return Speed(
        run.threads or max(machine["threads"], 1),
        machine.get("precision", "float32"),
        machine.get("compiled", False),
    )


def by_rule(
    method: Method,
    *,
    images: bool,
    device: torch.device,
    seconds: float,
    threads: int,
) -> Speed:
    """Points in float32, since a distribution's narrow modes need its digits; images in
    bfloat16 where the processor multiplies it; compiled where that saves more than it
    costs. `threads` is what `threads_for` says."""
    half = images and multiplies_bfloat16(device)
    precision: Precision = "bfloat16" if half else "float32"
    worth = seconds * COMPILE_GAIN[precision if images else "points"] > WORTH * COMPILE_SECONDS
    return Speed(threads, precision, worth and can_compile(method, device))


def threads_for(arithmetic: float, images: bool) -> int:
    """Threads for steps of so many operations of arithmetic each: one for points, whose
    networks are too small to share; for images one for every `SHARE` operations, on
    at most the cores that there are.

    In small steps threads mostly wait for each other, and where another program has one
    of the cores, all wait for the thread that has none.
    """
    return min(max(round(arithmetic / SHARE), 1), usable_cores()) if images else 1


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for products of bfloat16; elsewhere they are
    slower than float32's."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any(
        getattr(torch.cpu, known, bool)()
        for known in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )


def can_compile(method: Method, device: torch.device) -> bool:
    """Whether the step of `method` can be compiled here: it takes a compiler, a torch
    that follows derivatives of derivatives, and gradients that are functions of
    weights, samples and latents alone, without draws of their own or statistics kept.
    """
    import torch._dynamo.config

    return (
        hasattr(torch._dynamo.config, "trace_autograd_ops")
        and is_pure(method)
        and _has_compiler(device)
    )


def is_pure(method: Method) -> bool:
    """Whether the gradients of `method` are functions of weights, samples and latents
    alone."""
    layers = [*method.generator.modules(), *method.discriminator.modules()]
    draws = method.augmentation is not None or (
        method.penalty is not None and method.penalty_at == "elsewhere"
    )
    return not draws and not any(
        isinstance(layer, Dropout | _BatchNorm) or is_parametrized(layer) for layer in layers
    )


def compile_step(method: Method, state: State, batch: Example) -> str:
    """Compile both functions of gradients for batches like `batch`.

    Returns why that failed, in which case the step stays as it is, or nothing.
    """
    made: dict[Callable[..., Any], Callable[..., Any]] = {}
    try:
        with _following_derivatives():
            for function, given in (
                (discriminator_gradients, (torch.tensor(0.0), *batch)),
                (generator_gradients, batch),
            ):
                made[function] = torch.compile(function, fullgraph=True, dynamic=False)
                made[function](method, state, *given)
    except Exception as error:  # whatever the compiler, torch's or the system's, is led to raise
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    state.compilations = made
    return ""


def _following_derivatives() -> AbstractContextManager[None]:
    """For the while, torch compiles through `autograd.grad`, if it knows how to."""
    import torch._dynamo.config

    if not hasattr(torch._dynamo.config, "trace_autograd_ops"):
        return nullcontext()
    patched: AbstractContextManager[None] = torch._dynamo.config.patch(trace_autograd_ops=True)
    return patched


def tuned(method: Method, state: State, batch: Example, chosen: Speed, run: RunSettings) -> Speed:
    """The fastest threads and precision on this machine, of those that `run` leaves
    open, by a stopwatch. The state stays as it was."""
    threads = [run.threads] if run.threads else sorted({1, usable_cores()})
    precisions: list[Precision] = (
        [chosen.precision] if run.precision != "auto" else sorted({"float32", chosen.precision})
    )
    weights = {name: tensor.clone() for name, tensor in state.tensors().items()}
    found = {}
    for candidate in (replace(chosen, threads=t, precision=p) for t in threads for p in precisions):
        candidate.apply(state)
        with at_work(candidate.threads):
            found[candidate] = _seconds(method, state, batch)
    state.restore_tensors(
        weights, state.samples_seen
    )  # and not the feed, which a stream cannot go back in
    return min(found, key=lambda candidate: found[candidate])


def _seconds(method: Method, state: State, batch: Example) -> float:
    """The median time of both networks' gradients."""
    times = []
    for _ in range(TUNING_BLOCKS):
        began, n = time.perf_counter(), 0
        while time.perf_counter() - began < TUNING_SECONDS / TUNING_BLOCKS or not n:
            discriminator_gradients(method, state, torch.tensor(0.0), *batch)
            generator_gradients(method, state, *batch)
            n += 1
        times.append((time.perf_counter() - began) / n)
    return statistics.median(times)


def _has_compiler(device: torch.device) -> bool:
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        return bool(has_triton())
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        return False
    return device.type == "cpu"
