"""The engine's training, one step at a time: what the loop does between two reports."""

from __future__ import annotations

from typing import Any

import torch
import torch._dynamo.config
from torch import Tensor

from equipoise import GAN
from equipoise.training import speed
from equipoise.training.loop import Clock
from equipoise.training.step import adversarial_step
from equipoise.transforms.space import NetworkSpace

DRAWS = 65_536  # of a distribution, where a loop of its own needs data in memory


class Engine:
    """A fit that is stepped by hand.

    `data` and `settings` are those of GAN; with none the recipe is the default. The
    step is compiled only by `compile`. The process stays as a training would have it
    for the while.
    """

    def __init__(self, data: Any, *, seed: int = 0, threads: int = 1, **settings: Any) -> None:
        self.fit = GAN(seed=seed, threads=threads, **settings).trainer(
            data, to_disk=False, warn=print
        )
        torch.set_num_threads(threads)
        self.state, self.recipe = self.fit.state, self.fit.recipe
        self.method = self.state.method
        samples = self.fit.settings.samples or self.recipe.default_samples(
            NetworkSpace.of(self.fit.source.schema)
        )
        self.clock = Clock(self.state, samples, None)
        self.state.generator.train()
        self.state.discriminator.train()
        self.progress = self.clock.tick()

    def compile(self) -> None:
        """Compile the step, as long runs do, and anew where threads are changed."""
        torch._dynamo.config.trace_autograd_ops = True
        failed = speed.compile_step(self.state, speed.example(self.state, self.fit.source.schema))
        if failed:
            raise RuntimeError(f"the step does not compile: {failed}")

    def step(self) -> dict[str, Tensor]:
        """One step of both networks, scheduled, counted and timed as in
        `training.loop`; returns its readings."""
        rates = self.method.schedule(self.progress, self.state.samples_seen)
        self.state.apply(rates)
        readings = adversarial_step(self.state, rates)
        self.state.samples_seen += self.method.discriminator_steps * self.state.loader.batch_size
        self.progress = self.clock.tick()
        return readings

    def resident(self) -> tuple[Tensor, Tensor | None]:
        """The training data as networks see it, one float32 tensor, (N, *shape), and
        its classes, (N,), if the networks know any; of an endless distribution, as many
        draws as the engine makes at once."""
        source, transform = self.fit.source, self.fit.sampler.transform
        raw = source.seen(source.training_rows or DRAWS, self.fit.settings.seed)
        x, y = transform.encode(raw, None, torch.Generator().manual_seed(0))
        return x.contiguous(), y
