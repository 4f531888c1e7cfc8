"""What is typed for a training or a sampling in several processes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.launching import (
    DEADLINE,
    ENDLESS,
    SMALL,
    TORCHRUN,
    checkpoints,
    children,
    ended,
    running,
    sample,
    train,
    wait_for,
)

from equipoise.cli.main import main
from equipoise.errors import RequestError
from equipoise.runtime import processes
from equipoise.training.sharing import check_batch, check_gpus


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """Images of 8 x 8 pixels with labels."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (64, 8, 8), dtype=np.uint8), np.arange(64) % 3
    np.savez(tmp_path / "digits.npz", x=x, y=y)
    return tmp_path / "digits.npz"


def test_processes_are_not_asked_for_within_torchrun() -> None:
    two = {"RANK": "0", "WORLD_SIZE": "2"}
    processes.check_not_nested(None, two)
    processes.check_not_nested(2, {})
    processes.check_not_nested(2, {**two, processes.MEETING: "file"})
    with pytest.raises(RequestError, match="torchrun has started 2 processes already"):
        processes.check_not_nested(2, two)


@pytest.mark.parametrize(
    ("size", "count", "right"), [(255, 2, "254 or 256"), (3, 4, "4"), (10, 3, "9 or 12")]
)
def test_a_batch_that_cannot_be_divided_is_refused_with_the_nearest_that_can(
    size: int, count: int, right: str
) -> None:
    check_batch(2, 256)
    with pytest.raises(RequestError, match=f"batch_size = {size} .* give {right}$"):
        check_batch(count, size)


def test_more_processes_than_cores_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "usable_cores", lambda: 2)
    assert processes.core_note(2) == ""
    assert "3 processes on 2 cores" in processes.core_note(3)


def test_each_rank_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    of_two = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    for name, value in of_two.items():
        monkeypatch.setenv(name, value)
    assert (processes._backend("cpu"), taken) == ("gloo", [])
    assert (processes._backend("auto"), taken) == ("cpu:gloo,cuda:nccl", [1])
    with pytest.raises(RequestError, match="device = 'cuda:1' is one GPU, for 4 processes"):
        processes._backend("cuda:1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    with pytest.raises(RequestError, match="3 processes on this machine, and 2 GPUs: start one"):
        processes._backend("cuda")


def test_a_gpu_that_another_rank_has_is_refused() -> None:
    check_gpus([None, None])
    check_gpus(["GPU-1", None, "GPU-2"])
    with pytest.raises(RequestError, match="rank 2 has the GPU that rank 0 has: call torch"):
        check_gpus(["GPU-1", "GPU-2", "GPU-1"])


@pytest.mark.parametrize(
    ("count", "size", "packing", "right"),
    [(2, 33, 1, "1 or 3"), (3, 64, 8, "2 or 4"), (4, 3, 1, "3")],
)
def test_a_run_whose_batch_cannot_be_divided_any_more_is_refused_with_the_nearest_numbers(
    count: int, size: int, packing: int, right: str
) -> None:
    with pytest.raises(
        RequestError, match=f"the run's batch_size = {size} .* resume it in {right}$"
    ):
        check_batch(count, size, packing, resumes=True)


@pytest.mark.parametrize("given", ["0", "-1", "two", "2.5"])
def test_a_number_of_processes_that_cannot_be_is_refused(
    given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "gaussian", "--processes", given]) == 2
    told = capsys.readouterr().err
    assert "processes = " in told
    assert told.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zero", "one", "told"),
    [
        ("", "--seed 3", "rank 1 has the setting seed 3, and rank 0 0: "),
        ("", "--recipe classic", "rank 1 has the recipe 'classic', and rank 0 'balanced': "),
        ("", "--init-from other", "rank 1: other is not a run directory"),
        ("", "--nonsense", "rank 1: no option --nonsense "),
        ("--nonsense", "", "no option --nonsense "),
    ],
)
def test_ranks_that_torchrun_gives_other_words_are_refused_with_the_difference(
    zero: str, one: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "start.sh").write_text(
        f'more="{zero}"; [ "$RANK" = 1 ] && more="{one}"\nexec "$1" -m equipoise train $2 $more\n'
    )
    words = " ".join(["gaussian", *SMALL, "--samples", "2000", "--out", "run"])
    start = ["--no-python", "bash", "start.sh", sys.executable, words]
    refused = ended([*TORCHRUN, *start], tmp_path, 4 * DEADLINE)
    lines = [line for line in refused.err.splitlines() if line.startswith("equipoise: ")]
    assert len(lines) == 1, refused.err
    assert told in lines[0]
    assert not (tmp_path / "run").exists()


