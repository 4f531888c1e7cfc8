"""What docs/reliability.md promises of a training holds of one in two processes. The
kills are in tests/runtime/test_processes.py, a rank whose numbers are not finite in
tests/runtime/test_ranks.py."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.launching import running

BEGIN = """
import shutil
import sys
import warnings
from pathlib import Path
import numpy as np
import torch
import torch.distributed as dist
import torch.distributed.nn
from benchmarks.faults import different
from benchmarks.injection import Faults, injected
from equipoise import GAN
from equipoise.errors import EquipoiseError
from equipoise.runs.directory import RunDirectory
from equipoise.training.events import Report, SaveDue

rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
settings = dict(batch_size=8, width=8, threads=1)
x = np.random.default_rng(0).normal(size=(60, 2))
here = Path.cwd()


def fit(name, callback=None, again=False, **more):
    'Train, or go on; what was warned of, and the error.'
    calls = [] if callback is None else [callback]
    given = {} if again else {"samples": 8 * 24, **settings, **more}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            GAN(**given).fit(x, out=here / name, resume=again, callbacks=calls)
            error = None
        except Exception as raised:
            error = raised
    return [str(warning.message) for warning in caught], error


def same(name):
    'Whether the run has ended as the one that nothing happened to.'
    dist.barrier()
    if rank == 0:
        assert different(here / name, here / "straight") == []
    dist.barrier()


counted = Faults(here / "straight")
with injected(counted):
    assert fit("straight")[1] is None
"""
END = """
dist.barrier()
dist.destroy_process_group()
"""
PASSING = """
for place in (0.3, 0.6, 0.9):
    name = f"passing-{place}"
    at = int(place * counted.done) if rank == 0 else None
    with injected(Faults(here / name, "ENOSPC", at=at)):
        told, error = fit(name)
    assert error is None, error
    assert any("could not be written" in line for line in told) == (rank == 0), told
    assert fit(name, again=True)[1] is None
    same(name)
"""
LASTING = """
at = int(0.5 * counted.done) if rank == 0 else None
with injected(Faults(here / "full", "ENOSPC", at=at, lasting=10**9)):
    told, error = fit("full")
assert (rank == 1) == (error is None), error
assert rank == 1 or "the end of this training is not saved" in str(error)
assert fit("full", again=True)[1] is None
same("full")
"""
VANISHING = """
def remove(event):
    if isinstance(event, SaveDue):
        shutil.rmtree(here / "gone", ignore_errors=True)

assert fit("gone", remove)[1] is None
same("gone")
"""
CALLBACK = """
def fail(event):
    if isinstance(event, SaveDue):
        raise KeyError("mine")

told, error = fit("raised", fail)
if rank == 0:
    assert isinstance(error, KeyError) and "saved in" in error.__notes__[0], error
else:
    assert "rank 0: an exception in a callback stopped training" in str(error), error
assert fit("raised", again=True)[1] is None
same("raised")
"""
DAMAGE = """
def stop(event):
    if isinstance(event, Report) and event.samples_seen >= 100:
        raise KeyError("stop")

fit("damaged", stop)
dist.barrier()
if rank == 0:
    newest = max((here / "damaged" / "checkpoints").glob("*.safetensors"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
told, error = fit("damaged", again=True)
assert error is None, error
assert any("damaged" in line for line in told) == (rank == 0), told
same("damaged")
"""
SECOND = """
if rank == 0:
    directory = RunDirectory.existing(here / "straight")
    directory.lock()
dist.barrier()
told, error = fit("straight", again=True)
assert isinstance(error, EquipoiseError) and "straight" in str(error), error
assert str(error).startswith("rank 0: ") == (rank == 1), error
dist.barrier()
if rank == 0:
    directory.unlock()
try:
    GAN().fit(x + rank, out=here / "straight", resume=True)
    raise AssertionError("other data on rank 1")
except EquipoiseError as error:
    assert "other values or another order" in str(error), error
same("straight")
"""
STOPPING = """
told, error = fit("early", stop_when="converged", samples=8 * 4000)
assert error is None, error
seen = [None, None]
gan = GAN.load(here / "early")
dist.all_gather_object(seen, gan.sample(20, seed=0).tobytes())
assert seen[0] == seen[1]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "promise",
    [
        pytest.param(PASSING, id="a full disk that passes costs nothing"),
        pytest.param(LASTING, id="an end that cannot be saved is an error"),
        pytest.param(VANISHING, id="a directory that vanishes is made again"),
        pytest.param(CALLBACK, id="a callback's exception ends all after saving"),
        pytest.param(DAMAGE, id="a damaged checkpoint is skipped by all"),
        pytest.param(SECOND, id="a second training and other data are refused by all"),
        pytest.param(STOPPING, id="early stopping ends all"),
    ],
)
def test_two_ranks_keep_the_promise(promise: str, tmp_path: Path) -> None:
    script = BEGIN + promise + END
    with ExitStack() as stack:
        ranks = [
            stack.enter_context(
                running(["-c", script, str(rank), str(tmp_path / "meeting")], tmp_path)
            )
            for rank in range(2)
        ]
        told = [process.communicate(timeout=240)[1] for process in ranks]
    assert [process.returncode for process in ranks] == [0, 0], "\n".join(told)
