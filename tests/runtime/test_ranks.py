"""One process does nothing; two agree on gradients, weights, the clock and the stop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from equipoise.data.distributions import Gaussian
from equipoise.data.loading import DistributionLoader, IndexedLoader, batches, seeded
from equipoise.data.streams import StreamSource
from equipoise.errors import EquipoiseError
from equipoise.runtime import shared_memory
from equipoise.runtime.op_counter import OpCounter
from equipoise.runtime.ranks import SINGLE, Ranks

CPU = torch.device("cpu")


def test_a_single_process_communicates_nothing_and_pays_nothing() -> None:
    tensors = [torch.arange(3.0), torch.ones(2)]
    before = [tensor.clone() for tensor in tensors]
    with OpCounter() as count:
        SINGLE.mean_(tensors)
        SINGLE.broadcast_(tensors)
        assert SINGLE.gather(tensors[0]) is tensors[0]
        assert (SINGLE.share(1), SINGLE.of_all(1)) == (1, [1])
        assert SINGLE.is_main
        assert (SINGLE.any(True), SINGLE.any(False), SINGLE.agree(2.5)) == (True, False, 2.5)
    assert not count.operations
    assert all(torch.equal(a, b) for a, b in zip(tensors, before, strict=True))


def test_a_rank_is_one_of_the_processes() -> None:
    with pytest.raises(ValueError, match="rank = 2: must be 0 to 1 of 2 processes"):
        Ranks(2, 2)


def test_every_rank_draws_numbers_of_its_own_and_rank_0_those_of_a_single_process() -> None:
    seeds = [seeded(1, 2, rank=rank).initial_seed() for rank in range(3)]
    assert seeds[0] == seeded(1, 2).initial_seed()
    assert len(set(seeds)) == 3


def test_ranks_take_the_rows_of_one_larger_batch_in_turn() -> None:
    position = {"epoch": 0, "cursor": 0}
    whole = batches(20, 6, 0, position, CPU)
    parts = [batches(20, 3, 0, position, CPU, rank, 2) for rank in range(2)]
    for _ in range(7):
        epoch, cursor, rows = next(whole)
        taken = [next(part) for part in parts]
        assert [at[:2] for at in taken] == [(epoch, cursor)] * 2
        assert torch.equal(torch.cat([at[2] for at in taken]), rows)


def test_split_loaders_give_the_parts_of_one_batch_and_have_its_position() -> None:
    x = torch.arange(40.0)[:, None]

    def of_rows(size: int) -> IndexedLoader:
        return IndexedLoader(lambda i: x[i], 40, None, 0, size, lambda raw: raw, CPU)

    def of_draws(size: int) -> DistributionLoader:
        return DistributionLoader(Gaussian(), 0, size, lambda raw: raw, CPU)

    for make in (of_rows, of_draws):
        alone, first, second = make(20), make(10), make(10)
        first.split(0, 2)
        second.split(1, 2)
        for _ in range(3):
            a, b = first.next()[0], second.next()[0]
            assert torch.equal(torch.cat([a, b]), alone.next()[0])
            assert first.position() == second.position() == alone.position()


def test_a_long_one_shot_iterator_is_not_split() -> None:
    source = StreamSource("stream", iter(torch.randn(12, 1000, 2).numpy()))
    loader = source.loader(16, lambda raw: raw, CPU, 0)
    with pytest.raises(EquipoiseError, match="2 processes cannot share a stream"):
        loader.split(0, 2)


PROCESS = """
import math
import os
import sys
from contextlib import ExitStack
import torch
import torch.distributed as dist
import torch.distributed.nn  # the default arguments of its functions hold a group that exists
from equipoise.data.distributions import Gaussian
from equipoise.data.sources import DistributionSource
from equipoise.recipes._building import build_method
from equipoise.recipes.balanced import Balanced
from equipoise.runtime.ranks import Ranks
from equipoise.training.loop import Clock, Control, Finished, Recovered, Report, train
from equipoise.training.state import State
from equipoise.transforms.scaling import fit_scaling

torch.set_num_threads(1)
rank, cpu = int(sys.argv[1]), torch.device("cpu")
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
ranks = Ranks.of_process_group()
assert (ranks.rank, ranks.size, ranks.is_main) == (rank, 2, rank == 0)
through = ExitStack()
if sys.argv[3] == "memory":
    through.enter_context(ranks.sharing_memory())

