"""Windows of series through the whole of the library."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from equipoise import GAN
from equipoise.data.series.frame_form import FrameForm
from equipoise.errors import RequestError
from equipoise.recipes import catalogue
from tests.helpers import TINY

RNG = np.random.default_rng(0)
ARRAY = (RNG.normal(size=(60, 6, 2)) * [1, 100]).astype(np.float32)
RAGGED = [RNG.normal(size=(length, 2)) for length in RNG.integers(3, 7, 60)]
FLAT = [RNG.integers(0, 9, length) for length in RNG.integers(3, 7, 60)]
pytestmark = pytest.mark.filterwarnings("ignore::equipoise.errors.EquipoiseWarning")


def frame() -> pd.DataFrame:
    parts = []
    for number in range(60):
        length = int(RNG.integers(4, 7))
        parts.append(
            pd.DataFrame(
                {
                    "rate": RNG.normal(70, 5, length).round(1),
                    "day": pd.date_range("2024-01-01", periods=length, freq="7D"),
                    "who": number,
                    "count": pd.array(RNG.poisson(4, length), "Int16"),
                    "plan": "ab"[number % 2],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


FRAME = frame()
ROLES = {"series": "who", "time": "day", "label_column": "plan"}


def test_an_array_comes_back_as_an_array_of_its_type() -> None:
    made = GAN(**TINY).fit(ARRAY).sample(5, seed=1)
    assert isinstance(made, np.ndarray)
    assert (made.shape, made.dtype) == ((5, 6, 2), np.dtype(np.float32))


def test_a_tensor_comes_back_as_a_tensor() -> None:
    made = GAN(**TINY).fit(torch.from_numpy(ARRAY)).sample(5, seed=1)
    assert isinstance(made, torch.Tensor)
    assert made.shape == (5, 6, 2)


@pytest.mark.parametrize("given", [RAGGED, FLAT], ids=["two channels", "no axis of channels"])
def test_a_list_of_windows_comes_back_as_a_list_with_lengths_that_it_had(given: list[Any]) -> None:
    made = GAN(**TINY).fit(given).sample(40, seed=1)
    assert isinstance(made, list)
    assert {len(window) for window in made} <= {3, 4, 5, 6}
    assert {window.ndim for window in made} == {given[0].ndim}
    assert {window.dtype for window in made} == {given[0].dtype}


def test_a_list_of_equally_long_windows_comes_back_as_a_list() -> None:
    made = GAN(**TINY).fit([*ARRAY]).sample(3, seed=1)
    assert isinstance(made, list)
    assert [window.shape for window in made] == [(6, 2)] * 3


def test_a_table_comes_back_with_its_columns_types_and_grid_of_times() -> None:
    made = GAN(**TINY, **ROLES).fit(FRAME).sample(20, seed=1)
    assert isinstance(made, pd.DataFrame)
    assert [*made.columns] == [*FRAME.columns]
    assert (made.dtypes == FRAME.dtypes).all()
    assert made["who"].nunique() == 20
    assert made["who"].min() == 60
    assert (made.groupby("who")["day"].min() == pd.Timestamp("2024-01-01")).all()
    steps = made.groupby("who")["day"].diff().dropna()
    assert (steps == pd.Timedelta(days=7)).all()
    for name in ("rate", "count"):
        assert made[name].between(FRAME[name].min(), FRAME[name].max()).all()
    assert np.allclose(made["rate"], made["rate"].round(1))


def test_a_layout_overrides_what_an_array_looks_like() -> None:
    as_images = GAN(**TINY, layout="NHW").fit(ARRAY)
    assert as_images.schema.is_image
    squares = RNG.random((60, 8, 8))
    assert GAN(**TINY).fit(squares).schema.is_image
    as_series = GAN(**TINY, layout="NTC").fit(squares)
    assert as_series.schema.series is not None
    assert as_series.sample(3, seed=0).shape == (3, 8, 8)


def test_no_samples_are_of_the_same_kind() -> None:
    assert GAN(**TINY).fit(ARRAY).sample(0).shape == (0, 6, 2)
    assert GAN(**TINY).fit(RAGGED).sample(0) == []
    empty = GAN(**TINY, **ROLES).fit(FRAME).sample(0)
    assert (len(empty), [*empty.columns]) == (0, [*FRAME.columns])


def test_samples_in_batches_are_those_drawn_at_once() -> None:
    gan = GAN(**TINY, **ROLES).fit(FRAME)
    whole = gan.sample(10, seed=1)
    parts = pd.concat(gan.sample_batches(10, 3, seed=1), ignore_index=True)
    pd.testing.assert_frame_equal(parts, whole)


def test_windows_become_rows_of_a_table_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gan, calls, decode = GAN(**TINY, **ROLES).fit(FRAME), list[int](), FrameForm.decode

    def counted(form: FrameForm, windows: Any, seed: int, start: int) -> pd.DataFrame:
        calls.append(len(windows))
        return decode(form, windows, seed, start)

    monkeypatch.setattr(FrameForm, "decode", counted)
    gan.sample(2_000, seed=0)
    assert sum(calls) == 2_000
    assert len(calls) <= 2


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in catalogue()
        if not catalogue()[name].images_only and not catalogue()[name].tables_only
    ],
)
@pytest.mark.parametrize("data", [ARRAY, RAGGED], ids=["one length", "lengths that differ"])
def test_every_recipe_of_points_trains_on_series(name: str, data: Any) -> None:
    labels = ["a", "b"] * 30 if catalogue()[name].needs_labels else None
    tiny = {
        key: value
        for key, value in TINY.items()
        if key != "width" or hasattr(catalogue()[name], "width")
    }
    made = GAN(name, **tiny).fit(data, labels).sample(4, seed=0)
    assert [np.shape(window)[1] for window in made] == [2] * 4
    assert all(np.isfinite(window).all() for window in made)


@pytest.mark.parametrize("data", [ARRAY, RAGGED, FRAME], ids=["array", "list", "table"])
def test_a_run_is_kept_loaded_and_trained_on(data: Any, tmp_path: Path) -> None:
    gan = GAN(**TINY, **(ROLES if data is FRAME else {})).fit(data, out=tmp_path / "run")
    expected, found = gan.sample(5, seed=3), GAN.load(tmp_path / "run").sample(5, seed=3)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected)
    else:
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, two)
    resumed = GAN(samples=64).fit(data, out=tmp_path / "run", resume=True)
    started = GAN(samples=32, threads=1, **(ROLES if data is FRAME else {}))
    made = started.fit(data, init_from=resumed).sample(3, seed=0)
    assert type(made) is type(expected)


def test_weights_are_for_windows_of_the_same_form() -> None:
    gan = GAN(**TINY).fit(ARRAY)
    with pytest.raises(RequestError, match="windows of 6 steps of 2 channels -> windows of 4 st"):
        GAN(samples=32).fit(RNG.normal(size=(60, 4, 3)), init_from=gan)


def test_weights_are_for_channels_of_the_same_names() -> None:
    gan = GAN(**TINY, **ROLES).fit(FRAME)
    other = FRAME.rename(columns={"rate": "pulse"})
    with pytest.raises(RequestError, match="channels: rate, count -> pulse, count"):
        GAN(samples=32, **ROLES).fit(other, init_from=gan)


@pytest.mark.parametrize("data", [RAGGED, FRAME], ids=["list", "table"])
def test_what_starts_from_other_data_makes_the_same_samples_when_it_is_loaded(
    data: Any, tmp_path: Path
) -> None:
    roles = ROLES if data is FRAME else {}
    earlier = GAN(**TINY, **roles).fit(data)
    if data is FRAME:
        more = FRAME.assign(rate=(FRAME["rate"] + 30).round(), count=FRAME["count"] * 2)
    else:  # mostly short, in halves, from 0 to 2
        lengths = [3, 3, 3, 3, 6, 4, 3, 3, 3, 3] * 6
        more = [RNG.integers(0, 5, (length, 2)) / 2 for length in lengths]
    gan = GAN(samples=32, threads=1, **roles).fit(more, init_from=earlier, out=tmp_path / "run")
    made, loaded = gan.sample(50, seed=0), GAN.load(tmp_path / "run").sample(50, seed=0)
    if data is FRAME:
        pd.testing.assert_frame_equal(loaded, made)
        assert (made["rate"] == made["rate"].round()).all()
        assert made["rate"].between(more["rate"].min(), more["rate"].max()).all()
        return
    assert np.mean([len(window) == 3 for window in made]) > 0.5
    for one, two in zip(loaded, made, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_report_judges_the_order_in_time_beside_real_windows(tmp_path: Path) -> None:
    gan = GAN(**TINY, **ROLES).fit(FRAME, out=tmp_path / "run")
    report = gan.evaluate(quick=True)
    for key in (
        "window_wasserstein",
        "autocorrelation_distance",
        "cross_correlation_distance",
        "length_wasserstein_1",
        "worst_channel_wasserstein_1",
    ):
        assert key in report
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Order in time" in page
    assert "grey" not in page
    assert json.loads((tmp_path / "run" / "report.json").read_text())["metrics"]
    assert (tmp_path / "run" / "samples").is_dir()


def test_a_generator_is_measured_against_other_windows_of_its_form() -> None:
    gan = GAN(**TINY).fit(RAGGED)
    assert "window_wasserstein" in gan.evaluate(RAGGED[:40], quick=True)
    for wrong in ([RNG.normal(size=(9, 2))] * 40, [RNG.normal(size=(5, 3))] * 40, FRAME):
        with pytest.raises(RequestError, match="windows of 3 to 6 steps of 2 channels"):
            gan.evaluate(wrong, quick=True)


@pytest.mark.parametrize("data", [[], (), np.empty((0, 6, 2)), 5, np.array(5.0), torch.empty(0)])
def test_a_generator_of_windows_is_measured_against_one_window_at_least(data: Any) -> None:
    gan = GAN(**TINY).fit(ARRAY)
    with pytest.raises(RequestError, match="one window at least") as error:
        gan.evaluate(data)
    assert "\n" not in str(error.value)


def test_labels_of_windows_can_be_asked_for() -> None:
    gan = GAN(**TINY, **ROLES).fit(FRAME)
    assert set(gan.sample(6, label="b", seed=0)["plan"]) == {"b"}


def test_windows_take_no_conditions_on_rows() -> None:
    gan = GAN(**TINY, **ROLES).fit(FRAME)
    with pytest.raises(RequestError, match="where is for rows of a table"):
        gan.sample(3, where={"rate": (60, 70)})


def test_a_training_begins_as_the_process_that_the_data_shows() -> None:
    x = RNG.normal(size=(3_000, 10, 1))
    for step in range(1, 10):
        x[:, step] = 0.9 * x[:, step - 1] + np.sqrt(0.19) * x[:, step]
    made = GAN(samples=128, threads=1).fit(x).sample(3_000, seed=0)[:, :, 0]
    lagged = np.corrcoef(made[:, :-1].ravel(), made[:, 1:].ravel())[0, 1]
    assert lagged == pytest.approx(0.9, abs=0.02)
    assert made.std() == pytest.approx(1, abs=0.05)
