"""Labels end to end: what is asked for is what comes, whatever the labels are."""

from __future__ import annotations

import datetime
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.plotting import plots

RNG = np.random.default_rng(0)
CENTRES = {"left": (-6.0, 0.0), "right": (6.0, 0.0), "top": (0.0, 6.0)}


def three_classes() -> tuple[np.ndarray[Any, Any], list[str]]:
    y = [name for name in CENTRES for _ in range(200)]
    return np.array([CENTRES[name] for name in y]) + RNG.normal(0, 0.5, (600, 2)), y


@pytest.mark.parametrize("recipe", ["balanced", "cgan", "acgan"])
def test_sampling_one_class_gives_that_class(recipe: str) -> None:
    gan = GAN(
        recipe, samples=64 * 500, batch_size=64, width=32, learning_rate=3e-3, threads=1, seed=0
    ).fit(*three_classes())
    for name, centre in CENTRES.items():
        new = np.asarray(gan.sample(200, label=name, seed=1))
        nearest = np.argmin([((new - other) ** 2).sum(1) for other in CENTRES.values()], axis=0)
        assert (nearest == list(CENTRES).index(name)).mean() >= 0.97
        assert np.abs(new.mean(0) - centre).max() < 1


@pytest.mark.parametrize("recipe", ["balanced", "cgan", "acgan"])
def test_renaming_the_labels_changes_nothing_but_the_labels(
    recipe: str, tiny: dict[str, Any]
) -> None:
    x, y = three_classes()
    renamed = {"left": "a", "right": "b", "top": "c"}  # in the same order, so that positions stay
    first = GAN(recipe, **tiny, seed=3).fit(x, y)
    second = GAN(recipe, **tiny, seed=3).fit(x, [renamed[name] for name in y])
    for name, other in renamed.items():
        assert np.array_equal(
            first.sample(20, label=name, seed=1), second.sample(20, label=other, seed=1)
        )
    assert np.array_equal(first.sample(20, seed=1), second.sample(20, seed=1))


@pytest.mark.parametrize("recipe", ["classic", "lsgan", "wgan"])
def test_without_conditional_labels_change_no_bit(recipe: str, tiny: dict[str, Any]) -> None:
    x, y = three_classes()
    plain = GAN(recipe, **tiny, seed=3).fit(x).sample(20, seed=1)
    shuffled = RNG.permutation(y)
    assert np.array_equal(
        plain, GAN(recipe, **tiny, seed=3, conditional=False).fit(x, y).sample(20, seed=1)
    )
    assert np.array_equal(
        plain, GAN(recipe, **tiny, seed=3, conditional=False).fit(x, shuffled).sample(20, seed=1)
    )


def test_shuffled_labels_leave_the_distribution_of_the_whole_and_lose_that_of_the_classes() -> None:
    x, y = three_classes()
    settings: dict[str, Any] = {
        "samples": 64 * 400,
        "batch_size": 64,
        "width": 32,
        "learning_rate": 3e-3,
        "threads": 1,
        "seed": 0,
    }
    gan = GAN("cgan", **settings).fit(x, RNG.permutation(y))
    for name in CENTRES:
        new = np.asarray(gan.sample(600, label=name, seed=1))
        nearest = np.argmin([((new - other) ** 2).sum(1) for other in CENTRES.values()], axis=0)
        assert np.bincount(nearest, minlength=3).min() > 60


LABELS: list[tuple[Hashable, Hashable]] = [
    (3, -7),
    (True, False),
    (0.5, 2.5),
    ("1", 1),
    ((1, "a"), (2, ("b", 3))),
    (b"\x00\xff", b"x"),
    (frozenset({1}), frozenset({2})),
    (datetime.date(2026, 1, 2), datetime.date(2025, 1, 2)),
    (np.int16(4), np.int16(5)),
    ((np.int64(1), "a"), (np.int64(2), "a")),
    (np.datetime64("2026-01-02", "ns"), np.datetime64("2026-01-03", "ns")),
    (datetime.date(2026, 1, 2), "2026-01-02"),
]


