"""Shards: the same samples whatever their size, their number and the interruptions."""

from __future__ import annotations

import errno
import hashlib
import json
import signal
import tarfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from equipoise import GAN
from equipoise.errors import EquipoiseError, RequestError
from equipoise.report import sample_files
from equipoise.sampling import manifest as manifests
from equipoise.sampling import shards
from equipoise.sampling.draws import BLOCK
from equipoise.sampling.manifest import Manifest
from equipoise.sampling.shard_formats import ParquetShards, default_size
from equipoise.training.signals import InterruptedRunError
from equipoise.utils.atomic_io import temporary_files

TINY: dict[str, Any] = {"samples": 256, "batch_size": 32, "width": 8, "threads": 1, "seed": 0}
N, ROWS = BLOCK + 1500, 400
RNG = np.random.default_rng(0)


def customers() -> pd.DataFrame:
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 900, ROWS), "D")
    return pd.DataFrame(
        {
            "id": [f"c-{row:05d}" for row in range(ROWS)],
            "age": RNG.integers(18, 90, ROWS),
            "plan": RNG.choice(["free", "pro"], ROWS, p=[0.7, 0.3]),
            "since": since,
            "until": since + pd.to_timedelta(RNG.integers(0, 90, ROWS), "D"),
            "note": np.where(np.arange(ROWS) % 2, "some", None),
            "paid": RNG.choice(["no", "yes"], ROWS),
        }
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> GAN:
    out = tmp_path_factory.mktemp("runs") / "table"
    return GAN(label_column="paid", **TINY).fit(customers(), out=out)


@pytest.fixture(scope="module")
def constrained() -> GAN:
    return GAN(**TINY).fit(customers(), constraints=["since <= until"])


@pytest.fixture(scope="module")
def images() -> GAN:
    return GAN(**TINY).fit(RNG.integers(0, 256, (60, 8, 6, 3)).astype(np.uint8), ["a", "b"] * 30)


def read(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder)


def listed(folder: Path) -> dict[str, int]:
    """The shards and when each was written."""
    return {path.name: path.stat().st_mtime_ns for path in sorted(folder.glob("samples-*"))}


def interrupted(
    monkeypatch: pytest.MonkeyPatch, after: int, error: BaseException
) -> Callable[[], None]:
    """Let an error come in the middle of the shard after so many; returns what ends
    that."""
    tables, calls = ParquetShards._parts, count()

    def parts(*arguments: Any) -> Iterator[pd.DataFrame]:
        number = next(calls)
        for part in tables(*arguments):
            if number == after:
                yield part.iloc[: len(part) // 2]
                raise error
            yield part

    monkeypatch.setattr(ParquetShards, "_parts", parts)
    return monkeypatch.undo


def test_rows_are_those_of_sample_whatever_the_size_of_shards(table: GAN, tmp_path: Path) -> None:
    expected = table.sample(N, seed=3)
    for size in (1_000, 4_999, N):
        folder = table.write_samples(tmp_path / str(size), N, seed=3, shard_size=size)
        assert len(listed(folder)) == -(-N // size)
        pd.testing.assert_frame_equal(read(folder), expected)
    types = {pq.read_schema(path).remove_metadata() for path in (tmp_path / "1000").glob("*.parq*")}
    assert len(types) == 1, "all shards have the same types"
    one = table.write_samples(tmp_path / "one", 9, seed=3, label="yes")
    pd.testing.assert_frame_equal(read(one), table.sample(9, seed=3, label="yes"))
    assert list(read(table.write_samples(tmp_path / "none", 0)).columns) == list(expected.columns)


@pytest.mark.parametrize("where", [{"age": (30, 50), "paid": "yes"}, None])
def test_rows_that_meet_conditions_and_constraints_are_the_same_whatever_the_shards(
    table: GAN, constrained: GAN, tmp_path: Path, where: Any
) -> None:
    gan = constrained if where is None else table
    made = []
    for size in (900, 2_500):
        folder = tmp_path / str(size)
        gan.write_samples(folder, N, where=where, seed=3, shard_size=size)
        made.append(read(folder))
        found = Manifest.read(folder)
        assert found is not None
        assert found.dropped is not None
        assert 0 < found.dropped < 1
    pd.testing.assert_frame_equal(*made)
    rows = made[0]
    assert len(rows) == N
    assert rows["id"].is_unique
    if where is None:
        assert (rows["since"] <= rows["until"]).all()
    else:
        assert rows["age"].between(30, 50).all()
        assert (rows["paid"] == "yes").all()
    first, second = (rows["since"].to_numpy()[start:][:500] for start in (0, BLOCK))
    assert (first != second).any(), "blocks have rows of their own"


def test_points_and_windows_have_a_column_for_each_value(tmp_path: Path) -> None:
    for x, names in ((RNG.normal(size=80), ["x"]), (RNG.normal(size=(80, 2)), ["x0", "x1"])):
        gan = GAN(**TINY).fit(x)
        rows = read(gan.write_samples(tmp_path / names[0], 50, seed=1, shard_size=20))
        assert list(rows.columns) == names
        np.testing.assert_array_equal(rows.to_numpy().squeeze(), gan.sample(50, seed=1))
    gan = GAN(**TINY).fit(RNG.normal(size=(40, 12, 2)))
    rows = read(gan.write_samples(tmp_path / "windows", 50, seed=1, shard_size=20))
    assert list(rows.columns) == ["series", "step", "channel_0", "channel_1"]
    values = rows[["channel_0", "channel_1"]].to_numpy().reshape(50, 12, 2)
    np.testing.assert_array_equal(values, gan.sample(50, seed=1))
    assert rows["series"].tolist() == np.arange(50).repeat(12).tolist()


def test_images_in_shards_are_the_files_of_one_archive(images: GAN, tmp_path: Path) -> None:
    folder = images.write_samples(tmp_path / "shards", 50, seed=3, shard_size=20)
    alone = images.write_samples(tmp_path / "one.tar", 50, seed=3)

    def files(paths: list[Path]) -> list[tuple[str, bytes]]:
        found = []
        for path in paths:
            with tarfile.open(path) as tar:
                for member in tar:
                    content = tar.extractfile(member)
                    assert content is not None
                    found.append((member.name, content.read()))
        return found

    assert files(sorted(folder.glob("*.tar"))) == files([alone])
    assert files([alone])[:2][1][0] == "000000.cls"


def test_many_images_become_shards_unless_one_archive_is_asked_for(
    images: GAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_files, "MAX_LOOSE_IMAGES", 20)
    loose = images.write_samples(tmp_path / "loose", 20, seed=3)
    assert len(list(loose.rglob("*.png"))) == 20
    folder = images.write_samples(tmp_path / "many", 21, seed=3)
    assert list(listed(folder)) == ["samples-000000.tar"]
    assert images.write_samples(tmp_path / "many.tar", 21, seed=3).is_file()
    with pytest.raises(RequestError, match="is one file: for several"):
        images.write_samples(tmp_path / "other.tar", 21, shard_size=5)
    with pytest.raises(RequestError, match="holds other files"):
        images.write_samples(loose, 21, seed=3)


def test_an_interrupted_sampling_goes_on_with_what_is_missing(
    table: GAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    goes_on = interrupted(monkeypatch, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        table.write_samples(folder, N, shard_size=1_000)
    goes_on()
    before = listed(folder)
    assert len(before) == 2
    assert list(temporary_files(folder)) == []
    left = folder / ".samples-000002.parquet.1-0123abcd"  # as a process that was killed leaves it
    left.write_bytes(b"half")
    table.write_samples(folder, N)
    after = listed(folder)
    assert len(after) == -(-N // 1_000)
    assert {name: after[name] for name in before} == before, "they are not made again"
    assert not left.exists()
    found = Manifest.read(folder)
    assert found is not None
    pd.testing.assert_frame_equal(read(folder), table.sample(N, seed=found.seed))
    (folder / "samples-000003.parquet").unlink()
    table.write_samples(folder, N)
    again = listed(folder)
    assert [name for name in after if again[name] != after[name]] == ["samples-000003.parquet"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"n": 11}, "n 10, not 11"),
        ({"seed": 4}, "seed 3, not 4"),
        ({"shard_size": 6}, "shard_size 5, not 6"),
        ({"label": "yes"}, "label none, not yes"),
        ({"where": {"age": (30, 50)}}, r"where none, not age = \(30, 50\)"),
        ({"seed": 4, "n": 11}, "n 10, not 11, seed 3, not 4"),
    ],
)
def test_shards_of_other_samples_are_refused_with_the_difference(
    table: GAN, tmp_path: Path, asked: dict[str, Any], message: str
) -> None:
    folder = table.write_samples(tmp_path / "out", 10, seed=3, shard_size=5)
    before = listed(folder)
    n = asked.pop("n", 10)
    with pytest.raises(RequestError, match=f"holds samples with {message}: ask for the same"):
        table.write_samples(folder, n, **asked)
    assert listed(folder) == before


def test_another_generator_or_version_is_refused(
    table: GAN, constrained: GAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = table.write_samples(tmp_path / "out", 10, seed=3)
    with pytest.raises(RequestError, match=r"with generator \w{12}\.\.\., not \w{12}\.\.\.:"):
        constrained.write_samples(folder, 10, seed=3)
    monkeypatch.setitem(manifests.VERSIONS, "torch", "9.9")
    with pytest.raises(RequestError, match=r"versions .* torch = 9\.9: ask for the same"):
        table.write_samples(folder, 10, seed=3)


def test_the_manifest_names_the_generators_file_and_a_damaged_one_is_named(
    table: GAN, tmp_path: Path
) -> None:
    folder = table.write_samples(tmp_path / "out", 10, seed=3)
    path, run = folder / manifests.NAME, table._trained().directory
    stored = json.loads(path.read_text())
    assert run is not None
    assert stored["generator"] == hashlib.sha256(run.generator.read_bytes()).hexdigest()
    for damaged in ("", "[]", "{}", json.dumps({**stored, "shard_size": 0}), "[" * 100_000):
        path.write_text(damaged)
        with pytest.raises(EquipoiseError, match=r"_manifest\.json is damaged"):
            table.write_samples(folder, 10, seed=3)


def test_a_disk_that_is_full_ends_in_one_line_and_what_is_whole_stays(
    table: GAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    goes_on = interrupted(monkeypatch, 1, OSError(errno.ENOSPC, "No space left on device"))
    message = (
        r"^.*samples-000001\.parquet could not be written: No space left on device.*; "
        r"1 of 3 shards are in .*out; ask for the same to go on$"
    )
    with pytest.raises(EquipoiseError, match=message):
        table.write_samples(folder, 30, shard_size=10)
    goes_on()
    assert list(temporary_files(folder)) == []
    assert len(read(table.write_samples(folder, 30))) == 30


def test_a_signal_stops_with_what_is_whole_and_how_to_go_on(
    table: GAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = ParquetShards._parts

    def parts(*arguments: Any) -> Iterator[pd.DataFrame]:
        yield from tables(*arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ParquetShards, "_parts", parts)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(InterruptedRunError, match=r"^stopped by SIGINT: 1 of 3 shards") as caught:
        table.write_samples(tmp_path / "out", 30, shard_size=10)
    assert caught.value.status == 128 + signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is handler


def test_two_cannot_write_into_one_folder(table: GAN, tmp_path: Path) -> None:
    with (
        shards._locked(tmp_path / "out"),
        pytest.raises(RequestError, match="another process writes samples into"),
    ):
        table.write_samples(tmp_path / "out", 10)
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="is a file: give another name"):
        table.write_samples(tmp_path / "file", 10)
    with pytest.raises(EquipoiseError, match="could not be written: No such file"):
        table.write_samples(tmp_path / "none" / "out", 10)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"shard_size": 0}, "shard_size = 0: must be at least 1"),
        ({"shard_size": 2.0}, "must be a whole number"),
        ({"n": 10**9, "shard_size": 10}, "makes 100,000,000 files .* give at least 1,000"),
        ({"code": {"c0": 1}}, "has no codes"),
        ({"path": "out.csv"}, "give a name without an ending"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    table: GAN, tmp_path: Path, asked: dict[str, Any], message: str
) -> None:
    path, n = tmp_path / asked.pop("path", "out"), asked.pop("n", 10)
    with pytest.raises(RequestError, match=message):
        table.write_samples(path, n, **asked)
    assert list(tmp_path.iterdir()) == []


def test_shards_of_large_samples_have_fewer(images: GAN, table: GAN) -> None:
    assert default_size(images._trained().sampler) == 10_000
    assert default_size(table._trained().sampler) == 250_000
    wide = GAN(**TINY).fit(RNG.normal(size=(40, 500)))._trained().sampler
    assert default_size(wide) == 2**28 // (500 * 8)
