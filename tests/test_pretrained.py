"""The generators that come with Equipoise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from equipoise import GAN, pretrained
from equipoise.errors import RequestError
from tests.helpers import Answer

MAX_BYTES = 1_600_000


@pytest.mark.parametrize("name", pretrained.SUMMARIES)
def test_each_is_small_has_its_report_and_names_no_path(name: str) -> None:
    folder = pretrained.directory(name)
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "generator.safetensors",
        "report.json",
    }
    assert (folder / "generator.safetensors").stat().st_size < MAX_BYTES
    gan = GAN.pretrained(name)
    assert gan.report.samples_seen == gan._trained().sampler.samples_seen
    assert gan._trained().config.command == ()


def test_digits_come_by_label_without_data_or_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EQUIPOISE_DATA", str(tmp_path))
    digits = GAN.pretrained("mnist")
    ones, zeros = (np.asarray(digits.sample(16, label=k, seed=0)) for k in (1, 0))
    assert ones.shape == (16, 28, 28)
    assert ones.dtype == np.uint8
    assert ones.mean() < 0.7 * zeros.mean()  # a one has less ink
    assert Image.open(digits.draw(tmp_path / "digits.png", seed=0)).size[0] > 280


def test_the_command_line_takes_it_for_a_run(
    command: Callable[..., Answer], tmp_path: Path
) -> None:
    out = tmp_path / "digits.png"
    answer = command("sample", "pretrained:mnist", "-n", "4", "--seed", "0", "--out", str(out))
    assert (answer.status, answer.err) == (0, "")
    assert Image.open(out).size[0] > 28


def test_an_unknown_name_is_an_error_with_those_there_are() -> None:
    with pytest.raises(RequestError, match="no pretrained generator 'mnits': did you mean 'mnist'"):
        GAN.pretrained("mnits")
    with pytest.raises(RequestError, match="no pretrained generator '': known: mnist"):
        GAN.load("pretrained:")
