"""Tables of mixed columns: the default recipe in minutes, beside what it starts from.

    python -m benchmarks.tables adult       Adult, 15 columns, 5 minutes
    python -m benchmarks.tables formula     a table made by formula, 5 minutes
    python -m benchmarks.tables cancer      scikit-learn's breast cancer with its target
    python -m benchmarks.tables adult --systems balanced mixture ctgan --seeds 3
    python -m benchmarks.tables adult --systems balanced packed recipe-ctgan --minutes 2

Each system makes as many rows as it was trained on. They are judged as SDMetrics and
the literature do: column shapes and pair trends against the training rows; a two-sample
test by XGBoost, 200 trees of depth 6, trained on half of real and made rows and tested
on the other half; a classifier of the target, trained on made rows and tested on real
held-out ones; exact copies of training rows. Needs `pip install xgboost`, and ctgan for
that system.

    balanced       equipoise, no option
    packed         balanced with packing = 2
    recipe-ctgan   the recipe ctgan
    recipe-pacgan  the recipe pacgan
    mixture        the latent classes that balanced starts from
    independent    each column of the training rows shuffled
    ctgan          CTGAN with its defaults (300 epochs)
    real           half of the training rows against the other half

A run that is in --keep already is not made again. The result goes to
benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from benchmarks.lanes import add_options
from benchmarks.results import Origin, merged, origin, record
from equipoise import GAN
from equipoise.data.tables.recognition import recognise
from equipoise.metrics.tables.column_shapes import shapes_of
from equipoise.metrics.tables.pair_trends import PairedColumns, trends_of
from equipoise.metrics.tables.raw_table import raw_table

if TYPE_CHECKING:
    import pandas as pd

HELD_OUT = 0.1
BATCH = 1024  # rows, after which the generator is the mixture still
ROWS = 30_000  # of the table by formula
Figures = dict[str, float]


@dataclass(frozen=True)
class Task:
    """A table, the column that a classifier is to tell, and its value that counts."""

    load: Callable[[], pd.DataFrame]
    target: str
    positive: Any
    minutes: float = 5.0


def adult() -> pd.DataFrame:
    """The census table in $EQUIPOISE_DATA/adult.csv."""
    import pandas as pd

    return pd.read_csv(Path(os.environ["EQUIPOISE_DATA"]) / "adult.csv", skipinitialspace=True)


def formula() -> pd.DataFrame:
    """Customers by formula: numbers, categories, dates, blanks and what binds them."""
    import pandas as pd

    rng, n = np.random.default_rng(0), ROWS
    plan = rng.choice(["free", "pro", "team"], n, p=[0.7, 0.2, 0.1])
    paid = np.select([plan == "free", plan == "pro"], [0.0, 12.0], 49.0)
    age = rng.gamma(9, 4.5, n).clip(18, 90).astype(int)
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(
        (1_800 * rng.beta(2, 1 + (plan == "free"), n)).astype(int), unit="D"
    )
    logins = rng.poisson(np.where(plan == "free", 2, 15) + age / 10)
    spent = np.where(paid == 0, 0.0, (paid * rng.lognormal(1, 0.6, n)).round(2))
    city = np.where(age > 50, rng.choice(["Bern", "Oslo"], n), rng.choice(["Rome", "Lyon"], n))
    missing = rng.random(n) < 0.1
    churned = rng.random(n) < 1 / (1 + np.exp(0.25 * logins - 0.03 * age))
    return pd.DataFrame(
        {
            "plan": plan,
            "age": age,
            "since": since,
            "logins": logins,
            "spent": spent,
            "rating": np.where(rng.random(n) < 0.3, np.nan, rng.integers(1, 6, n)),
            "city": pd.Series(city).mask(missing),
            "churned": np.where(churned, "yes", "no"),
        }
    )


def cancer() -> pd.DataFrame:
    """scikit-learn's 569 tumours with their kind as text."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    frame: pd.DataFrame = data.data
    return frame.assign(kind=np.asarray(data.target_names)[data.target])


TASKS = {
    "adult": Task(adult, "income", ">50K"),
    "formula": Task(formula, "churned", "yes"),
    "cancer": Task(cancer, "kind", "benign"),
}


def by_recipe(recipe: str, **fields: Any) -> Callable[[pd.DataFrame, float, int], pd.DataFrame]:
    """A system that trains a recipe with these fields."""

    def made(train: pd.DataFrame, minutes: float, seed: int) -> pd.DataFrame:
        gan = GAN(recipe, seed=seed, minutes=minutes, **fields).fit(train, progress=False)
        return cast("pd.DataFrame", gan.sample(len(train), seed=seed + 1))

    return made


