"""A run directory has one writer, and says what is damaged in it."""

from __future__ import annotations

import errno
import fcntl
import json
import math
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise import GAN
from equipoise.errors import EquipoiseError, RequestError
from equipoise.runs import serialization
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import (
    DamagedFileError,
    checked_line,
    read_checked_line,
    read_json,
    write_json,
)

TAKEN = "another training is writing to .*: wait for its end, or give another directory"
HOLDING = """
import errno
import fcntl
import sys
import warnings
from pathlib import Path
from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import write_json
def lacking(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")
if sys.argv[2:] == ["without locks"]:
    fcntl.flock = lacking
    warnings.simplefilter("ignore")
held = RunDirectory.create(Path(sys.argv[1]), "run")
write_json(held.config_file, {"recipe": {}, "run": {}, "data": {}})
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_process(
    tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that has begun a run, and the run's directory."""
    out = tmp_path / "run"
    command = [sys.executable, "-c", HOLDING, str(out), *getattr(request, "param", [])]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process, out
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_writer_is_refused_until_the_first_has_died(
    other_process: tuple[subprocess.Popen[str], Path],
) -> None:
    process, out = other_process
    second = RunDirectory.existing(out)
    with pytest.raises(RequestError, match=TAKEN):
        second.lock()
    process.kill()
    process.wait()
    second.lock()
    second.unlock()


