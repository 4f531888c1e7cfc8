"""Trackers see every reading, metric, message, image and verdict of a training, and can
neither end nor delay it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Event as Flag
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import EquipoiseWarning, RequestError
from equipoise.runs.directory import RunDirectory
from equipoise.runs.trackers import background, registry
from equipoise.runs.trackers.base import TRACKERS, kept_id, register
from equipoise.training.events import Drawn, Evaluated, Finished, Recovered, Report, Trouble
from equipoise.training.signals import InterruptedRunError
from equipoise.training.tracking import Tracking

Command = Callable[..., Any]
X = np.random.default_rng(0).normal(size=(400, 2))
SETTINGS: dict[str, Any] = {"samples": 640, "batch_size": 16, "width": 8, "threads": 1}
OPTIONS = ["--samples", "640", "--batch-size", "16", "--width", "8", "--threads", "1"]
CURVES = {"generator_loss", "metrics/wasserstein_1", "baselines/wasserstein_1"}
OF_REPORT = {"report/wasserstein_1", "report_baselines/wasserstein_1"}
PLUGINS = {
    "good": "@register('good')\nclass Own:\n    def __init__(self, run):\n        pass\n",
    "odd": "Own = 5\n",
    "lacking": "import no_such_module\n",
}


class Recorder:
    """Remembers what a tracker is given."""

    def __init__(self, _: Path = Path()) -> None:
        self.seen: list[tuple[str, int, str]] = []
        self.config: dict[str, Any] = {}

    def start(self, step: int, config: Any) -> None:
        self.seen.append(("start", step, ""))
        self.config = config

    def scalars(self, step: int, values: Any) -> None:
        self.seen += [("scalar", step, name) for name in values]

    def text(self, step: int, name: str, text: str) -> None:
        self.seen.append(("text", step, name))

    def image(self, step: int, name: str, path: Path) -> None:
        self.seen.append(("image", step, name))

    def close(self, status: str) -> None:
        self.seen.append(("close", 0, status))


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """What a test registers is gone after it."""
    before = dict(registry.catalogue())
    yield
    TRACKERS.clear()
    TRACKERS.update(before)
    registry._BROKEN.clear()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, trackers are waited for."""
    monkeypatch.setattr(background, "CLOSE_SECONDS", 600.0)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An MLflow store of files, which is made sooner than a database."""
    uri = f"file://{tmp_path}/store"
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


@pytest.fixture
def made() -> list[Recorder]:
    """The trackers made under the name "recorder", which this registers."""
    found: list[Recorder] = []

    def recorder(run: Path) -> Recorder:
        found.append(Recorder(run))
        return found[-1]

    register("recorder")(recorder)
    return found


def test_each_event_reaches_the_tracker_once_and_the_report_comes_after_the_end() -> None:
    recorder = Recorder()
    tracking = Tracking({"recorder": recorder}, 0, {"run": {"seed": 3}}, pytest.fail)
    tracking(Report(16, 0.1, 0.5, 1.0, 1.0, {"generator_loss": 0.7}))
    tracking(Evaluated(32, {"coverage": 0.9}, {"coverage": 1.0}))
    tracking(Trouble(48, "far ahead"))
    tracking(Recovered(48, "a weight"))
    tracking(Drawn(64, Path("a.png")))
    tracking(Finished("done"))
    tracking.report(64, {"coverage": 0.9}, {"coverage": 1.0}, "converged", "table")
    tracking.close()
    tracking.close()
    assert recorder.config == {"run": {"seed": 3}}
    assert recorder.seen == [
        ("start", 0, ""),
        ("scalar", 16, "generator_loss"),
        ("scalar", 32, "metrics/coverage"),
        ("text", 48, "trouble"),
        ("text", 48, "recovered"),
        ("image", 64, "samples"),
        ("scalar", 64, "report/coverage"),
        ("scalar", 64, "report_baselines/coverage"),
        ("text", 64, "verdict"),
        ("text", 64, "report"),
        ("close", 0, "finished"),
    ]


@pytest.mark.usefixtures("here", "brief_reports", "no_pages")
def test_the_command_records_the_verdict_before_the_tracker_closes(
    made: list[Recorder], command: Command
) -> None:
    done = command("train", "gaussian", *OPTIONS, "--tracker", "recorder", "--out", "run")
    assert done.status == 0
    (recorder,) = made
    assert {name for _, _, name in recorder.seen} >= CURVES | OF_REPORT | {"samples", "verdict"}
    assert recorder.seen[-1] == ("close", 0, "finished")
    assert recorder.config["recipe"]["name"] == "balanced"
    assert recorder.config["run"]["samples"] == 640
    assert recorder.config["data"]["name"] == "gaussian"


@pytest.mark.usefixtures("brief_reports", "no_pages")
def test_fit_closes_the_tracker_and_a_report_that_is_made_later_opens_it_again(
    made: list[Recorder], tmp_path: Path
) -> None:
    gan = GAN(**SETTINGS, tracker="recorder").fit(X, out=tmp_path / "run")
    assert made[0].seen[-1] == ("close", 0, "finished")
    gan.evaluate()
    assert made[1].seen[0] == ("start", 640, "")
    assert ("text", 640, "verdict") in made[1].seen
    assert made[1].seen[-1] == ("close", 0, "finished")


def test_several_trackers_are_used_at_once(made: list[Recorder], tmp_path: Path) -> None:
    register("second")(lambda _: made[0])
    GAN(**SETTINGS, tracker="recorder, second").fit(X, out=tmp_path / "run")
    assert [what for what, _, _ in made[0].seen].count("start") == 2


def test_a_training_that_is_stopped_or_fails_closes_its_tracker_as_such(
    made: list[Recorder], tmp_path: Path
) -> None:
    def fails(event: object) -> None:
        if isinstance(event, Report):
            raise ValueError("not today")

    with pytest.raises(ValueError, match="not today"):
        GAN(**SETTINGS, tracker="recorder").fit(X, out=tmp_path / "failed", callbacks=[fails])
    assert made[0].seen[-1] == ("close", 0, "failed")
    gan = GAN(**SETTINGS, tracker="recorder")
    trainer = gan.trainer(X, out=tmp_path / "stopped")
    trainer.control.stop("SIGINT")
    with pytest.raises(InterruptedRunError):
        gan.train(trainer)
    assert made[1].seen[-1] == ("close", 0, "stopped")


def test_a_tracker_that_fails_is_one_warning_and_training_goes_on(tmp_path: Path) -> None:
    class Failing(Recorder):
        def scalars(self, step: int, values: Any) -> None:
            raise OSError("No space left on device")

    register("failing")(Failing)
    with pytest.warns(EquipoiseWarning) as warned:
        GAN(**SETTINGS, tracker="failing").fit(X, out=tmp_path / "run")
    assert [str(one.message) for one in warned] == [
        "the tracker 'failing' failed (OSError: No space left on device); training does not "
        "depend on it, and log.jsonl has all numbers"
    ]
    assert RunDirectory(tmp_path / "run").read_log()[-1]["samples_seen"] == 640


def test_a_tracker_that_does_not_come_back_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes_back = Flag()

    class Hanging(Recorder):
        def start(self, step: int, config: Any) -> None:
            comes_back.wait()

    monkeypatch.setattr(background, "CLOSE_SECONDS", 0.0)
    monkeypatch.setattr(background, "MAX_WAITING", 3)
    register("hanging")(Hanging)
    with pytest.warns(EquipoiseWarning, match="'hanging' failed .3 records wait") as warned:
        GAN(**SETTINGS, tracker="hanging").fit(X, out=tmp_path / "run")
    comes_back.set()
    assert len(warned) == 1


def test_unknown_trackers_and_runs_without_a_directory_are_refused(command: Command) -> None:
    with pytest.raises(RequestError, match="tracker = 'tensorbord': did you mean 'tensorboard'"):
        GAN(tracker="tensorbord")
    with pytest.raises(RequestError, match="tracker = 'tensorboard' needs a run directory"):
        GAN(**SETTINGS, tracker="tensorboard").fit(X)
    refused = command("train", "gaussian", "--tracker", "wandbb,mlfow", "--seed", "x")
    assert refused.status == 2
    assert refused.err == (
        "equipoise: --seed = 'x': must be a whole number; tracker = 'wandbb': did you mean "
        "'wandb'?; tracker = 'mlfow': did you mean 'mlflow'?\n"
    )


def test_a_tracker_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    def refuse(_: Path) -> Recorder:
        raise RequestError("not installed")

    register("refusing")(refuse)
    with pytest.raises(RequestError, match="not installed"):
        GAN(tracker="refusing", **SETTINGS).fit(X, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_whose_tracker_is_gone_can_be_sampled_from(
    made: list[Recorder], tmp_path: Path
) -> None:
    GAN(**SETTINGS, tracker="recorder").fit(X, out=tmp_path / "run")
    del TRACKERS["recorder"]
    assert GAN.load(tmp_path / "run").sample(2).shape == (2, 2)
    with pytest.raises(RequestError, match="tracker = 'recorder': known: "):
        GAN(samples=1280).fit(X, out=tmp_path / "run", resume=True)
    GAN(samples=1280, tracker=None).fit(X, out=tmp_path / "run", resume=True)
    assert len(made) == 1


def test_trackers_of_other_packages_are_entry_points_and_a_broken_one_breaks_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in PLUGINS.items():
        head = "from equipoise.runs.trackers.base import register\n"
        (tmp_path / f"{name}_tracker.py").write_text(head + text)
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint(name, f"{name}_tracker:Own", registry.ENTRY_POINTS) for name in PLUGINS]
    monkeypatch.setattr(
        registry, "entry_points", lambda group: points if group == registry.ENTRY_POINTS else []
    )
    registry._load.cache_clear()
    assert "good" in registry.catalogue()
    assert registry.mistakes("good") == []
    (odd,) = registry.mistakes("odd")
    assert odd.endswith("is not a class registered as a tracker")
    (lacking,) = registry.mistakes("lacking")
    assert "ModuleNotFoundError: No module named 'no_such_module'" in lacking


@pytest.mark.usefixtures("here", "brief_reports", "no_pages")
def test_tensorboard_has_curves_images_settings_and_the_verdict(command: Command) -> None:
    event_files = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert (
        command("train", "gaussian", *OPTIONS, "--tracker", "tensorboard", "--out", "run").status
        == 0
    )
    board = event_files.EventAccumulator("run/tensorboard")
    board.Reload()
    assert set(board.Tags()["scalars"]) >= CURVES | OF_REPORT
    assert board.Scalars("generator_loss")[-1].step == 640
    assert board.Tags()["images"] == ["samples"]
    texts = {"config/text_summary", "verdict/text_summary", "report/text_summary"}
    assert texts <= set(board.Tags()["tensors"])


def test_tensorboard_shows_what_was_trained_twice_once(tmp_path: Path) -> None:
    event_files = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    tracker = registry.make("tensorboard", tmp_path)["tensorboard"]
    for began, end in ((0, 4), (2, 5)):  # killed after step 4, resumed from a checkpoint of step 2
        tracker.start(began, {})
        for step in range(began + 1, end + 1):
            tracker.scalars(step, {"loss": began + step / 10})
        tracker.close("finished")
    board = event_files.EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [(one.step, round(one.value, 1)) for one in board.Scalars("loss")] == [
        (1, 0.1),
        (2, 0.2),
        (3, 2.3),
        (4, 2.4),
        (5, 2.5),
    ]


@pytest.mark.usefixtures("here", "brief_reports", "no_pages")
def test_mlflow_has_curves_images_settings_and_the_verdict_and_goes_on_in_the_same_run(
    store: str, command: Command
) -> None:
    mlflow = pytest.importorskip("mlflow")
    tracked = ("--tracker", "mlflow", "--out", "run")
    assert command("train", "gaussian", *OPTIONS, *tracked).status == 0
    client = mlflow.MlflowClient(store)
    identifier = kept_id(Path("run"), "mlflow")
    run = client.get_run(identifier)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "run"
    assert set(run.data.metrics) >= CURVES | OF_REPORT
    assert client.get_metric_history(identifier, "generator_loss")[-1].step == 640
    assert run.data.params["recipe.name"] == "balanced"
    assert run.data.params["run.samples"] == "640"
    assert run.data.tags["verdict"]
    assert {one.path for one in client.list_artifacts(identifier)} == {
        "images",
        "verdict",
        "report",
    }
    again = command("train", "--resume", "run", "--samples", "800", "--evaluate", "none")
    assert again.status == 0
    assert len(client.search_runs([run.info.experiment_id])) == 1
    resumed = client.get_run(identifier)
    assert resumed.info.status == "FINISHED"
    assert resumed.data.tags["run.samples"] == "800"
    assert client.get_metric_history(identifier, "generator_loss")[-1].step == 800


def test_mlflow_takes_columns_of_any_name(tmp_path: Path, store: str) -> None:
    mlflow = pytest.importorskip("mlflow")
    tracker = registry.make("mlflow", tmp_path)["mlflow"]
    tracker.start(0, {})
    names = ["a/höhe (m)", "a/..", "a/", "a/x//y", "a/=1+1"]
    tracker.scalars(1, dict.fromkeys(names, 1.0))
    tracker.close("failed")
    run = mlflow.MlflowClient(store).get_run(kept_id(tmp_path, "mlflow"))
    assert run.info.status == "FAILED"
    assert set(run.data.metrics) == {"a/höhe _m_", "a/_", "a/x/_/y", "a/_1_1"}


def wandb_rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of a run's offline file: records of LevelDB's log format."""
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.glob("*.wandb")
    content, at, parts, rows = file.read_bytes(), 7, b"", []
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
        size, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        parts, at = parts + content[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):  # whole, or the last part
            record = Record.FromString(parts)
            items = {"/".join(i.nested_key) or i.key: i.value_json for i in record.history.item}
            rows += [{name: json.loads(value) for name, value in items.items()}] if items else []
            parts = b""
    return rows


