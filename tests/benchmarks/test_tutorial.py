"""The classic tutorial's two examples, much shortened."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import tutorial


def test_the_tutorial_on_the_line_tells_its_moments_in_order() -> None:
    moments = list(tutorial.line(seed=0, steps=40, moments=4, n=500))
    seconds = [moment for moment, _ in moments]
    assert len(moments) == 4
    assert seconds == sorted(seconds)
    assert all(samples.shape == (500,) for _, samples in moments)


def test_the_tutorials_discriminator_sees_a_batch_and_its_squared_distances_to_the_mean() -> None:
    seen = tutorial.with_squares(torch.tensor([[1.0, 2.0, 6.0]]))
    assert seen.tolist() == [[1, 2, 6, 4, 1, 9]]


@pytest.mark.usefixtures("mnist_home")
def test_the_tutorial_on_digits_makes_images() -> None:
    [(seconds, images)] = tutorial.digits(seed=0, epochs=1, n=20, max_samples=200)
    assert seconds > 0
    assert images.shape == (20, 28, 28)
    assert images.dtype == np.uint8
