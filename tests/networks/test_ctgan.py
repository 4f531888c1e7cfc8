"""CTGAN's layers, Gumbel-softmax and the loss of conditions."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import nll_loss

from equipoise.networks.conditioning import Generator
from equipoise.networks.ctgan import TEMPERATURE, ModeGenerator, ResidualLayers, condition_loss
from equipoise.transforms.space import MAX_MODES, mode_spans

SPANS = mode_spans((3, 0))


class Fixed(Generator):
    """Gives the same outputs whatever the latents."""

    def __init__(self, out: torch.Tensor) -> None:
        super().__init__(torch.nn.Identity())
        self.out = out

    def forward(self, z: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:
        return self.out.expand(len(z), -1)


def test_each_layer_sees_all_that_came_before() -> None:
    layers = ResidualLayers(5, 7, 4)
    sizes = [layer[0].in_features for layer in layers.layers]  # type: ignore[index]  # Sequential
    assert [*sizes, layers.last.in_features] == [5, 5 + 7, 5 + 7 + 7]
    assert layers(torch.randn(6, 5)).shape == (6, 4)


def test_alphas_are_tanh_and_the_rest_gumbel_softmax_with_noise_from_the_latent() -> None:
    out = torch.linspace(-1, 1, 3 + 1 + MAX_MODES)
    generator = ModeGenerator(Fixed(out), SPANS)
    assert generator.noise == 3 + MAX_MODES
    z = torch.randn(4, 2 + generator.noise)
    made = generator(z)
    uniform = torch.distributions.Normal(0.0, 1.0).cdf(z[:, 2:5])
    gumbel = -torch.log(-torch.log(uniform))
    expected = ((out[:3] + gumbel) / TEMPERATURE).softmax(1)
    torch.testing.assert_close(made[:, :3], expected, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(made[:, 3], out[3].tanh().expand(4))
    torch.testing.assert_close(made[:, 4:].sum(1), torch.ones(4))


def test_the_most_probable_category_is_drawn_as_often_as_softmax_says() -> None:
    """The Gumbel-max trick: the largest entry is a draw from softmax(out)."""
    out, n = torch.zeros(3 + 1 + MAX_MODES), 20_000
    out[:3] = torch.tensor([0.5, -1.0, 1.5])
    generator = ModeGenerator(Fixed(out), SPANS)
    z = torch.randn(n, generator.noise, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(generator(z)[:, :3].argmax(1), minlength=3) / n
    assert shares.tolist() == pytest.approx(out[:3].softmax(0).tolist(), abs=4 * (0.25 / n) ** 0.5)


def test_modes_that_a_column_does_not_have_are_never_made_and_gradients_are_finite() -> None:
    out = torch.zeros(3 + 1 + MAX_MODES, requires_grad=True)
    generator = ModeGenerator(Fixed(out), SPANS)
    generator.possible[6:] = False
    made = generator(torch.randn(50, generator.noise))
    assert made[:, 6:].abs().max() == 0
    made.square().sum().backward()
    assert out.grad is not None
    assert out.grad.isfinite().all()
    assert (out.grad[6:] == 0).all()


def test_the_loss_of_conditions_is_the_cross_entropy_in_the_column_asked_about() -> None:
    made = torch.cat([torch.randn(5, 3).softmax(1), torch.randn(5, 4).softmax(1)], 1)
    asked = torch.tensor([0, 2, 3, 6, 4])
    expected = (
        nll_loss(made[:2, :3].log(), asked[:2], reduction="sum")
        + nll_loss(made[2:, 3:].log(), asked[2:] - 3, reduction="sum")
    ) / 5
    torch.testing.assert_close(condition_loss(made, asked), expected)
    assert condition_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([1])).isfinite()