@pytest.fixture
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of Weights & Biases is set."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("here", "brief_reports", "no_pages", "no_login")
def test_wandb_is_offline_without_a_login_and_has_everything(command: Command) -> None:
    pytest.importorskip("wandb")
    hooks = sys.exit, sys.excepthook
    tracked = ("--tracker", "wandb", "--out", "run")
    assert command("train", "gaussian", *OPTIONS, *tracked).status == 0
    assert (sys.exit, sys.excepthook) == hooks
    identifier = kept_id(Path("run"), "wandb")
    (folder,) = Path("run/wandb").glob(f"offline-run-*-{identifier}")
    rows = wandb_rows(folder)
    names = {name for row in rows for name in row}
    assert names >= CURVES | OF_REPORT | {"samples/path", "verdict"}
    assert [row["_step"] for row in rows][-1] == 640
    assert len(list(folder.glob("files/media/images/samples_640_*.png"))) == 1


@pytest.mark.usefixtures("no_login")
def test_wandb_that_is_to_send_without_a_login_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "online")
    wandb.teardown()  # settings are read once
    with pytest.raises(RequestError, match="WANDB_MODE = 'online' needs a login"):
        registry.make("wandb", tmp_path)
    wandb.teardown()


def test_trackio_has_curves_images_and_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    pytest.importorskip("trackio")
    from trackio.sqlite_storage import SQLiteStorage

    GAN(**SETTINGS, tracker="trackio").fit(X, out=tmp_path / "run")
    name = f"run-{kept_id(tmp_path / 'run', 'trackio')}"
    rows = SQLiteStorage.get_logs("equipoise", name)
    assert {"generator_loss", "metrics/sliced_wasserstein", "samples"} <= {
        key for row in rows for key in row
    }


@pytest.mark.usefixtures("here", "no_pages")
def test_an_evaluation_in_the_midst_of_a_training_leaves_trackers_open(
    made: list[Recorder],
) -> None:
    gan = GAN(**SETTINGS, tracker="recorder")

    looked = list[Evaluated]()

    def look(event: Any) -> None:
        if isinstance(event, Evaluated) and not looked:
            looked.append(event)
            gan.evaluate(quick=True)

    gan.fit(X, out="run", callbacks=[look])
    (recorder,) = made
    assert looked
    assert [kind for kind, *_ in recorder.seen].count("close") == 1
    assert recorder.seen[-1][0] == "close"
    assert ("scalar", SETTINGS["samples"], "generator_loss") in recorder.seen