def runs(pid: int) -> bool:
    """Whether a process has not ended; nobody may have waited for it."""
    words = Path(f"/proc/{pid}/cmdline")
    return words.is_file() and words.read_bytes() != b""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_when_torchrun_is_killed_its_processes_save_and_end(tmp_path: Path) -> None:
    with running([*TORCHRUN, *train(*ENDLESS, "--out", "run")], tmp_path) as launcher:
        wait_for((tmp_path / "run" / "log.jsonl").is_file, 4 * DEADLINE)  # both are training
        ranks = children(launcher)
        os.kill(launcher.pid, signal.SIGKILL)
        _, err = launcher.communicate(timeout=DEADLINE)  # until all have closed stderr
    assert len(ranks) == 2
    wait_for(lambda: not any(map(runs, ranks)))
    assert "stopped by SIGTERM" in err
    assert len(checkpoints(tmp_path / "run")) == 1


def test_mistakes_are_told_once_and_nothing_is_written(tmp_path: Path) -> None:
    for words, why in (
        (["none.csv"], "no file, folder or built-in source 'none.csv'"),
        (["gaussian", "--batch-size", "5"], "give 4 or 6"),
    ):
        refused = ended(train(*words, "--processes", "2", "--out", "run"), tmp_path)
        assert refused.status == 2
        assert [why in line for line in refused.err.splitlines()].count(True) == 1
        assert "Traceback" not in refused.err
        assert not (tmp_path / "run").exists()


