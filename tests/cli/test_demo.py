"""`equipoise demo` trains, and says what to read and to do next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers import Answer

from equipoise.cli import demo

pytestmark = pytest.mark.usefixtures("brief_reports", "no_pages")


def test_the_demo_trains_and_says_what_is_next(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "SAMPLES", 512)
    answer = command("demo")
    assert answer.status == 0, answer.err
    assert "mean 4 and standard deviation 1.25" in answer.out
    assert "Wasserstein-1" in answer.out
    assert answer.out.rstrip().endswith("equipoise train FILE")
    assert (here / "runs/gaussian-balanced-0/generator.safetensors").is_file()
