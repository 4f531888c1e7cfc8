"""class GAN from end to end, on tiny trainings."""

from __future__ import annotations

import json
import signal
import warnings
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from equipoise import GAN
from equipoise.data.distributions import Gaussian
from equipoise.data.evaluation import samples_of
from equipoise.errors import EquipoiseError, EquipoiseWarning, RequestError
from equipoise.metrics.evaluate import MAX_COLUMNS
from equipoise.runs import checkpoint
from equipoise.training.events import Report
from equipoise.training.signals import InterruptedRunError

pytestmark = pytest.mark.usefixtures("brief_reports")

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "x",
    [
        RNG.normal(50, 9, 60),
        RNG.normal(50, 9, (60, 3)).astype(np.float32),
        RNG.integers(0, 9, (60, 2)),
        RNG.integers(0, 256, (60, 7, 5), np.uint8),
        RNG.integers(0, 256, (60, 3, 9, 6), np.uint8),
        RNG.integers(0, 256, (60, 9, 6, 4), np.uint8),
        RNG.integers(0, 256, (60, 2, 8, 8), np.uint8),
        RNG.uniform(-1, 1, (60, 8, 8, 1)).astype(np.float32),
        RNG.integers(0, 65536, (60, 8, 8), np.uint16),
    ],
    ids=lambda x: f"{x.dtype}{x.shape}",
)
@pytest.mark.parametrize("recipe", ["balanced", "classic"])
def test_samples_have_the_shape_type_and_range_of_what_was_fed(
    recipe: str, x: np.ndarray[Any, Any], tiny: dict[str, Any]
) -> None:
    new = GAN(recipe, **tiny).fit(x).sample(7, seed=1)
    assert isinstance(new, np.ndarray)
    assert new.shape == (7, *x.shape[1:])
    assert new.dtype == x.dtype
    if x.ndim > 2 and x.dtype.kind == "f":
        assert -1 <= new.min() <= new.max() <= 1


def test_a_tensor_gives_a_tensor_and_a_frame_a_frame(tiny: dict[str, Any]) -> None:
    assert isinstance(GAN(**tiny).fit(torch.randn(60, 2)).sample(3), torch.Tensor)
    frame = pd.DataFrame({"height": RNG.normal(170, 10, 60), "shoes": RNG.integers(35, 48, 60)})
    new = GAN(**tiny).fit(frame).sample(3)
    assert isinstance(new, pd.DataFrame)
    assert list(new.columns) == ["height", "shoes"]
    assert (new.dtypes == frame.dtypes).all()


def test_a_series_is_a_frame_of_one_column(tiny: dict[str, Any]) -> None:
    heights = pd.Series(RNG.integers(150, 200, 60), name="height")
    new = GAN(**tiny).fit(heights).sample(3)
    assert isinstance(new, pd.DataFrame)
    assert list(new.columns) == ["height"]
    assert new["height"].dtype == heights.dtype
    assert samples_of(heights).shape == (60, 1)


def test_a_constant_column_comes_back_as_its_value(tiny: dict[str, Any]) -> None:
    x = np.stack([RNG.normal(size=60), np.full(60, 7.25)], 1)
    assert (np.asarray(GAN(**tiny).fit(x).sample(5))[:, 1] == 7.25).all()


