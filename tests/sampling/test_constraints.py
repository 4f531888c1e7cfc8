from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.sampling import conditions

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")

N = 600
TINY: dict[str, Any] = {"samples": 2048, "threads": 1, "seed": 0}
CONSTRAINTS = [
    "start <= end",
    "price > 2",
    "total = price * quantity",
    "combinations(plan, country)",
    "nights = (end - start) / '1 day'",
]


def stays() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 500, N), "D")
    nights = rng.integers(1, 30, N)
    plan = rng.choice(["free", "pro"], N)
    frame = pd.DataFrame(
        {
            "id": [f"s-{row:05d}" for row in range(N)],
            "start": start,
            "end": start + pd.to_timedelta(nights, "D"),
            "nights": nights.astype(float),
            "price": (2.5 + rng.gamma(2, 9, N)).round(2),
            "quantity": rng.integers(1, 7, N),
            "total": 0.0,
            "plan": plan,
            "country": np.where(plan == "pro", "US", rng.choice(["US", "DE"], N)),
            "paid": rng.choice(["no", "yes"], N),
        }
    )
    frame["total"] = (frame["price"] * frame["quantity"]).round(2)
    frame.loc[::7, ["end", "nights"]] = [pd.NaT, np.nan]
    return frame


def assert_constraints_hold(rows: pd.DataFrame) -> None:
    ended = rows["end"].notna()
    assert (rows["start"] <= rows["end"])[ended].all()
    assert (rows["price"] > 2).all()
    assert np.abs(rows["total"] - rows["price"] * rows["quantity"]).max() < 0.00501
    assert set(zip(rows["plan"], rows["country"], strict=True)) <= {
        ("free", "US"),
        ("free", "DE"),
        ("pro", "US"),
    }
    days = (rows["end"] - rows["start"]).dt.days
    np.testing.assert_array_equal(days, rows["nights"])
    assert rows["nights"].isna().any()


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> GAN:
    out = tmp_path_factory.mktemp("runs") / "run"
    made = GAN(label_column="paid", **TINY)
    return made.fit(stays(), constraints=CONSTRAINTS, out=out)


def test_constraints_hold_in_all_samples(gan: GAN) -> None:
    rows = gan.sample(5_000, seed=1)
    assert_constraints_hold(rows)
    assert list(rows.columns) == list(stays().columns)
    assert (rows.dtypes == stays().dtypes).all()
    assert rows.attrs["drawn"] > 5_000
    assert rows["id"].is_unique


def test_samples_are_plain_draws_without_those_that_break_a_constraint(gan: GAN) -> None:
    rows = gan.sample(500, seed=1)
    table = gan.schema.table
    assert table is not None
    drawn = gan._trained().sampler.values(rows.attrs["drawn"], 1, constrained=False)
    expected = table.decode(drawn[table.met(drawn)])
    columns = ["start", "price", "total", "plan"]
    pd.testing.assert_frame_equal(rows[columns], expected[columns], check_flags=False)


def test_conditions_on_any_columns_hold_together_with_constraints(gan: GAN) -> None:
    where = {"plan": "pro", "total": (50, None), "nights": (2, 9), "paid": "yes"}
    rows = gan.sample(100, seed=2, where=where)
    assert (rows["plan"] == "pro").all()
    assert (rows["country"] == "US").all()
    assert (rows["total"] >= 50).all()
    assert rows["nights"].between(2, 9).all()
    assert (rows["paid"] == "yes").all()
    assert (rows["start"] <= rows["end"]).all()


def test_a_condition_on_a_computed_column_may_be_beyond_what_the_data_has(gan: GAN) -> None:
    greatest = float(stays()["total"].max())
    with pytest.raises(RequestError, match=r"where: 'price': .* is never there"):
        gan.sample(1, where={"price": (greatest * 100, None)})
    assert len(gan.sample(1, seed=3, where={"total": (None, greatest)})) == 1


