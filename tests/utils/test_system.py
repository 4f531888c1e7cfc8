"""How many cores a process may use: the system's word, and the quotas of the control
groups above it, of both versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from equipoise.data.images.folder import decoders
from equipoise.utils.system import available_memory, free_words, usable_cores


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A process in the group /a/b of a machine that lets it run on 64 cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    write(tmp_path / "proc/self/cgroup", "0::/a/b\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def cores(pod: Path) -> int:
    return usable_cores(pod / "proc", pod / "groups")


def test_without_a_quota_all_cores_that_the_process_may_run_on_are_used(pod: Path) -> None:
    assert cores(pod) == 64
    write(pod / "groups/a/b/cpu.max", "max 100000\n")
    assert cores(pod) == 64


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("200000 100000", 2), ("150000 100000", 1), ("10000 100000", 1), ("9900000 100000", 64)],
)
def test_a_quota_counts_in_whole_cores_and_leaves_at_least_one(
    quota: str, expected: int, pod: Path
) -> None:
    write(pod / "groups/a/b/cpu.max", quota)
    assert cores(pod) == expected


def test_a_quota_of_a_group_above_holds_too(pod: Path) -> None:
    write(pod / "groups/a/b/cpu.max", "max 100000")
    write(pod / "groups/a/cpu.max", "300000 100000")
    assert cores(pod) == 3


def test_quotas_of_the_first_version_are_read(pod: Path) -> None:
    write(pod / "proc/self/cgroup", "11:cpu,cpuacct:/job\n4:memory:/other\n0::/\n")
    for group, quota in (("job", "400000"), ("", "-1")):
        write(pod / "groups/cpu" / group / "cpu.cfs_quota_us", quota)
        write(pod / "groups/cpu" / group / "cpu.cfs_period_us", "100000")
    assert cores(pod) == 4


def test_images_are_decoded_by_no_more_threads_than_there_are_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("equipoise.data.images.folder.usable_cores", lambda: 2)
    assert decoders() == 2


def test_processes_of_a_machine_share_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "meminfo", f"MemAvailable: {8 * 2**20} kB\n")
    assert available_memory(tmp_path) == 8 * 2**30
    assert free_words(8 * 2**30) == "8.0 GiB are free"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert available_memory(tmp_path) == 2 * 2**30
    assert free_words(2 * 2**30) == "2.0 GiB are free for each of 4 processes"
