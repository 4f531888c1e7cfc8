"""Whatever goes wrong with the disk: what was saved is whole, the training goes on if
it can, and resumed it ends with the very bits of one that nothing happened to. `python
-m benchmarks.faults` tries every moment; here are some of each kind."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.injection import Faults, injected

from equipoise import GAN
from equipoise.errors import EquipoiseError, RequestError
from equipoise.plotting import plots
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import unpack
from equipoise.sampling.sampler import Sampler
from equipoise.training.events import Event, SaveDue
from equipoise.utils.atomic_io import temporary_files

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what a descriptor is open on is read from /proc"
)
SETTINGS: dict[str, Any] = {"samples": 8 * 12, "batch_size": 8, "width": 8, "threads": 1}
OTHERS = ("EIO", "EROFS", "short write")  # which take the way of a full disk


def fit(data: Path, out: Path, **settings: Any) -> list[str]:
    """Train, or go on; what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        GAN("balanced", **settings).fit(data, out=out, resume=not settings)
    return [str(warning.message) for warning in caught]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "points.npy"
    np.save(path, np.random.default_rng(0).standard_normal((60, 2)))
    return path


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A run that nothing happens to, and the number of operations on its files."""
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    with injected(Faults(out)) as faults:
        fit(data, out, **SETTINGS)
    return out, faults.done


def assert_same_end(out: Path, undisturbed: Path) -> None:
    newest = [max((run / "checkpoints").glob("*.safetensors")) for run in (out, undisturbed)]
    assert newest[0].name == newest[1].name
    tensors, expected = (unpack(path)[0] for path in newest)
    assert [name for name in expected if not torch.equal(tensors[name], expected[name])] == []
    assert (out / "generator.safetensors").read_bytes() == (
        undisturbed / "generator.safetensors"
    ).read_bytes()
    # Readings are means over the last steps of one process, of which one that has just
    # been resumed has fewer.
    said = [
        [(line["samples_seen"], line.keys()) for line in RunDirectory(run).read_log(pytest.fail)]
        for run in (out, undisturbed)
    ]
    assert said[0] == said[1]
    assert list(temporary_files(out)) == []


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ("ENOSPC", 0.5),
        *(
            pytest.param("ENOSPC", place, marks=pytest.mark.slow)
            for place in np.linspace(0.02, 0.98, 12)
        ),
        *(
            pytest.param(fault, place, marks=pytest.mark.slow)
            for fault in OTHERS
            for place in (0.1, 0.5, 0.9)
        ),
    ],
)
def test_an_error_of_the_disk_that_passes_costs_nothing(
    fault: str, place: float, data: Path, undisturbed: tuple[Path, int], tmp_path: Path
) -> None:
    straight, operations = undisturbed
    out = tmp_path / "run"
    with injected(Faults(out, fault, at=int(place * operations))) as faults:
        try:
            messages = fit(data, out, **SETTINGS)
        except EquipoiseError as error:
            messages = [str(error)]
    assert faults.done > faults.at
    assert any("could not be written" in line for line in messages)
    if not (out / "config.json").is_file():  # it failed before there was anything
        fit(data, out, **SETTINGS)
    fit(data, out)
    assert_same_end(out, straight)


@pytest.mark.parametrize(
    ("fault", "place"),
    [
        ("ENOSPC", 0.5),
        *(pytest.param("ENOSPC", place, marks=pytest.mark.slow) for place in (0.1, 0.9)),
        *(pytest.param(fault, 0.5, marks=pytest.mark.slow) for fault in OTHERS),
    ],
)
def test_a_disk_that_stays_full_has_two_warnings_and_leaves_earlier_saves_intact(
    fault: str, place: float, data: Path, undisturbed: tuple[Path, int], tmp_path: Path
) -> None:
    straight, operations = undisturbed
    out = tmp_path / "run"
    with (
        injected(Faults(out, fault, at=int(place * operations), lasting=10**9)),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        with pytest.raises(
            EquipoiseError, match=r"could not be written: .*; the end of this training is not saved"
        ):
            GAN("balanced", **SETTINGS).fit(data, out=out)
    assert (
        sum(
            "training continues, and the next save tries again" in str(warning.message)
            for warning in caught
        )
        == 1
    )
    fit(data, out)
    assert_same_end(out, straight)


@pytest.mark.parametrize(
    "place",
    [0.5, *(pytest.param(place, marks=pytest.mark.slow) for place in (0.1, 0.3, 0.7, 0.95))],
)
def test_a_directory_that_vanishes_is_made_again(
    place: float, data: Path, undisturbed: tuple[Path, int], tmp_path: Path
) -> None:
    straight, operations = undisturbed
    out = tmp_path / "run"
    with injected(Faults(out, "vanished", at=int(place * operations))):
        fit(data, out, **SETTINGS)
    fit(data, out)
    assert_same_end(out, straight)
    assert GAN.load(out).sample(3).shape == (3, 2)


@pytest.mark.parametrize("settings", [{}, {"stop_when": "converged", "learning_rate": 1e-9}])
def test_a_directory_that_vanishes_after_the_last_save_is_made_again(
    settings: dict[str, Any], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, draw = tmp_path / "run", plots.draw_code

    def remove_and_draw(path: Path, sampler: Sampler, code: str, seed: int) -> None:
        monkeypatch.setattr(plots, "draw_code", draw)
        shutil.rmtree(out)
        draw(path, sampler, code, seed)

    monkeypatch.setattr(plots, "draw_code", remove_and_draw)
    gan = GAN("infogan", **{**SETTINGS, "samples": 8 * 400}, **settings).fit(data, out=out)
    assert plots.draw_code is draw
    samples = gan.sample(5, seed=0)
    assert np.array_equal(GAN.load(out).sample(5, seed=0), samples)
    again = GAN("infogan").fit(data, out=out, resume=True)
    assert np.array_equal(again.sample(5, seed=0), samples)


def test_a_look_at_the_disk_that_fails_ends_no_training(
    data: Path, undisturbed: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, times = Path.is_file, iter(range(10**6))

    def fail_at_times(path: Path) -> bool:
        if path == tmp_path / "run" / "config.json" and next(times) in (2, 5):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return looked(path)

    monkeypatch.setattr(Path, "is_file", fail_at_times)
    messages = fit(data, tmp_path / "run", **SETTINGS)
    assert any("cannot be read: Stale file handle; training continues" in line for line in messages)
    assert_same_end(tmp_path / "run", undisturbed[0])


def test_a_directory_that_vanished_and_is_made_again_is_still_locked(
    data: Path, undisturbed: tuple[Path, int], tmp_path: Path
) -> None:
    out, saves = tmp_path / "run", 0

    def remove(event: Event) -> None:
        nonlocal saves
        saves += isinstance(event, SaveDue)
        if saves == 3 and out.is_dir():
            shutil.rmtree(out)
        if saves == 5:
            with pytest.raises(RequestError, match="another training is writing to"):
                GAN().fit(data, out=out, resume=True)

    GAN("balanced", **SETTINGS).fit(data, out=out, callbacks=[remove])
    assert saves > 5
    assert_same_end(out, undisturbed[0])


@pytest.mark.parametrize("damage", ["missing", "flipped", "cut"])
@pytest.mark.parametrize("recipe", ["balanced", "infogan"])
def test_a_generator_that_is_missing_or_damaged_is_written_again(
    recipe: str, damage: str, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    GAN(recipe, **SETTINGS).fit(data, out=out)
    for name in ("generator.safetensors", "encoder.safetensors"):
        path = out / name
        if not path.is_file():
            continue
        whole = path.read_bytes()
        path.unlink()
        if damage != "missing":
            path.write_bytes(whole[:-9] if damage == "cut" else whole[:-1] + bytes([whole[-1] ^ 1]))
        GAN(recipe).fit(data, out=out, resume=True)
        assert path.read_bytes() == whole
    assert (out / "encoder.safetensors").is_file() == (recipe == "infogan")


def test_a_clock_that_is_set_back_changes_nothing(
    data: Path, undisturbed: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    moments = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(moments)))
    fit(data, tmp_path / "run", **SETTINGS)
    assert_same_end(tmp_path / "run", undisturbed[0])