def test_batches_are_what_sample_returns(gan: GAN) -> None:
    whole = gan.sample(300, seed=2)
    parts = [*gan.sample_batches(300, 70, seed=2)]
    assert [len(part) for part in parts] == [70, 70, 70, 70, 20]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_flags=False)


def test_no_samples_have_the_columns_all_the_same(gan: GAN) -> None:
    assert list(gan.sample(0).columns) == list(stays().columns)


def test_constraints_are_kept_with_the_run(gan: GAN, tmp_path: Path) -> None:
    gan.save(tmp_path / "run")
    again = GAN.load(tmp_path / "run")
    assert again._settings.run["constraints"] == tuple(CONSTRAINTS)
    rows = again.sample(2_000, seed=1)
    assert_constraints_hold(rows)
    pd.testing.assert_frame_equal(rows, gan.sample(2_000, seed=1))


def test_a_run_is_resumed_with_its_constraints(tmp_path: Path) -> None:
    run = tmp_path / "run"
    GAN(constraints=CONSTRAINTS, **TINY).fit(stays(), out=run)
    longer = GAN(samples=3_000).fit(stays(), out=run, resume=True)
    assert_constraints_hold(longer.sample(1_000, seed=1))
    with pytest.raises(RequestError, match=r"other settings \(constraints: "):
        GAN(samples=4_000).fit(stays(), constraints=["price > 1"], out=run, resume=True)


def test_samples_that_are_judged_meet_constraints_and_the_report_says_how_many_did_not(
    gan: GAN,
) -> None:
    report = gan.evaluate(quick=True)
    assert report.dropped is not None
    assert 0 < report.dropped < 0.9
    share = f"{report.dropped:.1%} of rows drawn broke a constraint"
    assert share in str(report)
    run = gan._trained()
    kept = run.kept_report()
    assert kept is not None
    assert kept.dropped == report.dropped
    sampler, table = run.sampler, gan.schema.table
    assert table is not None
    values, labels = sampler.labelled_values(700, 5, sampler.constraints())
    assert table.met(values).all()
    rows = gan.sample(700, seed=5)
    assert labels is not None
    np.testing.assert_array_equal(np.array(gan.schema.classes)[labels], rows["paid"])


def test_data_to_evaluate_against_may_lack_a_computed_column(gan: GAN) -> None:
    report = gan.evaluate(stays().drop(columns=["total", "nights"]), quick=True)
    assert report.dropped is not None


def test_plain_numbers_take_constraints_too() -> None:
    rng = np.random.default_rng(0)
    low = rng.normal(size=N)
    frame = pd.DataFrame({"low": low, "high": low + rng.gamma(1, 1, N), 5: low * 2})
    rows = GAN(**TINY).fit(frame, constraints=["low < high", "`5` = 2 * low"]).sample(2_000)
    assert (rows["low"] < rows["high"]).all()
    np.testing.assert_array_equal(rows[5], 2 * rows["low"])
    with pytest.raises(RequestError, match="has no columns: leave them out"):
        GAN(**TINY).fit(frame.to_numpy(), constraints=["low < high"])


def test_constraints_on_the_column_of_labels_are_refused() -> None:
    with pytest.raises(RequestError, match="'paid' is the column of labels"):
        GAN(label_column="paid", **TINY).fit(stays(), constraints=["combinations(plan, paid)"])


def test_a_constraint_that_samples_hardly_ever_meet_ends_in_one_line(
    gan: GAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "MAX_HOPELESS", 3_000)
    monkeypatch.setattr(conditions, "HOPELESS", 2.0)
    with pytest.raises(RequestError, match=r"constraints: start <= end; .*train longer") as caught:
        gan.sample(50_000, seed=0)
    assert "\n" not in str(caught.value)
    with pytest.raises(RequestError, match=r"where: plan = 'pro', and constraints: .*ask for less"):
        gan.sample(50_000, seed=0, where={"plan": "pro"})