weights = [torch.full((2, 3), 1.0 + rank).t(), torch.full((4,), 10.0 * rank)]
ranks.mean_(weights)
assert weights[0].shape == (3, 2) and weights[0].eq(1.5).all() and weights[1].eq(5).all()
tensors = [torch.tensor(rank), torch.full((2,), float(rank)), torch.tensor(rank + 7)]
ranks.broadcast_(tensors)
assert [tensor.sum().item() for tensor in tensors] == [0, 0, 7]
assert [ranks.any(rank == 1), ranks.any(False), ranks.agree(rank + 0.25)] == [True, False, 0.25]

source, recipe = DistributionSource(Gaussian()), Balanced(batch_size=16, width=8)
loader = source.loader(16, fit_scaling(source, recipe.scaling, 0).scaled, cpu, 0)
method = build_method(recipe, source.schema, seed=rank)  # the start is rank 0's
state = State(method, recipe, loader, 0, cpu, ranks=ranks)
control, optimize, steps = Control(), state.optimize_generator, 0

def spoiled(gradients):
    global steps
    optimize(gradients)
    steps += 1
    if rank == 1 and steps == 30:
        with torch.no_grad():
            state.weights_g[0].view(-1)[0] = math.nan
    if rank == 1 and steps == 90:
        control.stop("SIGTERM")

state.optimize_generator = spoiled
events = list(train(state, Clock(state, 16 * 2 * 200, None), control))
assert steps == 90 and state.samples_seen == 90 * 16 * 2 and state.recoveries == 1
kinds = {type(event) for event in events}
assert Recovered in kinds and Report in kinds if rank == 0 else kinds == {Finished}
assert events[-1].reason == "SIGTERM"

flat = torch.cat([weight.detach().flatten() for weight in (*state.weights_g, *state.weights_d)])
seconds = torch.tensor([state.seconds])
for value in (flat, seconds):
    of_all = [torch.empty_like(value) for _ in range(2)]
    dist.all_gather(of_all, value)
    assert torch.equal(*of_all) and value.isfinite().all()
latents = [torch.empty(1, method.prior.width) for _ in range(2)]
dist.all_gather(latents, state.latents(1))
assert not torch.equal(*latents)
through.close()
dist.barrier()
dist.destroy_process_group()
threads = {open(f"/proc/self/task/{t}/comm").read() for t in os.listdir("/proc/self/task")}
assert not [name for name in threads if "gloo" in name], "they abort at the interpreter's exit"
"""


@pytest.mark.parametrize("through", ["sockets", "memory"])
def test_two_processes_agree_on_weights_clock_roll_back_and_stop(
    tmp_path: Path, through: str
) -> None:
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), str(tmp_path / "meeting"), through],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in range(2)
    ]
    try:
        answers = [process.communicate(timeout=120)[0] for process in ranks]
    finally:
        for process in ranks:
            process.kill()
    assert [process.returncode for process in ranks] == [0, 0], "\n".join(answers)


def test_distribution_is_not_imported_where_one_process_trains() -> None:
    code = (
        "import sys, torch; before = set(sys.modules)\n"
        "import equipoise.runtime.ranks as ranks\n"
        "ranks.SINGLE.mean_([torch.ones(1)]); ranks.SINGLE.any(True); ranks.Ranks.current()\n"
        "assert not [name for name in set(sys.modules) - before if 'distributed' in name]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_does_not_fit_into_one_slot_of_shared_memory_is_gathered_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OneSlot:
        """Every gathered part is in the same place."""

        slot = torch.zeros(2, 3)

        def gather(self, part: torch.Tensor) -> torch.Tensor:
            self.slot[:, : len(part)] = torch.stack([part, -part])
            return self.slot[:, : len(part)]

    monkeypatch.setattr(shared_memory, "SLOT", 3 * 4)
    ranks = Ranks(0, 2, torch.device("cpu"))
    monkeypatch.setattr(ranks, "_memory", OneSlot())
    flat = torch.arange(8.0)
    assert torch.equal(ranks._all(flat), torch.stack([flat, -flat]))
