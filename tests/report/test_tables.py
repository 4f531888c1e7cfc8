"""What is off in rows of a table: found where it was planted, and said in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from equipoise.data.tables.recognition import recognise
from equipoise.metrics.tables.associations import cramers_v
from equipoise.report.tables import (
    MAX_ASSOCIATIONS,
    TableComparison,
    compared,
    missing_categories,
)

RNG = np.random.default_rng(0)
N = 1500


def people(n: int, seed: int) -> pd.DataFrame:
    """Customers whose plan depends on their age."""
    rng = np.random.default_rng(seed)
    age = rng.normal(45, 12, n).round()
    pro = rng.random(n) < np.where(age > 45, 0.8, 0.1)
    frame = pd.DataFrame(
        {
            "age": age,
            "plan": np.where(pro, "pro", "free"),
            "city": rng.choice(["Ulm", "Bonn", "Kiel"], n, p=[0.8, 0.15, 0.05]),
            "spent": rng.lognormal(3, 1, n).round(2),
        }
    )
    frame.loc[rng.random(n) < 0.1, "spent"] = np.nan
    return frame


TABLE, _ = recognise(people(3 * N, 0))
REAL, OTHER = (TABLE.encode(people(N, seed), 0) for seed in (1, 2))


def comparison(frame: pd.DataFrame) -> TableComparison:
    return compared(TABLE, TABLE.encode(frame, 0), REAL, OTHER)


def test_nothing_is_off_in_other_real_rows() -> None:
    found = comparison(people(N, 3))
    assert found.sentence.startswith("No column and no pair of columns stands out")
    assert found.rows == N
    assert not found.missing


def test_a_shifted_column_is_named_first_with_its_figures() -> None:
    found = comparison(people(N, 3).assign(age=lambda frame: frame["age"] + 8))
    worst = found.columns[0]
    assert worst.name == "age"
    assert f"is age: its shape is {worst.shape:.2f}, with other real rows" in found.sentence
    assert len(found.columns) == 4


def test_a_pair_that_was_shuffled_apart_is_named() -> None:
    frame = people(N, 3)
    shuffled = frame.assign(plan=frame["plan"].sample(frac=1, random_state=0).to_numpy())
    found = comparison(shuffled)
    assert set(found.pairs[0].names) == {"age", "plan"}
    assert "What binds age and plan is furthest off" in found.sentence
    places = [found.names.index(name) for name in ("age", "plan")]
    assert found.real_associations[tuple(places)] > 0.5
    assert found.associations[tuple(places)] < 0.1


def test_a_category_that_is_missing_is_named_with_its_share() -> None:
    frame = people(N, 3)
    found = comparison(frame[frame["city"] != "Kiel"])
    (missing,) = found.missing
    assert (missing.column, missing.category, missing.share) == ("city", "Kiel", 0.0)
    assert missing.real_share == pytest.approx(0.05, abs=0.01)
    assert "Samples hardly ever have city = 'Kiel' (0.0% of them" in found.sentence


def test_blanks_that_are_missing_are_a_category_too() -> None:
    found = comparison(people(N, 3).fillna({"spent": 1.0}))
    assert [(each.column, each.category) for each in found.missing] == [("spent", "blank")]


def test_chance_makes_no_category_missing() -> None:
    few = TABLE.encode(people(60, 5), 0)
    assert missing_categories(TABLE, few, REAL) == []  # 3 rows of Kiel are expected, or none
    assert missing_categories(TABLE, OTHER, REAL) == []
    assert missing_categories(TABLE, REAL[:0], REAL[:0]) == []


def test_associations_are_of_a_limited_number_of_columns_the_worst_among_them() -> None:
    wide = pd.DataFrame({f"c{i}": RNG.choice(["a", "b"], N) for i in range(30)})
    table, _ = recognise(wide)
    real = table.encode(wide, 0)
    changed = wide.assign(c29="a")
    found = compared(table, table.encode(changed, 0), real, real[::-1])
    assert len(found.names) == MAX_ASSOCIATIONS
    assert found.associations.shape == (MAX_ASSOCIATIONS, MAX_ASSOCIATIONS)
    assert "c29" in found.names
    first, second = (list(wide.columns).index(name) for name in found.names[:2])
    expected = cramers_v(real[:, first].astype(np.int64), real[:, second].astype(np.int64))
    assert found.real_associations[0, 1] == pytest.approx(expected)


def test_a_table_of_one_column_has_no_pairs() -> None:
    frame = pd.DataFrame({"city": people(N, 1)["city"]})
    table, _ = recognise(frame)
    raw = table.encode(frame, 0)
    found = compared(table, raw, raw, raw)
    assert (len(found.columns), len(found.pairs)) == (1, 0)
