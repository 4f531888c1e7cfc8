"""Exported generators make what `sample` makes."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import TINY

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.errors import EquipoiseError, RequestError
from equipoise.recipes import catalogue
from equipoise.sampling.export import int8_cost, onnx_file, special_functions, standalone
from equipoise.sampling.export.exporting import difference
from equipoise.sampling.export.graph import SamplerGraph, drawn_inputs, expected
from equipoise.sampling.export.int8 import moved
from equipoise.sampling.sampler import Sampler

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (64, 8, 8, 3), np.uint8)
DATA: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "a column": (RNG.normal(7, 3, 64), None, {}),
    "whole numbers, whitened": (RNG.integers(0, 900, (400, 12)), None, {"clusters": 2}),
    "colour, labels": (COLOUR, ["ok", "not <ok>"] * 32, {}),
    "windows": (RNG.normal(size=(64, 12, 2)), None, {"layout": "NTC"}),
}
SLOW: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "colour with alpha": (
        RNG.integers(0, 256, (64, 8, 8, 4), np.uint8),
        None,
        {"alpha": True},
    ),
    "points of float32": (RNG.normal(size=(64, 3)).astype(np.float32), None, {}),
    "grey, 16 bits": (RNG.integers(0, 65536, (64, 8, 8), np.uint16), None, {}),
    "grey floats": (RNG.random((64, 8, 8)).astype(np.float32), None, {}),
    "grey, half floats": (RNG.random((64, 8, 8)).astype(np.float16), None, {}),
    "clusters of each channel": (COLOUR, None, {"clusters": 2, "per_channel_clusters": True}),
    "windows of many lengths": (
        [RNG.normal(size=(t, 2)) for t in RNG.integers(5, 12, 64)],
        None,
        {},
    ),
}


TRAINED: dict[str, GAN] = {}
MODELS: dict[int, Any] = {}


def trained(kind: str) -> GAN:
    """A GAN of this data, trained once."""
    data, labels, more = {**DATA, **SLOW}[kind]
    if kind not in TRAINED:
        TRAINED[kind] = GAN(**{**TINY, **more}).fit(data, labels)
    return TRAINED[kind]


@pytest.fixture(autouse=True)
def each_model_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch takes seconds for one. Those of GANs that are kept are kept."""
    build = onnx_file.onnx_model

    def kept(sampler: Sampler, about: Any) -> Any:
        if all(sampler is not gan._trained().sampler for gan in TRAINED.values()):
            return build(sampler, about)
        if id(sampler) not in MODELS:
            MODELS[id(sampler)] = build(sampler, about)
        return MODELS[id(sampler)]

    monkeypatch.setattr(onnx_file, "onnx_model", kept)


def test_the_functions_that_onnx_lacks_are_torchs() -> None:
    x = 4 * torch.randn(10_000, dtype=torch.float64)
    torch.testing.assert_close(special_functions.ndtr(x), torch.special.ndtr(x))
    level = torch.rand(10_000, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    torch.testing.assert_close(special_functions.ndtri(level), torch.special.ndtri(level))
    ordered, values = torch.rand(5, 33).sort().values, torch.rand(5, 70)
    values[:, :5] = ordered[:, :5]
    for right in (False, True):
        found = special_functions.searchsorted(ordered, values, right=right)
        assert torch.equal(found, torch.searchsorted(ordered, values, right=right))


@pytest.mark.parametrize("kind", [*DATA, *(pytest.param(k, marks=pytest.mark.slow) for k in SLOW)])
def test_an_onnx_file_makes_what_sample_makes_in_the_users_type_and_layout(
    kind: str, tmp_path: Path
) -> None:
    gan = trained(kind)
    made = gan._trained().export(tmp_path / "g.onnx", int8=False)
    assert made.difference <= 1e-5
    assert [path.name for path in made.paths] == ["g.onnx", "g_sampler.py"]
    sampler = gan._trained().sampler
    drawn = drawn_inputs(sampler, 30, seed=1)
    found = onnx_file.run_onnx((tmp_path / "g.onnx").read_bytes(), drawn.inputs)
    if sampler.schema.series is None:
        sampled = np.asarray(gan.sample(30, seed=1))
        assert (found.shape, found.dtype) == (sampled.shape, sampled.dtype)
        if found.dtype.kind == "u":
            assert np.abs(found.astype(int) - sampled.astype(int)).max() <= 1
        else:
            np.testing.assert_allclose(found, sampled, rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_allclose(found, expected(sampler, drawn), rtol=1e-5, atol=1e-5)
    drawn_alone = standalone.Generator(tmp_path / "g.onnx").sample(5, seed=0)
    assert drawn_alone.shape == (5, *found.shape[1:])


# The fast set has one recipe of each family: multilayer perceptrons, convolutions with
# uniform latents, codes, styles.
FAMILIES = ("classic", "began", "infogan", "stylegan2")
RECIPES = [
    pytest.param(name, marks=() if name in FAMILIES else pytest.mark.slow)
    for name in sorted(set(catalogue()) - {"ctgan", "balanced"})
]


@pytest.mark.parametrize("name", RECIPES)
def test_the_graph_of_every_recipe_makes_what_sample_makes(name: str, tiny: dict[str, Any]) -> None:
    sampler = GAN(name, **tiny).fit(COLOUR, [0, 1] * 32)._trained().sampler
    drawn = drawn_inputs(sampler, 30, seed=1)
    graph = SamplerGraph(sampler).eval()
    with torch.no_grad():
        made = graph(*drawn.inputs.values()).numpy()
    np.testing.assert_array_equal(made, expected(sampler, drawn))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(catalogue()) - {"ctgan", "balanced"}))
