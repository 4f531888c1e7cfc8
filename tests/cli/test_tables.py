"""Tables on the command line: describe, train, sample, evaluate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN
from equipoise.cli.main import main
from equipoise.runs.directory import RunDirectory
from equipoise.sampling import frames

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")

Command = Callable[..., Any]
N = 300


def customers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"c-{row:05d}" for row in range(N)],
            "age": rng.integers(18, 90, N),
            "paid": rng.choice(["no", "yes"], N, p=[0.8, 0.2]),
            "plan": rng.choice(["free", "pro"], N),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), "D"),
            "spent": rng.gamma(2, 20, N).round(2),
        }
    )
    frame.loc[::6, "spent"] = np.nan
    return frame


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "customers.csv"
    customers().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(data: Path) -> Path:
    """A run of the table with a column of labels."""
    out = data.parent / "run"
    words = ["--label-column", "paid", "--samples", "2048", "--threads", "1"]
    assert main(["train", str(data), *words, "--evaluate", "none", "--out", str(out)]) == 0
    return out


def test_describe_prints_a_line_for_each_column(data: Path, command: Command) -> None:
    answer = command("describe", str(data))
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "customers.csv: 300 rows of 6 columns"
    assert lines[2].split() == ["column", "kind", "seen", "blank", "examples"]
    kinds = {line.split()[0]: line.split()[1] for line in lines[3:9]}
    assert kinds == {
        "id": "id",
        "age": "integer",
        "paid": "category",
        "plan": "category",
        "since": "date",
        "spent": "number",
    }
    assert "16.7%" in lines[8]
    assert "--out columns.toml" in answer.out


def test_describe_knows_a_folder_of_parts(here: Path, command: Command) -> None:
    (here / "parts").mkdir()
    for part in range(3):
        rows = customers().iloc[100 * part : 100 * part + 100]
        rows.to_parquet(here / "parts" / f"{part}.parquet")
    answer = command("describe", "parts", "--out", "columns.toml")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith("parts: 300 rows of 6 columns")
    assert "Wrote columns.toml" in answer.out


def test_describe_says_what_other_data_is(here: Path, command: Command) -> None:
    np.savez(here / "a.npz", x=np.random.default_rng(0).normal(size=(60, 3)), y=["u", "v"] * 30)
    answer = command("describe", "a.npz")
    assert answer.out.startswith("a: 3-D points, 54 to train on, 6 held out\n  2 classes: u 30, v")
    answer = command("describe", "a.npz", "--out", "c.toml")
    assert (answer.status, answer.out) == (2, "")
    assert "--out is for tables" in answer.err
    assert command("describe", "a.npz", "--out", "c.txt").err.endswith("must end in .toml\n")
    assert "no file, folder or built-in source" in command("describe", "none.csv").err


def test_the_file_of_columns_can_be_edited_and_given_to_a_training(
    data: Path, here: Path, command: Command
) -> None:
    answer = command("describe", str(data), "--out", "columns.toml")
    assert "Wrote columns.toml: edit it, then equipoise train" in answer.out
    text = Path("columns.toml").read_text()
    again = command("describe", str(data), "--columns", "columns.toml")
    assert again.status == 0
    Path("columns.toml").write_text(text.replace("maximum = 89", "maximum = 120"))
    words = ["--samples", "32", "--batch-size", "16", "--threads", "1", "--evaluate", "none"]
    trained = command(
        "train",
        str(data),
        "--columns",
        "columns.toml",
        "--label-column",
        "paid",
        *words,
        "--out",
        "run",
    )
    assert (trained.status, trained.err) == (0, "")
    assert "customers: rows of 6 columns, 270 to train on\n  column  kind" in trained.out
    assert "18 to 120" in trained.out
    assert "to change a column: equipoise describe" in trained.out
    config = json.loads(Path("run/config.json").read_text())
    assert config["run"]["columns"]["age"]["maximum"] == 120
    Path("columns.toml").unlink()  # what it said is in the run
    resumed = command("train", "--resume", "run", "--samples", "64")
    assert (resumed.status, resumed.err) == (0, "")
    assert len(list(here.iterdir())) == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ('["agee"]\nkind = "integer"\n', "no column 'agee': did you mean 'age'"),
        ('["age"]\nkind = "intger"\n', "columns.toml: column 'age': 'intger' is no kind"),
        ('["age"]\nkind = "date"\nstep = "x"\n', "columns.toml: column 'age': step = 'x'"),
        ("age = 3\n", "columns.toml: 'age' = 3 is in no column"),
        ("[age\n", "columns.toml: is not TOML"),
    ],
)
def test_mistakes_in_columns_get_one_line(
    data: Path, here: Path, command: Command, columns: str, message: str
) -> None:
    (here / "columns.toml").write_text(columns)
    answer = command("train", str(data), "--columns", "columns.toml")
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_many_columns_are_not_all_printed_before_a_training(here: Path, command: Command) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{i}": rng.choice(["u", "v"], 60) for i in range(33)})
    frame.to_csv(here / "wide.csv", index=False)
    words = ["--samples", "32", "--batch-size", "16", "--threads", "1", "--evaluate", "none"]
    out = command("train", "wide.csv", *words, "--out", "run").out
    assert "c29 " in out
    assert "c30 " not in out
    assert "  and 3 more: equipoise describe " in out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".csv.gz", ".parquet", ".feather"])
def test_samples_in_a_file_are_the_samples(
    run: Path, command: Command, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "PART_ROWS", 64)
    answer = command("sample", str(run), "-n", "150", "--seed", "7", "--out", f"a{ending}")
    assert (answer.status, answer.out, answer.err) == (0, f"Wrote a{ending}\n", "")
    expected = GAN.load(run).sample(150, seed=7)
    assert isinstance(expected, pd.DataFrame)
    readers: dict[str, Any] = {
        ".parquet": pd.read_parquet,
        ".feather": pd.read_feather,
        ".jsonl": lambda path: pd.read_json(path, lines=True),
        ".tsv": lambda path: pd.read_csv(path, sep="\t"),
    }
    read = readers.get(ending, pd.read_csv)(f"a{ending}")
    assert expected.columns.tolist() == customers().columns.tolist()
    read["since"] = read["since"].astype(str).str[:10]
    expected["since"] = expected["since"].astype(str).str[:10]
    pd.testing.assert_frame_equal(read, expected, check_dtype=False)
    assert read["id"].is_unique


def test_printed_samples_are_the_file(run: Path, here: Path, command: Command) -> None:
    command("sample", str(run), "-n", "20", "--seed", "7", "--out", "a.csv")
    assert (
        command("sample", str(run), "-n", "20", "--seed", "7").out == (here / "a.csv").read_text()
    )


@pytest.mark.usefixtures("here")
def test_conditions_are_typed_and_the_draws_are_told(run: Path, command: Command) -> None:
    words = ["-n", "30", "--seed", "1", "--where", "plan=pro", "--where", "age=60..70", "paid=yes"]
    answer = command("sample", str(run), *words, "--out", "a.csv")
    rows = pd.read_csv("a.csv")
    assert len(rows) == 30
    assert rows["plan"].eq("pro").all()
    assert rows["paid"].eq("yes").all()
    assert rows["age"].between(60, 70).all()
    asked = {"plan": "pro", "age": (60, 70), "paid": "yes"}
    drawn = GAN.load(run).sample(30, seed=1, where=asked).attrs["drawn"]
    dropped = f"{1 - 30 / drawn:.1%} dropped"
    assert answer.out == f"Wrote a.csv: 30 rows of {drawn:,} drawn, {dropped}\n"
    wrong = command("sample", str(run), "--where", "plan=prp")
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err == "equipoise: where: 'plan': 'prp': did you mean 'pro'?\n"


@pytest.mark.usefixtures("here")
def test_constraints_are_typed_and_hold_in_what_is_written(
    data: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "PART_ROWS", 64)
    frame = customers()
    frame["until"] = frame["since"] + pd.to_timedelta(frame["age"], "D")
    frame["twice"] = (frame["spent"] * 2).round(2)
    frame.to_csv("stays.csv", index=False)
    words = ["--samples", "2048", "--threads", "1", "--evaluate", "none", "--out", "run"]
    texts = ["since <= until", "twice = spent * 2", "age >= 18"]
    asked = ["--constraints", texts[0], "--constraints", *texts[1:]]
    assert command("train", "stays.csv", *words, *asked).status == 0
    config = json.loads(Path("run/config.json").read_text())
    assert config["run"]["constraints"] == config["requested"]["run"]["constraints"] == texts
    answer = command("sample", "run", "-n", "200", "--seed", "1", "--out", "a.csv")
    rows = pd.read_csv("a.csv", parse_dates=["since", "until"])
    assert len(rows) == 200
    assert (rows["since"] <= rows["until"]).all()
    assert (rows["twice"] - rows["spent"] * 2).abs().max() < 0.00501
    assert rows["twice"].isna().equals(rows["spent"].isna())
    assert " rows of " in answer.out
    assert "% dropped" in answer.out
    printed = command("sample", "run", "-n", "200", "--seed", "1")
    assert printed.out == Path("a.csv").read_text()
    assert "200 rows of " in printed.err
    wrong = command("train", str(data), "--constraints", "agee > 0", "age >")
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err.startswith("equipoise: constraint 'age >': cannot be read")
    wrong = command("train", str(data), "--constraints", "agee > 0", "--constraints", "age > 30")
    assert "'agee > 0': no column 'agee': did you mean 'age'?" in wrong.err


@pytest.mark.usefixtures("here")
def test_the_file_of_columns_carries_constraints(data: Path, command: Command) -> None:
    command("describe", str(data), "--out", "columns.toml")
    text = Path("columns.toml").read_text()
    assert '# constraints = ["start <= end"' in text
    kept = 'constraints = ["age >= 18", "combinations(plan, paid)"]'
    lines = [kept if line.startswith("# constraints = ") else line for line in text.splitlines()]
    Path("columns.toml").write_text("\n".join(lines))
    answer = command("describe", str(data), "--columns", "columns.toml", "--out", "again.toml")
    assert (answer.status, answer.err) == (0, "")
    assert kept in Path("again.toml").read_text().splitlines()
    words = ["--samples", "256", "--threads", "1", "--evaluate", "none", "--out", "run"]
    more = ["--columns", "again.toml", "--constraints", "age < 200"]
    assert command("train", str(data), *words, *more).status == 0
    config = json.loads(Path("run/config.json").read_text())
    assert config["run"]["constraints"] == ["age >= 18", "combinations(plan, paid)", "age < 200"]
    Path("columns.toml").write_text('constraints = ["age > 50", "x ="]')
    wrong = command("describe", str(data), "--columns", "columns.toml")
    assert wrong.status == 2
    assert "columns.toml: constraint 'x =': cannot be read" in wrong.err


@pytest.mark.usefixtures("here")
def test_arrays_of_tables_with_text_are_refused(run: Path, command: Command) -> None:
    answer = command("sample", str(run), "--out", "a.npy")
    assert (answer.status, answer.out) == (2, "")
    assert "column 'id' holds" in answer.err
    assert not Path("a.npy").exists()


@pytest.mark.usefixtures("here")
def test_arrays_are_not_written_as_tables(trained: Path, command: Command) -> None:
    answer = command("sample", str(trained), "--out", "a.parquet")
    assert answer.status == 2
    assert ".parquet is for tables" in answer.err


def test_samples_can_be_evaluated_as_data(run: Path, here: Path, command: Command) -> None:
    command("sample", str(run), "-n", "400", "--seed", "1", "--out", "a.csv")
    answer = command("evaluate", str(run), "--data", str(here / "a.csv"), "--quick")
    assert (answer.status, answer.err) == (0, "")


def test_a_run_opens_its_data_again_as_it_was_read(run: Path) -> None:
    config = RunDirectory.existing(run).read_config()
    assert GAN.load(run)._trained().training_data().fingerprint == config.data.fingerprint
