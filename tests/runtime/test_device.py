"""Which devices can be used, and what is free: the system's word, and the limits of the
control groups above this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.errors import RequestError
from equipoise.runtime.device import free_memory, resolve_device

CPU = torch.device("cpu")
MIB = 2**20


@pytest.mark.parametrize(("cuda", "expected"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_a_gpu_that_cuda_has_and_never_apples(
    cuda: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    assert resolve_device("auto").type == expected


def test_apples_gpus_are_refused_with_an_alternative(trained: Path) -> None:
    for asked in (
        lambda: GAN(device="mps").fit("gaussian"),
        lambda: GAN.load(trained, device="mps:0"),
    ):
        with pytest.raises(
            RequestError, match=r"^device = 'mps(:0)?': Apple's GPUs have no float64, .*: give cpu$"
        ):
            asked()


@pytest.mark.parametrize(
    ("gpus", "right"),
    [(0, "cpu or auto"), (1, "cpu, cuda:0, or auto"), (2, "cpu, cuda:0 to cuda:1")],
)
def test_a_gpu_that_is_not_there_is_refused_with_those_that_are(
    gpus: int, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def allocate(_: int, device: torch.device) -> None:
        if (device.index or 0) >= gpus:
            raise RuntimeError("CUDA error: invalid device ordinal")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch, "zeros", allocate)
    if gpus == 2:
        assert resolve_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(
        RequestError, match=f"device = 'cuda:2' is not available here: give {right}"
    ):
        resolve_device("cuda:2")


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A machine with 8,000 MiB available, whose process is in the group /a/b."""
    write(
        tmp_path,
        {
            "proc/meminfo": f"MemTotal: 99999999 kB\nMemAvailable:    {8000 * 1024} kB\n",
            "proc/self/cgroup": "0::/a/b\n",
            "groups/a/memory.max": "max\n",
        },
    )
    return tmp_path


def free(system: Path) -> int | None:
    return free_memory(CPU, system / "proc", system / "groups")


def test_without_a_limit_it_is_what_the_system_has_available(system: Path) -> None:
    assert free(system) == 8000 * MIB


def test_a_group_leaves_its_limit_less_what_is_used_and_cannot_be_dropped(system: Path) -> None:
    write(
        system / "groups/a/b",
        {
            "memory.max": str(1000 * MIB),
            "memory.current": str(400 * MIB),
            "memory.stat": f"anon 1\ninactive_file {100 * MIB}\n",
        },
    )
    assert free(system) == 700 * MIB


def test_a_limit_on_a_group_above_holds_too(system: Path) -> None:
    write(system / "groups/a/b", {"memory.max": str(1000 * MIB), "memory.current": "0"})
    write(system / "groups/a", {"memory.max": str(300 * MIB), "memory.current": str(100 * MIB)})
    assert free(system) == 200 * MIB


def test_groups_of_the_first_version_are_read(system: Path) -> None:
    write(system, {"proc/self/cgroup": "11:cpu,cpuacct:/x\n4:memory:/job\n0::/\n"})
    limits = {"memory.limit_in_bytes": str(900 * MIB), "memory.usage_in_bytes": str(500 * MIB)}
    write(
        system / "groups/memory/job",
        {**limits, "memory.stat": f"inactive_file 1\ntotal_inactive_file {50 * MIB}\n"},
    )
    write(
        system / "groups/memory",
        {"memory.limit_in_bytes": str(2**63 - 4096), "memory.usage_in_bytes": "0"},
    )
    assert free(system) == 450 * MIB


def test_a_group_that_is_over_its_limit_leaves_nothing(system: Path) -> None:
    write(system / "groups/a/b", {"memory.max": "100", "memory.current": "200"})
    assert free(system) == 0


def test_where_the_system_does_not_tell_it_is_not_known(tmp_path: Path) -> None:
    assert free(tmp_path) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
@pytest.mark.parametrize("recipe", ["balanced", "dcgan"])
def test_a_gpu_trains_evaluates_and_goes_on(recipe: str, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (80, 8, 8), np.uint8)
    settings: dict[str, Any] = {"device": "cuda", "batch_size": 16, "width": 8}
    GAN(recipe, samples=64, **settings).fit(x, out=tmp_path / "run")
    resumed = GAN(recipe, samples=128, **settings).fit(x, out=tmp_path / "run", resume=True)
    assert resumed.sample(3).shape == (3, 8, 8)
    assert resumed.evaluate().samples_seen == 128
