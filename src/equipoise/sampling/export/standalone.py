"""Draws samples from a generator that Equipoise exported, without Equipoise and torch.

It needs NumPy and onnxruntime, and lies beside the .onnx file:

    python NAME_sampler.py -n 1000 --seed 0 --out samples.csv      # or samples.npy

    from NAME_sampler import Generator
    generator = Generator("NAME.onnx")
    x = generator.sample(16, seed=0, label="7")       # an array
    columns = generator.columns(x)                    # of a table: arrays by name

Of a table, rows that break its constraints are not thrown away here, and columns that
a constraint computes are left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August",
          "September", "October", "November", "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BATCH = 1024


class Generator:
    """A generator in an .onnx file. `about` is its description."""

    def __init__(self, path: str | Path) -> None:
        import onnxruntime

        self.session: Any = onnxruntime.InferenceSession(
            str(path), providers=["CPUExecutionProvider"]
        )
        stored = self.session.get_modelmeta().custom_metadata_map["equipoise"]
        self.about: dict[str, Any] = json.loads(stored)
        self.labels = [*map(_cell, self.about["labels"] or [])]
        self.drawn_labels = np.empty(0, np.int64)

    def sample(
        self, n: int, seed: int | None = None, label: Any = None, truncation: float = 1.0
    ) -> Any:
        """n samples, as an array. Raises ValueError for a label that there is not, or a
        truncation that is not from 0 to 1."""
        if not 0 <= truncation <= 1:
            raise ValueError(f"truncation = {truncation:g}: must be from 0 to 1")
        rng, parts, labels = np.random.default_rng(seed), [], []
        for start in range(0, n, BATCH):
            inputs = self.inputs(min(BATCH, n - start), rng, label, truncation)
            labels.append(inputs.get("label", np.empty(0, np.int64)))
            parts.append(self.session.run(None, inputs)[0])
        self.drawn_labels = np.concatenate(labels) if labels else np.empty(0, np.int64)
        return np.concatenate(parts) if parts else np.empty(0)

    def inputs(self, n: int, rng: Any, label: Any = None, truncation: float = 1.0) -> Any:
        """What the graph makes n samples of."""
        made: dict[str, Any] = {}
        for known in self.about["inputs"]:
            name, shape = known["name"], [n, *known["shape"][1:]]
            if name == "z":
                made[name] = np.concatenate([_latents(p, n, rng) for p in known["parts"]], 1)
            elif name == "label":
                made[name] = self._positions(n, rng, label)
            elif name == "truncation":
                made[name] = np.array(truncation, np.float32)
            else:
                made[name] = (1 - rng.random(shape)).astype(np.float32)
        if label is not None and "label" not in made:
            raise ValueError("this generator has no labels")
        return made

    def _positions(self, n: int, rng: Any, label: Any) -> Any:
        if label is None:
            counts = np.array(self.about["label_counts"], float)
            return rng.choice(len(counts), n, p=counts / counts.sum())
        texts = [str(known) for known in self.labels]
        if str(label) not in texts:
            raise ValueError(f"no label {label!r}: there are {', '.join(texts)}")
        return np.full(n, texts.index(str(label)), np.int64)

    def columns(self, x: Any, seed: int = 0) -> dict[str, Any]:
        """The columns of a table, or of windows of series, one array each."""
        about = self.about
        if about["series"] is not None:
            return _series_columns(about["series"], x)
        if about["table"] is not None:
            made = _table_columns(about["table"]["columns"], x, seed, self._computed())
        else:
            flat = x.reshape(len(x), -1).T
            names = about["output"]["columns"] or [f"x{i}" for i in range(len(flat))]
            kinds = about["output"]["column_dtypes"] or [x.dtype.name] * len(names)
            made = {str(k): v.astype(d) for k, v, d in zip(names, flat, kinds, strict=True)}
        place = about["label_column"]
        if place is None or len(self.drawn_labels) != len(x):
            return made
        cells = np.array([*self.labels, None], object)[:-1][self.drawn_labels]
        items = [*made.items()]
        items.insert(min(place["place"], len(items)), (str(place["name"]), cells))
        return dict(items)

    def _computed(self) -> set[str]:
        """Columns that no column of the output is of: constraints compute them."""
        return set(self.about["computed"])


def _latents(part: dict[str, Any], n: int, rng: Any) -> Any:
    shape = (n, part["size"])
    if part["distribution"] == "normal":
        return rng.standard_normal(shape, np.float32)
    if part["distribution"] == "uniform":
        return rng.uniform(part["low"], part["high"], shape).astype(np.float32)
    return np.eye(part["size"], dtype=np.float32)[rng.integers(0, part["size"], n)]


def _table_columns(columns: list[Any], x: Any, seed: int, computed: set[str]) -> dict[str, Any]:
    made, at = {}, 0
    for place, column in enumerate(columns):
        if column["kind"] == "ignore" or str(column["name"]) in computed:
            continue
        numbers, codes = None, np.zeros(len(x), np.int64)
        if "spread" in column:
            numbers, at = x[:, at], at + 1
        states = _states(column)
        if states > 1:
            codes, at = np.rint(x[:, at].clip(0, states - 1)).astype(np.int64), at + 1
        made[str(column["name"])] = _restore(column, numbers, codes, states, seed + place)
    return made


def _states(column: dict[str, Any]) -> Any:
    if column["kind"] == "constant":
        return 1
    if column["kind"] == "id":
        return 1 + column["blank"]
    if "spread" in column:
        return 1 + len(column["spread"]["spikes"]) + len(column["markers"]) + column["blank"]
    return len(column["categories"]) + len(column["markers"]) + column["blank"]


def _restore(column: dict[str, Any], numbers: Any, codes: Any, states: int, seed: int) -> Any:
    kind = column["kind"]
    if kind == "constant":
        return _objects([_cell(column["value"])], np.zeros_like(codes))
    if kind == "id":
        ids = np.array([*_ids(column, len(codes), seed)], object)
        ids[codes == 1] = None
        return ids
    if numbers is None:
        cells = [*column["categories"], *column["markers"], *([None] if column["blank"] else [])]
        return _objects([*map(_cell, cells)], codes)
    points = [0.0, *map(_cell, column["spread"]["spikes"])]
    spikes = len(points) - 1
    on_spike = (codes >= 1) & (codes <= spikes)
    x = np.where(
        on_spike, np.array(points)[codes.clip(0, spikes)], _snap(column["spread"], numbers)
    )
    blank = (codes == states - 1) & column["blank"]
    marks = np.where(blank, -1, np.maximum(codes - 1 - spikes, -1))
    cells = {"number": _numbers, "date": _dates, "duration": _durations}[kind](column, x)
    if not blank.any() and not (marks >= 0).any():
        return cells
    known = np.array([*map(_cell, column["markers"]), None], object)
    mixed = np.where(marks >= 0, known[marks], cells.astype(object))
    mixed[blank] = None
    return mixed


def _objects(cells: list[Any], codes: Any) -> Any:
    known = np.empty(len(cells), object)
    known[:] = cells
    return known[codes]


def _snap(spread: dict[str, Any], x: Any) -> Any:
    """The nearest numbers that the column can have."""
    low, high, step = spread["low"], spread["high"], spread["step"]
    if low is not None or high is not None:
        x = np.clip(x, low, high)
    if spread["levels"]:
        levels = np.array(spread["levels"])
        return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, x)]
    if step is None:
        return x
    typical, most = spread["typical"], 2.0**53
    ends = [math.ceil((low - typical) / step - 1e-9) if low is not None else -most,
            math.floor((high - typical) / step + 1e-9) if high is not None else most]  # fmt: skip
    return typical + np.rint((x - typical) / step).clip(*ends) * step


def _numbers(column: dict[str, Any], x: Any) -> Any:
    decimals, text = column["decimals"], column["text"]
    if decimals is not None:
        large = np.abs(x) >= 1e15
        x = np.where(large, x, np.round(np.where(large, 0, x), decimals)) + 0.0
    if text is not None:
        return np.array([_number_text(v, decimals, text) for v in x.tolist()], object)
    if re.match(r"(arrow:)?[uU]?[iI]nt\d", column["dtype"]["name"]) or column["origin"]:
        return np.array([int(v) + column["origin"] for v in x.tolist()], object).astype(np.int64)
    return x


def _number_text(x: float, decimals: int | None, way: dict[str, Any]) -> str:
    if decimals is None:
        text = repr(x).removesuffix(".0")
    else:
        text = f"{x:{',' if way['thousands'] else ''}.{decimals}f}"
        if decimals and not way["fixed"]:
            text = text.rstrip("0").rstrip(".")
    text = text.translate(str.maketrans({",": way["thousands"], ".": way["mark"]}))
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    return f"{sign}{way['prefix']}{text}{way['suffix']}"


def _dates(column: dict[str, Any], x: Any) -> Any:
    """datetime64 in UTC or as clocks show them, or text in the column's format."""
    clock, way = column["clock"], column["text"]
    counts = np.rint(x).astype(np.int64) + clock["origin"]
    if clock["period"]:
        return counts
    dates = counts.view(f"M8[{clock['unit']}]")
    if way is None:
        return dates
    texts = [_date_text(date, way) + way["zone"] for date in dates.astype("M8[ns]")]
    if column["dtype"]["name"].lower().startswith(("int", "uint")):
        return np.array([*map(int, texts)])
    return np.array(texts, object)


