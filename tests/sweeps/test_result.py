from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.runs.config import Requested
from equipoise.sweeps.config import SweepConfig
from equipoise.sweeps.result import SweepResult
from equipoise.sweeps.settings import SweepSettings

RECIPE = {"ema_half_life": 1234567.5}
RUN = {"seed": 3, "threads": 2, "precision": "float32", "compile": "auto", "label_column": "y"}


def of(data_arguments: str) -> SweepResult:
    """A sweep before its first trial."""
    config = SweepConfig(
        settings=SweepSettings(),
        recipe="balanced",
        requested=Requested(RECIPE, RUN),
        length={"minutes": 0.5},
        space=(),
        default={},
        metric="c2st_auc",
        data_name="x",
        data="x.csv" if data_arguments else None,
        data_arguments=data_arguments,
    )
    return SweepResult(Path("sweeps/x"), config, (), ())


def test_the_command_has_every_setting_that_the_sweep_was_given_once() -> None:
    values: dict[str, Any] = {"learning_rate": 0.002}
    assert of("x.csv --label-column y").command(values) == (
        "equipoise train x.csv --label-column y --ema-half-life 1234567.5 --learning-rate 0.002 "
        "--minutes 0.5 --seed 3 --threads 2 --precision float32"
    )
    assert of("").command(values) == (
        "GAN('balanced', ema_half_life=1234567.5, learning_rate=0.002, minutes=0.5, seed=3, "
        "threads=2, precision='float32', label_column='y')"
    )
