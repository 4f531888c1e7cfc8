from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.helpers import TINY_OPTIONS

from equipoise import GAN, __version__
from equipoise.recipes import catalogue
from equipoise.training.events import Event, Report
from equipoise.training.progress import ProgressBar

pytestmark = pytest.mark.usefixtures("brief_reports")

Command = Callable[..., Any]
HEAVY = {"torch", "scipy", "matplotlib", "pandas", "numpy"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "gaussian", "--help"],
        ["train", "--help"],
        ["sample", "--help"],
        ["describe", "--help"],
        ["recipes"],
        ["datasets"],
    ],
)
def test_help_and_lists_import_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom equipoise.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as stop:\n    assert not stop.code\n"
        f"print('HEAVY', *sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY"
    assert len(done.stdout.splitlines()) > 4


def test_importing_the_package_imports_nothing_but_itself() -> None:
    script = (
        "import sys\nbefore = set(sys.modules)\nimport equipoise\n"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before}"
        " - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['equipoise']"


def test_help_names_every_command(command: Command) -> None:
    answer = command("--help")
    assert (answer.status, answer.err) == (0, "")
    assert all(
        f"equipoise {name}" in answer.out
        for name in ("train", "sample", "evaluate", "describe", "recipes", "datasets")
    )
    assert command().out == answer.out


def test_help_of_train_shows_the_settings_of_recipe_run_and_distribution(command: Command) -> None:
    answer = command("train", "gaussian", "--help")
    assert answer.status == 0
    assert all(
        option in answer.out
        for option in ("--gamma", "--batch-size", "--minutes", "--std", "--resume")
    )
    assert "--std" not in command("train", "--help").out


def test_help_of_train_is_in_the_users_words(command: Command) -> None:
    shown = " ".join(command("train", "ring", "--help").out.split())
    assert "usage: equipoise train DATA [OPTIONS] equipoise train --resume RUN [OPTIONS]" in shown
    assert "arguments: DATA A built-in source" in shown
    for title in ("run settings:", "settings of the recipe balanced:", "settings of ring:"):
        assert title in shown
    assert "--batch-size N" in shown
    assert "(default: 8)" in shown
    assert "--until {converged}" in shown
    assert "--stop-when" not in shown
    assert "equipoise train --resume RUN" in command("--help").out


@pytest.mark.parametrize(
    "name", ["train", "sample", "evaluate", "compare", "describe", "recipes", "datasets"]
)
def test_every_command_has_help(name: str, command: Command) -> None:
    answer = command(name, "--help")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"usage: equipoise {name}")
    assert "--help" in answer.out


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("quick", "Measured on fewer samples. In full: equipoise evaluate run\n"),
        ("none", "Not measured. To measure it: equipoise evaluate run\n"),
        ("full", "2,000 samples against the exact distribution"),
    ],
)
def test_the_report_after_a_training_is_as_long_as_was_asked_for(
    kind: str, expected: str, here: Path, command: Command
) -> None:
    answer = command("train", "gaussian", "--out", "run", "--evaluate", kind, *TINY_OPTIONS)
    assert answer.status == 0
    assert expected in answer.out
    assert (here / "run" / "report.json").is_file() == (kind != "none")
    assert (here / "run" / "samples.png").is_file()


@pytest.mark.usefixtures("no_pages")
def test_a_quick_report_on_all_the_samples_there_are_promises_no_more(
    here: Path, command: Command
) -> None:
    np.save(here / "few.npy", np.random.default_rng(0).normal(size=(80, 2)))
    answer = command("train", "few.npy", "--out", "run", "--evaluate", "quick", *TINY_OPTIONS)
    assert answer.status == 0
    assert "8 samples against 8 held-out samples" in answer.out
    assert "fewer samples" not in answer.out


def test_a_run_is_measured_quickly_where_that_is_asked_for(trained: Path, command: Command) -> None:
    answer = command("evaluate", str(trained), "--quick", "--json")
    assert json.loads(answer.out)["metrics"][0]["protocol"].startswith(
        "1,000 samples against the exact distribution"
    )


def test_the_version_is_the_packages(command: Command) -> None:
    assert command("--version").out == f"equipoise {__version__}\n"


def test_recipes_and_datasets_are_listed_a_name_each(command: Command) -> None:
    assert all(f"{name} " in command("recipes").out for name in catalogue())
    output = command("datasets").out
    assert all(
        name in output
        for name in ("gaussian", "mixture", "ring", "grid", "swissroll", "mnist", "--circle-modes")
    )