@pytest.mark.filterwarnings("ignore:flock not supported")
@pytest.mark.parametrize("other_process", [["without locks"]], indirect=True)
def test_where_the_disk_has_no_locks_too(
    other_process: tuple[subprocess.Popen[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", lacking)
    test_a_second_writer_is_refused_until_the_first_has_died(other_process)


def test_of_two_trainings_with_the_same_directory_one_is_refused(
    other_process: tuple[subprocess.Popen[str], Path], tiny: dict[str, Any]
) -> None:
    _, out = other_process
    with pytest.raises(RequestError, match="exists: resume it"):
        GAN(**tiny).fit("gaussian", out=out)
    (out / "config.json").unlink()  # as it is before the first has written anything
    with pytest.raises(RequestError, match=TAKEN):
        GAN(**tiny).fit("gaussian", out=out)


def test_a_run_is_free_again_when_its_training_has_ended_or_could_not_begin(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    GAN(**tiny).fit("gaussian", out=out)
    with pytest.raises(RequestError, match="was trained with other settings"):
        GAN(seed=7).fit("gaussian", out=out, resume=True)
    GAN(samples=64).fit("gaussian", out=out, resume=True)
    GAN(**tiny).fit("gaussian").save(tmp_path / "copy")
    GAN(samples=96).fit("gaussian", out=tmp_path / "copy", resume=True)


def test_a_generator_without_a_checkpoint_is_not_trained_over(
    trained: Path, tmp_path: Path
) -> None:
    GAN.load(trained).save(tmp_path / "copy")
    before = {path.name: path.read_bytes() for path in (tmp_path / "copy").glob("[!.]*")}
    with pytest.raises(
        EquipoiseError, match="cannot be resumed: it has a generator and no checkpoint"
    ):
        GAN().fit("gaussian", out=tmp_path / "copy", resume=True)
    assert before == {
        path.name: path.read_bytes() for path in (tmp_path / "copy").glob("[!.]*") if path.is_file()
    }


def test_what_a_killed_start_left_is_no_run_and_may_be_written_over(
    tiny: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / ".config.json.123-0a1b2c3d").write_text("{")
    GAN(**tiny).fit("gaussian", out=tmp_path)
    (tmp_path / ".generator.safetensors.123-0a1b2c3d").write_text("half")
    (tmp_path / "samples" / ".000000000.png.123-0a1b2c3d").write_text("half")
    GAN(samples=64).fit("gaussian", out=tmp_path, resume=True)
    assert not [
        path
        for path in tmp_path.rglob("*")
        if "0a1b2c3d" in path.name and "config" not in path.name
    ]


def test_every_flipped_byte_of_a_config_is_noticed_or_means_the_same(
    trained: Path, tmp_path: Path
) -> None:
    raw, path = (trained / "config.json").read_bytes(), tmp_path / "config.json"
    whole, noticed = RunDirectory(trained).read_config(), []
    rng = np.random.default_rng(0)
    for place in range(len(raw)):
        path.write_bytes(
            raw[:place] + bytes([raw[place] ^ (1 << rng.integers(8))]) + raw[place + 1 :]
        )
        try:
            assert RunDirectory(tmp_path).read_config() == whole
        except DamagedFileError as error:
            noticed.append(str(error))
    assert len(noticed) > 0.7 * len(raw)  # the rest is the white space
    assert all(str(path) in message and "\n" not in message for message in noticed)


def test_a_config_says_whether_labels_came_in_python(trained: Path, tmp_path: Path) -> None:
    assert RunDirectory(trained).read_config().data.labels_in_python is False
    stored = read_json(trained / "config.json")
    for wrong in (None, "yes"):
        stored["data"]["labels_in_python"] = wrong
        write_json(tmp_path / "config.json", stored)
        with pytest.raises(DamagedFileError, match="labels_in_python"):
            RunDirectory(tmp_path).read_config()


def test_a_config_cut_at_any_length_is_noticed(trained: Path, tmp_path: Path) -> None:
    raw, path = (trained / "config.json").read_bytes(), tmp_path / "config.json"
    for length in range(len(raw) - 1):  # the last byte ends the line
        path.write_bytes(raw[:length])
        with pytest.raises(DamagedFileError):
            RunDirectory(tmp_path).read_config()


def test_a_config_changed_by_hand_is_not_resumed(tiny: dict[str, Any], tmp_path: Path) -> None:
    GAN(**tiny).fit("gaussian", out=tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(EquipoiseError, match="changed by hand: its SHA-256 does not fit"):
        GAN().fit("gaussian", out=tmp_path / "run", resume=True)


def test_every_flipped_byte_of_a_log_is_noticed_and_costs_at_most_the_two_lines_beside_it(
    tmp_path: Path,
) -> None:
    run = RunDirectory(tmp_path)
    lines = [
        {"samples_seen": i, "seconds": i / 3, "metrics": {"naïve": 0.1 * i}, "trouble": "naïve"}
        for i in range(4)
    ]
    run.write_log(lines)
    raw = run.log_file.read_bytes()
    for place in range(len(raw)):
        for flipped in (1, 16, 128):
            run.log_file.write_bytes(raw[:place] + bytes([raw[place] ^ flipped]) + raw[place + 1 :])
            messages: list[str] = []
            read = run.read_log(messages.append)
            last = place == len(raw) - 1  # without its end, a line is still being written
            assert len(messages) == (0 if last else 1)
            assert [line for line in lines if line in read] == read
            assert len(read) >= 2


def test_a_line_of_a_log_is_plain_json_with_what_was_written() -> None:
    line = {"samples_seen": 3, "value": 1e-320, "text": 'quoted " and\nbroken'}
    text = checked_line(line)
    assert text.count("\n") == 1
    assert json.loads(text).keys() == {*line, "crc32"}
    assert read_checked_line(text[:-1]) == line
    assert (
        read_checked_line("")
        is read_checked_line("{}")
        is read_checked_line('[1], "crc32": "00000000"}')
        is None
    )


def test_readings_that_are_not_finite_are_null_in_the_log_and_read_as_nan(tmp_path: Path) -> None:
    run, lost = (
        RunDirectory(tmp_path),
        {"inf": math.inf, "minus": -math.inf, "nan": math.nan, "half": 0.5},
    )
    run.write_log([{"samples_seen": 3, "seconds": 0.5, "metrics": lost, "balance": math.nan}])
    (written,) = run.log_file.read_text().splitlines()
    assert json.loads(written, parse_constant=pytest.fail)["metrics"] == {
        **dict.fromkeys(lost),
        "half": 0.5,
    }
    (line,) = run.read_log(pytest.fail)
    assert math.isnan(line["balance"])
    assert [math.isnan(value) for value in line["metrics"].values()] == [True, True, True, False]
    for odd in ({"samples_seen": None}, {"seconds": None}, {"trouble": None}, {"metrics": None}):
        run.write_log([{"samples_seen": 3, "seconds": 0.5, **odd}])
        assert run.read_log(lambda _: None) == []


def test_json_with_nan_or_infinities_was_not_written_here(tmp_path: Path) -> None:
    write_json(
        tmp_path / "x.json",
        {"format": 1, "lost": [math.nan, (math.inf, 1)], "deep": {"x": -math.inf}},
    )
    assert read_json(tmp_path / "x.json") == {
        "format": 1,
        "lost": [None, [None, 1]],
        "deep": {"x": None},
    }
    for value in ("NaN", "Infinity", "-Infinity", "1e999"):
        (tmp_path / "x.json").write_text(f'{{"format": 1, "value": {value}}}')
        with pytest.raises(DamagedFileError, match="could not be read"):
            read_json(tmp_path / "x.json")
        bare = f'{{"value": {value}}}'
        line = f'{bare[:-1]}, "crc32": "{zlib.crc32(bare.encode()):08x}"}}'
        assert read_checked_line(line) is None or value == "1e999"


def test_what_would_be_too_long_to_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serialization, "MAX_JSON_BYTES", 100)
    write_json(tmp_path / "x.json", {"format": 1})
    with pytest.raises(
        EquipoiseError, match="it would have 312 bytes, more than the maximum of 100"
    ):
        write_json(tmp_path / "x.json", {"format": 1, "long": "x" * 200})
    assert read_json(tmp_path / "x.json") == {"format": 1}


def test_a_log_cut_at_any_length_keeps_its_whole_lines(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    lines = [{"samples_seen": i, "seconds": 0.0} for i in range(3)]
    run.write_log(lines)
    raw = run.log_file.read_bytes()
    for length in range(len(raw)):
        run.log_file.write_bytes(raw[:length])
        assert run.read_log(pytest.fail) == lines[: raw[:length].count(b"\n")]


def test_json_that_is_a_million_deep_is_refused_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in (
        "[" * 10**6,
        '{"format": 1, "a": ' * 10**5,
        '{"format": 1, "a": ' + "9" * 10**5 + "}",
    ):
        path.write_text(text)
        with pytest.raises(DamagedFileError, match="could not be read"):
            read_json(path)


@pytest.mark.parametrize("opening", ['{"a": ', "["])
def test_json_of_any_depth_is_read_or_refused(opening: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for depth in range(sys.getrecursionlimit() - 150, sys.getrecursionlimit() + 10):
        closing = "}" if opening.startswith("{") else "]"
        path.write_text('{"format": 1, "deep": ' + opening * depth + "1" + closing * depth + "}")
        with pytest.raises(DamagedFileError, match=r"could not be read|SHA-256 does not fit"):
            read_json(path)


def test_json_comes_back_as_it_was(tmp_path: Path) -> None:
    content = {
        "format": 1,
        "numbers": [1, 2.5, -1e300, 1e-320],
        "text": "ü\u2028\x1b",
        "none": None,
        "deep": {"b": [], "a": {}},
    }
    write_json(tmp_path / "x.json", content)
    assert read_json(tmp_path / "x.json") == content


def test_a_link_that_leads_nowhere_is_no_place_for_runs(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").symlink_to("gone")
    for out in (None, "runs/a"):
        with pytest.raises(
            RequestError,
            match=r"^runs/.* could not be created: its path has a broken link; "
            r"correct the link",
        ):
            GAN(**tiny).trainer("gaussian", out=out)
