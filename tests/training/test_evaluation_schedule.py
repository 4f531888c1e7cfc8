"""How often a training is evaluated and drawn follows from counts: of arithmetic, of
steps and of samples."""

from __future__ import annotations

from dataclasses import replace

from equipoise.metrics.suites import MetricSuite
from equipoise.runtime.device_costs import COSTS
from equipoise.training import evaluation_schedule
from equipoise.training.evaluation_schedule import EvaluationSchedule, images
from equipoise.training.workload import Line, PassCost, Workload

G, D = 500.0, 700.0  # multiplications of one pass


def pass_cost(multiplications: float) -> PassCost:
    return PassCost(Line(0.0, 2 * multiplications), Line(0.0, 0.0), 10, convolves=False)


WORK = Workload(pass_cost(G), pass_cost(D), 0, 16, discriminator_steps=1, has_penalty=True)


class OpCounter(MetricSuite):
    def __init__(self) -> None:
        self.n, self.cost = 100, 5e3

    def measure(self, rows: object) -> dict[str, float]:
        raise AssertionError("the schedule computes no metrics")


def schedule(work: Workload = WORK, device: str = "cpu") -> EvaluationSchedule:
    return EvaluationSchedule(work, OpCounter(), COSTS[device])


def test_an_evaluation_costs_what_the_documents_state() -> None:
    trained = G + 6 * D + 3 * (G + D) / 5 + evaluation_schedule.STEP_COST / 16
    found = schedule(replace(WORK, discriminator_steps=5)).evaluation_samples
    assert found == 100 * (G + 5e3) / trained


def test_longer_runs_are_evaluated_more_often_within_bounds() -> None:
    planned = schedule()
    times = [planned.evaluations(horizon, 20) for horizon in (1, 10**4, 10**5, 10**9)]
    assert times[0] == evaluation_schedule.MIN_EVALUATIONS
    assert times[-1] == 20
    assert times == sorted(times)
    for horizon in (10**4, 10**5):
        count = planned.evaluations(horizon, 10**6)
        spent = count * planned.evaluation_samples / horizon
        least = evaluation_schedule.MIN_EVALUATIONS
        assert spent <= evaluation_schedule.EVALUATION_FRACTION or count == least


def test_on_a_gpu_the_interval_is_a_number_of_steps_whatever_a_step_computes() -> None:
    every = COSTS["cuda"].evaluation_steps
    assert every is not None
    for work in (WORK, replace(WORK, generator=pass_cost(1e9))):
        planned = schedule(work, "cuda")
        assert [planned.evaluations(16 * every * times, 20) for times in (1, 7, 100)] == [5, 7, 20]


def test_a_run_is_evaluated_so_often_and_at_its_end_whether_resumed_or_not() -> None:
    planned = schedule()
    horizon = int(planned.evaluation_samples * 7.5 / evaluation_schedule.EVALUATION_FRACTION)
    last, evaluated = 0, []
    for save in range(1, 21):
        if planned.due(
            save / 20, last, horizon, 20
        ):  # all it knows of the past is what the log has
            last = save * horizon // 20
            evaluated.append(save)
    assert len(evaluated) == 7
    assert evaluated[-1] == 20
    assert planned.due(1.0, 0, horizon, 20)
    assert not planned.due(1.0, horizon, horizon, 20)


def test_images_follow_the_steps() -> None:
    of_steps = {n: images(16, 16 * n) for n in (1, 2399, 2400, 4800, 12_000, 10**6)}
    assert of_steps == {1: 1, 2399: 1, 2400: 2, 4800: 4, 12_000: 10, 10**6: 10}
    assert images(16, None) == 0
