"""Latents and what is made of them, for every family of generators: the same samples,
truncation, walks, directions, inversion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.sampling.latents import Latents

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (64, 8, 8), np.uint8)
LABELS = ["dark", "light"] * 32
TABLE = pd.DataFrame(
    {"id": [f"u{i}" for i in range(64)], "plan": ["a", "b"] * 32, "spent": RNG.normal(size=64)}
)
FAMILIES: dict[str, tuple[str, Any, Any, dict[str, Any]]] = {
    "mixture of points": ("balanced", RNG.normal(size=(64, 2)), None, {"clusters": 3}),
    "uniform latents": ("classic", RNG.normal(size=64), None, {"latent": "uniform"}),
    "codes": ("infogan", RNG.normal(size=(64, 2)), None, {}),
    "dcgan with labels": ("dcgan", IMAGES, LABELS, {}),
    "fastgan": ("fastgan", IMAGES, None, {}),
    "stylegan2 with labels": ("stylegan2", IMAGES, LABELS, {"mixing": 0.5}),
    "a table": ("balanced", TABLE, None, {}),
    "a table by ctgan": ("ctgan", TABLE[["plan", "spent"]], None, {"batch_size": 20}),
    "series": ("balanced", RNG.normal(size=(64, 6, 2)), None, {"layout": "NTC"}),
}


@pytest.fixture(scope="module")
def trained_family() -> Callable[[str], GAN]:
    """A tiny GAN of a family, trained once."""
    made: dict[str, GAN] = {}

    def of(name: str) -> GAN:
        if name not in made:
            recipe, data, labels, settings = FAMILIES[name]
            tiny = {"samples": 32, "batch_size": 16, "threads": 1, "width": 8, "evaluate": "none"}
            given = {"columns": {"id": {"kind": "id"}}} if name == "a table" else {}
            made[name] = GAN(recipe, seed=0, **{**tiny, **settings, **given})
            made[name].fit(data, labels, progress=False)
        return made[name]

    return of


@pytest.fixture(params=FAMILIES)
def gan(request: pytest.FixtureRequest, trained_family: Callable[[str], GAN]) -> GAN:
    return trained_family(request.param)


def same(a: Any, b: Any) -> bool:
    return a.equals(b) if isinstance(a, pd.DataFrame) else bool(np.array_equal(a, b))


def test_samples_of_the_latents_of_a_seed_are_the_samples_of_the_seed(gan: GAN) -> None:
    assert same(gan.sample(latents=gan.latents(7, seed=3)), gan.sample(7, seed=3))
    assert len(gan.latents(0, seed=3)) == 0


def test_truncation_1_changes_nothing_and_0_makes_one_sample_of_each_class(gan: GAN) -> None:
    assert same(gan.sample(7, seed=3, truncation=1), gan.sample(7, seed=3))
    latents = gan.latents(1, seed=0)
    if gan._trained().sampler.prior.codes:  # which keep their values
        return
    both = Latents(
        *(None if of is None else np.repeat(of, 2, 0) for of in (latents.z, latents.classes))
    )  # type: ignore[arg-type]  # z is there
    z = both.z.copy()
    z[1] *= -0.5
    noise = (
        slice(gan._trained().sampler.generator.sizes[0], None)
        if "style" in str(gan.recipe)
        else slice(0)
    )  # type: ignore[union-attr, index]  # of a style generator
    z[1, noise] = z[0, noise]
    made = gan.sample(latents=replace(both, z=z), truncation=0)
    columns = made.drop(columns="id", errors="ignore") if isinstance(made, pd.DataFrame) else made
    first, second = columns[:1], columns[1:]
    if isinstance(columns, pd.DataFrame):
        assert same(first.reset_index(drop=True), second.reset_index(drop=True))
    else:
        assert np.allclose(first, second, atol=1e-6)


def test_a_walk_begins_and_ends_at_the_samples_it_is_between(gan: GAN) -> None:
    kept = gan.latents(6, seed=1)
    same_class = kept[[0]]
    end = replace(kept[[5]], classes=same_class.classes)
    if gan._trained().sampler.prior.codes:
        return
    walk = gan.interpolate(same_class, end, steps=4)
    assert len(walk) == 4
    first = gan.sample(latents=same_class, seed=1)
    if isinstance(walk, np.ndarray):
        assert np.allclose(walk[:1], first, atol=1 if walk.dtype == np.uint8 else 1e-5)
        last = gan.sample(latents=end)
        assert np.allclose(walk[-1:], last, atol=1 if walk.dtype == np.uint8 else 1e-5)


def test_directions_are_orthonormal_with_shares_in_order_and_move_samples(gan: GAN) -> None:
    found = gan.directions(3)
    assert np.allclose(found.vectors @ found.vectors.T, np.eye(len(found)), atol=1e-5)
    assert (np.diff(found.explained) <= 1e-12).all()
    assert 0 < found.explained.sum() <= 1 + 1e-9
    largest = np.take_along_axis(found.vectors, np.abs(found.vectors).argmax(1)[:, None], 1)
    assert (largest > 0).all()
    assert len(gan.move(gan.latents(2, seed=0), found[0], [-1, 0, 1])) == 6
    again = gan.directions(3)
    assert np.array_equal(found.vectors, again.vectors)


def test_inversion_is_reproducible_and_never_farther_than_a_random_sample(gan: GAN) -> None:
    given = gan.sample(2, seed=9)
    found = gan.invert(given, steps=5, restarts=2)
    assert (found.errors <= found.nearest_errors + 1e-12).all()
    assert same(found.samples, gan.sample(latents=found.latents))
    again = gan.invert(given, steps=5, restarts=2)
    assert np.array_equal(found.errors, again.errors)
    assert "of that to the mean sample" in str(found)


def test_codes_stay_on_walks_and_along_directions(
    trained_family: Callable[[str], GAN],
) -> None:
    gan = trained_family("codes")
    prior = gan._trained().sampler.prior
    found = gan.directions(4)
    for columns in prior.codes.values():
        assert (found.vectors[:, columns] == 0).all()
    with_codes = gan.latents(1, seed=0, code={"c0": 1})
    assert with_codes.z[0, prior.codes["c0"]].argmax() == 1


def test_uniform_latents_stay_within_their_range(trained_family: Callable[[str], GAN]) -> None:
    gan = trained_family("uniform latents")
    far = gan.move(gan.latents(3, seed=0), gan.directions(1)[0], [100.0, 200.0])
    assert np.allclose(far[::2], far[1::2])  # both at the border


def test_a_label_is_that_of_all_samples_of_a_walk(trained_family: Callable[[str], GAN]) -> None:
    gan = trained_family("dcgan with labels")
    a, b = gan.latents(1, seed=0, label="light"), gan.latents(1, seed=1, label="light")
    assert same(
        gan.interpolate(a, b, label="dark"), gan.interpolate(replace(a, classes=np.array([0])), b)
    )
    assert gan.invert(IMAGES[:2], label="light", steps=1).latents.classes.tolist() == [1, 1]  # type: ignore[union-attr]  # it has classes


def test_an_array_of_latents_will_do_where_classes_are_drawn(
    trained_family: Callable[[str], GAN],
) -> None:
    gan = trained_family("fastgan")
    latents = gan.latents(3, seed=2)
    assert same(gan.sample(latents=latents.z), gan.sample(latents=latents))
    assert gan.sample(latents=latents.z[0]).shape == (1, 8, 8)  # type: ignore[union-attr]  # an array


def test_wrong_requests_say_what_would_be_right(trained_family: Callable[[str], GAN]) -> None:
    gan, other = trained_family("fastgan"), trained_family("dcgan with labels")
    latents = gan.latents(2, seed=0)
    wrong: dict[str, Callable[[], object]] = {
        "z has shape": lambda: gan.sample(latents=latents.z[:, :3]),
        "z has shape \\(\\)": lambda: gan.interpolate(True, 1),
        "NaN": lambda: gan.sample(latents=latents.z * np.nan),
        "classes have shape None": lambda: other.sample(
            latents=replace(latents, z=other.latents(2).z)
        ),
        "no mapping network": lambda: gan.sample(latents=replace(latents, w=latents.z)),
        "n and latents": lambda: gan.sample(3, latents=latents),
        "needs n": gan.sample,
        "must be from 0, the mean sample, to 1": lambda: gan.sample(1, truncation=1.5),
        "must be at least 2": lambda: gan.interpolate(0, 1, steps=1),
        "a = -1": lambda: gan.interpolate(-1, 1),
        "b has 2 latents": lambda: gan.interpolate(0, latents),
        "k = 0": lambda: gan.directions(0),
        "give one of GAN.directions": lambda: gan.move(latents, gan.directions(1).vectors[0]),  # type: ignore[arg-type]  # an array
        "or an array": lambda: gan.sample(latents="abc"),
        "steps = 0: must be at least 1": lambda: gan.invert(IMAGES[:1], steps=0),
        "this generator has no classes": lambda: gan.invert(IMAGES[:1], label="dark"),
        "samples of shape": lambda: gan.invert(IMAGES[:1, :4, :4]),
    }
    for text, call in wrong.items():
        with pytest.raises(RequestError, match=text) as raised:
            call()
        assert "\n" not in str(raised.value)
