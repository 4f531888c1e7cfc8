"""Checkpoints are whole, exact, few, and fall back when damaged."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from tests.helpers import state_of

from equipoise.errors import EquipoiseError
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.classic import Classic
from equipoise.runs import checkpoint, serialization
from equipoise.runs.serialization import (
    DamagedFileError,
    pack,
    read_json,
    unpack,
    write_json,
    write_tensors,
)
from equipoise.training.step import adversarial_step
from equipoise.utils.atomic_io import write_atomic


def no_warning(message: str) -> None:
    raise AssertionError(message)


@pytest.mark.parametrize(
    "recipe", [Balanced(batch_size=16, width=8), Classic(batch_size=16, width=8, dropout=0.3)]
)
def test_a_restored_state_goes_on_to_the_same_bits(
    recipe: Balanced | Classic, tmp_path: Path
) -> None:
    straight = state_of(recipe)
    rates = recipe.schedule(0)
    for _ in range(5):
        adversarial_step(straight, rates)
    checkpoint.save(straight, tmp_path / "checkpoints")
    restored = state_of(recipe)
    restored.restore(*checkpoint.load_newest(tmp_path / "checkpoints", no_warning))
    for state in (straight, restored):
        for _ in range(5):
            adversarial_step(state, rates)
    left, right = straight.tensors(), restored.tensors()
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert straight.scalars() == restored.scalars()


def test_the_last_three_and_the_best_are_kept(tmp_path: Path) -> None:
    state = state_of(Balanced(batch_size=16, width=8))
    state.best = {"checkpoint": "000001000", "metric": 0.1}
    for thousands in range(1, 8):
        state.samples_seen = thousands * 1000
        checkpoint.save(state, tmp_path / "checkpoints")
    assert [path.stem for path in checkpoint.checkpoints(tmp_path / "checkpoints")] == [
        "000007000",
        "000006000",
        "000005000",
        "000001000",
    ]


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


def test_newer_files_that_are_no_checkpoints_of_this_training_cost_none_of_its_own(
    tmp_path: Path,
) -> None:
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
    places = {
        *range(8),
        *rng.integers(8, header, 300).tolist(),
        *rng.integers(header, len(raw), 300).tolist(),
    }
    for place in places:
        flipped = bytearray(raw)
        flipped[place] ^= int(rng.integers(1, 256))
        path.write_bytes(flipped)
        with pytest.raises(DamagedFileError, match=r"is damaged|has format"):
            unpack(path)


@pytest.mark.parametrize("place", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_flipped_bit_is_noticed_and_the_checkpoint_before_is_used(
    place: float, tmp_path: Path
) -> None:
    state = state_of(Balanced(batch_size=16, width=8))
    for thousands in (1, 2):
        state.samples_seen = thousands * 1000
        path = checkpoint.save(state, tmp_path / "checkpoints")
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] ^= 4
    path.write_bytes(raw)
    messages: list[str] = []
    _, scalars = checkpoint.load_newest(tmp_path / "checkpoints", messages.append)
    assert scalars["samples_seen"] == 1000
    assert len(messages) == 1
    assert "000002000.safetensors is damaged" in messages[0]
    assert "using the checkpoint before it" in messages[0]


def test_a_truncated_file_is_noticed_at_every_length(tmp_path: Path) -> None:
    path = tmp_path / "one" / "file.safetensors"
    write_atomic(path, pack({"x": torch.arange(5.0)}, {"a": 1}))
    raw = path.read_bytes()
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        with pytest.raises(DamagedFileError):
            unpack(path)


def test_equal_content_packs_to_equal_bytes_and_back() -> None:
    left = pack({"b": torch.ones(2), "a": torch.zeros(3, dtype=torch.uint8)}, {"k": [1, "x"]})
    right = pack({"a": torch.zeros(3, dtype=torch.uint8), "b": torch.ones(2)}, {"k": [1, "x"]})
    assert left == right


TENSORS = {
    "b": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a": torch.arange(5, dtype=torch.uint8),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "one": torch.tensor(7, dtype=torch.int64),
    "none": torch.empty(0, 3),
    "flag": torch.tensor([True, False]),
    "turned": torch.arange(6.0).reshape(2, 3).T,
    "spread": torch.arange(9.0)[::4],
    "one of a spread": torch.arange(9.0)[::4][:1],
    "none of a spread": torch.arange(9.0).expand(3, 9)[:0, 0],
    "the same": torch.tensor(2.0).expand(3),
    "of a network": torch.ones(2, requires_grad=True),
}


def rewritten(raw: bytes, how: str) -> bytes:
    """The same content as another writer of safetensors would have it."""
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    about = header.pop("__metadata__")
    names = sorted(header, reverse=how == "order")
    if how == "description":
        loose = json.dumps(dict(reversed(json.loads(about["equipoise"]).items())), indent=3)
        about = {"equipoise": loose, "another": "entry"}
    data, entries = b"", {}
    for name in names if how == "order" else header:
        start, stop = header[name]["data_offsets"]
        entries[name] = {**header[name], "data_offsets": [len(data), len(data) + stop - start]}
        data += raw[end + start : end + stop]
    text = json.dumps(
        {**entries, "__metadata__": about}, indent=1 if how == "order" else None
    ).encode()
    text += b" " * {"padding": 999, "alignment": (1 - len(text)) % 8}.get(how, 0)
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize("how", ["order", "padding", "alignment", "description"])
def test_the_same_content_in_another_writers_layout_is_whole(how: str, tmp_path: Path) -> None:
    raw, path = pack(TENSORS, {"k": [1, "x"]}), tmp_path / "x.safetensors"
    path.write_bytes(rewritten(raw, how))
    assert path.read_bytes() != raw
    tensors, metadata = unpack(path)
    assert metadata == {"format": 1, "k": [1, "x"]}
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert all(tensors[name].dtype == TENSORS[name].dtype for name in TENSORS)


@pytest.mark.parametrize("how", ["order", "padding", "alignment", "description"])
def test_a_changed_bit_of_the_content_shows_in_any_layout(how: str, tmp_path: Path) -> None:
    raw, path = rewritten(pack(TENSORS, {"k": [1, "x"]}), how), tmp_path / "x.safetensors"
    for place in range(8 + int.from_bytes(raw[:8], "little"), len(raw)):
        for bit in range(8):
            path.write_bytes(raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :])
            with pytest.raises(DamagedFileError, match=r"its SHA-256 does not fit|is damaged"):
                unpack(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"F32"', b'"I32"'), (b'"b"', b'"c"'), (b"[2,3]", b"[3,2]"), (b'\\"x\\"', b'\\"y\\"')],
)
def test_other_names_types_shapes_and_metadata_are_other_content(
    old: bytes, new: bytes, tmp_path: Path
) -> None:
    raw = pack(TENSORS, {"k": [1, "x"]})
    assert old in raw
    (tmp_path / "x.safetensors").write_bytes(raw.replace(old, new))
    with pytest.raises(DamagedFileError, match="its SHA-256 does not fit"):
        unpack(tmp_path / "x.safetensors")


def test_the_digest_is_of_names_types_shapes_and_numbers_and_of_no_writers_bytes(
    tmp_path: Path,
) -> None:
    (tmp_path / "x.safetensors").write_bytes(
        pack({"b": torch.tensor([1.5, -2.0]), "a": torch.tensor(3, dtype=torch.uint8)}, {"k": 1})
    )
    digest = hashlib.sha256(b'{"format": 1, "k": 1}')
    digest.update(b'{"name": "a", "dtype": "U8", "shape": []}\x03')
    digest.update(b'{"name": "b", "dtype": "F32", "shape": [2]}\x00\x00\xc0\x3f\x00\x00\x00\xc0')
    with safetensors.safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert json.loads(file.metadata()["equipoise"])["sha256"] == digest.hexdigest()


def test_what_is_packed_is_what_safetensors_reads_each_tensor_at_a_multiple_of_its_size(
    tmp_path: Path,
) -> None:
    write_tensors(tmp_path / "x.safetensors", TENSORS, {"k": math.nan})
    raw = (tmp_path / "x.safetensors").read_bytes()
    assert raw == pack(TENSORS, {"k": None})
    read = safetensors.torch.load_file(tmp_path / "x.safetensors")
    assert all(torch.equal(read[name], TENSORS[name]) for name in TENSORS)
    end = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:end])
    assert all(
        (end + header[name]["data_offsets"][0]) % TENSORS[name].element_size() == 0
        for name in TENSORS
    )


def test_more_than_is_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, whole = tmp_path / "x.safetensors", len(pack({"x": torch.ones(100)}, {}))
    monkeypatch.setattr(serialization, "MAX_TENSOR_BYTES", whole)
    write_tensors(path, {"x": torch.ones(100)}, {})
    with pytest.raises(
        EquipoiseError,
        match=r"could not be written: it would have \d+ bytes, more than the maximum of \d+;",
    ):
        write_tensors(path, {"x": torch.ones(101)}, {})
    assert unpack(path)[0]["x"].shape == (100,)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def too_little_memory(path: Path, _: int) -> bytes:
    raise OSError(errno.ENOMEM, "it has 9 bytes, and 1 bytes of memory are free", str(path))


def too_many_files(path: Path, _: int) -> bytes:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))


def no_memory(*_: object) -> bytes:
    raise MemoryError


@pytest.mark.parametrize(
    ("name", "fails", "message"),
    [
        (
            "equipoise.runs.serialization.read_file",
            too_little_memory,
            "cannot be read now: it has 9 bytes, and 1 bytes of memory are free",
        ),
        (
            "equipoise.runs.serialization.read_file",
            too_many_files,
            "cannot be read now: Too many open files",
        ),
        ("safetensors.torch.load", no_memory, "cannot be read now: too little memory is free"),
    ],
)
def test_a_checkpoint_that_cannot_be_read_now_is_an_error_and_no_older_one_is_used(
    name: str,
    fails: Callable[..., bytes],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = state_of(Balanced(batch_size=16, width=8))
    for state.samples_seen in (16, 32):
        checkpoint.save(state, tmp_path / "checkpoints")
    monkeypatch.setattr(name, fails)
    with pytest.raises(EquipoiseError, match=message) as error:
        checkpoint.load_newest(tmp_path / "checkpoints", no_warning)
    assert not isinstance(error.value, DamagedFileError)
    assert "000000032.safetensors" in str(error.value)


def test_if_all_checkpoints_are_damaged_the_run_cannot_be_resumed(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "000001000.safetensors").write_bytes(b"not one")
    with pytest.raises(EquipoiseError, match="all 1 checkpoints are damaged"):
        checkpoint.load_newest(tmp_path / "checkpoints", lambda _: None)


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "folder" / "file.json"
    write_json(path, {"format": 1, "a": 1})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        EquipoiseError,
        match=r"file.json could not be written: No space left on device; earlier saves "
        r"are intact",
    ):
        write_json(path, {"format": 1, "a": 2})
    assert read_json(path)["a"] == 1
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["file.json"]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "f" / "x.json", {"format": 999})
    with pytest.raises(DamagedFileError, match="not of format 1"):
        read_json(tmp_path / "f" / "x.json")
