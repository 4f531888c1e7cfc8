"""The speed settings of a step: threads, precision, compilation.

The defaults follow from the networks' shapes, the length of the run and the processor's
features. Nothing is timed, so that equal runs on equal machines are equal.
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
from torch import Tensor
from torch.nn.utils.parametrize import is_parametrized

from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.networks.conditioning import MixedPrecision
from equipoise.networks.mlp import Dropout
from equipoise.recipes.method import Method
from equipoise.runs.settings import RunSettings
from equipoise.runtime.device_costs import DeviceCosts, costs_of
from equipoise.runtime.process import torch_settings
from equipoise.sampling.evaluation_mode import BATCH_NORMS
from equipoise.training.state import State
from equipoise.training.step import discriminator_gradients, generator_gradients
from equipoise.transforms.chain import example_classes
from equipoise.utils.system import usable_cores
from equipoise.utils.torch_private import (
    compiles_gradients,
    compiling_gradients,
    cpu_multiplies_bfloat16,
)

log = logging.getLogger(__name__)

Precision = Literal["float32", "bfloat16"]

# C++ compilers of torch.compile by platform; g++ on all others.
DEFAULT_COMPILERS = {"darwin": "clang++", "win32": "cl"}


@dataclass(frozen=True)
class Speed:
    """The speed settings of one run."""

    threads: int
    precision: Precision
    compiled: bool

    @contextmanager
    def torch_settings(self) -> Iterator[None]:
        """A context in which torch uses these settings. A step must be compiled, and
        recompiled, inside it."""
        with (
            torch_settings(self.threads),
            compiling_gradients() if self.compiled else nullcontext(),
        ):
            yield

    def apply(self, state: State) -> None:
        """Set the precision of the networks. `compile_step` compiles the step."""
        for network in (state.generator, state.discriminator):
            if isinstance(network, MixedPrecision):
                network.mixed = self.precision == "bfloat16"


class Example(NamedTuple):
    """A batch with the training's shapes and dtypes, to compile a step for."""

    x: Tensor
    """Scaled samples, (N, *shape)."""
    y: Tensor | None
    """Classes, (N,), or None."""
    z: Tensor
    """Latents, (N, Z)."""


def example(state: State, schema: Schema) -> Example:
    """A random batch from its own generator, without using the state's."""
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
    """The user's settings, with defaults for the rest.

    Args:
        method: The networks and their losses.
        run: The settings of the run.
        images: Whether samples are images.
        device: The device of the training.
        seconds: Estimated duration of the run.
        threads: Default number of threads, see `threads_for`.

    Raises:
        RequestError: The step should be compiled but cannot be.
    """
    ruled = default_speed(method, images=images, device=device, seconds=seconds, threads=threads)
    if run.compile == "on" and not can_compile(method, device):
        raise RequestError(
            "compile = 'on', but this step cannot be compiled here: it needs a C++ compiler, "
            "a newer torch, or a recipe without BatchNorm, dropout, augmentation and random "
            "draws in its penalty; leave it out"
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


def recorded_speed(machine: dict[str, Any], run: RunSettings) -> Speed:
    """The settings of the run that is resumed, from `machine` in its config.json."""
    return Speed(
        run.threads or max(machine["threads"], 1),
        machine.get("precision", "float32"),
        machine.get("compiled", False),
    )


def default_speed(
    method: Method,
    *,
    images: bool,
    device: torch.device,
    seconds: float,
    threads: int,
) -> Speed:
    """The default settings.

    Points are trained in float32, since narrow modes need its precision; images in
    bfloat16 where the processor supports it. Runs longer than
    `DeviceCosts.compile_from` are compiled.
    """
    half = images and multiplies_bfloat16(device)
    precision: Precision = "bfloat16" if half else "float32"
    compile_from = costs_of(device).compile_from.get(precision if images else "points", math.inf)
    return Speed(threads, precision, seconds > compile_from and can_compile(method, device))


def threads_for(step_flops: float, images: bool, costs: DeviceCosts) -> int:
    """Default number of CPU threads for a step of this arithmetic.

    Points: one, since the networks are small. Images: one for each
    `DeviceCosts.thread_flops`, at most one per core. In small steps threads mostly wait
    for each other. If another program uses one of the cores, all wait for the thread
    that shares it.
    """
    return min(max(round(step_flops / costs.thread_flops), 1), usable_cores()) if images else 1


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has bfloat16 instructions. Emulated, bfloat16 is slower than
    float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and cpu_multiplies_bfloat16()


def can_compile(method: Method, device: torch.device) -> bool:
    """Whether the step of `method` can be compiled here.

    That needs a compiler, a torch that compiles second-order gradients, and a pure
    step, see `is_pure`.
    """
    return compiles_gradients() and is_pure(method) and _has_compiler(device)


def is_pure(method: Method) -> bool:
    """Whether the gradients of `method` depend only on weights, samples and latents,
    not on random draws or running statistics."""
    layers = [*method.generator.modules(), *method.discriminator.modules()]
    draws = method.augmentation is not None or (
        method.penalty is not None and method.penalty_at == "elsewhere"
    )
    return not draws and not any(
        isinstance(layer, (Dropout, *BATCH_NORMS)) or is_parametrized(layer) for layer in layers
    )


def compile_step(state: State, batch: Example) -> str:
    """Compile the gradient functions of the step for batches like `batch`.

    Returns:
        The error if that failed, in which case the step is not compiled; else empty.
    """
    compiled: dict[Callable[..., Any], Callable[..., Any]] = {}
    try:
        with compiling_gradients():
            for function, given in (
                (discriminator_gradients, (torch.tensor(0.0), *batch)),
                (generator_gradients, batch),
            ):
                compiled[function] = torch.compile(function, fullgraph=True, dynamic=False)
                compiled[function](state, *given)
    except Exception as error:  # torch's or the system's compiler may raise anything
        log.debug("the step could not be compiled", exc_info=error)
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    state.compilations = compiled
    return ""


def _has_compiler(device: torch.device) -> bool:
    """Whether the compiler of torch.compile's output is installed: Triton on a GPU, a
    C++ compiler on a CPU."""
    if device.type == "cuda":
        new_enough = torch.cuda.get_device_capability(device) >= (7, 0)
        return new_enough and importlib.util.find_spec("triton") is not None
    compiler = os.environ.get("CXX", DEFAULT_COMPILERS.get(sys.platform, "g++"))
    return device.type == "cpu" and shutil.which(compiler) is not None
