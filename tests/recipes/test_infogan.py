"""InfoGAN finds components by itself, and its codes can be set, read and drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import linear_sum_assignment

from equipoise import GAN
from equipoise.errors import EquipoiseError, RequestError
from equipoise.plotting import grids, plots

pytestmark = pytest.mark.usefixtures("brief_reports")

ANGLES = 2 * np.pi * np.arange(5) / 5
CENTRES = 4 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], 1)


def five_components(n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    which = rng.integers(5, size=n)
    return CENTRES[which] + rng.normal(0, 0.5, (n, 2)), which


def test_the_categorical_code_recovers_the_components_of_a_mixture_of_five() -> None:
    x, which = five_components(6000)
    gan = GAN("infogan", categorical_codes="5", samples=200_000, width=64, seed=0, threads=1).fit(
        x[:5000]
    )
    read = gan.encode(x[5000:])["c0"]
    table = np.zeros((5, 5))
    np.add.at(table, (read, which[5000:]), 1)
    code, component = linear_sum_assignment(-table)
    assert table[code, component].sum() / 1000 >= 0.95
    for c, k in zip(code, component, strict=True):
        new = np.asarray(gan.sample(200, code={"c0": int(c)}, seed=0))
        nearest = ((new[:, None] - CENTRES) ** 2).sum(2).argmin(1)
        assert (nearest == k).mean() >= 0.95


@pytest.fixture(scope="module")
def coded() -> GAN:
    images = np.random.default_rng(0).integers(0, 256, (80, 8, 8), np.uint8)
    return GAN(
        "infogan", categorical_codes="4,3", samples=64, batch_size=16, width=8, threads=1
    ).fit(images)


def test_codes_are_set_and_read_also_after_saving(coded: GAN, tmp_path: Path) -> None:
    n = 5
    code = {"c0": 3, "u0": np.linspace(-2, 2, n)}
    new = coded.sample(n, code=code, seed=7)
    assert not np.array_equal(new, coded.sample(n, seed=7))
    coded.save(tmp_path / "run")
    loaded = GAN.load(tmp_path / "run")
    assert np.array_equal(loaded.sample(n, code=code, seed=7), new)
    read, again = coded.encode(new), loaded.encode(new)
    assert {name: codes.shape for name, codes in read.items()} == dict.fromkeys(
        ("c0", "c1", "u0", "u1"), (n,)
    )
    assert read["c1"].max() <= 2
    for name, codes in read.items():
        assert np.array_equal(codes, again[name])


def test_one_sample_black_images_and_views_are_read_too(coded: GAN) -> None:
    images = np.random.default_rng(1).integers(0, 256, (4, 8, 8), np.uint8)
    assert np.array_equal(coded.encode(images[::-1])["c0"], coded.encode(images)["c0"][::-1])
    assert coded.encode(images[:1])["u0"].shape == (1,)
    assert coded.encode(np.zeros((2, 8, 8), np.uint8))["u0"].shape == (2,)


def test_without_its_encoder_a_run_still_samples_and_names_the_missing_file(
    coded: GAN, tmp_path: Path
) -> None:
    coded.save(tmp_path / "run")
    (tmp_path / "run" / "encoder.safetensors").unlink()
    loaded = GAN.load(tmp_path / "run")
    assert np.array_equal(loaded.sample(3, seed=1), coded.sample(3, seed=1))
    with pytest.raises(EquipoiseError, match=r"encoder\.safetensors is missing, damaged or"):
        loaded.encode(np.zeros((2, 8, 8), np.uint8))


def test_labels_are_ignored_with_a_warning(tiny: dict[str, Any]) -> None:
    x, which = five_components(60)
    with pytest.warns(UserWarning, match="the labels are not used: infogan does not take labels"):
        gan = GAN("infogan", **tiny).fit(x, which)
    assert np.asarray(gan.sample(3)).shape == (3, 2)


def test_each_code_has_a_image_of_what_it_does(coded: GAN, tmp_path: Path) -> None:
    columns = {"c0": 4, "c1": 3, "u0": 10, "u1": 10}
    for name, kinds in columns.items():
        width, height = Image.open(coded.draw_code(name, tmp_path / f"{name}.png", seed=0)).size
        assert width * 8 == height * kinds


@pytest.mark.parametrize("kinds", [100, 500])
def test_of_a_code_of_many_values_the_first_forty_are_drawn_and_every_row_is_whole(
    kinds: int, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 4), np.uint8)
    gan = GAN("infogan", categorical_codes=str(kinds), **tiny).fit(images)
    shown: list[tuple[int, int]] = []
    monkeypatch.setattr(
        plots,
        "image_grid",
        lambda made, _, across, **__: shown.append((len(made), across)) or b"",
    )
    gan.draw_code("c0", tmp_path / "c.png")
    assert shown == [(plots.CODE_ROWS * 40, 40)]
    assert shown[0][0] <= grids.MAX_IMAGES


def test_points_by_their_code_are_drawn_too(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "continuous_codes": 1,
        "samples": 64,
        "batch_size": 16,
        "width": 8,
        "threads": 1,
    }
    gan = GAN("infogan", **settings).fit(five_components(100)[0], out=tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").glob("code-*.png")} == {
        "code-c0.png",
        "code-u0.png",
    }
    for name in ("c0", "u0"):
        assert Image.open(gan.draw_code(name, tmp_path / f"{name}.png")).size[0] > 300


def test_what_cannot_be_is_refused_in_a_line(coded: GAN, tiny: dict[str, Any]) -> None:
    plain = GAN(**tiny).fit("gaussian")
    with pytest.raises(
        RequestError,
        match="no code 'c0': this generator has no codes, train the recipe 'infogan'",
    ):
        plain.sample(3, code={"c0": 1})
    with pytest.raises(RequestError, match="balanced has no codes to predict"):
        plain.encode(np.arange(3.0))
    with pytest.raises(
        RequestError, match=r"samples of shape \(1, 9, 9\), the generator makes \(1, 8, 8\)"
    ):
        coded.encode(np.random.default_rng(0).integers(0, 256, (3, 9, 9), np.uint8))
    with pytest.raises(RequestError, match="another range of values than the generator's 0 to 255"):
        coded.encode(np.random.default_rng(0).random((3, 8, 8)))
    with pytest.raises(RequestError, match=r"'mnist': give an array, a DataFrame, or a \.csv, "):
        coded.encode("mnist")
    with pytest.raises(
        RequestError, match="this generator has no classes: infogan has codes instead"
    ):
        coded.sample(3, label=1)
    with pytest.raises(RequestError, match="no code 'u2': "):
        coded.draw_code("u2", "x.png")
    with pytest.raises(RequestError, match="infogan does not learn from labels"):
        GAN("infogan", **tiny, conditional=True).fit("ring")


def test_the_command_line_sets_codes_and_draws_each(
    command: Callable[..., Any], here: Path
) -> None:
    options = ["--samples", "32", "--batch-size", "16", "--width", "8", "--threads", "1"]
    assert command("train", "ring", "--recipe", "infogan", *options, "--out", "run").status == 0
    assert (here / "run" / "code-c0.png").is_file()
    assert command("sample", "run", "-n", "4", "--code", "c0=3", "--seed", "0").out.count("\n") == 4
    assert command("sample", "run", "-n", "4", "--code", "c0=3", "--out", "x.npy").status == 0
    wrong = command("sample", "run", "-n", "4", "--code", "c0")
    assert wrong.status == 2
    assert wrong.err == "equipoise: --code = 'c0': must be written as in c0=3,u0=-1.5\n"
