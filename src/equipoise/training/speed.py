"""How a machine does the arithmetic of a step: threads, precision, compiling.

Rules of the networks' shape, the length of the run and what the processor can do. No
stopwatch is read, so that equal runs on equal machines are equal.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks.batchnorm import SynchronisedBatchNorm, has_batch_norm
from equipoise.networks.columns import ColumnGenerator
from equipoise.networks.conditioning import MixedPrecision
from equipoise.networks.mlp import Dropout
from equipoise.recipes.method import Method
from equipoise.runs.config import Machine
from equipoise.runs.settings import RunSettings
from equipoise.runtime.device_costs import DeviceCosts, costs_of
from equipoise.runtime.process import torch_settings
from equipoise.training.state import State
from equipoise.training.step import discriminator_gradients, generator_gradients
from equipoise.transforms.chain import example_classes
from equipoise.utils.system import usable_cores
from equipoise.utils.torch_private import (
    compiles_gradients,
    compiling_gradients,
    cpu_multiplies_bfloat16,
)

log: logging.Logger = logging.getLogger(__name__)

Precision = Literal["float32", "bfloat16"]

DEFAULT_COMPILERS = {"darwin": "clang++", "win32": "cl"}  # torch.compile's; else g++


@dataclass(frozen=True)
class Speed:
    """The choices for one run."""

    threads: int
    precision: Precision
    compiled: bool

    @contextmanager
    def torch_settings(self) -> Iterator[None]:
        """A context in which torch uses these choices; a compiled step has to be
        compiled, and recompiled, inside it."""
        gradients = compiling_gradients() if self.compiled else nullcontext()
        with torch_settings(self.threads), gradients:
            yield

    def apply(self, state: State) -> None:
        """Set the precision of the networks of `state`; `compile_step` compiles."""
        for network in (state.generator, state.discriminator):
            if isinstance(network, MixedPrecision):
                network.mixed = self.precision == "bfloat16"


class Example(NamedTuple):
    """A batch like the training's to compile a step for: scaled samples, classes or
    None, latents."""

    x: Tensor
    y: Tensor | None
    z: Tensor


def example(state: State, schema: Schema) -> Example:
    """A batch drawn from a generator of its own; the training's state stays."""
    n, generator = state.loader.batch_size, torch.Generator(state.device).manual_seed(0)
    shape = schema.shape if state.transform is None else state.transform.shape
    x = torch.randn(n, *shape, generator=generator, device=state.device)
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
    """What the user chose, and by rule the rest.

    Args:
        images: Whether samples are images.
        seconds: That the run is expected to take.
        threads: By rule, see `threads_for`.

    Raises:
        RequestError: For a step that is to be compiled and cannot be.
    """
    ruled = default_speed(method, images=images, device=device, seconds=seconds, threads=threads)
    if run.compile == "on" and (hindrance := hindrance_to_compiling(method, device)):
        raise RequestError(
            f"compile = 'on', but this step cannot be compiled: {hindrance}; leave it out"
        )
    chosen = Speed(
        run.threads or ruled.threads,
        ruled.precision if run.precision == "auto" else run.precision,
        ruled.compiled if run.compile == "auto" else run.compile == "on",
    )
    log.debug(
        "about %.0f s of training: %s thread(s), %s, %s",
        seconds,
        chosen.threads,
        chosen.precision,
        "compiled" if chosen.compiled else "not compiled",
    )
    return chosen


def recorded_speed(machine: Machine, run: RunSettings) -> Speed:
    """The choices of the run that is resumed, from the machine in its config.json."""
    return Speed(run.threads or machine.threads, machine.precision, machine.compiled)


def default_speed(
    method: Method,
    *,
    images: bool,
    device: torch.device,
    seconds: float,
    threads: int,
) -> Speed:
    """Points in float32, since a distribution's narrow modes need its digits; images,
    and tables, whose generators shift a mixture, in bfloat16 where the processor
    multiplies it; compiled from the length that `DeviceCosts.compile_from` has, unless
    D has BatchNorm: that saves 3% of dcgan's step."""
    of_table = isinstance(method.generator, ColumnGenerator)
    half = (images or of_table) and multiplies_bfloat16(device)
    precision: Precision = "bfloat16" if half else "float32"
    compile_from = costs_of(device).compile_from.get(precision if images else "points", math.inf)
    repays = seconds > compile_from and not has_batch_norm(method.discriminator)
    can_compile = repays and not hindrance_to_compiling(method, device)
    return Speed(threads, precision, can_compile)