def _date_text(date: Any, way: dict[str, Any]) -> str:
    year, month, day = (int(part) for part in str(date.astype("M8[D]")).split("-"))
    below = int((date - date.astype("M8[D]")).astype(np.int64))
    hour, minute, second = (
        below // 3600_000_000_000,
        below // 60_000_000_000 % 60,
        below // 10**9 % 60,
    )
    name, weekday = MONTHS[month - 1], DAYS[(int(date.astype("M8[D]").astype(np.int64)) + 3) % 7]
    if way["upper"]:
        name, weekday = name.upper(), weekday.upper()
    width = 2 if way["padded"] else 1
    parts = {
        "Y": f"{year:04d}", "y": f"{year % 100:02d}", "m": f"{month:0{width}d}",
        "d": f"{day:0{width}d}", "H": f"{hour:0{width}d}", "I": f"{(hour + 11) % 12 + 1:0{width}d}",
        "M": f"{minute:02d}", "S": f"{second:02d}", "p": "AM" if hour < 12 else "PM",
        "f": f"{below % 10**9:09d}"[: way["digits"]], "b": name[:3], "B": name,
        "a": weekday[:3], "A": weekday,
    }  # fmt: skip
    return re.sub(r"%(.)", lambda found: parts.get(found[1], found[0]), way["format"])


