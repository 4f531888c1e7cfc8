"""What has begun to go wrong, and the setting that would mend it.

The faults of D's balance and of a training that falls apart are found by the monitor of
every run (`diagnosis.monitor`); those that only a learner makes are found here. The
words are in static/i18n, under "learn.finding.NAME".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from equipoise.recipes import DEFAULT
from equipoise.recipes.base import Recipe
from equipoise.studio.learn.controls import BY_FIELD

# Multiples of the floor from which samples are far from the data, and up to which they
# are as good as real ones.
FAR, CLOSE = 5.0, 2.5
# Balance from which D is so sure that a minimax loss has hardly a slope.
SURE = 0.9
# Differences of mean and standard deviation, in standard deviations, that look right.
SAME_MOMENT = 0.1
# Turns of the samples' mean around the data's that make a circle.
MANY_TURNS = 4
# Difference of the highest and the lowest recent distance, over their median.
JITTER = 1.0
EARLY_STEPS = 150  # before which nothing is wrong yet
SMALL_RATE = 1e-4
SMALL_CLIP = 0.03
GOOD_GAMMA, GOOD_HALF_LIFE = 0.1, 10_000


@dataclass(frozen=True)
class Remedy:
    """A setting that would mend it: a field of the recipe, or "recipe", "players" or
    "reset"."""

    field: str
    value: Any = None


@dataclass(frozen=True)
class Finding:
    """One thing that can be said of the training now."""

    name: str
    kind: str
    """good, note, warn or bad."""
    values: Mapping[str, float] = field(default_factory=dict)
    remedy: Remedy | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def find_all(
    readings: Mapping[str, Any],
    recent: Sequence[Mapping[str, Any]],
    faults: frozenset[str],
    recipe: Recipe,
) -> list[Finding]:
    """What there is to say, the worst first; one thing at least.

    Args:
        readings: Of now, see `lab.Lab.readings`.
        recent: Those before, the latest last.
        faults: Of the monitor.
        recipe: With its settings.
    """
    if readings["steps"] == 0:
        return [Finding("untrained", "note")]
    if readings["exploded"]:
        lower = _next(recipe, "learning_rate", up=False)
        return [Finding("exploded", "bad", {"times": readings["exploded"]}, lower)]
    found = [
        *_of_balance(readings, faults, recipe),
        *_of_samples(readings, recent, faults, recipe),
        *_of_settings(readings, recipe),
    ]
    return found or [_all_well(readings)]


def _of_balance(
    readings: Mapping[str, Any], faults: frozenset[str], recipe: Recipe
) -> list[Finding]:
    right = {"percent": 100 * (readings["balance"] or 0.5)}
    if "won" in faults:
        return [Finding("won", "bad", right, weaken_d(recipe))]
    if "ahead" in faults:
        return [Finding("ahead", "warn", right, weaken_d(recipe))]
    return []


def _of_samples(
    readings: Mapping[str, Any],
    recent: Sequence[Mapping[str, Any]],
    faults: frozenset[str],
    recipe: Recipe,
) -> list[Finding]:
    found = []
    far, early = readings["ratio"] > FAR, readings["steps"] < EARLY_STEPS
    sure = (readings["balance"] or 0.5) >= SURE
    if far and sure and getattr(recipe, "generator_loss", "") == "minimax":
        mend = Remedy("generator_loss", "non-saturating")
        found.append(Finding("weak-pull", "bad", {"pull": readings["pull"]}, mend))
    if far and not early and not sure and readings["missing"]:
        values = {"reached": readings["modes"], "all": readings["modes"] + readings["missing"]}
        found.append(Finding("collapse", "bad", values, _for_variety(recipe)))
    if far and "worse" in faults:  # the best so far may have been a lucky measurement
        remedy = _next(recipe, "learning_rate", up=False)
        found.append(Finding("worse", "bad", {"ratio": readings["ratio"]}, remedy))
    if readings["turns_lately"] >= MANY_TURNS:
        found.append(Finding("circles", "warn", {"turns": readings["turns_lately"]}, calm(recipe)))
    elif recipe.ema_half_life == 0 and not early and _jitter(recent) > JITTER:
        found.append(Finding("jitter", "warn", {}, Remedy("ema_half_life", GOOD_HALF_LIFE)))
    moments = readings["mean_off"] < SAME_MOMENT and readings["std_off"] < SAME_MOMENT
    if far and moments and not early:
        found.append(Finding("moments", "note", {"ratio": readings["ratio"]}))
    return found


def _of_settings(readings: Mapping[str, Any], recipe: Recipe) -> list[Finding]:
    if readings["players"] != "both":
        name = "only-d" if readings["players"] == "D" else "only-g"
        return [Finding(name, "note", {}, Remedy("players", "both"))]
    if readings["ratio"] <= FAR or readings["steps"] < EARLY_STEPS:
        return []
    if recipe.learning_rate <= SMALL_RATE:
        return [Finding("slow", "warn", {}, _next(recipe, "learning_rate", up=True))]
    if getattr(recipe, "clip", SMALL_CLIP + 1) <= SMALL_CLIP:
        return [Finding("clipped", "warn", {}, Remedy("recipe", "wgan-gp"))]
    return []


def _all_well(readings: Mapping[str, Any]) -> Finding:
    values = {"ratio": readings["ratio"]}
    if readings["ratio"] <= CLOSE:
        return Finding("equipoise", "good", values)
    return Finding("learning" if readings["ratio"] > FAR else "close", "note", values)


def weaken_d(recipe: Recipe) -> Remedy:
    """What gives G a chance: fewer and smaller steps of D, then a smoother D."""
    if recipe.discriminator_steps > 1:
        return Remedy("discriminator_steps", 1)
    if recipe.discriminator_rate > 1:
        return Remedy("discriminator_rate", 1.0)
    return calm(recipe)


def calm(recipe: Recipe) -> Remedy:
    """What keeps the two from circling: a penalty, where the recipe has one; no
    momentum; smaller steps."""
    if getattr(recipe, "gamma", GOOD_GAMMA) < GOOD_GAMMA:
        return Remedy("gamma", GOOD_GAMMA)
    if recipe.beta1 > 0:
        return Remedy("beta1", 0.0)
    if recipe.name != DEFAULT:
        return Remedy("recipe", DEFAULT)
    return _next(recipe, "learning_rate", up=False) or Remedy("reset")


def _for_variety(recipe: Recipe) -> Remedy:
    """What brings modes back."""
    if recipe.discriminator_rate < 1:
        return Remedy("discriminator_rate", 1.0)
    return calm(recipe) if recipe.name == DEFAULT else Remedy("recipe", DEFAULT)


def _next(recipe: Recipe, name: str, *, up: bool) -> Remedy | None:
    """The next stop of a field; None at its end."""
    value, stops = getattr(recipe, name), BY_FIELD[name].stops
    beyond = [stop for stop in stops if (stop > value if up else stop < value)]
    if not beyond:
        return None
    return Remedy(name, min(beyond) if up else max(beyond))


def _jitter(recent: Sequence[Mapping[str, Any]]) -> float:
    """How much the distance goes up and down, over its median."""
    ratios = sorted(reading["ratio"] for reading in recent[-20:])
    return (ratios[-2] - ratios[1]) / ratios[len(ratios) // 2] if len(ratios) >= 10 else 0.0
