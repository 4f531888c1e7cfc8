"""What several processes have to agree on before they train together."""

from __future__ import annotations

import platform
from bisect import bisect
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from equipoise import __version__
from equipoise.data.sources import Source
from equipoise.errors import RequestError
from equipoise.recipes._building import recipe_to_dict
from equipoise.recipes.base import Recipe
from equipoise.runs.settings import RunSettings
from equipoise.runtime.device import resolve_device
from equipoise.runtime.ranks import Ranks
from equipoise.transforms.chain import Chain

# Settings of a run that do not change what is computed.
FREE_SETTINGS = ("threads", "evaluate", "tracker", "memory_budget")


def check_start(ranks: Ranks, *, resumes: bool, warm: bool) -> None:
    """Check that all ranks start in the same way, before they do.

    Args:
        ranks: The processes.
        resumes: Whether this one goes on with a run.
        warm: Whether this one starts from the weights of another training.

    Raises:
        RequestError: They differ.
    """
    if ranks.size > 1:
        ranks.check_equal({"the setting resume": resumes, "the setting init_from": warm})


def check_shared(
    ranks: Ranks, source: Source, recipe: Recipe, settings: RunSettings, *, resumes: bool = False
) -> None:
    """Check that these ranks can train together, and train the same.

    Raises:
        RequestError: They cannot, or differ.
    """
    if ranks.size == 1:
        return
    ranks.check_equal(_facts(source, recipe, settings))
    check_batch(ranks.size, recipe.batch_size, recipe.packing, resumes=resumes)
    with ranks.failing_together():
        gpu = _gpu(settings.device)
    check_gpus(ranks.of_all(gpu))
    rows = source.training_rows
    if rows is not None and rows < ranks.size:
        raise RequestError(
            f"processes = {ranks.size}: there are {rows} samples to train on: give at most "
            "one process for each"
        )


def check_gpus(of_ranks: Sequence[str | None]) -> None:
    """Check that no two ranks share a GPU.

    Args:
        of_ranks: The identity of each rank's GPU; None for a CPU.

    Raises:
        RequestError: Two do.
    """
    first: dict[str, int] = {}
    for rank, gpu in enumerate(of_ranks):
        if gpu is None:
            continue
        if gpu in first:
            raise RequestError(
                f"rank {rank} has the GPU that rank {first[gpu]} has: call "
                "torch.cuda.set_device(int(os.environ['LOCAL_RANK'])) before fit, or give "
                "device = 'cpu'"
            )
        first[gpu] = rank


def _gpu(device: str) -> str | None:
    """The identity of the GPU that a device's name stands for; None for a CPU."""
    resolved = resolve_device(device)
    if resolved.type != "cuda":
        return None
    return str(torch.cuda.get_device_properties(resolved).uuid)


def check_batch(
    processes: int, batch_size: int, packing: int = 1, *, resumes: bool = False
) -> None:
    """Check that processes can have equal parts of a batch, of whole packs.

    Args:
        processes: How many.
        batch_size: Of all together.
        packing: Samples of a pack.
        resumes: Whether the batch size cannot be changed, only the number of processes.

    Raises:
        RequestError: They cannot.
    """
    unit = processes * packing
    if batch_size % unit == 0:
        return
    below = batch_size // unit * unit
    nearest = [str(size) for size in (below, below + unit) if size]
    packs = f" in packs of {packing}" if packing > 1 else ""
    if resumes:
        can = [n for n in range(1, batch_size + 1) if batch_size % (n * packing) == 0]
        at = bisect(can, processes)
        nearest = [str(n) for n in can[max(at - 1, 0) : at + 1]]
        raise RequestError(
            f"the run's batch_size = {batch_size} cannot be divided{packs} between {processes} "
            f"processes: resume it in {' or '.join(nearest)}"
        )
    raise RequestError(
        f"batch_size = {batch_size} cannot be divided{packs} between {processes} processes, "
        f"which share each batch: give {' or '.join(nearest)}"
    )


def _facts(source: Source, recipe: Recipe, settings: RunSettings) -> dict[str, Any]:
    """What must be equal on all ranks, by the name that a message has."""
    of_run = {
        f"the setting {name}": value
        for name, value in asdict(settings).items()
        if name not in FREE_SETTINGS
    }
    # Each rank may have a GPU of its own.
    of_run["the setting device"] = settings.device.partition(":")[0]
    of_recipe = {
        f"the setting {name}": value
        for name, value in recipe_to_dict(recipe).items()
        if name != "name"
    }
    return {
        "equipoise": __version__,
        "torch": torch.__version__,
        "python": ".".join(platform.python_version_tuple()[:2]),
        "the recipe": recipe.name,
        "the data": source.name,
        "data with the fingerprint": source.describe().fingerprint,
        **of_run,
        **of_recipe,
    }


def shared_transform(ranks: Ranks, chain: Chain | None, source: Source) -> Chain:
    """Rank 0's transform, on all ranks, so that they see the same data to the last bit.

    Args:
        ranks: The processes.
        chain: On rank 0 the transform; not used on others.
        source: The data.
    """
    if ranks.size == 1:
        assert chain is not None, "a single process has its transform"
        return chain
    given = (
        None
        if chain is None
        else (chain.config(), {name: value.cpu() for name, value in chain.state_dict().items()})
    )
    shared = ranks.share(given)
    if chain is not None and ranks.is_main:
        return chain
    assert shared is not None, "rank 0 has a transform"
    links, tensors = shared
    received = Chain.from_config(source.schema, list(links))
    received.load_state_dict(tensors)
    return received
