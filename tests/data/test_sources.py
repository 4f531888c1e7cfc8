from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from equipoise.data.arrays import from_array
from equipoise.data.datasets import FetchedSource
from equipoise.data.distributions import Distribution, Gaussian, Ring, Swissroll
from equipoise.data.factory import open_source
from equipoise.data.limits import image_limits
from equipoise.data.loading import Stream, seeded
from equipoise.data.sources import DistributionSource, RowsSource, Source
from equipoise.errors import RequestError
from equipoise.transforms.scaling import Scaling, fit_scaling

CPU = torch.device("cpu")
NUMBERS = np.arange(200.0)


def in_memory() -> Source:
    return RowsSource("array", from_array(NUMBERS, None, "x"), split_seed=3)


def fetched() -> Source:
    rows = from_array(NUMBERS, None, "x")
    return FetchedSource(
        "dataset",
        rows.schema,
        "0" * 64,
        lambda indices: rows.values[indices],
        None,
        200,
        split_seed=3,
    )


@pytest.mark.parametrize("make", [in_memory, fetched])
def test_a_held_out_tenth_is_never_trained_on(make: type[Source]) -> None:
    source = make()
    held = set(source.held_out(10_000, 0)[:, 0].tolist())
    scaling = fit_scaling(source, "standard", 0)
    loader = source.loader(18, scaling.scaled, CPU, 0)
    trained = {
        round(float(value)) for _ in range(40) for value in scaling.decode(loader.next()[0])[:, 0]
    }
    assert len(held) == 20
    assert trained == set(NUMBERS.tolist()) - held
    assert set(source.seen(10_000, 0)[:, 0].tolist()) == trained


def test_in_memory_and_fetched_rows_have_equal_splits_and_batches() -> None:
    one, other = in_memory(), fetched()
    assert torch.equal(one.held_out(99, 0), other.held_out(99, 0))
    scaling = fit_scaling(one, "standard", 0)
    assert torch.equal(fit_scaling(other, "standard", 0).shift, scaling.shift)
    for source in (one, other):
        assert source.training_rows == 180
    loaders = one.loader(16, scaling.scaled, CPU, 5), other.loader(16, scaling.scaled, CPU, 5)
    assert all(torch.equal(loaders[0].next()[0], loaders[1].next()[0]) for _ in range(20))


def test_scaling_is_fitted_to_the_training_part_alone() -> None:
    source = in_memory()
    scaling = fit_scaling(source, "standard", 0)
    trained = source.seen(10_000, 0).numpy()
    assert scaling.shift[0] == pytest.approx(trained.mean(), rel=1e-12)
    assert scaling.scale[0] == pytest.approx(trained.std(), rel=1e-12)
    assert trained.mean() != NUMBERS.mean()


def test_a_distribution_holds_out_another_draw_than_it_loaders() -> None:
    source = DistributionSource(Gaussian())
    scaling = fit_scaling(source, "standard", 0)
    held = scaling.scaled(source.held_out(5000, 0))
    fed = source.loader(5000, scaling.scaled, CPU, 0).next()[0]
    assert not np.isin(held.numpy(), fed.numpy()).any()


def test_the_fingerprint_changes_with_one_value_and_with_the_labels() -> None:
    changed = NUMBERS.copy()
    changed[7] += 1e-9
    arrays = [
        (NUMBERS, None),
        (changed, None),
        (NUMBERS.astype("float32"), None),
        (NUMBERS, [0, 1] * 100),
        (NUMBERS, ["a", "b"] * 100),
    ]
    prints = {RowsSource("array", from_array(x, y, "x"), 0).fingerprint for x, y in arrays}
    assert len(prints) == len(arrays)
    assert in_memory().fingerprint in prints


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        (np.array([3, 200], np.uint8), (0, 255)),
        (np.array([3, 200], np.uint16), (0, 255)),
        (np.array([3, 4000], np.uint16), (0, 4095)),
        (np.array([3, 40000], np.uint16), (0, 65535)),
        (np.array([0.2, 0.9]), (0, 1)),
        (np.array([-0.2, 0.9]), (-1, 1)),
        (np.array([-3.0, 40.0]), (-3, 40)),
    ],
)
def test_images_have_the_range_of_their_type(
    values: np.ndarray, limits: tuple[float, float]
) -> None:
    assert image_limits(values) == limits


