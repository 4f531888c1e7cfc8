from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch

from equipoise.data.distributions import Ring
from equipoise.data.loading import (
    DistributionLoader,
    IndexedLoader,
    Loader,
    PrefetchingLoader,
    seeded,
)
from equipoise.data.stream_loading import StreamLoader
from equipoise.data.stream_parts import Part
from equipoise.transforms.scaling import Scaling

CPU, ROWS = torch.device("cpu"), torch.arange(10.0)[:, None]
PLAIN = Scaling((1,))


def indexed(batch_size: int = 3, seed: int = 0) -> IndexedLoader:
    return IndexedLoader(
        lambda i: ROWS[i], len(ROWS), torch.arange(10), seed, batch_size, PLAIN.scaled, CPU
    )


def fetched_ahead(batch_size: int = 3, seed: int = 0) -> PrefetchingLoader:
    return PrefetchingLoader(
        lambda i: ROWS[i], len(ROWS), torch.arange(10), seed, batch_size, PLAIN.scaled, CPU
    )


def distribution(batch_size: int = 30_000, seed: int = 0) -> DistributionLoader:
    return DistributionLoader(Ring(), seed, batch_size, Scaling((2,)).scaled, CPU)


def stream(batch_size: int = 3) -> StreamLoader:
    def again() -> list[torch.Tensor]:
        return list(ROWS.split(4))

    return StreamLoader(
        iter(map(Part, [ROWS[1:4], ROWS[4:8], ROWS[8:]])),
        lambda: map(Part, again()),
        ROWS[:1],
        0,
        batch_size,
        PLAIN.scaled,
        CPU,
    )


def crowded() -> IndexedLoader:
    return indexed(batch_size=24)


@pytest.mark.parametrize("make", [indexed, fetched_ahead, crowded, distribution, stream])
def test_a_restored_loader_goes_on_with_the_very_same_batches(make: Callable[[], Loader]) -> None:
    for steps in range(9):
        one, other = make(), make()
        for _ in range(steps):
            one.next()
        other.restore(one.position())
        for _ in range(8):
            assert torch.equal(one.next()[0], other.next()[0])


@pytest.mark.parametrize("make", [indexed, fetched_ahead, distribution, stream])
def test_a_loader_can_go_back(make: Callable[[], Loader]) -> None:
    loader = make()
    loader.next()
    position = loader.position()
    first = loader.next()[0]
    for _ in range(5):
        loader.next()
    loader.restore(position)
    assert torch.equal(loader.next()[0], first)


def test_an_epoch_shows_every_row_at_most_once_in_a_new_order() -> None:
    loader = indexed(batch_size=5)
    epochs = [torch.cat([loader.next()[0] for _ in range(2)])[:, 0] for _ in range(3)]
    assert all(torch.equal(epoch.sort().values, ROWS[:, 0]) for epoch in epochs)
    assert not torch.equal(epochs[0], epochs[1])


def test_a_batch_of_more_than_all_rows_shows_each_of_them_as_often_as_any_other() -> None:
    loader = indexed(batch_size=24)
    batches = [loader.next()[0][:, 0] for _ in range(3)]
    for batch in batches:
        shown = batch.long().bincount(minlength=10)
        assert shown.sum() == 24
        assert set(shown.tolist()) == {2, 3}
    assert not torch.equal(batches[0], batches[1])


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 24])
def test_batches_fetched_ahead_are_the_same_as_those_that_are_not(batch_size: int) -> None:
    one, other = indexed(batch_size, seed=4), fetched_ahead(batch_size, seed=4)
    for _ in range(25):
        for mine, theirs in zip(one.next(), other.next(), strict=True):
            assert mine is not None
            assert theirs is not None
            assert torch.equal(mine, theirs)
        assert one.position() == other.position()


def test_an_error_while_fetching_ahead_is_raised_by_next_and_nothing_is_lost() -> None:
    failures = [RuntimeError("the disk is gone")]

    def fetch(index: torch.Tensor) -> torch.Tensor:
        if failures and len(fetched) == 4:
            raise failures.pop()
        fetched.append(index)
        return ROWS[index]

    fetched: list[torch.Tensor] = []
    loader, expected = PrefetchingLoader(fetch, len(ROWS), None, 0, 3, PLAIN.scaled, CPU), indexed()
    for _ in range(4):
        assert torch.equal(loader.next()[0], expected.next()[0])
    with pytest.raises(RuntimeError, match="the disk is gone"):
        loader.next()
    for _ in range(4):
        assert torch.equal(loader.next()[0], expected.next()[0])


def test_the_thread_that_fetches_ahead_ends_with_the_loader() -> None:
    before = set(threading.enumerate())
    loader = fetched_ahead()
    loader.next()
    own = set(threading.enumerate()) - before
    assert own
    del loader
    for thread in own:
        thread.join(600)
    assert not any(thread.is_alive() for thread in own)


@pytest.mark.parametrize("make", [indexed, fetched_ahead])
def test_labels_stay_with_their_rows(make: Callable[[], Loader]) -> None:
    loader = make()
    for _ in range(7):
        x, y = loader.next()
        assert y is not None
        assert torch.equal(x[:, 0].long(), y)


def test_the_seed_decides_the_order() -> None:
    assert torch.equal(indexed(9, seed=1).next()[0], indexed(9, seed=1).next()[0])
    assert not torch.equal(indexed(9, seed=1).next()[0], indexed(9, seed=2).next()[0])


def test_a_distribution_is_never_repeated() -> None:
    loader = distribution(batch_size=50_000)
    seen = torch.cat([loader.next()[0] for _ in range(4)])
    assert len(seen.unique(dim=0)) == len(seen)


def test_a_stream_never_yields_the_rows_held_out() -> None:
    loader = stream()
    assert all((loader.next()[0] != 0).all() for _ in range(12))


def test_generators_of_other_seeds_differ_and_their_order_matters() -> None:
    drawn = {
        torch.rand((), generator=seeded(*numbers)).item()
        for numbers in ((0,), (1,), (0, 1), (1, 0), (0, 0))
    }
    assert len(drawn) == 5
