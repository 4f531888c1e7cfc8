"""Windows of series on the command line."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.helpers import TINY_OPTIONS

from equipoise.cli.main import main
from equipoise.runs.directory import RunDirectory

RNG = np.random.default_rng(0)
ROLES = ["--series", "who", "--time", "day"]
LABELS = ["--label-column", "plan"]


def table(windows: int = 60) -> pd.DataFrame:
    parts = []
    for number in range(windows):
        length = int(RNG.integers(4, 7))
        parts.append(
            pd.DataFrame(
                {
                    "who": f"P-{number:03d}",
                    "day": pd.date_range("2024-01-01", periods=length).strftime("%Y-%m-%d"),
                    "rate": RNG.normal(70, 5, length).round(1),
                    "plan": "ab"[number % 2],
                }
            )
        )
    return pd.concat(parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of series, and runs that were trained on them."""
    root = tmp_path_factory.mktemp("series")
    table().to_csv(root / "t.csv", index=False)
    np.save(root / "x.npy", RNG.normal(size=(60, 6, 2)).astype(np.float32))
    more = ["--label-column", "plan", "--evaluate", "none", *TINY_OPTIONS]
    assert main(["train", str(root / "t.csv"), *ROLES, *more, "--out", str(root / "frame")]) == 0
    given = ["--evaluate", "none", *TINY_OPTIONS, "--out", str(root / "array")]
    assert main(["train", str(root / "x.npy"), *given]) == 0
    return root


def test_describe_tells_what_was_understood(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", str(folder / "x.npy")]) == 0
    out = capsys.readouterr().out
    assert "x: windows of 6 steps of 2 channels, 54 to train on, 6 held out" in out
    assert "--layout NHW" in out
    assert main(["describe", str(folder / "x.npy"), "--layout", "NHW"]) == 0
    assert "2 x 6 grayscale images" in capsys.readouterr().out
    numbers = folder / "numbers.csv"
    table().drop(columns="plan").to_csv(numbers, index=False)
    assert main(["describe", str(numbers), *ROLES]) == 0
    out = capsys.readouterr().out
    assert "windows of 4 to 6 steps of 1 channel" in out
    assert "rate" in out
    assert "in steps of 0.1" in out
    assert main(["describe", str(folder / "t.csv"), *ROLES, *LABELS]) == 0
    out = capsys.readouterr().out
    assert "windows of 4 to 6 steps of 1 channel" in out
    assert "2 classes: a 30, b 30" in out


def test_what_is_advised_to_train_next_reads_the_table_as_it_was_read(folder: Path) -> None:
    words = shlex.split(RunDirectory(folder / "frame").read_config().data_arguments)
    assert words == [str((folder / "t.csv").resolve()), *LABELS, *ROLES]
    out = folder / "again"
    assert main(["train", *words, *TINY_OPTIONS, "--evaluate", "none", "--out", str(out)]) == 0


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_samples_of_a_table_are_written_as_tables(folder: Path, ending: str) -> None:
    out = folder / f"samples{ending}"
    assert main(["sample", str(folder / "frame"), "-n", "9", "--seed", "1", "--out", str(out)]) == 0
    made = pd.read_csv(out) if ending == ".csv" else pd.read_parquet(out)
    assert [*made.columns] == ["who", "day", "rate", "plan"]
    assert made["who"].nunique() == 9
    assert (made.groupby("who")["day"].first() == "2024-01-01").all()
    assert made.groupby("who").size().between(4, 6).all()
    assert made.groupby("who")["plan"].nunique().max() == 1


def test_samples_of_an_array_are_written_as_an_array_or_a_table_of_steps(folder: Path) -> None:
    for ending in (".npy", ".npz", ".csv"):
        out = str(folder / f"a{ending}")
        assert main(["sample", str(folder / "array"), "-n", "9", "--seed", "1", "--out", out]) == 0
    array = np.load(folder / "a.npy")
    assert (array.shape, array.dtype) == ((9, 6, 2), np.dtype(np.float32))
    np.testing.assert_array_equal(np.load(folder / "a.npz")["x"], array)
    made = pd.read_csv(folder / "a.csv")
    assert [*made.columns] == ["series", "step", "channel_0", "channel_1"]
    np.testing.assert_allclose(
        made[["channel_0", "channel_1"]].to_numpy().reshape(9, 6, 2), array, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["describe", "t.csv", *ROLES], "'plan'; drop them"),
        (["describe", "t.csv", "--series", "whom"], "did you mean 'who'"),
        (["describe", "x.npy", "--series", "who"], "series = 'who': x has no columns"),
        (["describe", "t.csv", *ROLES, "--out", "c.toml"], "--out is for tables"),
        (["train", "t.csv", "--time", "day"], "needs series"),
        (["train", "t.csv", *ROLES, *LABELS, "--constraints", "rate > 0"], "which are for rows"),
        (["describe", "t.csv", *LABELS], "--label-column is for tables of series"),
        (["sample", "frame", "--where", "rate=3"], "windows of series"),
    ],
)
def test_mistakes_end_in_one_line(
    folder: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
