"""The lab: a simulation, what is read off it, and the lesson that is under way. It has
no thread and no clock; `session` gives it both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from equipoise.coerce import checked
from equipoise.data.distributions import Distribution
from equipoise.diagnosis.monitor import Monitor
from equipoise.errors import RequestError, nearest
from equipoise.studio.learn.controls import CONTROLS, RECIPES, applies, controls_of
from equipoise.studio.learn.distributions import CHOICES
from equipoise.studio.learn.findings import Finding, find_all
from equipoise.studio.learn.lessons import LESSONS, Lesson
from equipoise.studio.learn.players import Moment, Players
from equipoise.studio.learn.record import CURVES, Record
from equipoise.studio.learn.scene import Scene, rounded
from equipoise.studio.learn.simulation import Player, Setup, Simulation

EXPLODED_STEPS = 200  # for which it is said that a loss was not finite
# Arrows and points on the page.
SHOWN_PULLS, SHOWN_SAMPLES = 40, 400
LEVELS = 255  # of D's surface on the plane


class Lab:
    """What the page shows and steers."""

    def __init__(self) -> None:
        self.builds = self.changes = 0
        """Of trainings and of settings: a page asks for all of it when they differ."""
        self.players: Player = "both"
        self.lesson: Lesson | None = None
        self.note: dict[str, Any] | None = None
        """What the last change of settings has done, for the page."""
        self._name = "gaussian"
        self.setup: Setup
        self._build(Setup(CHOICES["gaussian"]))

    # ---- what is trained

    def _build(self, setup: Setup) -> None:
        """Begin anew."""
        simulation = Simulation(setup)  # which may refuse
        if self.builds == 0 or setup.distribution != self.setup.distribution:
            self.scene = Scene(simulation.source)
        self.setup, self.simulation = setup, simulation
        self.builds += 1
        self.by_hand = {"D": 0, "G": 0}
        self.exploded, self._exploded_at = 0, -1
        self.record = Record(self.scene)
        self._met = False
        self.note = None
        self._watch()

    def _watch(self) -> None:
        """Watch the networks, which may be new."""
        self.changes += 1
        self.watcher = Players(self.simulation, self.scene)
        key = "wasserstein_1" if self.scene.dimension == 1 else "sliced_wasserstein"
        self.primary = key
        self.monitor = Monitor(lambda: {key: self.scene.floor}, self.simulation.recipe.ends_level)
        self.measure()

    def reset(self, seed: int | None = None) -> None:
        """Begin anew with the same settings; a lesson as it was set up."""
        if self.lesson is not None and seed is None:
            self.start(self.lesson.name)
            return
        seed = self.setup.seed if seed is None else checked("seed", seed, int)
        self._build(replace(self.setup, seed=seed))

    def choose(self, name: str) -> None:
        """Learn a built-in distribution."""
        if name not in CHOICES:
            raise RequestError(f"no distribution {name!r}: {nearest(str(name), CHOICES)}")
        self.draw(CHOICES[name], name)

    def draw(self, distribution: Distribution, name: str = "drawn") -> None:
        """Learn a distribution, with the recipe as it is."""
        setup = replace(self.setup, distribution=distribution)
        if self.lesson is not None:
            setup = Setup(distribution)
        kind = type(self.simulation.recipe)
        fields = {
            field: value
            for field, value in setup.fields.items()
            if applies(field, kind, distribution.dimension)
        }
        self.lesson, self._name, self.players = None, name, "both"
        self._build(replace(setup, fields=fields))

    def set_recipe(self, name: str) -> None:
        """Go on with another method and its own settings."""
        if name not in RECIPES:
            raise RequestError(f"no recipe {name!r} on this page: {nearest(str(name), RECIPES)}")
        self._change(replace(self.setup, recipe=name, fields={}))

    def set_field(self, field: str, value: Any) -> None:
        """Go on with another value of one field of the recipe."""
        offered = [
            control.field
            for control in CONTROLS
            if applies(control.field, type(self.simulation.recipe), self.scene.dimension)
        ]
        if field not in offered:
            raise RequestError(f"no setting {field!r} here: {nearest(str(field), offered)}")
        self._change(replace(self.setup, fields={**self.setup.fields, field: value}))

    def _change(self, setup: Setup) -> None:
        anew = self.simulation.change(setup)
        self.setup = setup
        self.note = {"anew": anew, "step": self.simulation.steps} if anew else None
        self.record.begin_anew()
        self._watch()

    def set_players(self, players: Player) -> None:
        """Let both train, or one alone."""
        self.players = checked("players", players, Player)

    def start(self, name: str | None) -> None:
        """Begin a lesson; None ends the one under way, and begins its distribution anew
        with the default method."""
        if name is None:
            if self.lesson is not None:
                self.lesson, self.players = None, "both"
                self._build(Setup(self.setup.distribution))
            return
        lesson = next((lesson for lesson in LESSONS if lesson.name == name), None)
        if lesson is None:
            names = [lesson.name for lesson in LESSONS]
            raise RequestError(f"no lesson {name!r}: {nearest(str(name), names)}")
        self.lesson, self._name = None, lesson.distribution  # no goal is met before it begins
        self.players = "both"
        setup = Setup(CHOICES[lesson.distribution], lesson.recipe, lesson.fields, lesson.seed)
        self._build(setup)
        self.simulation.step("D", lesson.discriminator_first)
        self.simulation.step("both", lesson.steps_first)
        self.record = Record(self.scene)
        self.lesson, self.players = lesson, lesson.players
        self.measure()

    # ---- training

    def train(self, steps: int = 1) -> None:
        """Train those who play."""
        self.simulation.step(self.players, steps)

    def step(self, player: Player, steps: int = 1) -> None:
        """One step, or some, of one player or of both, by hand."""
        self.simulation.step(player, steps)
        for one in ("D", "G"):
            self.by_hand[one] += steps if player in (one, "both") else 0
        self.measure()

    # ---- what is read

    def measure(self) -> dict[str, Any]:
        """Look at the players, and take the readings down if they have moved."""
        if not self.simulation.check():
            self.exploded += 1
            self._exploded_at = self.simulation.steps
        self.moment = self.watcher.look()
        readings = self._readings(self.moment)
        if self.record.add(readings):
            if readings["balance"] is not None:
                self.monitor.at_report({"balance": readings["balance"]})
            metrics = {self.primary: readings["divergence"]}
            self.monitor.at_metrics(metrics, self.simulation.progress)
        readings |= self.record.lately()
        self.readings = readings
        self._check_goal()
        return readings

    def _readings(self, moment: Moment) -> dict[str, Any]:
        scene, simulation = self.scene, self.simulation
        divergence = scene.distance(moment.samples)
        mean, std = moment.samples.mean(0), moment.samples.std(0)
        known, modes = scene.modes, scene.modes_reached(moment.samples)
        losses = self.simulation.losses()
        balance = losses.get("balance")
        gap = moment.gap
        return {
            "steps": simulation.steps,
            "samples": simulation.state.samples_seen,
            "discriminator_loss": losses.get("discriminator_loss"),
            "generator_loss": losses.get("generator_loss"),
            "balance": balance,
            "balance_off": None if balance is None else abs(balance - 0.5),
            "gap": gap,
            "divergence": divergence,
            "floor": scene.floor,
            "ratio": divergence / scene.floor,
            "mean": mean.tolist(),
            "std": std.tolist(),
            "mean_off": float(np.abs((mean - scene.mean) / scene.std).max()),
            "std_off": float(np.abs(std / scene.std - 1).max()),
            "modes": modes,
            "missing": None if known is None or modes is None else len(known[0]) - modes,
            "pull": moment.pull,
            "by_hand_d": self.by_hand["D"],
            "by_hand_g": self.by_hand["G"],
            "exploded": self.exploded if self._exploded_lately else 0,
            "players": self.players,
            "recipe": self.setup.recipe,
            "loss_of_g": getattr(simulation.recipe, "generator_loss", None),
            **{
                control.field: getattr(simulation.recipe, control.field, None)
                for control in CONTROLS
                if control.field != "generator_loss"  # which is the name of a loss's value
            },
        }

    @property
    def _exploded_lately(self) -> bool:
        return self.exploded > 0 and self._exploded_at >= self.simulation.steps - EXPLODED_STEPS

    @property
    def is_exhausted(self) -> bool:
        """Whether weights stopped being finite so often that training would end."""
        return self.simulation.guard.exhausted

    @property
    def findings(self) -> list[Finding]:
        """What can be said of the training, the worst first."""
        return find_all(
            self.readings, list(self.record.recent), self.monitor.faults, self.simulation.recipe
        )

    # ---- the lesson

    def _check_goal(self) -> None:
        if self.lesson is None:
            return
        self._met = self._met or all(self.conditions)

    @property
    def conditions(self) -> list[bool]:
        """Which conditions of the lesson's goal hold."""
        if self.lesson is None:
            return []
        return [condition.holds(self.readings) for condition in self.lesson.goal]

    @property
    def is_met(self) -> bool:
        """Whether the lesson's goal has been reached."""
        return self._met

    # ---- for the page

    def state(self) -> dict[str, Any]:
        """What the page shows beside the picture."""
        lesson, output = self.lesson, self.simulation.state.method.output
        return {
            "build": self.builds,
            "changes": self.changes,
            "distribution": self._name,
            "recipe": self.setup.recipe,
            "seed": self.setup.seed,
            "players": self.players,
            "note": self.note,
            "findings": [finding.to_json() for finding in self.findings],
            "lesson": None
            if lesson is None
            else {"name": lesson.name, "conditions": self.conditions, "met": self.is_met},
            "readings": self.readings,
            "output": {"name": output.name, "balance": bool(output.balance_label)},
        }

    def picture(self) -> dict[str, Any]:
        """The samples, their density, D, the best D and the pulls."""
        moment, line = self.moment, self.scene.dimension == 1
        return {
            "samples": rounded(moment.samples[:SHOWN_SAMPLES]),
            "density": rounded(moment.density) if line else None,
            "surface": self._surface(moment.surface),
            "optimum": self._surface(moment.optimum),
            "pulls": rounded(moment.pulls[:SHOWN_PULLS]),
        }

    def _surface(self, values: np.ndarray[Any, Any] | None) -> dict[str, Any] | None:
        """D in the cells: on the line as it is; on the plane as whole numbers from 0 to
        `LEVELS` between two limits, -1 where it is not known."""
        if values is None:
            return None
        if self.scene.dimension == 1:
            return {"values": [None if np.isnan(v) else v for v in rounded(values)]}  # type: ignore[call-overload]
        known = np.abs(values[~np.isnan(values)])
        highest = float(np.quantile(known, 0.98)) if known.size else 1.0
        low, high = self.simulation.state.method.output.limits(highest or 1.0)
        levels = np.clip((values - low) / max(high - low, 1e-12) * LEVELS, 0, LEVELS)
        whole = np.where(np.isnan(values), -1, np.round(levels)).astype(int)
        return {"low": low, "high": high, "values": whole.tolist()}

    def whole(self) -> dict[str, Any]:
        """What a page needs once for each build: the scene, the curves so far, the
        settings on offer."""
        return {
            "build": self.builds,
            "scene": self.scene.to_json(),
            "curves": CURVES,
            "history": self.record.curves,
        }

    def controls(self) -> list[dict[str, Any]]:
        """The settings of the recipe."""
        return controls_of(self.simulation.recipe, self.scene.dimension)
