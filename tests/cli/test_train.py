"""What `equipoise train` prints at its start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.helpers import TINY_OPTIONS

from equipoise.cli.train import _unused_gpus
from equipoise.data.in_words import described
from equipoise.data.schema import Schema


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (Schema((1,), "N", "float64"), "1-D points"),
        (Schema((2,), "ND", "float64"), "2-D points"),
        (Schema((1,), "ND", "float64", "frame"), "rows of 1 column"),
        (Schema((14,), "ND", "float64", "frame"), "rows of 14 columns"),
        (Schema((1, 20, 28), "NHW", "uint8"), "28 x 20 grayscale images"),
        (Schema((3, 64, 64), "NHWC", "uint8"), "64 x 64 RGB images"),
        (Schema((2, 8, 8), "NCHW", "uint8"), "8 x 8 2-channel images"),
    ],
)
def test_the_kind_of_data_is_described_in_plain_words(schema: Schema, words: str) -> None:
    assert described(schema) == words


@pytest.mark.usefixtures("no_pages", "brief_reports")
def test_the_header_has_the_data_the_recipe_and_the_directory(
    here: Path, command: Callable[..., Any]
) -> None:
    answer = command("train", "ring", "--out", "run", "--evaluate", "none", *TINY_OPTIONS)
    assert answer.status == 0
    first, second = answer.out.splitlines()[:2]
    assert first == "ring: 2-D points, generated on the fly"
    assert second == "balanced on cpu with 1 thread; saved in run"
    assert (here / "run").is_dir()


@pytest.mark.parametrize(
    ("given", "device", "ranks", "gpus", "unused"),
    [
        ("auto", "cuda", 1, 4, 4),
        ("cuda", "cuda", 1, 4, 4),
        ("cuda:1", "cuda:1", 1, 4, 0),
        ("cuda", "cuda", 4, 4, 0),
        ("cuda", "cuda", 1, 1, 0),
        ("auto", "cpu", 1, 0, 0),
    ],
)
def test_gpus_that_are_not_used_are_told_of_unless_one_was_picked(
    given: str, device: str, ranks: int, gpus: int, unused: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    trainer: Any = SimpleNamespace(
        settings=SimpleNamespace(device=given),
        device=torch.device(device),
        ranks=SimpleNamespace(size=ranks),
    )
    assert _unused_gpus(trainer) == unused
