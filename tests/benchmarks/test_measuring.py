"""What the speed benchmarks reckon with: exponents, ratios, goals, tables, and the tutorial's and the race's bookkeeping."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from benchmarks.growth import exponent
from benchmarks.measuring import against, in_turns, markdown, ratios, record, spread
from benchmarks.quality import LineQuality

from benchmarks import flame, processes, race, tutorial


def test_the_exponent_of_a_known_power_law() -> None:
    sizes = [10, 100, 1000, 20_000]
    assert exponent(sizes, [3 * size**1.7 for size in sizes]) == pytest.approx(1.7)
    assert exponent(sizes, [5.0] * 4) == pytest.approx(0)
    assert exponent([1000, 4000], [2.0, 8.0]) == pytest.approx(1)


def test_the_exponent_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random(20), rng.random(20)
    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    assert exponent(list(np.exp(x)), list(np.exp(y))) == pytest.approx(slope)


def test_blocks_are_taken_in_turns_and_every_other_round_backwards() -> None:
    calls: list[str] = []
    timed = in_turns({name: lambda name=name: calls.append(name) for name in "ab"}, blocks=4, block_seconds=1e-9)
    assert calls[-8:] == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert all(len(found.wall) == len(found.cpu) == 4 for found in timed.values())


def test_ratios_spreads_and_goals() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    assert spread([3.0, 1.0, 2.0], 1) == "2.0 (1.0 to 3.0)"
    assert against(1.04, 1.05) == "≤ 1.05: met"
    assert against(1.2, 1.3, " x", at_most=False) == "≥ 1.3 x: **missed**"
    assert "missed" in against(float("inf"), 0.1)


def test_a_table_is_appended_under_its_command(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("before\n")
    record(results, "python -m benchmarks.speed step", "One thread.", markdown([["a", "b"], ["1", "2"]]))
    text = results.read_text()
    assert text.startswith("before\n\n## `python -m benchmarks.speed step`\n")
    assert text.endswith("One thread.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n")


def test_the_tutorial_on_the_line_tells_its_moments_in_order() -> None:
    moments = list(tutorial.line(seed=0, steps=40, moments=4, n=500))
    seconds = [moment for moment, _ in moments]
    assert len(moments) == 4
    assert seconds == sorted(seconds)
    assert all(samples.shape == (500,) for _, samples in moments)


def test_the_tutorials_discriminator_sees_a_batch_and_its_squared_distances_to_the_mean() -> None:
    import torch

    seen = tutorial.with_squares(torch.tensor([[1.0, 2.0, 6.0]]))
    assert seen.tolist() == [[1, 2, 6, 4, 1, 9]]


@pytest.mark.usefixtures("mnist_home")
def test_the_tutorial_on_digits_makes_pictures() -> None:
    [(seconds, pictures)] = tutorial.digits(seed=0, epochs=1, n=20, most=200)
    assert seconds > 0
    assert pictures.shape == (20, 28, 28)
    assert pictures.dtype == np.uint8


def test_wasserstein_of_a_shifted_law_is_the_shift() -> None:
    figure = LineQuality(20_000)
    exact = figure.law.quantile((np.arange(20_000) + 0.5) / 20_000)
    assert exact is not None
    assert figure(exact) == pytest.approx(0, abs=1e-12)
    assert figure(exact + 0.3) == pytest.approx(0.3)
    assert figure.floor < 0.03


def test_the_peak_of_a_process_counts_what_it_held() -> None:
    held = 200 * 2**20
    least = processes.peak_of(["-c", "pass"])
    assert held <= processes.peak_of(["-c", f"x = bytearray(b'1' * {held})"]) - least + 2**20 < 3 * held


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="status 3"):
        processes.peak_of(["-c", "raise SystemExit(3)"])


def test_boxes_of_a_flame_graph_are_as_wide_as_their_time() -> None:
    root = flame.Frame("all", 10.0, 1, {"a <b>": flame.Frame("a <b>", 7.5, 2), "c": flame.Frame("c", 2.0, 1)})
    assert root.alone == pytest.approx(0.5)
    picture = flame.svg(root, "title")
    inner = flame.WIDTH - 2 * flame.MARGIN
    assert f'width="{0.75 * inner - 0.4:.2f}"' in picture
    assert f'x="{flame.MARGIN + 0.75 * inner:.2f}"' in picture
    assert "<title>a &lt;b&gt;: 75.0%, 75.0% of it alone, 2 calls</title>" in picture


def test_a_race_is_won_where_the_figure_stays_as_good_as_asked() -> None:
    lucky = [(1.0, 0.1), (2.0, 0.5)]
    good = [(3.0 + i, 0.2) for i in range(race.HOLD)]
    assert race.reached([*lucky, *good], 0.3) == (3.0, 0.2)
    assert race.reached([*lucky, *good], 0.5) == (1.0, 0.1)
    assert race.reached([*lucky, *good[1:]], 0.3) == (float("inf"), 0.2)


def test_balanced_races_until_it_has_been_good_enough_for_long_enough() -> None:
    course = race.Course("", "gaussian", LineQuality(1_000), lambda _: iter(()), steps=1, threads=1, seeds=range(1))
    found = race.balanced_race(course, seed=0, until=float("inf"))
    assert len(found) == race.HOLD
    assert [seconds for seconds, _ in found] == sorted(seconds for seconds, _ in found)
    assert all(value > course.figure.floor for _, value in found)


@dataclass
class Event:
    """As torch's profiler has them, as far as the flame graph reads them."""

    name: str
    start: float
    micros: float
    cpu_children: list[Event] = field(default_factory=list)

    @property
    def time_range(self) -> Event:
        return self

    def elapsed_us(self) -> float:
        return self.micros


def test_a_flame_graph_adds_up_events_of_one_place_and_puts_autograds_nodes_together() -> None:
    node = flame.AUTOGRAD + "MulBackward0"
    first = Event("part", 0, 10, [Event("aten::mul", 1, 3), Event(node, 5, 4, [Event("aten::mul", 6, 1)])])
    root = flame.Frame("all")
    root.take([first, Event("part", 20, 6, [Event("aten::mul", 21, 5)])])
    part = root.below["part"]
    assert (part.total, part.calls) == (16, 2)
    assert {name: (below.total, below.calls) for name, below in part.below.items() if name != flame.BACKWARD} == {"aten::mul": (8, 2)}
    backward = part.below[flame.BACKWARD]
    assert (backward.total, backward.alone) == (4, 0)
    assert (backward.below["MulBackward0"].total, backward.below["MulBackward0"].alone) == (4, 3)
    assert part.alone == 16 - 8 - 4
