"""What the speed benchmarks reckon with: exponents, ratios, goals, tables, and the tutorial's and the race's bookkeeping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.growth import exponent
from benchmarks.measuring import against, in_turns, markdown, ratios, record, spread
from benchmarks.quality import LineQuality

from benchmarks import flame, processes, tutorial


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