def test_every_recipe_is_exported_and_checked(
    name: str, tmp_path: Path, tiny: dict[str, Any]
) -> None:
    gan = GAN(name, **tiny).fit(COLOUR, [0, 1] * 32)
    made = gan._trained().export(tmp_path / "g.onnx", int8=False)
    assert made.difference <= 1e-5


def orders() -> Any:
    pd = pytest.importorskip("pandas")
    n = 200
    amounts = [f"${x:,.0f}" for x in RNG.uniform(1, 9e4, n)]
    days = pd.date_range("2021-03-01", periods=n, freq="D")
    return pd.DataFrame(
        {
            "id": [f"C-{i:05d}" for i in range(n)],
            "age": RNG.integers(17, 91, n),
            "price": np.where(RNG.random(n) < 0.2, np.nan, RNG.normal(10, 3, n).round(2)),
            "plan": RNG.choice(["free", "pro", "team"], n),
            "day": days.to_numpy()[RNG.permutation(n)],
            "written": [day.strftime("%d.%m.%Y") for day in days],
            "amount": amounts,
            "same": "x",
            "spent": pd.to_timedelta(RNG.integers(60, 9000, n), "s"),
        }
    )


LABELLED = {"label_column": "plan", "conditional": True, "clusters": 2}


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("balanced", {}),
        pytest.param("ctgan", {}, marks=pytest.mark.slow),
        pytest.param("balanced", LABELLED, marks=pytest.mark.slow),
    ],
)
def test_a_tables_columns_are_decoded_as_sample_does_without_pandas(
    name: str, more: dict[str, Any], tmp_path: Path, tiny: dict[str, Any]
) -> None:
    pd = pytest.importorskip("pandas")
    gan = GAN(name, **{**tiny, "batch_size": 20, **more}).fit(orders())
    gan.export(tmp_path / "g.onnx")
    sampler, wanted = gan._trained().sampler, gan.sample(100, seed=1)
    drawn = drawn_inputs(sampler, 100, seed=1)
    matrix = onnx_file.run_onnx((tmp_path / "g.onnx").read_bytes(), drawn.inputs)
    generator = standalone.Generator(tmp_path / "g.onnx")
    if "label" in drawn.inputs:
        generator.drawn_labels = drawn.inputs["label"].numpy()
    columns = generator.columns(matrix)
    assert list(columns) == list(wanted.columns)
    for column, cells in columns.items():
        found = pd.Series(cells).astype(wanted[column].dtype)
        same = (found == wanted[column]) | (found.isna() & wanted[column].isna())
        assert same.mean() >= 0.98, column


TRUNCATED: dict[str, tuple[str, dict[str, Any], Any]] = {
    "normal latents and clusters": ("balanced", {"clusters": 2}, None),
    "uniform latents": ("began", {}, None),
    "codes": ("infogan", {}, None),
    "classes": ("cgan", {}, [0, 1] * 32),
    "styles": ("stylegan2", {}, None),
    "styles of classes": ("stylegan2", {"conditional": True}, [0, 1] * 32),
}