def test_one_seed_gives_one_sample_and_no_seed_a_new_one_each_time(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit("gaussian")
    assert np.array_equal(gan.sample(5, seed=3), gan.sample(5, seed=3))
    assert not np.array_equal(gan.sample(5, seed=3), gan.sample(5, seed=4))
    assert not np.array_equal(gan.sample(5), gan.sample(5))


def test_labels_make_the_sampler_conditional(tiny: dict[str, Any]) -> None:
    gan = GAN(**{**tiny, "samples": 16 * 300, "learning_rate": 0.01}).fit(*_two_classes())
    left, right = (np.asarray(gan.sample(200, label=name, seed=0)) for name in ("left", "right"))
    assert left.mean() < -5
    assert right.mean() > 5
    with pytest.raises(
        RequestError, match=r"label 'rigt' is not among the classes: did you mean 'right'\?"
    ):
        gan.sample(1, label="rigt")


def test_without_a_label_classes_come_at_their_training_frequencies(tiny: dict[str, Any]) -> None:
    gan = GAN(**{**tiny, "samples": 16 * 300, "learning_rate": 0.01}).fit(
        *_two_classes(left=60, right=240)
    )
    assert np.mean(np.asarray(gan.sample(2000, seed=0)) > 0) == pytest.approx(0.8, abs=0.05)


def test_a_label_asked_of_an_unconditional_generator_is_refused(tiny: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="this generator has no classes: train with conditional"):
        GAN(**tiny).fit("gaussian").sample(3, label=7)


def test_a_folder_of_odd_non_square_colour_images_is_learned(tmp_path: Path) -> None:
    folder = tmp_path / "flags"
    folder.mkdir()
    flag = np.zeros((23, 37, 3))
    flag[:, :18], flag[:, 18:] = (200, 40, 40), (40, 40, 200)
    for i in range(80):
        pixels = (flag + RNG.normal(0, 10, flag.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    settings = {"batch_size": 16, "width": 8, "photo_features": False}
    gan = GAN(samples=16 * 250, threads=1, seed=0, **settings).fit(folder)
    new = np.asarray(gan.sample(32, seed=0))
    assert new.shape == (32, 23, 37, 3)
    assert new.dtype == np.uint8
    assert np.abs(new.mean(0) - flag).mean() < 25
    assert Image.open(gan.draw(tmp_path / "grid.png", 9)).size[0] >= 3 * 37


def test_balanced_learns_the_shape_of_a_normal_distribution_in_a_few_hundred_steps() -> None:
    report = GAN(samples=256 * 400, seed=0).fit(Gaussian(mean=-20, std=3)).evaluate()
    assert report["wasserstein_1"] < 0.15 * 3
    assert report["kolmogorov_smirnov"] < 0.06


def test_saved_and_loaded_samples_and_evaluates_the_same(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    gan = GAN(**tiny).fit(RNG.normal(size=(80, 2)))
    gan.save(tmp_path / "run")
    loaded = GAN.load(tmp_path / "run")
    assert np.array_equal(gan.sample(9, seed=2), loaded.sample(9, seed=2))
    with pytest.raises(RequestError, match="was trained on data passed in Python: give data"):
        loaded.evaluate()
    assert loaded.evaluate(RNG.normal(size=(80, 2)))["sliced_wasserstein"] > 0
    with pytest.raises(RequestError, match="exists: resume it, or give another directory"):
        gan.save(tmp_path / "run")


def test_a_fit_into_a_directory_writes_what_the_design_promises(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    gan = GAN(**{**tiny, "samples": 3200}).fit("gaussian", out=out)
    gan.evaluate()
    assert {p.name for p in out.iterdir()} == {
        "config.json",
        "log.jsonl",
        "samples",
        "checkpoints",
        "generator.safetensors",
        "report.json",
        "report.html",
        ".lock",
    }
    assert (out / "samples" / "000000000.png").is_file()
    assert (out / "samples" / "000003200.png").is_file()
    assert len(list((out / "checkpoints").iterdir())) <= 4


def test_a_training_in_memory_writes_nothing(tiny: dict[str, Any], here: Path) -> None:
    GAN(**tiny).fit("gaussian").sample(2)
    assert list(here.iterdir()) == []


def test_events_reach_the_caller(tiny: dict[str, Any]) -> None:
    seen: list[Any] = []
    GAN(**tiny).fit("gaussian", callbacks=[seen.append])
    reports = [event for event in seen if isinstance(event, Report)]
    assert reports[-1].progress == 1
    assert {
        "discriminator_loss",
        "generator_loss",
        "r1",
        "r2",
        "balance",
        "gradient_norm_g",
    } <= reports[-1].readings.keys()


def test_ctrl_c_stops_after_a_step_and_leaves_a_gan_that_samples(tiny: dict[str, Any]) -> None:
    gan, pressed = GAN(**{**tiny, "samples": 16 * 1000}), []

    def press(event: Any) -> None:
        if isinstance(event, Report) and not pressed:
            pressed.append(event)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(InterruptedRunError, match="stopped by SIGINT after") as stopped:
        gan.fit("gaussian", callbacks=[press])
    assert stopped.value.status == 130
    assert gan._trained().trainer is not None
    assert gan._trained().trainer.state.samples_seen < 16 * 1000
    assert len(np.asarray(gan.sample(4))) == 4


HANDED_OVER = {
    "array": RNG.normal(size=80),
    "frame": pd.DataFrame({"a": RNG.normal(size=80), "b": RNG.normal(size=80)}),
}


@pytest.mark.parametrize("x", HANDED_OVER.values(), ids=HANDED_OVER.keys())
def test_what_was_handed_over_in_python_resumes(
    x: Any, tiny: dict[str, Any], tmp_path: Path
) -> None:
    GAN(**tiny).fit(x, out=tmp_path / "run")
    gan = GAN(samples=96).fit(x, out=tmp_path / "run", resume=True)
    assert gan.evaluate().samples_seen == 96
    with pytest.raises(
        RequestError,
        match=r"was trained on an? (array|frame) with other values or another order: give "
        r"the same data",
    ):
        GAN(samples=128).fit(x * 2, out=tmp_path / "run", resume=True)


def test_until_converged_stops_without_improvement_and_restores_the_best(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    settings = {**tiny, "samples": 16 * 400, "learning_rate": 1e-5}
    with pytest.warns(UserWarning, match="the metric no longer improves: stopped after"):
        gan = GAN(stop_when="converged", **settings).fit("gaussian", out=tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    metrics = {
        line["samples_seen"]: line["metrics"]["wasserstein_1"]
        for line in lines
        if "metrics" in line
    }
    best = min(metrics, key=metrics.__getitem__)
    assert max(metrics) < 16 * 400
    loaded = GAN.load(tmp_path / "run")
    assert loaded.evaluate().samples_seen == best
    assert np.array_equal(gan.sample(100, seed=1), loaded.sample(100, seed=1))


def test_a_resumed_training_watches_on_as_if_it_had_not_stopped(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    settings = {**tiny, "samples": 16 * 100}
    GAN(**{**settings, "samples": 16 * 50}).fit("gaussian", out=tmp_path / "run")
    resumed = GAN(**settings).trainer("gaussian", out=tmp_path / "run", resume=True)
    metrics = [line["metrics"]["wasserstein_1"] for line in resumed.log if "metrics" in line]
    assert resumed.monitor.best == min(metrics)


def test_early_stopping_from_now_on_never_selects_on_the_test_split(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    x, settings = RNG.normal(size=(600, 2)), {**tiny, "samples": 16 * 50}
    before = GAN(**settings).fit(x, out=tmp_path / "run")
    assert before._trained().trainer is not None
    assert before._trained().trainer.state.best is not None
    resumed = GAN(**{**settings, "samples": 16 * 100}, stop_when="converged").trainer(
        x, out=tmp_path / "run", resume=True
    )
    assert resumed.state.best is None
    assert resumed.monitor.best == np.inf


def test_several_seeds_can_have_one_split(tiny: dict[str, Any]) -> None:
    x = RNG.normal(size=(600, 2))
    parts = [
        GAN(**tiny, **seeds).trainer(x, to_disk=False).source.held_out(60, 0)
        for seeds in ({"seed": 1}, {"seed": 2, "split_seed": 1}, {"seed": 2})
    ]
    assert torch.equal(parts[0], parts[1])
    assert not torch.equal(parts[0], parts[2])


def test_a_run_with_a_validation_split_is_reported_on_other_samples(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", RNG.normal(size=(600, 2)))
    gan = GAN(**tiny, validation=True).fit(tmp_path / "x.npy", out=tmp_path / "run")
    for run in (gan._trained(), GAN.load(tmp_path / "run")._trained()):
        source = run.training_data()
        validation, test = (
            {row.numpy().tobytes() for row in part}
            for part in (source.validation(60, 0), source.held_out(60, 0))
        )
        assert len(validation) == len(test) == 30
        assert not validation & test


def test_evaluating_other_data_leaves_the_runs_own_report_alone(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit(RNG.normal(size=(600, 2)))
    own = gan.evaluate()
    other = gan.evaluate(RNG.normal(5, 1, size=(600, 2)))
    assert gan.report == own
    assert "copied_fraction" in own
    assert "copied_fraction" not in other


def test_other_labels_than_those_learned_are_not_compared(tiny: dict[str, Any]) -> None:
    x = RNG.normal(size=(1000, 2))
    gan = GAN(**tiny).fit(x, (x[:, 0] > 0).astype(int))
    assert "label_accuracy" in gan.evaluate()
    assert "label_accuracy" not in gan.evaluate(x, (3 * (x[:, 1] > 0)).astype(int))


@pytest.mark.parametrize("named", [True, False])
def test_a_table_of_many_columns_is_trained_evaluated_drawn_and_reported(
    named: bool, tiny: dict[str, Any], tmp_path: Path
) -> None:
    x = RNG.normal(size=(400, 25))
    gan = GAN(**tiny).fit(
        pd.DataFrame(x, columns=[f"c{i}" for i in range(25)]) if named else x, out=tmp_path / "run"
    )
    found = [m.detail for m in gan.report.metrics if m.family == "column_wasserstein_1"]
    assert found == [f"{'c' if named else ''}{i}" for i in range(MAX_COLUMNS)]
    assert gan.sample(3).shape == (3, 25)
    gan.draw(tmp_path / "drawn.png")
    assert list((tmp_path / "run/samples").iterdir())
    assert "the first 9 of 25 columns" in (tmp_path / "run/report.html").read_text()


def test_a_list_of_batches_trains_though_it_has_fewer_rows_than_a_batch() -> None:
    x = RNG.normal(size=(100, 3))
    assert GAN(samples=1024, width=8, threads=1).fit([x[:50], x[50:]]).report.samples_seen == 1024


def test_of_a_handful_of_rows_the_verdict_is_undecided() -> None:
    report = (
        GAN(samples=512, threads=1).fit(RNG.normal(size=(12, 2))).evaluate()
    )  # a batch holds more
    assert report.verdict.name == "undecided"


def test_a_collapse_has_a_warning_while_it_happens(tiny: dict[str, Any]) -> None:
    gan = GAN(**{**tiny, "samples": 16 * 100, "learning_rate": 1e-6, "clusters": 0})
    training = gan.trainer("ring", to_disk=False)
    with torch.no_grad():
        for weight in (*training.state.generator.parameters(), *training.state.ema.parameters()):
            weight.zero_()
    with pytest.warns(
        UserWarning, match="missing from the samples so far: 0 of 8 modes are covered"
    ):
        gan.train(training)
    assert sum("trouble" in line for line in training.log) == 1


def test_the_report_has_the_samples_seen_with_and_without_a_directory(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    assert GAN(**tiny).fit("gaussian").evaluate().samples_seen == tiny["samples"]
    GAN(**tiny).fit("gaussian", out=tmp_path / "run")
    assert GAN.load(tmp_path / "run").evaluate().samples_seen == tiny["samples"]


def test_a_loaded_gan_trains_anew_with_its_settings(tiny: dict[str, Any], tmp_path: Path) -> None:
    GAN("classic", **tiny, dropout=0.25).fit("gaussian").save(tmp_path / "run")
    again = GAN.load(tmp_path / "run").trainer("gaussian", to_disk=False)
    assert (again.recipe.name, again.recipe.batch_size, again.recipe.dropout) == (
        "classic",
        16,
        0.25,
    )


def test_the_first_samples_of_a_seed_do_not_depend_on_how_many_are_asked_for(
    tiny: dict[str, Any],
) -> None:
    gan = GAN(**tiny).fit("gaussian")
    assert np.allclose(gan.sample(3, seed=1), np.asarray(gan.sample(9, seed=1))[:3])


def test_images_in_other_units_are_not_compared(tiny: dict[str, Any]) -> None:
    x = RNG.integers(0, 256, (60, 8, 8), np.uint8)
    with pytest.raises(RequestError, match="another range of values than the generator's 0 to 255"):
        GAN(**tiny).fit(x).evaluate(x / 255.0)


def test_a_finite_generator_trains_until_it_ends_with_a_warning(tiny: dict[str, Any]) -> None:
    batches = (RNG.normal(size=1000) for _ in range(12))
    with pytest.warns(UserWarning, match=r"ran out of data.*; training ended after 10,992 samples"):
        gan = GAN(**{**tiny, "samples": 10**6}).fit(batches)
    assert len(np.asarray(gan.sample(5))) == 5


def test_other_data_is_split_into_comparison_and_baseline(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit(RNG.normal(size=400))
    report = gan.evaluate(RNG.normal(5, 1, size=600))
    assert report["wasserstein_1"] > 1
    assert "300 held-out samples" in report.metrics[0].protocol
    with pytest.raises(
        RequestError, match=r"data has samples of shape \(2,\), the generator makes \(1,\)"
    ):
        gan.evaluate(RNG.normal(size=(50, 2)))


def test_what_is_asked_of_an_untrained_gan_is_refused() -> None:
    with pytest.raises(RequestError, match="not trained yet"):
        GAN().sample(1)


def test_a_run_without_a_generator_is_refused_with_advice_to_resume(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    GAN(**tiny).fit("gaussian", out=tmp_path / "run")
    (tmp_path / "run" / "generator.safetensors").unlink()
    with pytest.raises(EquipoiseError, match="has no generator yet"):
        GAN.load(tmp_path / "run")


def _two_classes(left: int = 150, right: int = 150) -> tuple[np.ndarray[Any, Any], list[str]]:
    x = np.concatenate([RNG.normal(-10, 1, left), RNG.normal(10, 1, right)])
    return x, ["left"] * left + ["right"] * right


def test_a_read_only_run_is_evaluated_with_a_warning_that_the_report_is_not_saved(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, _: bytes) -> NoReturn:
        raise EquipoiseError(f"{path} could not be written: Read-only file system")

    monkeypatch.setattr("equipoise.runs.serialization.write_atomic", read_only)
    with pytest.warns(
        EquipoiseWarning,
        match=r"report.json could not be written: Read-only file system; the report is not kept",
    ):
        assert GAN.load(trained).evaluate().metrics


@pytest.mark.parametrize("clusters", [1, 2])
def test_no_samples_of_a_generator_that_knows_classes_are_an_empty_array(
    clusters: int, tiny: dict[str, Any]
) -> None:
    assert np.asarray(GAN(clusters=clusters, **tiny).fit(*_two_classes()).sample(0)).shape == (0,)


def test_a_seed_may_be_numpys_and_nothing_but_a_whole_number(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    gan = GAN("infogan", **tiny).fit("ring")
    for seed in np.arange(2):
        assert np.array_equal(gan.sample(3, seed=seed), gan.sample(3, seed=int(seed)))
    gan.draw_code("c0", tmp_path / "code.png", seed=np.int64(1))
    wrong: Any = 1.5
    for asked in (
        lambda: gan.sample(3, seed=wrong),
        lambda: gan.draw_code("c0", tmp_path / "code.png", seed=wrong),
    ):
        with pytest.raises(RequestError, match=r"^seed = 1\.5: must be a whole number$"):
            asked()


def test_a_image_of_so_many_samples_takes_a_whole_number(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    gan, wrong = GAN(**tiny).fit("ring"), 2.0
    with pytest.raises(RequestError, match=r"^n = 2\.0: must be a whole number$"):
        gan.draw(tmp_path / "drawn.png", wrong)


@pytest.mark.parametrize("recipe", [5, ["a"], np.zeros((400, 2))])
def test_data_in_the_place_of_a_recipe_is_refused_in_a_line(recipe: Any) -> None:
    with pytest.raises(
        RequestError,
        match=r"^a recipe of type (int|list|ndarray): give its name, such as 'balanced'; data "
        r"is for fit$",
    ):
        GAN(recipe)


def test_what_the_caller_has_set_of_gradients_changes_no_training_and_no_report(
    tiny: dict[str, Any],
) -> None:
    x = RNG.normal(size=(400, 2))
    with torch.no_grad():
        without = GAN(**tiny, precision="float32").fit(x)
        report = without.evaluate()
    gan = GAN(**tiny).fit(x)
    assert np.array_equal(gan.sample(5, seed=1), without.sample(5, seed=1))
    assert gan.evaluate().metrics == report.metrics


BATCHNORM: dict[str, Any] = {
    "clusters": 0,
    "stop_when": "converged",
    "samples": 4096,
    "batch_size": 16,
    "width": 2,
    "learning_rate": 1e-9,
}


def _settled(x: np.ndarray[Any, Any], **place: Any) -> GAN:
    with pytest.warns(UserWarning, match="the metric no longer improves"):
        gan = GAN(threads=1, **BATCHNORM).fit(x, **place)
    return gan


@pytest.mark.filterwarnings("error:.*is damaged")
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_run_with_its_best_generator_keeps_it_when_resumed_without_steps(
    in_memory: bool, tmp_path: Path
) -> None:
    x, run = RNG.normal(size=(400, 2)), tmp_path / "run"
    best = _settled(x, **({} if in_memory else {"out": run}))
    if in_memory:
        best.save(run)
    seen = int(max(path.stem for path in (run / "checkpoints").iterdir()))
    for resumed in (GAN(samples=seen).fit(x, out=run, resume=True), GAN.load(run)):
        assert resumed.report.samples_seen == best.report.samples_seen < seen
        assert np.array_equal(resumed.sample(9, seed=1), best.sample(9, seed=1))


def test_an_early_stopped_training_that_is_saved_resumes_as_one_in_a_directory(
    tmp_path: Path,
) -> None:
    x = RNG.normal(size=(400, 2))
    _settled(x).save(tmp_path / "saved")
    _settled(x, out=tmp_path / "kept")
    samples = [
        GAN(samples=8192, stop_when=None).fit(x, out=tmp_path / name, resume=True).sample(9, seed=1)
        for name in ("saved", "kept")
    ]
    assert np.array_equal(*samples)


def test_a_best_generator_whose_checkpoint_is_missing_stays_until_more_training(
    tmp_path: Path,
) -> None:
    x, run = RNG.normal(size=(400, 2)), tmp_path / "run"
    best = _settled(x, out=run)
    seen = best.report.samples_seen
    (run / "checkpoints" / f"{seen:09d}.safetensors").unlink()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "the generator is the last one")
        for gan in (GAN().fit(x, out=run, resume=True), GAN.load(run)):
            assert gan.report.samples_seen == seen
            assert np.array_equal(gan.sample(9, seed=1), best.sample(9, seed=1))
    tensors, scalars = checkpoint.load_newest(run / "checkpoints", pytest.fail)
    scalars["best"]["metric"] = 0.0  # which nothing is better than
    checkpoint.write(tensors, scalars, max((run / "checkpoints").iterdir()))
    with pytest.warns(UserWarning, match="the generator is the last one, not the best") as caught:
        gan = GAN(samples=8192).fit(x, out=run, resume=True)
    assert f"the generator is the best, of {gan.report.samples_seen:,} samples" in str(
        caught[-1].message
    )
    assert GAN.load(run).report.samples_seen == gan.report.samples_seen > seen


def test_a_copy_of_a_loaded_run_keeps_its_report(tiny: dict[str, Any], tmp_path: Path) -> None:
    report = GAN(**tiny).fit("gaussian", out=tmp_path / "a").evaluate()
    GAN.load(tmp_path / "a").save(tmp_path / "b")
    assert (tmp_path / "b" / "report.json").read_bytes() == (
        tmp_path / "a" / "report.json"
    ).read_bytes()
    assert GAN.load(tmp_path / "b").report == report
    (tmp_path / "a" / "report.json").write_text("half")
    GAN.load(tmp_path / "a").save(tmp_path / "c")
    assert not (tmp_path / "c" / "report.json").exists()


def test_data_for_evaluation_may_lack_the_label_column(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    frame = pd.DataFrame({"a": RNG.normal(size=80), "b": RNG.normal(size=80), "y": ["u", "v"] * 40})
    gan = GAN(clusters=0, label_column="y", **tiny).fit(frame)
    points = frame[["a", "b"]]
    points.to_csv(tmp_path / "points.csv", index=False)
    frame.to_csv(tmp_path / "all.csv", index=False)
    with_labels = [
        gan.evaluate(*given).metrics
        for given in ((frame,), (points, frame["y"]), (tmp_path / "all.csv",))
    ]
    assert with_labels[0] == with_labels[1]
    assert [metric.value for metric in with_labels[2]] == pytest.approx(
        [metric.value for metric in with_labels[0]]
    )
    assert (
        gan.evaluate(points)["sliced_wasserstein"]
        == gan.evaluate(tmp_path / "points.csv")["sliced_wasserstein"]
    )


def test_labels_handed_to_a_loaded_gan_that_had_none_are_learned(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    x, y = _two_classes()
    GAN(**tiny).fit(x).save(tmp_path / "run")
    assert GAN.load(tmp_path / "run").trainer(x, y, to_disk=False).recipe.conditional is True
    assert GAN.load(tmp_path / "run").trainer(x, to_disk=False).recipe.conditional is False