def test_training_writes_everything_that_a_run_needs(trained: Path) -> None:
    kept = {path.name for path in trained.iterdir()}
    assert {
        "config.json",
        "log.jsonl",
        "generator.safetensors",
        "report.json",
        "report.html",
        "checkpoints",
        "samples",
        "samples.png",
    } <= kept


@pytest.mark.usefixtures("no_pages")
def test_a_run_without_a_name_takes_the_next_free_one(here: Path, command: Command) -> None:
    options = ["--samples", "16", "--batch-size", "16", "--width", "8", "--threads", "1"]
    first, second = (command("train", "gaussian", *options) for _ in range(2))
    assert (first.status, second.status) == (0, 0)
    assert "runs/gaussian-balanced-1" in second.out
    assert sorted(path.name for path in (here / "runs").iterdir()) == [
        "gaussian-balanced-0",
        "gaussian-balanced-1",
    ]


def test_samples_are_printed_a_line_each_and_are_the_librarys(
    trained: Path, command: Command
) -> None:
    answer = command("sample", str(trained), "-n", "5", "--seed", "7")
    assert (answer.status, answer.err) == (0, "")
    np.testing.assert_array_equal(
        [float(line) for line in answer.out.splitlines()], GAN.load(trained).sample(5, seed=7)
    )


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv"])
def test_samples_in_any_file_are_the_librarys_to_the_bit(
    trained: Path, here: Path, command: Command, suffix: str
) -> None:
    answer = command("sample", str(trained), "-n", "50", "--seed", "7", "--out", f"a.{suffix}")
    assert (answer.status, answer.out) == (0, f"Wrote a.{suffix}\n")
    read = {"npy": np.load, "npz": lambda path: np.load(path)["x"], "csv": np.loadtxt}[suffix](
        here / f"a.{suffix}"
    )
    np.testing.assert_array_equal(read, GAN.load(trained).sample(50, seed=7))
    assert [path.name for path in here.iterdir()] == [f"a.{suffix}"]


def test_a_folder_gets_shards_and_the_same_command_goes_on(
    trained: Path, here: Path, command: Command
) -> None:
    words = ["sample", str(trained), "-n", "50", "--out", "out", "--shard-size", "20"]
    told = (0, "Wrote out: 50 rows in 3 .parquet files\n", "")
    for _ in range(2):
        answer = command(*words)
        assert (answer.status, answer.out, answer.err) == told
        assert len(pd.read_parquet(here / "out")) == 50
        (here / "out" / "samples-000001.parquet").unlink()
    answer = command(*words, "--seed", "-1")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "ask for the same to go on, or give another folder" in answer.err


def test_a_image_of_samples_is_a_png(trained: Path, here: Path, command: Command) -> None:
    assert command("sample", str(trained), "--out", "a.png", "--seed", "0").status == 0
    assert Image.open(here / "a.png").format == "PNG"


@pytest.mark.usefixtures("here")
def test_images_go_to_npy_npz_and_png(trained_images: Path, command: Command) -> None:
    for name in ("a.npy", "a.npz", "a.png"):
        assert (
            command(
                "sample",
                str(trained_images),
                "-n",
                "9",
                "--seed",
                "1",
                "--label",
                "light",
                "--out",
                name,
            ).status
            == 0
        )
    array = np.load("a.npy")
    assert (array.shape, array.dtype) == ((9, 8, 8), np.uint8)
    np.testing.assert_array_equal(np.load("a.npz")["x"], array)


@pytest.mark.usefixtures("here")
def test_large_whole_numbers_keep_all_their_digits_in_a_csv(command: Command) -> None:
    numbers = 1_700_000_000_000 + np.random.default_rng(0).integers(0, 10**6, 100)
    GAN("balanced", samples=16, batch_size=16, width=8, threads=1).fit(numbers, out="run")
    command("sample", "run", "-n", "9", "--seed", "1", "--out", "a.csv")
    np.testing.assert_array_equal(
        np.loadtxt("a.csv", dtype=np.int64), GAN.load("run").sample(9, seed=1)
    )


@pytest.mark.usefixtures("here", "no_pages")
def test_a_table_gives_a_table_with_its_columns(command: Command) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"height": rng.normal(size=60), "count": rng.integers(0, 9, 60), "kind": ["u", "v"] * 30}
    )
    frame.to_csv("in.csv", index=False)
    options = [
        "--samples",
        "16",
        "--batch-size",
        "16",
        "--width",
        "8",
        "--threads",
        "1",
        "--out",
        "run",
    ]
    assert command("train", "in.csv", "--label-column", "kind", *options).status == 0
    assert command("sample", "run", "-n", "9", "--label", "v", "--out", "out.csv").status == 0
    drawn = pd.read_csv("out.csv")
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    assert drawn["kind"].tolist() == ["v"] * 9


