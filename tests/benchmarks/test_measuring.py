"""What the speed benchmarks share: turns, ratios, goals."""

from __future__ import annotations

from benchmarks.measuring import against, in_turns, ratios, spread


def test_blocks_are_taken_in_turns_and_every_other_round_backwards() -> None:
    calls: list[str] = []
    timed = in_turns(
        {name: lambda name=name: calls.append(name) for name in "ab"}, blocks=4, block_seconds=1e-9
    )
    assert calls[-8:] == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert all(len(found.wall) == len(found.cpu) == 4 for found in timed.values())


def test_ratios_spreads_and_goals() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    assert spread([3.0, 1.0, 2.0], 1) == "2.0 (1.0 to 3.0)"
    assert against(1.04, 1.05) == "≤ 1.05: met"
    assert against(1.2, 1.3, " x", at_most=False) == "≥ 1.3 x: **missed**"
    assert "missed" in against(float("inf"), 0.1)