def by_mixture(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    gan = GAN(seed=seed, samples=BATCH).fit(train, progress=False)
    return cast("pd.DataFrame", gan.sample(len(train), seed=seed + 1))


def independent(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    shuffled = {name: train[name].iloc[rng.permutation(len(train))].array for name in train}
    return type(train)(shuffled)


def by_ctgan(train: pd.DataFrame, seed: int) -> pd.DataFrame:
    import torch
    from ctgan import CTGAN

    torch.manual_seed(seed)
    np.random.seed(seed)
    discrete = [name for name in train if train[name].dtype.kind not in "if"]
    model = CTGAN()
    model.fit(train, discrete)
    made: pd.DataFrame = model.sample(len(train))
    return made


SYSTEMS: dict[str, Callable[[Any, float, int], Any]] = {
    "balanced": by_recipe("balanced"),
    "packed": by_recipe("balanced", packing=2),
    "recipe-ctgan": by_recipe("ctgan"),
    "recipe-pacgan": by_recipe("pacgan"),
    "mixture": lambda train, _, seed: by_mixture(train, seed),
    "independent": lambda train, _, seed: independent(train, seed),
    "ctgan": lambda train, _, seed: by_ctgan(train, seed),
}


def judge(made: pd.DataFrame, train: pd.DataFrame, test: pd.DataFrame, task: Task) -> Figures:
    """The figures of made rows."""
    table, _ = recognise(train)
    known = made[~table.unseen(made)]
    raw = raw_table(table)
    real, fake = (raw.values(table.encode(rows, 0)) for rows in (train, known))
    return {
        "shapes": float(np.nanmean(shapes_of(raw.columns, real, fake))),
        "trends": float(
            np.nanmean(trends_of(*(PairedColumns(raw.columns, rows) for rows in (real, fake))))
        ),
        "C2ST AUC": two_sample_auc(train, made),
        "target AUC": target_auc(made, test, task),
        "copies": float(made.merge(train.drop_duplicates(), how="inner").shape[0]) / len(made),
    }


def two_sample_auc(real: pd.DataFrame, made: pd.DataFrame) -> float:
    """XGBoost's AUC, trained on half of both and tested on the other half."""
    from sklearn.metrics import roc_auc_score

    n = min(len(real), len(made))
    x, y = features(real.iloc[:n], made.iloc[:n]), np.r_[np.ones(n), np.zeros(n)]
    order = np.random.default_rng(0).permutation(2 * n)
    fitted, unseen = order[:n], order[n:]
    model = trees().fit(x.iloc[fitted], y[fitted])
    return float(roc_auc_score(y[unseen], model.predict_proba(x.iloc[unseen])[:, 1]))


def target_auc(made: pd.DataFrame, test: pd.DataFrame, task: Task) -> float:
    """The AUC of a classifier of the target, trained on made rows, on real ones; .5
    where made rows have one value."""
    from sklearn.metrics import roc_auc_score

    x = features(made.drop(columns=task.target), test.drop(columns=task.target))
    y, of_test = ((rows[task.target] == task.positive).to_numpy() for rows in (made, test))
    if y.all() or not y.any():
        return 0.5
    model = trees().fit(x.iloc[: len(made)], y)
    return float(roc_auc_score(of_test, model.predict_proba(x.iloc[len(made) :])[:, 1]))


def features(*tables: pd.DataFrame) -> pd.DataFrame:
    """Tables one after another as XGBoost takes them."""
    import pandas as pd

    rows = pd.concat(tables, ignore_index=True)
    for name in rows:
        if rows[name].dtype.kind == "M":
            rows[name] = rows[name].astype("int64")
        elif rows[name].dtype.kind not in "biuf":
            rows[name] = rows[name].astype(str).astype("category")
    return rows


def trees() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=200, max_depth=6, enable_categorical=True, n_jobs=1, random_state=0
    )


def split(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Nine tenths to train on, and a tenth held out."""
    order = np.random.default_rng(0).permutation(len(rows))
    held_out = round(HELD_OUT * len(rows))
    return rows.iloc[order[held_out:]].reset_index(drop=True), rows.iloc[order[:held_out]]


def measure(name: str, task: Task, system: str, seed: int, keep: Path) -> dict[str, Any]:
    """One system's figures, unless they are there already."""
    usual = task.minutes == TASKS[name].minutes
    minutes = "" if usual else f"-{task.minutes:g}min"
    done = keep / f"{name}-{system}-{seed}{minutes}.json"
    if not done.is_file():
        train, test = split(task.load())
        began = time.monotonic()
        made = SYSTEMS[system](train, task.minutes, seed)
        seconds = time.monotonic() - began
        figures = judge(made, train, test, task)
        done.write_text(json.dumps({"figures": figures, "s": seconds} | asdict(origin())))
    found: dict[str, Any] = json.loads(done.read_text())
    print(name, system, seed, found["figures"], f"{found['s']:.0f} s", flush=True)
    return found


def real_figures(task: Task) -> Figures:
    """Half of the training rows against the other half."""
    train, test = split(task.load())
    half = len(train) // 2
    return judge(train.iloc[half:], train.iloc[:half].reset_index(drop=True), test, task)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--systems", nargs="*", default=["balanced", "mixture", "independent"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes", type=float, help="of each training, instead of the task's")
    add_options(parser, "benchmark-tables")
    options = parser.parse_args()
    task, keep = TASKS[options.task], options.keep
    if options.minutes:
        task = replace(task, minutes=options.minutes)
    keep.mkdir(parents=True, exist_ok=True)
    runs = [(system, seed) for system in options.systems for seed in range(options.seeds)]
    results = [measure(options.task, task, system, seed, keep) for system, seed in runs]
    names = list(results[0]["figures"])
    rows = [[options.task, *names, "fit and sample, s"]]
    for (system, seed), found in zip(runs, results, strict=True):
        cells = [f"{found['figures'][name]:.4f}" for name in names]
        rows.append([f"{system}, seed {seed}", *cells, f"{found['s']:.0f}"])
    real = real_figures(task)
    rows.append(["real rows, half and half", *(f"{real[name]:.4f}" for name in names), ""])
    measured = merged(Origin(found["commit"], found["machine"]) for found in results)
    words = [options.task, *(["--systems", *options.systems] if options.systems else [])]
    words += ["--minutes", f"{options.minutes:g}"] if options.minutes else []
    command = " ".join(["python -m benchmarks.tables", *words, "--seeds", str(options.seeds)])
    record(command, f"{task.minutes:g} minutes each.", rows, measured=measured)


if __name__ == "__main__":
    main()
