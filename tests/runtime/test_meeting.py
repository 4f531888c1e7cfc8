"""Where ranks meet: on a store that may hold what an earlier start has written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from torch.distributed import HashStore

from equipoise.errors import RequestError
from equipoise.runtime.meeting import store_of_start, unwritten_part
from equipoise.runtime.ranks import LostRankError


def meet(store: HashStore, size: int, *, late: int) -> list[bytes]:
    """What each rank reads of what rank 0 has written, where one comes last."""
    with ThreadPoolExecutor(size) as pool:
        order = [*(rank for rank in range(size) if rank != late), late]
        found = {rank: pool.submit(unwritten_part, store, rank, size, 20.0) for rank in order}
        parts = [found[rank].result() for rank in range(size)]
    assert not parts[0].check(["address"]), "an earlier start has written here"
    parts[0].set("address", "rank 0's")
    return [part.get("address") for part in parts]


@pytest.mark.parametrize("late", [0, 1, 2])
def test_each_start_has_a_part_of_its_own_on_the_same_store(late: int) -> None:
    store = HashStore()
    for size in (3, 3, 2, 3):
        assert meet(store, size, late=min(late, size - 1)) == [b"rank 0's"] * size


def test_ranks_that_do_not_come_are_named() -> None:
    with pytest.raises(LostRankError, match="rank 1, 2 of 3 processes did not start within 0 s"):
        unwritten_part(HashStore(), 0, 3, 0.0)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "WORLD_SIZE = 2, without MASTER_ADDR and MASTER_PORT: start .* torchrun"),
        ({"MASTER_ADDR": "localhost", "MASTER_PORT": "a"}, "MASTER_PORT = 'a': must be a port"),
        ({"RANK": "2"}, "RANK = 2: must be less than WORLD_SIZE = 2"),
    ],
)
def test_variables_that_make_half_a_rank_are_refused(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"RANK": "0", "WORLD_SIZE": "2"} | variables).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RequestError, match=told):
        store_of_start(1.0)
