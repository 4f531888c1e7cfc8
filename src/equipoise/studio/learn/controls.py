"""The settings that the page offers: fields of recipes, each with its stops.

A stop is a value that a slider can have. Which setting takes effect at once is not
written down anywhere: networks whose layers stay the same go on, see
`simulation.take_over`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from equipoise.recipes import find
from equipoise.recipes.base import Recipe

# The methods for points whose D can be watched, the default first.
RECIPES = ("balanced", "classic", "lsgan", "wgan", "wgan-gp", "dragan", "sngan", "pacgan")


@dataclass(frozen=True)
class Control:
    """A field of a recipe that the page can change."""

    field: str
    stops: tuple[Any, ...]
    """The values on offer, in order; the recipe's own is added to numbers."""
    group: str
    """Where it stands: "rates", "loss", "smoothness", "averaging" or "networks"."""


CONTROLS = (
    Control("learning_rate", (1e-5, 1e-4, 3e-4, 1e-3, 2e-3, 4e-3, 1e-2, 2e-2, 5e-2, 0.1), "rates"),
    Control("discriminator_rate", (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0), "rates"),
    Control("discriminator_steps", (1, 2, 3, 5, 10), "rates"),
    Control("learning_rate_end", (1.0, 0.1, 0.01), "rates"),
    Control("beta1", (0.0, 0.5, 0.9), "rates"),
    Control("generator_loss", ("non-saturating", "minimax"), "loss"),
    Control("real_label", (1.0, 0.95, 0.9, 0.8, 0.7), "loss"),
    Control("gamma", (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0), "smoothness"),
    Control("penalty", (0.0, 0.001, 0.01, 0.02, 0.05, 0.1, 1.0, 10.0), "smoothness"),
    Control("clip", (0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "smoothness"),
    Control("lipschitz", (1.0, 4.0, 16.0, 64.0), "smoothness"),
    Control("ema_half_life", (0, 1_000, 10_000, 50_000, 200_000), "averaging"),
    Control("latent_dim", (1, 2, 4, 8, 16), "networks"),
    Control("latent", ("normal", "uniform"), "networks"),
    Control("width", (2, 4, 8, 16, 32, 64, 128), "networks"),
    Control("batch_size", (16, 32, 64, 100, 256, 512), "networks"),
    Control("packing", (1, 2, 4), "networks"),
    Control("discriminator_sees", ("sample", "batch", "batch-spread"), "networks"),
)
# Fields that other recipes have too, without an effect on points or on this page.
ONLY = {"packing": "pacgan", "lipschitz": "sngan"}
BY_FIELD = {control.field: control for control in CONTROLS}


def controls_of(recipe: Recipe, dimension: int) -> list[dict[str, Any]]:
    """The controls that a recipe has, with their values, for the page.

    Args:
        recipe: With the values.
        dimension: Of the data, 1 or 2.
    """
    found = []
    for control in CONTROLS:
        if not applies(control.field, type(recipe), dimension):
            continue
        value = getattr(recipe, control.field)
        found.append({**asdict(control), "stops": _stops(control.stops, value), "value": value})
    return found


def applies(field: str, recipe: type[Recipe], dimension: int) -> bool:
    """Whether a recipe has a field, and it has an effect on points."""
    if field in ONLY:
        return recipe.name == ONLY[field]
    if field == "beta1":  # which RMSProp does not have
        return recipe.optimizer != "rmsprop"
    if field == "discriminator_sees":
        return dimension == 1 and hasattr(recipe, field)
    return hasattr(recipe, field)


def _stops(stops: Sequence[Any], value: Any) -> list[Any]:
    """The stops, with a number that is none of them at its place."""
    if value in stops or isinstance(value, str):
        return list(stops)
    falling = stops[0] > stops[-1]
    return sorted([*stops, value], reverse=falling)


def recipe_lines() -> list[dict[str, str]]:
    """The methods on offer, with their papers."""
    return [{"name": name, "paper": find(name).paper} for name in RECIPES]