def test_fetched_images_of_one_colour_are_refused() -> None:
    rows = from_array(
        np.random.default_rng(0).integers(0, 9, (40, 4, 4)).astype(np.uint8), None, "x"
    )
    with pytest.raises(RequestError, match="one distinct value, 5"):
        FetchedSource(
            "folder",
            rows.schema,
            "",
            lambda indices: np.full((len(indices), 1, 4, 4), 5, np.uint8),
            None,
            40,
            0,
        )


@pytest.mark.parametrize("distribution", [Gaussian(), Ring(), Swissroll()])
def test_what_is_held_out_of_a_distribution_is_no_draw_that_training_sees(
    distribution: Distribution,
) -> None:
    source = DistributionSource(distribution)
    loader = source.loader(
        1000,
        Scaling((distribution.dimension,)).scaled,
        torch.device("cpu"),
        seed=3,
    )
    trained = torch.cat([loader.next()[0] for _ in range(65 * 3)])
    apart = {"held out": source.held_out(1000, 3), "seen": source.seen(1000, 3)}
    for rows in (*apart.values(), torch.cat(list(apart.values())).unique(dim=0)):
        seen = set(
            map(tuple, trained.tolist())
        )  # single precision, in which some draws of 195,000 on a line meet by chance
        assert sum(tuple(row) in seen for row in rows.float().tolist()) < 0.1 * len(rows)
    assert len(torch.cat(list(apart.values())).unique(dim=0)) == 2000


def test_every_purpose_of_randomness_draws_other_numbers() -> None:
    draws = {
        torch.rand((), generator=seeded(5, purpose, *more)).item()
        for purpose in Stream
        for more in ((), (0,), (1,), (2,))
    }
    assert len(draws) == 4 * len(Stream)


@pytest.mark.parametrize("held_out", [False, True])
def test_labelled_samples_keep_their_labels(held_out: bool) -> None:
    x = np.arange(200.0).reshape(100, 2)
    source = open_source(x, [f"{int(value) // 50}" for value in x[:, 0]])
    found = source.labelled(30, 0, held_out=held_out)
    assert found is not None
    values, labels = found
    assert len(values) == (10 if held_out else 30)
    assert source.schema.classes is not None
    assert [source.schema.classes[i] for i in labels] == [
        f"{int(value) // 50}" for value in values[:, 0]
    ]
    assert torch.equal(values, source.held_out(30, 0) if held_out else source.seen(30, 0))


def test_samples_without_labels_have_none() -> None:
    assert open_source(np.arange(100.0)).labelled(10, 0, held_out=True) is None


@pytest.mark.parametrize("make", [in_memory, fetched])
def test_with_early_stopping_the_held_out_rows_are_half_validation_half_test(
    make: Callable[[], Source],
) -> None:
    whole, halved = make(), make()
    halved.has_validation = True
    rows = {
        name: {row.numpy().tobytes() for row in part}
        for name, part in {
            "all": whole.held_out(99, 0),
            "validation": halved.validation(99, 0),
            "test": halved.held_out(99, 0),
            "seen": halved.seen(999, 0),
        }.items()
    }
    assert torch.equal(whole.validation(99, 0), whole.held_out(99, 0))
    assert rows["validation"] | rows["test"] == rows["all"]
    assert not rows["validation"] & rows["test"]
    assert not rows["seen"] & rows["all"]
    assert len(halved.validation(99, 0)) == len(halved.held_out(99, 0)) == 10


def test_a_distribution_draws_separate_validation_samples() -> None:
    source = DistributionSource(Gaussian())
    assert not set(source.validation(100, 0).flatten().tolist()) & set(
        source.held_out(100, 0).flatten().tolist()
    )
