"""One small training that can be stopped at any step, stepped by hand and changed while
it runs.

It is the engine's own: a `Trainer` is built as for `equipoise train`, and its state is
moved on by the functions of `training.step`. A change of settings builds another
trainer, which takes over each network whose layers are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from equipoise.data.distributions import Distribution
from equipoise.data.sources import DistributionSource
from equipoise.recipes import find
from equipoise.recipes.method import Rates
from equipoise.runs.config import Requested
from equipoise.runs.settings import RunSettings
from equipoise.runtime.process import torch_settings
from equipoise.training.guard import Guard
from equipoise.training.state import State
from equipoise.training.step import (
    adversarial_step,
    discriminator_step,
    ema_half_life,
    generator_step,
    update_ema,
)
from equipoise.training.trainer import Trainer
from equipoise.transforms.space import NetworkSpace

Player = Literal["both", "D", "G"]
REPORT_STEPS = 16  # that readings are the means of, as in the log of a run
# The page is open-ended, so the learning rate stays as it is; and one network is
# watched, not one for each cluster.
DEFAULTS: dict[str, Any] = {"learning_rate_end": 1.0, "clusters": 0}
SMALL_WIDTH = 64  # of the networks of points on the plane, for many steps a second


@dataclass(frozen=True)
class Setup:
    """What is trained, and how."""

    distribution: Distribution
    recipe: str = "balanced"
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Of the recipe, where they differ from its defaults on this page."""
    seed: int = 0


def defaults(recipe: str, dimension: int) -> dict[str, Any]:
    """The fields that have other defaults on this page than in the recipe."""
    kind = find(recipe)
    wide = {"width": SMALL_WIDTH} if dimension == 2 and recipe != "classic" else {}
    clusters = {} if kind.takes_labels else {"clusters": 0}
    return {**DEFAULTS, **wide, **clusters}


class Simulation:
    """The training.

    Args:
        setup: What to train.

    Raises:
        RequestError: The recipe is unknown, or a field is invalid.
    """

    def __init__(self, setup: Setup) -> None:
        self._build(setup)
        self.steps = 0
        """Rounds of both players, or of the one that plays alone."""
        self.recent: deque[dict[str, Tensor]] = deque(maxlen=REPORT_STEPS)

    @torch_settings(threads=1)
    def _build(self, setup: Setup) -> None:
        source = DistributionSource(setup.distribution)
        kind = find(setup.recipe)
        given = {**defaults(setup.recipe, setup.distribution.dimension), **setup.fields}
        recipe = kind.for_data(source.schema, given)
        settings = RunSettings(seed=setup.seed, compile="off", device="cpu")
        requested = Requested(dict(setup.fields), {})
        trainer = Trainer(source, recipe, settings, _quiet, requested=requested)
        self.setup, self.source = setup, source
        self.recipe, self.sampler = trainer.recipe, trainer.sampler
        self.state: State = trainer.state
        self.horizon = recipe.default_samples(NetworkSpace.of(source.schema))
        self.guard = Guard(self.state)
        self.state.generator.train()
        self.state.discriminator.train()

    def change(self, setup: Setup) -> list[str]:
        """Go on with other settings.

        Args:
            setup: Of the same distribution and seed.

        Returns:
            The networks that had to be made anew: "generator", "discriminator".

        Raises:
            RequestError: The settings are invalid. Nothing has changed then.
        """
        before = self.state
        self._build(setup)
        anew = take_over(before, self.state)
        self.guard = Guard(self.state)
        if anew:
            self.recent.clear()
        return anew

    @property
    def progress(self) -> float:
        """The fraction of a usual training of this recipe that is done, 0 to 1."""
        return min(self.state.samples_seen / self.horizon, 1.0)

    @torch_settings(threads=1)
    @torch.enable_grad()
    def step(self, player: Player = "both", n: int = 1) -> None:
        """Train for n steps: rounds of both players, or steps of one against the other
        held fixed."""
        for _ in range(n):
            rates = self.state.method.schedule(self.progress, self.state.samples_seen)
            self.state.apply(rates)
            self.recent.append(self._step(player, rates))
            self.steps += 1

    def _step(self, player: Player, rates: Rates) -> dict[str, Tensor]:
        state = self.state
        if player == "both":
            readings = adversarial_step(state, rates)
            state.samples_seen += state.samples_per_step
            return readings
        x, y = state.loader.next()
        last = self.recent[-1] if self.recent else {}
        if player == "D":
            state.samples_seen += len(x)
            return last | discriminator_step(state, rates, x, y)
        readings = last | generator_step(state, rates, x, y)
        if (half_life := ema_half_life(state, rates, len(x))) > 0:
            update_ema(state, 0.5 ** (len(x) / max(half_life, 1.0)))
        return readings

    def losses(self) -> dict[str, float]:
        """Both losses and what D's outputs mean, over the last steps as in the log."""
        recent = self.recent
        found = {}
        for name in ("discriminator_loss", "generator_loss"):
            values = [step[name] for step in recent if name in step]
            if values:
                found[name] = float(torch.stack(values).mean())
        logits = [
            (step["real_logits"], step["fake_logits"]) for step in recent if "real_logits" in step
        ]
        if logits:
            real, fake = (torch.cat(part) for part in zip(*logits, strict=True))
            output = self.state.method.output.readings(real, fake)
            found |= {name: float(value) for name, value in output.items()}
        return found

    def check(self) -> bool:
        """Whether all weights are finite; if not, the last good ones are restored, and
        the learning rate is halved, as in every training."""
        losses = [v for r in self.recent for k, v in r.items() if k.endswith("_loss")]
        finite = bool(torch.stack(losses).isfinite().all()) if losses else True
        if finite and self.guard.finite:
            self.guard.keep()
            return True
        self.guard.roll_back()
        self.recent.clear()
        return False


def take_over(before: State, after: State) -> list[str]:
    """Let a state go on from another, with the networks that have the same layers in
    both.

    Returns:
        The networks of `after` that have their own, initial weights.
    """
    anew = []
    for name in ("generator", "discriminator"):
        old, new = getattr(before, name), getattr(after, name)
        if not alike(old, new):
            anew.append(name)
            continue
        new.load_state_dict(old.state_dict())
        short = f"optimizer_{name[0]}"
        _take_moments(getattr(before, short), getattr(after, short))
    if "generator" not in anew and after.ema is not after.generator:
        after.ema.load_state_dict(before.ema.state_dict())
    for name, generator in before.randomness.items():
        after.randomness[name].set_state(generator.get_state())
    if after.loader.batch_size == before.loader.batch_size:
        after.loader.restore(before.loader.position())
    after.samples_seen = before.samples_seen
    return anew


def alike(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks have the same layers."""
    shapes = [
        {name: value.shape for name, value in network.state_dict().items()}
        for network in (one, other)
    ]
    return repr(one) == repr(other) and shapes[0] == shapes[1]


def _take_moments(before: torch.optim.Optimizer, after: torch.optim.Optimizer) -> None:
    if type(before) is type(after):
        stored = after.state_dict()
        stored["state"] = before.state_dict()["state"]
        after.load_state_dict(stored)


def _quiet(message: str) -> None:
    """Warnings of a run are not for this page, which says itself what goes wrong."""


def with_fields(setup: Setup, **fields: Any) -> Setup:
    """The setup with some fields of the recipe replaced."""
    return replace(setup, fields={**setup.fields, **fields})
