import io
import json

import numpy as np
import pandas as pd
import pytest

from equipoise.data.series.frame_form import FrameForm
from equipoise.data.series.frames import Roles, labels_of, windows_of
from equipoise.errors import RequestError

RNG = np.random.default_rng(0)
LENGTHS = [4, 6, 5, 4, 6, 6, 5, 4, 5, 6, 4, 5]
BOTH = Roles("who", "day")


def table(times: str = "date") -> pd.DataFrame:
    """A row for each step of windows of 4 to 6 steps, the windows one after another."""
    parts = []
    for number, length in enumerate(LENGTHS):
        day: object = pd.date_range("2024-01-30", periods=length, freq="D")
        if times == "text":
            day = pd.date_range("2024-01-30", periods=length, freq="D").strftime("%d.%m.%Y")
        elif times == "month":
            day = pd.date_range("2024-01-01", periods=length, freq="MS")
        elif times == "number":
            day = 0.5 * np.arange(length) + 3
        parts.append(
            pd.DataFrame(
                {
                    "rate": RNG.normal(70, 5, length).round(1),
                    "who": f"P-{number:03d}",
                    "day": day,
                    "count": RNG.poisson(4, length).astype("int32"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("times", ["date", "text", "month", "number"])
def test_a_table_comes_back_with_new_ids_and_the_same_grid_of_times(times: str) -> None:
    frame = table(times)
    found = windows_of(frame, BOTH)
    assert found.series.frame is not None
    made = found.series.frame.decode(found.series.unpack(found.rows), seed=0, start=0)
    assert [*made.columns] == [*frame.columns]
    assert (made.dtypes == frame.dtypes).all()
    assert made["who"].nunique() == len(LENGTHS)
    assert not set(made["who"]) & set(frame["who"])
    for name in ("rate", "day", "count"):
        np.testing.assert_array_equal(made[name].to_numpy(), frame[name].to_numpy())


def test_rows_in_any_order_are_put_into_the_order_of_their_times() -> None:
    frame = table()
    mixed = frame.sample(frac=1, random_state=0)
    whole, found = windows_of(frame, BOTH), windows_of(mixed, BOTH)
    numbers = mixed["who"].str[2:].astype(int).to_numpy()
    names = [int(numbers[found.of_row == window][0]) for window in range(len(LENGTHS))]
    assert all(names[window] == name for window, name in zip(found.of_row, numbers, strict=True))
    np.testing.assert_array_equal(found.rows, whole.rows[names])


def test_without_times_rows_are_in_the_order_in_which_they_stand() -> None:
    frame = table().drop(columns="day")
    found = windows_of(frame, Roles("who"))
    np.testing.assert_array_equal(found.rows, windows_of(table_like(frame), BOTH).rows)
    assert found.series.frame is not None
    made = found.series.frame.decode(found.series.unpack(found.rows), 0, 0)
    assert [*made.columns] == ["rate", "who", "count"]


def table_like(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with a column of times."""
    return frame.assign(day=frame.groupby("who").cumcount())


def test_columns_of_channels_have_their_decimals_and_bounds() -> None:
    frame = table()
    channels = windows_of(frame, BOTH).series.channels
    assert [channel.name for channel in channels] == ["rate", "count"]
    assert [channel.step for channel in channels] == [0.1, 1.0]
    assert (channels[1].low, channels[1].high) == (frame["count"].min(), frame["count"].max())


def test_ids_without_a_form_are_made_anew_all_the_same() -> None:
    frame = table()
    names = {f"P-{number:03d}": name for number, name in enumerate("abcdefghijkl")}
    frame["who"] = frame["who"].map(lambda who: f"{names[who]} street")
    found = windows_of(frame, BOTH)
    assert len(found.notes) == 1
    assert "no form" in found.notes[0]
    assert found.series.frame is not None
    made = found.series.frame.decode(found.series.unpack(found.rows), 0, 0)
    assert made["who"].nunique() == len(LENGTHS)


def test_whole_numbers_as_ids_count_on() -> None:
    frame = table()
    frame["who"] = frame["who"].str[2:].astype("int64")
    form = windows_of(frame, BOTH).series.frame
    assert form is not None
    made = form.decode([np.zeros((2, 2)), np.zeros((1, 2))], seed=0, start=3)
    assert made["who"].tolist() == [15, 15, 16]
    assert made["who"].dtype == "int64"


def test_every_window_has_one_label() -> None:
    windows = np.array([1, 0, 1, 2])
    assert labels_of(["b", "a", "b", "c"], windows) == ["a", "b", "c"]
    with pytest.raises(RequestError, match="labels differ within 1 of 3 windows"):
        labels_of(["b", "a", "a", "c"], windows)


def broken(change: str) -> pd.DataFrame:
    frame = table()
    if change == "blank":
        frame.loc[[3, 5], "rate"] = np.nan
    elif change == "blank id":
        frame.loc[3, "who"] = None
    elif change == "category":
        frame["plan"], frame["flag"] = "ab", True
    elif change == "gap":
        frame.loc[2:3, "day"] += pd.Timedelta(days=2)
    elif change == "twice":
        frame.loc[1, "day"] = frame.loc[0, "day"]
    elif change == "no channels":
        return frame[["who", "day"]]
    return frame


def written() -> pd.DataFrame:
    frame = table().astype({"count": str})
    frame.loc[[3, 5], "count"] = "?"
    return frame


@pytest.mark.parametrize(
    ("change", "roles", "message"),
    [
        ("", Roles("whom", "day"), "series = 'whom' is no column: did you mean 'who'"),
        ("", Roles("who", "date"), "time = 'date' is no column"),
        ("", Roles(None, "day"), "time = 'day' needs series"),
        ("", Roles("who", "who"), "series and time are both 'who'"),
        ("blank", BOTH, r"cells without a number \('rate' 2 blank of 60 rows\): fill them"),
        ("blank id", BOTH, r"blank cells where every row needs one \('who' 1 of 60 rows\)"),
        ("category", BOTH, "2 columns are not of numbers.*'plan', 'flag'.*drop them"),
        ("gap", BOTH, "1 of 48 gaps between times are not the usual one"),
        ("twice", BOTH, "1 times come twice in one window"),
        ("no channels", BOTH, "no channels"),
    ],
)
def test_what_cannot_be_series_is_refused_in_one_line(
    change: str, roles: Roles, message: str
) -> None:
    with pytest.raises(RequestError, match=message) as error:
        windows_of(broken(change), roles)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (table().assign(rate=np.nan), r"\('rate' 60 blank of 60 rows\): fill them first"),
        (table().assign(rate=np.inf), r"\('rate' 60 with 'inf' of 60 rows\): fill them first"),
        (table().replace({"count": {4: np.inf}}), r"\('count' \d+ with 'inf' of 60 rows\): fill"),
        (
            table().assign(count=[None, *[np.inf, 1, 2] * 19, 5, 6]),
            r"\('count' 1 blank and 19 with 'inf' of 60 rows\): fill them first",
        ),
        (written(), r"\('count' 2 with '\?' of 60 rows\): fill them first"),
    ],
)
def test_a_channel_holds_nothing_but_numbers(frame: pd.DataFrame, message: str) -> None:
    read = pd.read_csv(io.StringIO(frame.to_csv(index=False)))
    for given in (frame, read):
        with pytest.raises(RequestError, match="without a number " + message) as error:
            windows_of(given, BOTH)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [3.5, ("a", 1), True])
def test_a_name_that_cannot_be_stored_is_refused(name: object) -> None:
    with pytest.raises(RequestError, match="no text or whole number"):
        windows_of(pd.concat([table(), pd.Series(range(60), name=name)], axis=1), BOTH)


def test_names_that_are_one_when_stored_are_refused() -> None:
    with pytest.raises(RequestError, match="several columns are named '3'"):
        windows_of(table().assign(**{"3": 1.5}).assign(x=2).rename(columns={"x": 3}), BOTH)


def test_times_of_text_are_refused_with_the_name_of_their_column() -> None:
    times = [f"x{row}" for row in range(60)]
    with pytest.raises(RequestError, match="time = 'day' is not of numbers: it holds 'x0'"):
        windows_of(table().assign(day=times), BOTH)


def test_a_known_form_reads_another_table_as_the_first() -> None:
    frame = table()
    first = windows_of(frame, BOTH)
    again = windows_of(frame, Roles("who", "day", first.series))
    assert again.series == first.series
    np.testing.assert_array_equal(again.rows, first.rows)


def test_the_form_of_a_table_comes_back_from_json_and_wrong_ones_are_refused() -> None:
    form = windows_of(table(), BOTH).series.frame
    assert form is not None
    stored = json.loads(json.dumps(form.to_dict()))
    assert FrameForm.from_dict(stored) == form
    for wrong in (
        {"order": ["rate", "who", "day"]},
        {"order": ["rate", "who", "day", "other"]},
        {"step": 0.0},
        {"step": float("inf")},
        {"start": float("nan")},
        {"ids": stored["channels"]},
        {"channels": stored["ids"]},
        {"time": stored["ids"]},
        {"channels": None},
        {"more": 1},
    ):
        with pytest.raises(RequestError):
            FrameForm.from_dict({**stored, **wrong})
