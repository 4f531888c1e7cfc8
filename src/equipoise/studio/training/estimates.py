"""How long a training will take: measured on a few of its own steps, and said as a
range."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from equipoise.api import GAN
from equipoise.training.step import adversarial_step
from equipoise.training.trainer import Trainer

PROBE_SECONDS, WARM_UP = 3.0, 2  # seconds of steps that are timed, steps before
MIN_STEPS, MAX_STEPS = 3, 400
# A training takes longer than its steps: it measures, draws and saves on the way, and
# other programs come and go. A round guess, on the cautious side.
LOW, HIGH = 1.0, 1.6


def estimate(data: str, recipe: str, choices: Mapping[str, Any]) -> dict[str, Any]:
    """How long a training takes here, as a task of `studio.child`.

    Args:
        data: A file, a folder or a built-in source.
        recipe: The recipe's name.
        choices: Settings of the recipe and the run, as keywords of `GAN`.

    Returns:
        "samples": its length, None where it is given in minutes; "low", "high":
        seconds; "rate": samples a second; "device", "threads".

    Raises:
        RequestError: If it could not be started so.
    """
    trainer = GAN(recipe, **choices).trainer(data, to_disk=False, warn=lambda _: None)
    seconds = step_seconds(trainer)
    per_step = trainer.state.samples_per_step
    middle = sorted(seconds)[len(seconds) // 2]
    found: dict[str, Any] = {
        "samples": trainer.plan.samples,
        "rate": per_step / middle,
        "device": str(trainer.device),
        "threads": trainer.speed.threads,
        "conditional": bool(trainer.recipe.conditional),
    }
    if trainer.plan.samples is None:
        length = 60 * (trainer.settings.minutes or 0.0)
        return {**found, "low": length, "high": length}
    steps = trainer.plan.samples / per_step
    return {**found, **time_range(seconds, steps)}


def time_range(seconds: Sequence[float], steps: float) -> dict[str, float]:
    """The shortest and the longest time, in seconds, that a training may take.

    Args:
        seconds: Of the steps that were timed.
        steps: That it has.
    """
    ordered = sorted(seconds)
    fast, slow = ordered[len(ordered) // 10], ordered[(9 * len(ordered)) // 10]
    return {"low": LOW * fast * steps, "high": HIGH * slow * steps}


def step_seconds(trainer: Trainer) -> list[float]:
    """Seconds of some steps of a trainer, whose state moves on."""
    state, found = trainer.state, list[float]()
    state.generator.train()
    state.discriminator.train()
    with trainer.speed.torch_settings():
        began = time.perf_counter()
        while len(found) < MAX_STEPS + WARM_UP:
            rates = state.method.schedule(0.0, state.samples_seen)
            state.apply(rates)
            start = time.perf_counter()
            adversarial_step(state, rates)
            if state.device.type == "cuda":
                import torch

                torch.cuda.synchronize(state.device)
            found.append(time.perf_counter() - start)
            state.samples_seen += state.samples_per_step
            enough = len(found) >= MIN_STEPS + WARM_UP
            if enough and time.perf_counter() - began > PROBE_SECONDS:
                break
    return found[WARM_UP:]
