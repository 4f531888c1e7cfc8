"""The watch tells of troubles while they happen, each once, and of a figure that has settled."""

from __future__ import annotations

from equipoise.verdict import Watch

FLOORS = {"sliced Wasserstein": 0.01, "modes covered, of 8": 8.0}


def figures(distance: float, modes: float = 8) -> dict[str, float]:
    return {"sliced Wasserstein": distance, "modes covered, of 8": modes}


def test_a_collapse_is_told_once_and_not_before_a_third_of_the_training() -> None:
    watch = Watch(lambda: FLOORS)
    for share in (0.05, 0.1, 0.15, 0.2):
        assert watch.at_figures(figures(1.0, 2), share) == ""
    assert watch.at_figures(figures(0.9, 3), 0.4) == "mode collapse: 3 of 8 modes are covered"
    assert watch.at_figures(figures(0.9, 3), 0.5) == ""


def test_missing_digits_are_told_by_name() -> None:
    watch = Watch(lambda: {"Fréchet (digit features)": 0.02, **{f"share of {digit}": 0.1 for digit in range(10)}})
    now = {"Fréchet (digit features)": 5.0, **{f"share of {digit}": 0.0 if digit == 4 else 0.11 for digit in range(10)}}
    said = [watch.at_figures(now, 0.5) for _ in range(5)]
    assert said == ["", "", "", "mode collapse: hardly any 4 among the digits", ""]


def test_a_figure_that_leaps_up_is_told() -> None:
    watch = Watch(lambda: FLOORS)
    assert watch.at_figures(figures(0.1), 0.1) == ""
    assert "falling apart" in watch.at_figures(figures(0.6), 0.2)


def test_a_d_that_is_right_for_a_while_is_told_once() -> None:
    watch = Watch(lambda: FLOORS)
    said = [watch.at_report({"balance": 0.999}) for _ in range(30)]
    assert [i for i, text in enumerate(said) if text] == [9]
    assert Watch(lambda: FLOORS).at_report({"generator_loss": 1.0}) == ""


def test_it_has_settled_at_the_floor_or_after_five_figures_without_a_gain() -> None:
    watch = Watch(lambda: FLOORS)
    for distance in (0.5, 0.3, 0.2):
        watch.at_figures(figures(distance), 0.1)
    assert not watch.settled
    for _ in range(5):
        watch.at_figures(figures(0.2), 0.5)
    assert watch.settled
    at_floor = Watch(lambda: FLOORS)
    at_floor.at_figures(figures(0.009), 0.2)
    assert at_floor.settled