def threads_for(step_flops: float, images: bool, costs: DeviceCosts) -> int:
    """CPU threads for steps of this arithmetic: one for points, whose networks are too
    small to divide; for images one for every `thread_flops`, on at most the cores that
    there are.

    In small steps threads mostly wait for each other, and where another program has one
    of the cores, all wait for the thread that has none.
    """
    return min(max(round(step_flops / costs.thread_flops), 1), usable_cores()) if images else 1


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for products of bfloat16; elsewhere they are
    slower than float32's."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and cpu_multiplies_bfloat16()


def hindrance_to_compiling(method: Method, device: torch.device) -> str:
    """Why the step of `method` cannot be compiled here, in words; empty where it can:
    that needs a pure step, see `impurity`, a torch that compiles gradients of
    gradients, and a compiler."""
    if impure := impurity(method):
        return f"it has {impure}"
    if not compiles_gradients():
        return "it needs a newer torch"
    return "" if _has_compiler(device) else "it needs a compiler, of C++ for a CPU"


def impurity(method: Method) -> str:
    """What keeps the gradients of `method` from being functions of weights, samples and
    latents alone that are the same in every step, in words; empty where nothing does.
    With lazy penalties there would be up to four functions to compile."""
    layers = [*method.generator.modules(), *method.discriminator.modules()]
    found = {
        "augmentation": method.augmentation is not None,
        "views of real samples": method.view is not None,
        "random crops or the like in its auxiliary term": method.auxiliary_draws,
        "a penalty at random points": (
            method.penalty is not None and method.penalty_at == "elsewhere"
        ),
        "a penalty in some steps only": (
            method.penalty_interval > 1 or method.generator_penalty is not None
        ),
        "samples of D's step in G's": method.reuses_samples,
        "dropout": any(isinstance(layer, Dropout) for layer in layers),
        "BatchNorm over several processes": any(
            isinstance(layer, nn.SyncBatchNorm | SynchronisedBatchNorm) for layer in layers
        ),
        "spectral normalisation or another parametrisation": any(map(is_parametrized, layers)),
    }
    return next((what for what, is_there in found.items() if is_there), "")


def compile_step(state: State, batch: Example) -> str:
    """Compile both functions of gradients for batches like `batch`.

    Running statistics, which the first calls move, stay as they are.

    Returns:
        Why that failed, in which case the step is not compiled; empty where it did not.
    """
    made: dict[Callable[..., Any], Callable[..., Any]] = {}
    statistics = [*state.generator.buffers(), *state.discriminator.buffers()]
    before = [value.clone() for value in statistics]
    try:
        with compiling_gradients():
            for function, given in (
                (discriminator_gradients, (torch.tensor(0.0), *batch)),
                (generator_gradients, (None, *batch)),
            ):
                made[function] = torch.compile(function, fullgraph=True, dynamic=False)
                made[function](state, *given)
    except Exception as error:  # whatever the compiler, torch's or the system's, is led to raise
        log.debug("the step could not be compiled", exc_info=error)
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    finally:
        for value, kept in zip(statistics, before, strict=True):
            value.copy_(kept)
    state.compilations = made
    return ""


def _has_compiler(device: torch.device) -> bool:
    """Whether what torch.compile generates can be built: Triton's on a GPU, C++ on a
    CPU."""
    if device.type == "cuda":
        new_enough = torch.cuda.get_device_capability(device) >= (7, 0)
        return new_enough and importlib.util.find_spec("triton") is not None
    compiler = os.environ.get("CXX", DEFAULT_COMPILERS.get(sys.platform, "g++"))
    return device.type == "cpu" and shutil.which(compiler) is not None
