"""Two steps of each recipe in one process, and in several on the same batches.

    python tests/training/rank_steps.py MEETING RANK RANKS sockets|memory NAME ...

Every process takes both, in float64. They communicate through sockets or memory.
Rank 0 prints by name the largest difference of a weight, moment, statistic or
controller, relative to the largest in its tensor, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist
import torch.distributed.nn  # before there is a group, see runtime.processes
from torch import Tensor

from equipoise.data.loading import Encode, Loader
from equipoise.data.schema import Schema
from equipoise.recipes import find
from equipoise.recipes._building import build_method
from equipoise.runtime.ranks import SINGLE, Ranks
from equipoise.training.state import State
from equipoise.training.step import adversarial_step

PART, STEPS = 8, 2  # rows of each process's part: two blocks, since some losses take half of it
RAND, RANDN, RANDINT = torch.rand, torch.randn, torch.randint
BERNOULLI = torch.Tensor.bernoulli_
BLOCK = 4  # rows that stay together: a group of the minibatch standard deviation
FLOOR = 1e-3  # of the largest: a weight whose gradient is zero but for rounding
POINTS = Schema((2,), "ND", "float64", classes=(0, 1, 2), class_counts=(1, 1, 1))
GREY = Schema((1, 16, 16), "NHW", "uint8", classes=(0, 1, 2), class_counts=(1, 1, 1))
COLOR = Schema((3, 16, 16), "NCHW", "uint8", classes=(0, 1, 2), class_counts=(1, 1, 1))
ADAPTED: dict[str, Any] = {"augment": "color,translation,cutout", "augment_target": 0.6}
LAZY: dict[str, Any] = {
    "path_length": 2.0,
    "path_length_interval": 1,
    "penalty_interval": 1,
    "mixing": 0.9,
}
Case = tuple[str, Schema, dict[str, Any]]
NAMED: tuple[Case, ...] = (
    ("balanced", POINTS, {"clusters": 0}),
    ("balanced images", GREY, {**ADAPTED, "clusters": 0}),
    ("balanced color", COLOR, {"photo_features": False, "clusters": 0}),
    ("classic", POINTS, {}),
    ("pacgan", POINTS, {}),
    ("classic images", GREY, {}),
    *((name, GREY, {}) for name in ("dcgan", "cgan", "acgan", "infogan", "wgan-gp")),
    # With the default bound a change of the samples by 1e-15 becomes one of the weights
    # by 3e-7 in these steps, in one process too: RMSProp divides by small gradients.
    ("wgan", GREY, {"norm_clip": 0.01}),
    *((name, GREY, {}) for name in ("lsgan", "sngan", "dragan", "r3gan", "sagan")),
    ("began", GREY, {"clusters": 0}),
    ("stylegan2", GREY, LAZY),
    ("fastgan", COLOR, {}),
    ("projected", COLOR, {}),
)
CASES: dict[str, Case] = {name: (name.split()[0], schema, given) for name, schema, given in NAMED}


def dealt(rows: Tensor, rank: int, ranks: int) -> Tensor:
    """This rank's rows of all, in blocks."""
    block = min(BLOCK, len(rows) // ranks)
    return rows.reshape(-1, ranks, block, *rows.shape[1:])[:, rank].flatten(0, 1)


@contextmanager
def dealing_draws(rank: int, ranks: int) -> Iterator[None]:
    """A context in which a rank's random numbers are its part of a single process's."""

    def dealing(draw: Any) -> Any:
        def drawn(*shape: Any, **given: Any) -> Tensor:
            n, *sides = shape[0] if isinstance(shape[0], torch.Size) else shape
            return dealt(draw(n * ranks, *sides, **given), rank, ranks)

        return drawn

    def dealt_randint(high: int, shape: tuple[int, ...], **given: Any) -> Tensor:
        return dealt(RANDINT(high, (shape[0] * ranks, *shape[1:]), **given), rank, ranks)

    def dealt_bernoulli(x: Tensor, p: float, generator: torch.Generator) -> Tensor:
        full = BERNOULLI(x.new_empty(len(x) * ranks, *x.shape[1:]), p, generator=generator)
        return x.copy_(dealt(full, rank, ranks))

    with (
        mock.patch("torch.rand", dealing(RAND)),
        mock.patch("torch.randn", dealing(RANDN)),
        mock.patch("torch.randint", dealt_randint),
        mock.patch.object(torch.Tensor, "bernoulli_", dealt_bernoulli),
    ):
        yield


class Dealt(Loader):
    """A rank's part of random batches."""

    def __init__(self, schema: Schema, labelled: bool, rows: int, ranks: int) -> None:
        encode: Encode = lambda raw: raw  # noqa: E731
        super().__init__(rows // ranks, encode, torch.device("cpu"))
        self.schema, self.labelled, self.rows = schema, labelled, rows
        self.generator = torch.Generator().manual_seed(3)

    def split(self, rank: int, ranks: int) -> None:
        self.rank, self.ranks = rank, ranks

    def next(self) -> tuple[Tensor, Tensor | None]:
        x = torch.empty(self.rows, *self.schema.shape).normal_(generator=self.generator).double()
        y = torch.empty(self.rows, dtype=torch.int64).random_(3, generator=self.generator)
        mine = [dealt(part, self.rank, self.ranks) for part in (x.clamp(-1, 1), y)]
        return mine[0], mine[1] if self.labelled else None


def trained(name: str, ranks: Ranks, rows: int) -> dict[str, Tensor]:
    """The state after the steps on batches of so many rows."""
    recipe_name, schema, given = CASES[name]
    kind = find(recipe_name)
    sizes = {"batch_size": rows, **({"width": 4} if "width" in kind.__dataclass_fields__ else {})}
    recipe = kind.for_data(schema, {"conditional": kind.needs_labels, **sizes, **given})
    method = build_method(recipe, schema, seed=ranks.rank)  # the start is rank 0's
    for network in (method.generator, method.discriminator, method.augmentation, method.controller):
        if network is not None:
            network.double()
    loader = Dealt(schema, bool(recipe.conditional), rows, ranks.size)
    state = State(method, recipe, loader, 0, torch.device("cpu"), ranks=ranks)
    for generator in state.randomness.values():
        generator.manual_seed(5)
    latents = torch.Generator().manual_seed(7)

    def latents_of_rank(n: int) -> Tensor:
        with dealing_draws(0, 1):
            whole = method.prior.sample(n * ranks.size, latents).double()
        return dealt(whole, ranks.rank, ranks.size)

    state.latents = latents_of_rank  # type: ignore[method-assign]
    for _ in range(STEPS):
        rates = method.schedule(0.0, state.samples_seen)
        state.apply(rates)
        with dealing_draws(ranks.rank, ranks.size):
            adversarial_step(state, rates)
        state.samples_seen += state.samples_per_step
    return {key: value.double() for key, value in state.weights().items()}


def difference(alone: dict[str, Tensor], together: dict[str, Tensor]) -> float:
    """The largest difference, relative to the largest value of its tensor."""
    assert alone.keys() == together.keys()
    return max(
        ((value - together[name]).abs().max() / value.abs().max().clamp(min=FLOOR)).item()
        for name, value in alone.items()
    )


def main(meeting: str, rank: int, size: int, through: str, names: list[str]) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
    ranks, found = Ranks.of_process_group(), {}
    with ranks.sharing_memory() if through == "memory" else nullcontext():
        for name in names:
            alone, together = (trained(name, of, PART * size) for of in (SINGLE, ranks))
            found[name] = difference(alone, together)
    worst = [max(of_rank[name] for of_rank in ranks.of_all(found)) for name in names]
    dist.destroy_process_group()
    if rank == 0:
        sys.stdout.write(json.dumps(dict(zip(names, worst, strict=True))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:])