@pytest.mark.parametrize("labels", LABELS, ids=str)
def test_labels_of_any_hashable_type_are_asked_for_as_they_were_given_also_after_saving(
    labels: tuple[Hashable, Hashable], tiny: dict[str, Any], tmp_path: Path
) -> None:
    gan = GAN("cgan", **tiny).fit(RNG.normal(size=(60, 2)), [*labels] * 30)
    gan.save(tmp_path / "run")
    loaded = GAN.load(tmp_path / "run")
    first, second = (np.asarray(gan.sample(5, label=label, seed=0)) for label in labels)
    assert not np.array_equal(first, second)
    for label, drawn in zip(labels, (first, second), strict=True):
        assert np.array_equal(loaded.sample(5, label=label, seed=0), drawn)


@pytest.mark.parametrize("labels", LABELS[:6], ids=str)
def test_plain_labels_tuples_and_bytes_come_back_from_a_file_as_they_were(
    labels: tuple[Hashable, Hashable],
) -> None:
    schema = Schema((2,), "ND", "float64", classes=labels, class_counts=(1, 1))
    assert Schema.from_dict(schema.to_dict()).classes == labels


def test_an_array_of_dates_gives_dates_as_labels(tiny: dict[str, Any]) -> None:
    days = np.array(["2026-01-02", "2026-01-03"] * 30, "datetime64[ns]")
    gan = GAN("cgan", **tiny).fit(RNG.normal(size=(60, 2)), days)
    assert not np.array_equal(
        gan.sample(5, label=days[0], seed=0), gan.sample(5, label=days[1], seed=0)
    )


def test_a_label_is_found_by_itself_before_its_text() -> None:
    schema = Schema((2,), "ND", "float64", classes=("1", 1), class_counts=(1, 1))
    assert [schema.class_index(label) for label in ("1", 1)] == [0, 1]


def drawn(monkeypatch: pytest.MonkeyPatch, gan: GAN, **asked: Any) -> tuple[Any, Any, str]:
    """The distribution, the real samples and the title that `draw` hands on."""
    handed: list[Any] = []
    monkeypatch.setattr(plots, "picture", lambda *arguments: handed.append(arguments[3:]) or b"")
    gan.draw("x.png", 500, **asked)
    distribution, real, title = handed[0]
    return distribution, real, title


@pytest.mark.usefixtures("here")
def test_one_label_is_drawn_beside_held_out_samples_of_that_label(
    monkeypatch: pytest.MonkeyPatch, tiny: dict[str, Any]
) -> None:
    which = np.arange(300) % 3
    x = RNG.normal(size=(300, 2)) + 100 * which[:, None]
    gan = GAN("cgan", **tiny).fit(x, [("a", "b", "c")[i] for i in which])
    _, real, title = drawn(monkeypatch, gan, label="b")
    assert 0 < len(real) < 30
    assert np.abs(real - 100).max() < 50
    assert ", label b, " in title
    _, real, title = drawn(monkeypatch, gan)
    assert len(real) == 30
    assert "label" not in title


@pytest.mark.usefixtures("here")
def test_one_label_of_a_distribution_is_drawn_beside_its_mode_and_not_the_whole_distribution(
    monkeypatch: pytest.MonkeyPatch, tiny: dict[str, Any]
) -> None:
    gan = GAN("cgan", **tiny).fit("ring")
    distribution, real, _ = drawn(monkeypatch, gan, label=2)
    assert distribution is None
    assert 0 < len(real) <= 500
    assert np.ptp(real, axis=0).max() < 0.5
    distribution, real, _ = drawn(monkeypatch, gan)
    assert distribution is not None
    assert np.ptp(real, axis=0).max() > 1.5


def test_a_distribution_of_modes_has_them_as_labels(tiny: dict[str, Any]) -> None:
    gan = GAN("cgan", **tiny).fit("ring")
    assert np.asarray(gan.sample(3, label=7)).shape == (3, 2)
    with pytest.raises(RequestError, match="label 8 is not among the classes"):
        gan.sample(3, label=8)
    with pytest.raises(RequestError, match="cgan learns classes, but the data has no labels"):
        GAN("cgan", **tiny).fit("gaussian")
    assert GAN("balanced", **tiny).fit("ring").sample(2).shape == (2, 2)


def test_switching_classes_off_in_a_recipe_of_classes_is_refused(tiny: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="conditional is off, but acgan learns classes"):
        GAN("acgan", **tiny, conditional=False).fit(*three_classes())
