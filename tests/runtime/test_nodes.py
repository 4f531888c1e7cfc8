"""Two machines, which are two network namespaces of this one with a cable between them.

Nothing leaves these namespaces. They need root and iproute2, and are removed again.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.launching import SMALL, checkpoints, ended, running, train, wait_for

TRAINING = ["gaussian", "--samples", "96000", "--batch-size", "64", *SMALL]
PORT = 29500  # free in a new namespace
SECONDS = 5.0  # after which a process that does not answer is lost
LIMIT = 240.0  # seconds for a training, on a busy machine


class Node(NamedTuple):
    """One of the two machines."""

    name: str
    cable: str
    address: str

    def torchrun(self, others: Node, *words: str) -> list[str]:
        """The arguments of Python that train on this machine, with the other one."""
        first = min(self, others)
        hosts = f"is_host={int(self == first)},read_timeout=10"
        return [
            *("-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"),
            *("--rdzv-backend", "c10d", "--rdzv-endpoint", f"{first.address}:{PORT}"),
            *("--rdzv-id", "test", "--rdzv-conf", hosts, "--local-addr", self.address),
            *train(*words),
        ]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    """Two namespaces with a cable between them."""
    if shutil.which("ip") is None:
        pytest.skip("no iproute2 here")
    number = os.getpid() % 10**6
    a, b = (
        Node(f"equipoise-{number}-{index}", f"eq{index}-{number}", f"10.213.7.{index}")
        for index in (1, 2)
    )
    with ExitStack() as stack:
        try:
            for node in (a, b):
                ip("netns", "add", node.name)
                stack.callback(ip, "netns", "del", node.name)
            words = ("type", "veth", "peer", "name", b.cable, "netns", b.name)
            ip("link", "add", a.cable, "netns", a.name, *words)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
        for node in (a, b):
            ip("-n", node.name, "address", "add", f"{node.address}/24", "dev", node.cable)
            for link in ("lo", node.cable):
                ip("-n", node.name, "link", "set", link, "up")
        yield a, b


def start(
    stack: ExitStack, where: Path, node: Node, other: Node, *words: str
) -> subprocess.Popen[str]:
    return stack.enter_context(
        running(
            node.torchrun(other, *words),
            where,
            within=("ip", "netns", "exec", node.name),
            GLOO_SOCKET_IFNAME=node.cable,
            EQUIPOISE_TIMEOUT=str(SECONDS),
        )
    )


@pytest.mark.slow
def test_a_machine_that_is_cut_off_is_named_and_the_run_goes_on_with_it_back(
    nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    a, b = nodes
    run = tmp_path / "run"
    with ExitStack() as stack:
        first, second = (
            start(stack, tmp_path, node, other, *TRAINING, "--out", "run")
            for node, other in ((a, b), (b, a))
        )
        wait_for(lambda: checkpoints(run), LIMIT)
        ip("-n", b.name, "link", "set", b.cable, "down")
        err = first.communicate(timeout=LIMIT)[1]
        assert first.returncode == 1
        assert "rank 1 of 2 processes did not answer in time" in err
        assert "what is saved is in run. Resume with: " in err
        # torchrun itself waits there for its store, which is behind the cut.
        wait_for(lambda: not trains_in(b), LIMIT)
        os.killpg(second.pid, signal.SIGKILL)
        err = second.communicate(timeout=LIMIT)[1]
        assert "rank 1: rank 0 of 2 processes did not answer in time" in err
    assert len(checkpoints(run)) < 20, "it was cut off in the middle"
    ip("-n", b.name, "link", "set", b.cable, "up")
    with ExitStack() as stack:
        resumed = [
            start(stack, tmp_path, node, other, "--resume", "run", "--evaluate", "none")
            for node, other in ((a, b), (b, a))
        ]
        for process in resumed:
            out, err = process.communicate(timeout=LIMIT)
            assert process.returncode == 0, out + err
    undisturbed = ended(train(*TRAINING, "--out", "other", "--processes", "2"), tmp_path, LIMIT)
    assert undisturbed.status == 0, undisturbed.err
    kept = [tmp_path / name / "generator.safetensors" for name in ("run", "other")]
    assert kept[0].read_bytes() == kept[1].read_bytes()


def trains_in(node: Node) -> bool:
    """Whether a process of this machine trains."""
    listed = subprocess.run(
        ["ip", "netns", "pids", node.name], capture_output=True, text=True, check=True
    )
    commands = [Path(f"/proc/{pid}/cmdline") for pid in listed.stdout.split()]
    return any(b"\0-u\0-m\0equipoise\0" in path.read_bytes() for path in commands if path.is_file())
