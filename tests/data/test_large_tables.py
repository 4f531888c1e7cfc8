"""Tables in Parquet files that are larger than the memory budget."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from equipoise import GAN
from equipoise.data import large_tables
from equipoise.data.datasets import FetchedSource
from equipoise.data.evaluation import open_for_evaluation
from equipoise.data.factory import open_source
from equipoise.data.series.frames import Roles
from equipoise.data.sources import RowsSource, Source
from equipoise.errors import EquipoiseWarning, RequestError

TINY = 1e-6  # GiB
ROWS = 3_000


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("EQUIPOISE_DATA", str(home))
    return home


def table(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "plan": rng.choice(["free", "pro", "team"], rows),
            "age": rng.integers(18, 90, rows),
            "spent": rng.gamma(2.0, 30.0, rows).round(2),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 999, rows), "D"),
        }
    )
    return frame.mask(rng.random((rows, 4)) < [0.0, 0.0, 0.1, 0.1])


def written(frame: pd.DataFrame, folder: Path, parts: int = 3) -> Path:
    folder.mkdir()
    for i, rows in enumerate(np.array_split(np.arange(len(frame)), parts)):
        frame.iloc[rows].reset_index(drop=True).to_parquet(folder / f"part-{i}.parquet")
    return folder


def all_rows(source: Source) -> torch.Tensor:
    n = (source.training_rows or 0) + (source.test_rows or 0)
    rows = torch.cat([source.seen(n, 0), source.held_out(n, 0)])
    return rows[np.lexsort(rows.T.numpy())]


def test_a_table_over_the_budget_has_the_rows_of_one_in_memory(tmp_path: Path) -> None:
    folder = written(table(), tmp_path / "customers")
    large = open_source(folder, memory_budget=TINY)
    small = open_source(folder)
    assert isinstance(large, FetchedSource)
    assert not isinstance(small, FetchedSource)
    assert large.name == small.name == "customers"
    assert large.schema == small.schema
    assert large.columns == small.columns
    # Numbers that stand at blanks are drawn anew in each part.
    known = ["age" in str(name) or "(state)" in str(name) for name in large.schema.columns or ()]
    rows, expected = (all_rows(source)[:, known].numpy() for source in (large, small))
    for of_source in (rows, expected):
        of_source[:] = of_source[np.lexsort(of_source.T)]
    np.testing.assert_array_equal(rows, expected)
    assert f"{ROWS:,} rows, which are read from disk as they are needed" in large.notes[0]


def test_one_large_file_is_read_in_parts_too(tmp_path: Path) -> None:
    table().to_parquet(tmp_path / "customers.parquet")
    large = open_source(tmp_path / "customers.parquet", memory_budget=TINY)
    assert isinstance(large, FetchedSource)
    assert large.name == "customers"


def test_a_large_table_of_plain_numbers_is_points(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(ROWS, 3)), columns=[*"abc"])
    frame.iloc[7, 1] = np.nan
    folder = written(frame, tmp_path / "points")
    source = open_source(folder, memory_budget=TINY)
    # The blank is among the rows that are looked at.
    assert source.schema.table is not None
    folder = written(frame.drop(index=7), tmp_path / "clean")
    source = open_source(folder, memory_budget=TINY)
    assert source.schema.table is None
    expected = frame.drop(index=7).sort_values("c")
    np.testing.assert_array_equal(all_rows(source), expected)


def test_rows_that_hold_what_was_not_looked_at_are_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_tables, "LOOKED_AT_ROWS", 500)
    frame = table()
    frame.loc[[10, 2_000], "plan"] = "rare"
    source = open_source(written(frame, tmp_path / "customers"), memory_budget=TINY)
    assert "2 rows hold labels, categories or blanks" in source.notes[1]
    assert (source.training_rows or 0) + (source.test_rows or 0) == ROWS - 2


def test_rows_of_later_parts_that_break_a_constraint_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_tables, "LOOKED_AT_ROWS", 500)
    frame = table()
    frame["paid"] = frame["spent"].fillna(1.0) + 1
    frame.loc[[10, 2_000], ["spent", "paid"]] = (100.0, 50.0)
    folder = written(frame, tmp_path / "customers")
    source = open_source(folder, constraints=["paid > spent"], memory_budget=TINY)
    assert "2 rows hold" in source.notes[1]
    assert (source.training_rows or 0) + (source.test_rows or 0) == ROWS - 2


def test_rows_whose_computed_column_has_another_value_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_tables, "LOOKED_AT_ROWS", 500)
    frame = table().assign(double=lambda rows: 2 * rows["age"])
    frame.loc[[10, 2_000], "double"] = 0
    folder = written(frame, tmp_path / "customers")
    source = open_source(folder, constraints=["double = 2 * age"], memory_budget=TINY)
    assert (source.training_rows or 0) + (source.test_rows or 0) == ROWS - 2


def test_series_and_recipes_that_draw_rows_by_category_need_memory(tmp_path: Path) -> None:
    folder = written(table(), tmp_path / "customers")
    with pytest.raises(RequestError, match="windows of series have to fit into memory"):
        open_source(folder, roles=Roles("plan", None), memory_budget=TINY)
    with pytest.raises(RequestError, match="draws rows by category"):
        GAN("ctgan", memory_budget=TINY, samples=640).fit(str(folder))


def test_labels_are_those_of_the_column(tmp_path: Path) -> None:
    frame = table()
    source = open_source(
        written(frame, tmp_path / "customers"), label_column="plan", memory_budget=TINY
    )
    assert source.schema.classes == ("free", "pro", "team")
    counts = frame["plan"].value_counts()
    assert source.schema.class_counts == tuple(counts[name] for name in ("free", "pro", "team"))
    found = source.labelled(ROWS, 0, held_out=True)
    assert found is not None
    ages = (source.schema.columns or ()).index("age")
    rows = {(plan, age) for plan, age in zip(frame["plan"], frame["age"], strict=True)}
    for x, y in zip(*found, strict=True):
        assert ((source.schema.classes or ())[int(y)], int(x[ages])) in rows


def test_labels_from_python_are_refused(tmp_path: Path) -> None:
    folder = written(table(), tmp_path / "customers")
    with pytest.raises(RequestError, match="put them into a column, and name it"):
        open_source(folder, ["a"] * ROWS, memory_budget=TINY)


def test_nothing_is_left_on_the_disk(tmp_path: Path, home: Path) -> None:
    source = open_source(written(table(), tmp_path / "customers"), memory_budget=TINY)
    assert not list(home.iterdir())
    assert len(source.seen(10, 0)) == 10


def test_a_disk_without_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_tables.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    with pytest.raises(RequestError, match="make room, or set EQUIPOISE_DATA"):
        open_source(written(table(), tmp_path / "customers"), memory_budget=TINY)


def test_parts_with_other_columns_are_refused(tmp_path: Path) -> None:
    folder = written(table(), tmp_path / "customers")
    table(10).rename(columns={"age": "years"}).to_parquet(folder / "part-9.parquet")
    with pytest.raises(RequestError, match=r"part-9.parquet has the columns 'plan', 'years'"):
        open_source(folder, memory_budget=TINY)


def test_a_damaged_part_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = written(table(), tmp_path / "customers")
    part = folder / "part-1.parquet"
    content = bytearray(part.read_bytes())
    content[4:2_000] = bytes(1_996)
    part.write_bytes(content)
    with pytest.raises(
        RequestError, match=r"part-1.parquet could not be read as .parquet"
    ) as error:
        open_source(folder, memory_budget=TINY)
    assert "\n" not in str(error.value)


def test_a_training_on_a_large_table_gives_samples_and_is_evaluated(tmp_path: Path) -> None:
    folder = written(table(), tmp_path / "customers")
    gan = GAN(samples=640, batch_size=64, width=8, memory_budget=TINY)
    with pytest.warns(EquipoiseWarning, match="read from disk"):
        gan.fit(str(folder))
    assert list(gan.sample(5, seed=1).columns) == list(table().columns)
    assert "c2st_auc" in {metric.key for metric in gan.evaluate(str(folder)).metrics}


def test_a_folder_of_parts_is_evaluated_against_as_one_table_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = table()
    schema = open_source(frame, label_column="plan").schema
    folder = written(frame[["spent", "plan", "since", "age"]], tmp_path / "customers")
    for budget, kind in ((4.0, RowsSource), (TINY, FetchedSource)):
        monkeypatch.setattr("equipoise.data.evaluation.MEMORY_BUDGET", budget)
        monkeypatch.setattr("equipoise.data.factory.is_large", lambda *_: budget == TINY)  # noqa: B023  # called in this round alone
        source = open_for_evaluation(str(folder), None, "plan", schema)
        assert isinstance(source, kind)
        assert source.schema.table == schema.table
        assert source.schema.classes == schema.classes