@pytest.mark.parametrize("psi", [0.0, 0.7])
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.slow if kind in ("styles", "classes") else ())
        for kind in TRUNCATED
    ],
)
def test_a_truncated_graph_makes_what_sample_makes_of_the_same_latents(
    kind: str, psi: float, tiny: dict[str, Any]
) -> None:
    if kind not in TRAINED:
        name, more, labels = TRUNCATED[kind]
        TRAINED[kind] = GAN(name, **{**tiny, **more}).fit(COLOUR, labels)
    gan = TRAINED[kind]
    drawn = drawn_inputs(gan._trained().sampler, 30, 1, psi)
    with torch.no_grad():
        made = SamplerGraph(gan._trained().sampler).eval()(*drawn.inputs.values()).numpy()
    wanted = gan.sample(latents=gan.latents(30, seed=1), truncation=psi)
    np.testing.assert_array_equal(made, wanted)


def test_truncation_moves_samples_towards_the_middle(tmp_path: Path) -> None:
    trained("a column").export(tmp_path / "g.onnx")
    generator = standalone.Generator(tmp_path / "g.onnx")
    spreads = [generator.sample(500, 0, truncation=psi).std() for psi in (1.0, 0.5, 0.0)]
    assert spreads[0] > spreads[1] > spreads[2]
    assert spreads[2] < 1e-6


