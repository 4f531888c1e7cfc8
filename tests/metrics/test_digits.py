"""The shipped digit classifier."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
import torch

from equipoise.data import mnist
from equipoise.errors import EquipoiseError
from equipoise.metrics import digits


def test_its_file_is_under_a_megabyte() -> None:
    assert len(files("equipoise.metrics").joinpath(digits.WEIGHTS).read_bytes()) < 1_000_000


def test_a_file_with_another_hash_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(EquipoiseError, match="is damaged"):
        digits.classifier.__wrapped__()


def test_probabilities_sum_to_one_and_chunks_do_not_show() -> None:
    x = torch.randint(
        0,
        256,
        (digits.BATCH + 3, 28, 28),
        dtype=torch.uint8,
        generator=torch.Generator().manual_seed(0),
    )
    features, probabilities = digits.read_digits(x)
    assert features.shape == (len(x), digits.FEATURES)
    assert torch.allclose(probabilities.sum(1), torch.ones(len(x)))
    assert torch.allclose(digits.read_digits(x[-3:])[0], features[-3:], atol=1e-4)


@pytest.mark.usefixtures("mnist_home")
def test_it_names_at_least_99_3_percent_of_the_official_test_digits() -> None:
    x, y = mnist.load("test")
    _, probabilities = digits.read_digits(torch.from_numpy(x.copy()))
    assert np.mean(probabilities.argmax(1).numpy() == y) >= 0.993