def _durations(column: dict[str, Any], x: Any) -> Any:
    spans = np.rint(x).astype(np.int64).view(f"m8[{column['unit_of_time']}]")
    way = column["text"]
    if way is None:
        return spans
    listed = spans.astype("m8[ns]").astype(np.int64).tolist()
    return np.array([_duration_text(nanoseconds, way) for nanoseconds in listed], object)


def _duration_text(nanoseconds: int, way: dict[str, Any]) -> str:
    days, (sign, rest) = 0, ("-" if nanoseconds < 0 else "", abs(nanoseconds))
    if way["form"] == "days":
        days, rest = divmod(nanoseconds, 86_400 * 10**9)
        sign = "-" if days < 0 else ""
    seconds, below = divmod(rest, 10**9)
    text = f"{seconds // 3600:0{2 if way['padded'] else 1}d}:{seconds // 60 % 60:02d}"
    if way["form"] != "h:m":
        text += f":{seconds % 60:02d}" + (
            f".{below:09d}"[: way["digits"] + 1] if way["digits"] else ""
        )
    if way["form"] == "days":
        return f"{sign}{abs(days)} days {'+' if sign else ''}{text}"
    return sign + text


def _ids(column: dict[str, Any], n: int, seed: int) -> Iterator[Any]:
    serial, code, rng = column["serial"], column["code"], np.random.default_rng(seed)
    is_number = re.match(r"(arrow:)?(U?Int|u?int|[fF]loat|double)", column["dtype"]["name"])
    for row in range(n):
        if serial is None:
            places = [*code["places"], code["endings"]]
            yield "".join(place[int(rng.integers(len(place)))] for place in places)
        elif is_number or column["dtype"]["cells"] == "int":
            yield serial["first"] + serial["step"] * row
        else:
            number = serial["first"] + serial["step"] * row
            yield f"{serial['prefix']}{number:0{serial['width'] or 1}d}{serial['suffix']}"


def _series_columns(series: dict[str, Any], x: Any) -> dict[str, Any]:
    """A row for each step: the number of its window, the step, and its channels."""
    names, has_lengths = (
        [c["name"] for c in series["channels"]],
        series["shortest"] < series["steps"],
    )
    values = x[:, int(has_lengths) :].reshape(len(x), series["steps"], len(names))
    lengths = np.full(len(x), series["steps"])
    if has_lengths:
        lengths = np.rint(x[:, 0]).clip(series["shortest"], series["steps"]).astype(int)
    known = np.arange(series["steps"]) < lengths[:, None]
    window, step = np.nonzero(known)
    return {
        "series": window,
        "step": step,
        **dict(zip(map(str, names), values[known].T, strict=True)),
    }


def _cell(stored: Any) -> Any:
    """A cell of the metadata: text, numbers and booleans; others as text."""
    if not isinstance(stored, dict):
        return stored
    ((kind, value),) = stored.items()
    return float(value) if kind == "float" else value


def main() -> None:
    path = Path(__file__)
    parser = argparse.ArgumentParser(description="Draws samples from an exported generator.")
    model = path.with_name(path.name.replace("_sampler.py", ".onnx"))
    parser.add_argument("--model", type=Path, default=model)
    parser.add_argument("-n", type=int, default=16)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--label")
    parser.add_argument("--truncation", type=float, default=1.0)
    parser.add_argument("--out", type=Path, required=True, help="FILE.npy or FILE.csv")
    asked = parser.parse_args()
    generator = Generator(asked.model)
    try:
        x = generator.sample(asked.n, asked.seed, asked.label, asked.truncation)
    except ValueError as error:
        parser.error(str(error))
    if asked.out.suffix != ".csv":
        np.save(asked.out, x)
        return
    columns = generator.columns(x, asked.seed or 0)
    with asked.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


if __name__ == "__main__":
    main()
