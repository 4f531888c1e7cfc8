"""What is in examples/: as far as it can be tried without Docker, Slurm and
Kubernetes."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from equipoise.cli.train_options import parse_train
from tests.launching import SMALL, environment

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
ROOT = EXAMPLES.parent


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """The environment of a job on one machine, whose programs are stand-ins."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "scontrol", '[ "$*" = "show hostnames here" ] && echo localhost')
    program(folder, "srun", '[[ $1 == --kill-on-bad-exit=1 ]] && shift && exec "$@"')
    program(folder, "torchrun", f'exec {shlex.quote(sys.executable)} -m torch.distributed.run "$@"')
    job = {"SLURM_JOB_NODELIST": "here", "SLURM_JOB_NUM_NODES": "1", "SLURM_JOB_ID": "7"}
    path = f"{folder}:{os.environ['PATH']}"
    return environment(PATH=path, SLURM_CPUS_PER_TASK="2", PORT="0", **job)


def sbatch(job: dict[str, str], where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", EXAMPLES / "slurm.sh", *words],
        cwd=where,
        env=job,
        text=True,
        capture_output=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
def test_the_slurm_script_trains_and_goes_on_with_the_run(
    slurm: dict[str, str], tmp_path: Path
) -> None:
    begun = sbatch(slurm, tmp_path, "gaussian", "run", "--samples", "2000", *SMALL)
    assert begun.returncode == 0, begun.stderr
    assert "2 processes of 1 thread each; saved in run" in begun.stdout
    resumed = sbatch(slurm, tmp_path, "gaussian", "run", "--samples", "3000", "--evaluate", "none")
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming at 2,0" in resumed.stdout


def test_the_slurm_script_asks_for_its_arguments(slurm: dict[str, str], tmp_path: Path) -> None:
    refused = sbatch(slurm, tmp_path, "gaussian")
    assert refused.returncode != 0
    assert "give the directory of the run" in refused.stderr


def test_the_kubernetes_job_has_what_the_operator_asks_for() -> None:
    yaml = pytest.importorskip("yaml")
    job: dict[str, Any] = yaml.safe_load((EXAMPLES / "kubernetes.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "PyTorchJob")
    replicas = job["spec"]["pytorchReplicaSpecs"]
    assert replicas["Master"]["replicas"] == 1, "the operator takes no other number"
    for replica in replicas.values():
        assert replica["restartPolicy"] == "OnFailure"
        pod = replica["template"]["spec"]
        (container,) = pod["containers"]
        assert container["name"] == "pytorch", "the operator looks for this name"
        assert container["image"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        script = container["args"][0]
        assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0
        commands = re.findall(r"torchrun -m equipoise train (.*)", script)
        assert [parse_train(["gaussian", *shlex.split(commands[1])[1:]]).resume] == [False]


def test_the_container_copies_files_that_there_are_and_that_docker_is_given() -> None:
    text = (EXAMPLES / "Dockerfile").read_text()
    given = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M)
    names = {name for line in copied for name in line.split()}
    assert names == set(given)
    assert all((ROOT / name).exists() for name in names)
    assert text.rindex("USER equipoise") > text.rindex("RUN "), "it runs without rights"
    installs = re.findall(r"pip install .*", text)
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in line for line in installs)
