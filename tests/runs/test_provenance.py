"""What config.json says of where a run came from is checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise.runs.directory import RunDirectory
from equipoise.runs.serialization import DamagedFileError

ODD: list[tuple[str, Any]] = [
    ("requested", 5),
    ("requested", []),
    ("requested", {"data": {}}),
    ("requested", {"recipe": 5}),
    ("requested", {"recipe": {"no_such": 1}}),
    ("requested", {"recipe": {"batch_size": "many"}}),
    ("requested", {"run": {"seed": [0]}}),
    ("requested", {"run": {"gamma": 1}}),
    ("init_from", "runs/x"),
    ("init_from", {}),
    ("init_from", {"run": 5, "generator": "0"}),
    ("init_from", {"run": None, "generator": None}),
]


@pytest.mark.parametrize(("part", "value"), ODD)
def test_what_cannot_be_is_refused(part: str, value: Any, trained: Path, tmp_path: Path) -> None:
    config, other = RunDirectory(trained).read_config(), RunDirectory(tmp_path)
    other.write_config({**config, part: value})
    with pytest.raises(DamagedFileError, match=r"config\.json is not what was written: "):
        other.read_config()


def test_a_config_without_provenance_has_empty_provenance(trained: Path, tmp_path: Path) -> None:
    config, other = RunDirectory(trained).read_config(), RunDirectory(tmp_path)
    for part in ("requested", "init_from"):
        del config[part]
    other.write_config(config)
    assert other.read_config()["requested"] == {"recipe": {}, "run": {}}
    assert other.read_config()["init_from"] is None