@pytest.mark.usefixtures("no_pages")
def test_evaluate_prints_json_of_metrics_with_baselines(trained: Path, command: Command) -> None:
    answer = command("evaluate", str(trained), "--json")
    report = json.loads(answer.out)
    assert answer.status == 0
    assert report["metrics"][0]["key"] == "wasserstein_1"
    assert report["metrics"][0]["value"] > report["metrics"][0]["baseline"] > 0
    assert report["verdict"]["sentence"] in command("evaluate", str(trained)).out


@pytest.mark.usefixtures("here", "no_pages")
def test_evaluate_takes_other_data(trained: Path, command: Command) -> None:
    np.save("other.npy", np.random.default_rng(0).normal(40.0, 1.25, 2000))
    report = json.loads(command("evaluate", str(trained), "--data", "other.npy", "--json").out)
    assert report["metrics"][0]["value"] == pytest.approx(36, abs=3)


@pytest.mark.usefixtures("here", "no_pages")
def test_a_run_resumed_with_more_samples_goes_on(command: Command) -> None:
    options = ["--batch-size", "16", "--width", "8", "--threads", "1", "--out", "run"]
    assert command("train", "gaussian", "--samples", "32", *options).status == 0
    answer = command("train", "gaussian", "--out", "run", "--resume", "--samples", "64")
    assert (answer.status, answer.err) == (0, "")
    assert "Trained on 64 samples" in answer.out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("sign", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_training_with_the_status_that_a_shell_expects_and_what_to_type(
    sign: int, status: int, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed = []

    def press(_: ProgressBar, event: Event) -> None:
        if isinstance(event, Report) and not pressed:
            pressed.append(event)
            signal.raise_signal(sign)

    monkeypatch.setattr(ProgressBar, "__call__", press)
    options = ["--samples", "16000", "--batch-size", "16", "--width", "8", "--threads", "1"]
    answer = command("train", "gaussian", *options, "--out", "run")
    assert answer.status == status
    assert "Resume with: equipoise train --resume run" in answer.err


def test_output_that_cannot_be_written_has_one_warning() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "equipoise", "datasets"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "equipoise: output: No space left on device\n")


@pytest.mark.usefixtures("here")
def test_a_table_of_numbers_and_booleans_is_written_as_numbers(command: Command) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=300), "b": rng.normal(size=300) > 0, "c": rng.integers(0, 9, 300)}
    )
    gan = GAN(clusters=0, samples=16, batch_size=16, width=8, threads=1).fit(frame)
    gan.save("run")
    for name in ("a.npy", "a.npz"):
        assert command("sample", "run", "-n", "5", "--seed", "1", "--out", name).status == 0
    read = np.load("a.npy")
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, np.asarray(gan.sample(5, seed=1), np.float64))
    np.testing.assert_array_equal(np.load("a.npz")["x"], read)


@pytest.mark.usefixtures("here")
def test_an_image_states_how_many_of_the_samples_it_shows(
    trained_images: Path, command: Command
) -> None:
    assert (
        command("sample", str(trained_images), "-n", "401", "--out", "a.png").out
        == "Wrote a.png: the first 400 of 401\n"
    )
    assert (
        command("sample", str(trained_images), "-n", "400", "--out", "a.png").out == "Wrote a.png\n"
    )


def test_help_of_sample_has_the_default_numbers_of_images_and_points(
    trained_images: Path, here: Path, command: Command
) -> None:
    assert "64 images, or 1,000 points" in " ".join(command("sample", "--help").out.split())
    command("sample", str(trained_images), "--out", str(here / "a.npy"))
    assert len(np.load(here / "a.npy")) == 64


def test_too_little_memory_for_samples_is_refused_with_a_possible_number(
    trained: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> NoReturn:
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr(GAN, "sample", exhausted)
    assert (
        command("sample", str(trained)).err
        == "equipoise: out of memory: Unable to allocate 9 TiB; ask for fewer samples\n"
    )


def test_evaluate_explains_its_metrics_where_it_is_asked_to(
    trained_images: Path, command: Callable[..., Any]
) -> None:
    plain = command("evaluate", str(trained_images))
    explained = command("evaluate", str(trained_images), "--explain")
    assert plain.status == explained.status == 0
    line = "patch SWD  ↓ sliced Wasserstein distance of small image patches"
    assert re.sub(" +", " ", line) in re.sub(" +", " ", explained.out)
    assert "small image patches" not in plain.out
    both = command("evaluate", str(trained_images), "--explain", "--json")
    assert both.status == 2
    assert "leave one of them out" in both.err