def test_the_metadata_say_how_to_draw_and_what_comes_out(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    gan = GAN("infogan", **tiny).fit(COLOUR)
    files = {"equipoise.json": ""}
    program = torch.export.load(gan.export(tmp_path / "g.pt2"), extra_files=files)
    about = json.loads(files["equipoise.json"])
    assert about["format"] == 1
    assert (about["kind"], about["recipe"]) == ("images", "infogan")
    assert about["output"] == {
        "name": "x",
        "dtype": "uint8",
        "shape": ["batch", 8, 8, 3],
        "layout": "NHWC",
        "alpha": False,
        "range": [0, 255],
        "columns": None,
        "column_dtypes": None,
    }
    parts = about["inputs"][0]["parts"]
    assert [part.get("code") for part in parts][:2] == [None, "c0"]
    width = sum(part["size"] for part in parts)
    assert program.module()(torch.randn(3, width), torch.tensor(1.0)).shape == (3, 8, 8, 3)


def test_a_page_is_one_file_that_names_no_address(tmp_path: Path) -> None:
    page = trained("colour, labels").export(tmp_path / "g.html").read_text()
    assert "not <ok>" not in page
    assert "not \\u003cok>" in page
    own = re.sub(r"<pre>.*?</pre>|http://www.w3.org/2000/svg", "", page, flags=re.S)
    assert "http" not in re.sub(r">[A-Za-z0-9+/=]{1000,}<", "><", own)
    assert len(page) < 6_000_000


def test_an_export_that_differs_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = trained("a column")
    run = onnx_file.run_onnx
    monkeypatch.setattr(onnx_file, "run_onnx", lambda *given: run(*given) + 1)
    with pytest.raises(EquipoiseError, match=r"differ, by .*nothing was written"):
        gan.export(tmp_path / "g.onnx")
    assert list(tmp_path.iterdir()) == []


def test_int8_is_written_only_where_it_moves_samples_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = trained("colour, labels")
    gan.export(tmp_path / "g.onnx")
    with pytest.warns(UserWarning, match="int8 moves samples by"):
        gan.export(tmp_path / "small.onnx", int8=True)
    assert (tmp_path / "small.onnx").stat().st_size < 0.7 * (tmp_path / "g.onnx").stat().st_size
    monkeypatch.setattr(int8_cost, "MAX_MOVED", 0.0)
    with pytest.warns(UserWarning, match="weights are float32"):
        gan.export(tmp_path / "same.onnx", int8=True)
    assert (tmp_path / "same.onnx").read_bytes() == (tmp_path / "g.onnx").read_bytes()


def test_int8_must_leave_the_primary_metric_in_its_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = trained("whole numbers, whitened")._trained()
    monkeypatch.setattr(int8_cost, "MAX_MOVED", math.inf)
    for shift, is_little in ((0, True), (5000, False)):
        monkeypatch.setattr(
            int8_cost, "_made", lambda _, drawn, by=shift: expected(run.sampler, drawn) + by
        )
        cost = int8_cost.cost_of_int8(run.sampler, b"", run.training_data, 0)
        assert cost.is_little is is_little, cost.sentence
        assert ("is outside: weights are float32" in cost.sentence) is not is_little
        assert " ± " in cost.sentence


def test_int8_says_why_its_metric_is_not_measured() -> None:
    def gone() -> Any:
        raise RequestError("the data are gone")

    sampler = trained("a column")._trained().sampler
    assert int8_cost._metric(sampler, b"", gone, 0) == (
        "the primary metric is not measured: the data are gone",
        True,
    )


@pytest.mark.parametrize(
    ("dtype", "wanted", "near", "far"),
    [
        ("float32", [0.25, 8.0], [0.25, 8.00007], [0.25, 8.0002]),
        ("uint8", [3, 200], [2, 201], [1, 200]),
        ("uint16", [7, 60_000], [8, 59_999], [7, 60_002]),
        ("float16", [0.25, 0.75], [0.25, 0.7505], [0.25, 0.752]),
    ],
)
def test_an_export_may_differ_by_its_tolerance_and_one_rounding(
    dtype: str, wanted: list[float], near: list[float], far: list[float]
) -> None:
    schema = Schema((1, 1, 2), "NHW", dtype)
    values = [np.array([[pair]], dtype) for pair in (wanted, near, far)]
    assert difference(schema, values[1], values[0]) <= 1e-5
    with pytest.raises(EquipoiseError, match="nothing was written"):
        difference(schema, values[2], values[0])


def test_what_int8_moves_is_measured_in_standard_deviations() -> None:
    x = RNG.normal(size=(1000, 2)) * [1, 100]
    assert moved(x + np.array([0.1, 10]), x, []) == (pytest.approx(0.1, rel=0.1), 0)
    codes = np.column_stack([x[:, 0], np.zeros(1000)])
    other = codes.copy()
    other[:30, 1] = 1
    assert moved(other, codes, [1]) == (0, 0.03)


def test_a_users_mistakes_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = trained("a column")
    (tmp_path / "folder.onnx").mkdir()
    for name, message in (
        ("g.onxx", r"must end in \.onnx, \.pt2, \.html"),
        ("none/g.onnx", "there is no folder"),
        ("folder.onnx", "is a folder"),
    ):
        with pytest.raises(RequestError, match=message):
            gan.export(tmp_path / name)
    with pytest.raises(RequestError, match="int8"):
        gan.export(tmp_path / "g.pt2", int8=True)
    (tmp_path / "g_sampler.py").write_text("mine")
    with pytest.raises(RequestError, match="is not of Equipoise"):
        gan.export(tmp_path / "g.onnx")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        with pytest.raises(RequestError, match="is read-only"):
            gan.export(tmp_path / "h.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(RequestError, match=r"pip install 'equipoise\[export\]'"):
        gan.export(tmp_path / "h.onnx")


def test_the_command_exports_a_run_with_its_verdict(tmp_path: Path, command: Any) -> None:
    trained("a column").save(tmp_path / "run")
    answer = command("export", str(tmp_path / "run"), "--to", str(tmp_path / "g.onnx"))
    assert answer.status == 0
    assert "checked" in answer.out
    answer = command("export", str(tmp_path / "run"))
    assert (answer.status, answer.err.count("\n")) == (2, 1)


@pytest.mark.slow
def test_an_environment_of_numpy_and_onnxruntime_alone_draws_samples(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    trained("colour, labels").export(tmp_path / "g.onnx")
    GAN(**tiny).fit(orders()).export(tmp_path / "t.onnx")
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    constraints = Path(__file__).parents[2] / "constraints.txt"
    wanted = [python, "-m", "pip", "install", "-q", "-c", constraints, "numpy", "onnxruntime"]
    installed = subprocess.run(wanted, capture_output=True, text=True, check=False, env=alone)
    if installed.returncode:
        pytest.skip(f"no network for pip: {installed.stderr[-200:]}")
    for name, out, more in (("g", "x.npy", ["--label", "ok"]), ("t", "rows.csv", [])):
        line = [python, f"{name}_sampler.py", "-n", "20", "--seed", "1", "--out", out, *more]
        subprocess.run(line, cwd=tmp_path, check=True, env=alone)
    assert np.load(tmp_path / "x.npy").shape == (20, 8, 8, 3)
    assert (tmp_path / "rows.csv").read_text().count("\n") == 21


@pytest.mark.slow
def test_the_page_draws_samples_in_a_browser_without_a_network(
    tmp_path: Path,
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium")
    page_file = trained("colour, labels").export(tmp_path / "g.html")
    asked: list[str] = []
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url.split(":")[0]))
        page.goto(page_file.as_uri())
        page.wait_for_selector("body[data-ready]", timeout=600_000)
        page.click("text='ok'")
        page.wait_for_function("document.querySelector('.grid button').title === 'ok'")
        names = page.eval_on_selector_all(".grid button", "all => all.map(one => one.title)")
        browser.close()
    assert len(names) >= 6
    assert set(names) == {"ok"}
    assert set(asked) <= {"file", "blob", "data"}
