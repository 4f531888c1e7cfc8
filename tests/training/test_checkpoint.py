"""Checkpoints are whole, exact, few, and fall back when damaged."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.helpers import state_of

from equipoise.errors import EquipoiseError
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.classic import Classic
from equipoise.training import checkpoint
from equipoise.training.files import DamagedFileError, pack, read_json, unpack, write_json, write_whole
from equipoise.training.step import adversarial_step


def no_warning(message: str) -> None:
    raise AssertionError(message)


@pytest.mark.parametrize("recipe", [Balanced(batch_size=16, width=8), Classic(batch_size=16, width=8, dropout=0.3)])
def test_a_restored_state_goes_on_to_the_same_bits(recipe: Balanced | Classic, tmp_path: Path) -> None:
    straight = state_of(recipe)
    rates = recipe.schedule(0)
    for _ in range(5):
        adversarial_step(straight.method, straight, rates)
    checkpoint.save(straight, tmp_path / "checkpoints")
    restored = state_of(recipe)
    restored.restore(*checkpoint.load_newest(tmp_path / "checkpoints", no_warning))
    for state in (straight, restored):
        for _ in range(5):
            adversarial_step(state.method, state, rates)
    left, right = straight.tensors(), restored.tensors()
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert straight.scalars() == restored.scalars()


def test_the_last_three_and_the_best_are_kept(tmp_path: Path) -> None:
    state = state_of(Balanced(batch_size=16, width=8))
    state.best = {"checkpoint": "000001000", "figure": 0.1}
    for thousands in range(1, 8):
        state.samples_seen = thousands * 1000
        checkpoint.save(state, tmp_path / "checkpoints")
    assert [path.stem for path in checkpoint.checkpoints(tmp_path / "checkpoints")] == ["000007000", "000006000", "000005000", "000001000"]


def test_checkpoints_a_step_apart_do_not_overwrite_each_other(tmp_path: Path) -> None:
    state = state_of(Balanced(batch_size=16, width=8))
    for state.samples_seen in (16, 32):
        checkpoint.save(state, tmp_path / "checkpoints")
    assert len(checkpoint.checkpoints(tmp_path / "checkpoints")) == 2


def test_randomness_saved_on_another_kind_of_device_goes_on_from_a_seed() -> None:
    state = state_of(Balanced(batch_size=16, width=8))
    tensors = {**state.tensors(), "randomness.latents": torch.zeros(16, dtype=torch.uint8)}
    state.restore({name: value.clone() for name, value in tensors.items()}, state.scalars())
    assert torch.isfinite(state.latents(3)).all()


def test_newer_files_that_are_no_checkpoints_of_this_training_cost_none_of_its_own(tmp_path: Path) -> None:
    folder, state = tmp_path / "checkpoints", state_of(Balanced(batch_size=16, width=8))
    folder.mkdir()
    for number in range(3):
        (folder / f"99999999{number}.safetensors").write_bytes(b"not one")
    for state.samples_seen in (16, 32, 48, 64):
        assert checkpoint.save(state, folder).is_file()
    _, scalars = checkpoint.load_newest(folder, lambda _: None)
    assert scalars["samples_seen"] == 64
    assert len(checkpoint.checkpoints(folder)) == 6


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = checkpoint.save(state_of(Balanced(batch_size=16, width=8)), tmp_path / "checkpoints")
    raw, rng = path.read_bytes(), np.random.default_rng(0)
    header = 8 + int.from_bytes(raw[:8], "little")
    places = {*range(8), *rng.integers(8, header, 300).tolist(), *rng.integers(header, len(raw), 300).tolist()}
    for place in places:
        flipped = bytearray(raw)
        flipped[place] ^= int(rng.integers(1, 256))
        path.write_bytes(flipped)
        with pytest.raises(DamagedFileError, match=r"is damaged|has format"):
            unpack(path)


@pytest.mark.parametrize("place", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_flipped_bit_is_noticed_and_the_checkpoint_before_is_used(place: float, tmp_path: Path) -> None:
    state = state_of(Balanced(batch_size=16, width=8))
    for thousands in (1, 2):
        state.samples_seen = thousands * 1000
        path = checkpoint.save(state, tmp_path / "checkpoints")
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] ^= 4
    path.write_bytes(raw)
    told: list[str] = []
    _, scalars = checkpoint.load_newest(tmp_path / "checkpoints", told.append)
    assert scalars["samples_seen"] == 1000
    assert len(told) == 1
    assert "000002000.safetensors is damaged" in told[0]
    assert "going back to the checkpoint before" in told[0]


def test_a_truncated_file_is_noticed_at_every_length(tmp_path: Path) -> None:
    path = tmp_path / "one" / "file.safetensors"
    write_whole(path, pack({"x": torch.arange(5.0)}, {"a": 1}))
    raw = path.read_bytes()
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        with pytest.raises(DamagedFileError):
            unpack(path)


def test_equal_content_packs_to_equal_bytes_and_back() -> None:
    left = pack({"b": torch.ones(2), "a": torch.zeros(3, dtype=torch.uint8)}, {"k": [1, "x"]})
    right = pack({"a": torch.zeros(3, dtype=torch.uint8), "b": torch.ones(2)}, {"k": [1, "x"]})
    assert left == right


def test_when_no_checkpoint_is_whole_the_message_says_so(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "000001000.safetensors").write_bytes(b"not one")
    with pytest.raises(EquipoiseError, match="none of the 1 checkpoints is whole"):
        checkpoint.load_newest(tmp_path / "checkpoints", lambda _: None)


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folder" / "file.json"
    write_json(path, {"format": 1, "a": 1})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EquipoiseError, match=r"file.json could not be written: No space left on device; what was saved before is whole"):
        write_json(path, {"format": 1, "a": 2})
    assert read_json(path)["a"] == 1
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["file.json"]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "f" / "x.json", {"format": 999})
    with pytest.raises(DamagedFileError, match="not of format 1"):
        read_json(tmp_path / "f" / "x.json")
