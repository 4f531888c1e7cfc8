"""The report on a run: its figures beside their floors and the verdict, to print and to keep as report.json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from equipoise import verdict
from equipoise.data.sources import Source
from equipoise.metrics.judges import Figure, judge_for
from equipoise.recipes import DEFAULT
from equipoise.training.files import FORMAT, write_json
from equipoise.training.sampler import Sampler
from equipoise.verdict import Verdict

SAMPLES_SEED = 1_000_003  # of the samples that are judged: always the same ones of a generator
DETAIL = "share of "  # figures that are kept but would crowd a table


@dataclass(frozen=True)
class Report:
    """What `evaluate` returns. `figures` come with their protocol; the first is the headline."""

    data: str
    recipe: str
    samples_seen: int
    figures: tuple[Figure, ...]
    verdict: Verdict

    def __getitem__(self, name: str) -> float:
        """The value of the figure of this name."""
        return next(figure.value for figure in self.figures if figure.name == name)

    def to_dict(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, value and floor of the figures for a table."""
        return [(f.name, _number(f.value), _number(f.floor)) for f in self.figures if not f.name.startswith(DETAIL)]

    def __str__(self) -> str:
        wide = max(len(name) for name, _, _ in self.rows())
        lines = [f"{'':{wide}}  {'generated':>10}  {'real':>10}"]
        lines += [f"{name:{wide}}  {value:>10}  {floor:>10}" for name, value, floor in self.rows()]
        return "\n".join([*lines, f"({self.figures[0].protocol})", "", self.verdict.sentence, self.verdict.advice])

    def save(self, path: Path) -> None:
        write_json(path, self.to_dict())


def evaluate(sampler: Sampler, source: Source, samples_seen: int, seed: int) -> Report:
    """Judge what the sampler makes against the source's held-out part; `seed` draws the real samples."""
    judge = judge_for(source, seed)
    generated = sampler.values(judge.n, SAMPLES_SEED)
    figures: Sequence[Figure] = judge.figures(generated, source.seen(judge.n, seed).double().numpy())
    decided = verdict.judge(figures, sampler.recipe.name, DEFAULT, judge.n)
    return Report(source.name, sampler.recipe.name, samples_seen, tuple(figures), decided)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e6 else f"{value:.4f}" if abs(value) < 1000 else f"{value:.4g}"