def test_images_are_trained_on_by_two_processes_and_rank_0_writes(
    digits: Path, tmp_path: Path
) -> None:
    options = ["--batch-size", "8", "--width", "4", "--samples", "160", "--evaluate", "quick"]
    adapted = ["--augment", "color,translation", "--augment-target", "0.6", "--conditional"]
    told = ended(
        train(str(digits), "--processes", "2", "--out", "run", *options, *adapted), tmp_path
    )
    assert told.status == 0, told.err
    assert "2 processes of 1 thread each" in told.out
    assert told.out.count("Trained on 160 samples") == 1
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["machine"]["processes"] == 2
    assert config["recipe"]["batch_size"] == 8, "it is of all processes together"
    assert (tmp_path / "run" / "report.html").is_file()
    assert [file.name for file in tmp_path.iterdir() if file.is_dir()] == ["run"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_killed_rank_ends_all_and_the_resumed_run_is_as_if_it_had_not_been(
    digits: Path, tmp_path: Path
) -> None:
    options = ["--batch-size", "8", "--width", "4", "--samples", "1600", "--evaluate", "none"]
    words = [str(digits), "--processes", "2", "--recipe", "dcgan", *options]
    undisturbed = ended(train(*words, "--out", "undisturbed"), tmp_path)
    assert undisturbed.status == 0, undisturbed.err
    with running(train(*words, "--out", "killed"), tmp_path) as process:
        wait_for(lambda: checkpoints(tmp_path / "killed"))
        os.kill(children(process)[1], signal.SIGKILL)
        started = time.monotonic()
        _, err = process.communicate(timeout=DEADLINE)
        assert time.monotonic() - started < 30
    assert process.returncode == 1
    expected = "rank 1 of 2 processes was ended by SIGKILL; what is saved is in killed. Resume"
    assert expected in err
    assert "Traceback" not in err
    resumed = ended(train("--resume", "killed", "--evaluate", "none"), tmp_path)
    assert resumed.status == 0, resumed.err
    assert "2 processes" in resumed.out, "as many as before"
    last = checkpoints(tmp_path / "undisturbed")[-1]
    assert checkpoints(tmp_path / "killed")[-1] == last
    generators = [tmp_path / run / "generator.safetensors" for run in ("undisturbed", "killed")]
    assert generators[0].read_bytes() == generators[1].read_bytes()
    alone = ended(
        train("--resume", "killed", "--processes", "1", "--samples", "1680", *options[-2:]),
        tmp_path,
    )
    assert alone.status == 0, alone.err
    assert "was trained in 2 processes and goes on in 1 process: from the same state" in alone.err


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("whom", ["all", "one rank"])
def test_a_signal_to_all_or_to_one_rank_saves_and_says_how_to_resume(
    tmp_path: Path, whom: str
) -> None:
    with running(train(*ENDLESS, "--processes", "2", "--out", "run"), tmp_path) as process:
        wait_for((tmp_path / "run" / "samples").is_dir)  # training has begun
        time.sleep(0.5)
        os.kill(process.pid if whom == "all" else children(process)[1], signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + signal.SIGTERM
    assert re.search(r"stopped by SIGTERM after [\d,]+ samples; saved in run. Resume with: ", err)
    assert len(checkpoints(tmp_path / "run")) == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_a_hung_rank_ends_in_an_error_that_names_it(tmp_path: Path) -> None:
    words = train(*ENDLESS, "--processes", "2", "--out", "run")
    with running(words, tmp_path, EQUIPOISE_TIMEOUT="3") as process:
        wait_for((tmp_path / "run" / "samples").is_dir)
        time.sleep(0.5)
        os.kill(children(process)[1], signal.SIGSTOP)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "rank 1 of 2 processes did not answer in time" in err


@pytest.mark.slow
def test_torchrun_trains_and_starts_again_from_the_last_checkpoint(tmp_path: Path) -> None:
    script = tmp_path / "fails_once.py"
    script.write_text(
        "import os, sys, threading, time\n"
        "from pathlib import Path\n"
        "def end():\n"
        "    while not list(Path('run/checkpoints').glob('*.safetensors')):\n"
        "        time.sleep(.02)\n"
        "    os._exit(9)\n"
        "if os.environ['RANK'] == '1' and os.environ['TORCHELASTIC_RESTART_COUNT'] == '0':\n"
        "    threading.Thread(target=end, daemon=True).start()\n"
        "from equipoise.cli.main import main\n"
        "sys.argv[0] = 'equipoise'\n"
        "sys.exit(main())\n"
    )
    words = ["train", "gaussian", "--samples", "60000", *SMALL, "--out", "run"]
    told = ended([*TORCHRUN, "--max-restarts", "1", str(script), *words], tmp_path)
    assert told.status == 0, told.err
    assert told.out.count("2 processes of 1 thread each") == 2
    assert "resuming at" in told.out
    assert "Trained on 60," in told.out


IN_PYTHON = """
import os
import sys
import numpy as np
import torch.distributed as dist
import torch.distributed.nn
from equipoise import GAN
from equipoise.errors import EquipoiseError

rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
small = dict(width=8, clusters=0, batch_size=16, samples=320)
x = np.random.default_rng(0).normal(size=(200, 2))


def error(*data, **settings):
    try:
        GAN(**{**small, **settings}).fit(*data)
    except EquipoiseError as error:
        return str(error)


def stream():
    while True:
        yield x


assert "rank 1 has data with the fingerprint" in error(x + rank)
assert "rank 1 has the setting gamma 2.0, and rank 0 1.0" in error(x, gamma=1.0 + rank)
assert ("rank 1: " in error(x * np.nan if rank else x)) == (rank == 0)
assert "2 processes cannot share a stream" in error(stream())


events = []
gan = GAN(**small).fit(x, out="run", callbacks=[events.append])
assert (len(events) > 1) == (rank == 0)
samples = [None, None]
dist.all_gather_object(samples, gan.sample(50, seed=1))
assert np.array_equal(*samples), "all ranks have the generator"
dist.destroy_process_group()
"""


def test_fit_joins_a_process_group_and_refuses_what_differs(tmp_path: Path) -> None:
    meeting = str(tmp_path / "meeting")
    with (
        running(["-c", IN_PYTHON, "0", meeting], tmp_path) as first,
        running(["-c", IN_PYTHON, "1", meeting], tmp_path) as second,
    ):
        told = [process.communicate(timeout=DEADLINE)[1] for process in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0], "\n".join(told)
    assert (tmp_path / "run" / "generator.safetensors").is_file()


SHARDS = ["-n", "60000", "--seed", "1", "--shard-size", "1000"]


def shards(folder: Path) -> dict[str, bytes]:
    """The content of each shard."""
    return {path.name: path.read_bytes() for path in folder.glob("samples-*")}


def test_two_processes_write_the_shards_that_one_writes(trained_images: Path, here: Path) -> None:
    words = [str(trained_images), "-n", "30", "--seed", "1", "--shard-size", "7"]
    told = ended(sample(*words, "--out", "two", "--processes", "2"), here)
    assert (told.status, told.out) == (0, "Wrote two: 30 images in 5 .tar files\n"), told.err
    assert main(["sample", *words, "--out", "one"]) == 0
    assert len(shards(here / "two")) == 5
    assert shards(here / "two") == shards(here / "one")
    refused = ended(sample(*words, "--out", "two", "--processes", "2", "--label", "dark"), here)
    assert refused.status == 2
    assert "holds samples with label none, not dark" in refused.err
    assert refused.err.count("ask for the same") == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_killed_sampling_goes_on_as_if_it_had_not_been(
    trained: Path, here: Path, processes: str
) -> None:
    words = sample(str(trained), *SHARDS, "--processes", processes, "--out")
    undisturbed = ended([*words, "undisturbed"], here)
    assert undisturbed.status == 0, undisturbed.err
    with running([*words, "killed"], here) as process:
        wait_for(lambda: len([*(here / "killed").glob("samples-*")]) > 3)
        os.kill(children(process)[1] if processes == "2" else process.pid, signal.SIGKILL)
        _, err = process.communicate(timeout=DEADLINE)
    before = shards(here / "killed")
    assert 3 < len(before) < 60
    if processes == "2":
        assert process.returncode == 1
        assert "ended by SIGKILL; the files in killed are whole; the same command goes on" in err
    assert ended([*words, "killed"], here).status == 0
    assert shards(here / "killed") == shards(here / "undisturbed")
    assert {path.name for path in (here / "killed").glob(".*")} <= {".lock"}


@pytest.mark.slow
def test_a_signal_to_the_command_stops_a_sampling_and_torchrun_goes_on(
    trained: Path, here: Path
) -> None:
    words = [str(trained), *SHARDS, "--out", "out"]
    with running(sample(*words, "--processes", "2"), here) as process:
        wait_for(lambda: [*(here / "out").glob("samples-*")])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + signal.SIGINT
    assert re.search(r"stopped by SIGINT: \d+ of 60 shards are in out; ask for the same", err)
    told = ended([*TORCHRUN, "-m", "equipoise", "sample", *words], here)
    assert told.status == 0, told.err
    assert told.out.count("Wrote out: 60,000 rows in 60 .parquet files") == 1
    assert ended(sample(*words[:-1], "alone"), here).status == 0
    assert shards(here / "out") == shards(here / "alone")
