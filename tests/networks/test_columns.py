"""A generator of tables starts as the mixture, and learns from there."""

from __future__ import annotations

import torch
from tests.transforms.test_latent_classes import SIZES, fitted, two_classes
from torch import nn

from equipoise.networks.columns import ColumnGenerator, ColumnOutput
from equipoise.transforms.latent_classes import LatentClasses
from equipoise.transforms.space import table_spans
from equipoise.transforms.table_encoding import TableEncoding

N = 8_000
SPANS = table_spans(SIZES)


class Points(nn.Module):
    """A generator of points whose weights are not zero."""

    def __init__(self, latents: int, size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(latents, size)

    def forward(self, z: torch.Tensor, y: torch.Tensor | None) -> torch.Tensor:
        out: torch.Tensor = self.layer(z)
        return out


def started() -> tuple[ColumnGenerator, TableEncoding, LatentClasses, torch.Tensor]:
    raw, _ = two_classes(N)
    encoding, mixture = fitted(raw, 2)
    generator = ColumnGenerator(Points(6, 10), SPANS, 2)
    generator.output.start_from(mixture)
    return generator, encoding, mixture, raw


def drawn(generator: ColumnGenerator, component: torch.Tensor) -> torch.Tensor:
    noise = torch.Generator().manual_seed(1)
    return generator(torch.randn(len(component), 6 + 8, generator=noise), component)


def test_before_training_samples_are_the_mixtures() -> None:
    generator, encoding, mixture, raw = started()
    component = torch.multinomial(
        mixture.weights[0], N, replacement=True, generator=torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        made = encoding.decode(drawn(generator, component))
    for column in (0, 1):  # categories
        shares = [torch.bincount(x[:, column].long(), minlength=4) / N for x in (made, raw)]
        assert (shares[0] - shares[1]).abs().max() < 4 * (0.25 / N) ** 0.5 * 2**0.5
    for column in (2, 3):  # numbers
        quantiles = torch.tensor([0.1, 0.5, 0.9]).double()
        a, b = (x[:, column].double().quantile(quantiles) for x in (made, raw))
        assert (a - b).abs().max() < 0.1
    # The class shows in both, so what depends on it alone does so in samples.
    both = torch.stack([made[:, 0] >= 2, made[:, 2] > 1.5]).double()
    real = torch.stack([raw[:, 0] >= 2, raw[:, 2] > 1.5]).double()
    assert abs(torch.corrcoef(both)[0, 1] - torch.corrcoef(real)[0, 1]) < 0.05


def test_samples_are_one_hot_and_finite_scores() -> None:
    generator, *_ = started()
    x = drawn(generator, torch.arange(200) % 2)
    for columns in (slice(0, 4), slice(4, 8)):
        block = x[:, columns].detach()
        assert block.sum(1).allclose(torch.ones(200))
        assert block.max(1).values.allclose(torch.ones(200))
    assert x.isfinite().all()


def test_gradients_reach_the_outputs_of_every_column() -> None:
    generator, *_ = started()
    nn.init.ones_(generator.gain)
    x = drawn(generator, torch.arange(200) % 2)
    weights = torch.randn(10, generator=torch.Generator().manual_seed(2))
    (x @ weights).sum().backward()
    gradient = generator.points.layer.bias.grad
    assert gradient is not None
    assert gradient.isfinite().all()
    assert (gradient != 0).all()


def test_a_larger_output_makes_a_category_likelier_and_a_number_larger() -> None:
    generator, _, mixture, _ = started()
    output: ColumnOutput = generator.output
    component = mixture.log_probabilities[:, 1].argmax().expand(N)
    noise = torch.Generator().manual_seed(3)
    base, draws = (torch.randn(N, count, generator=noise) for count in (2, 8))
    before = output(torch.zeros(N, 10), base, draws, component).mean(0)
    push = torch.zeros(10)
    push[[1, 8]] = 1.0
    after = output(push.expand(N, -1), base, draws, component).mean(0)
    assert after[1] > before[1] + 0.05
    assert after[8] > before[8] + 0.05


def test_a_state_that_is_loaded_makes_the_same_samples() -> None:
    generator, *_ = started()
    other = ColumnGenerator(Points(6, 10), SPANS, 2)
    other.load_state_dict(generator.state_dict())
    component = torch.arange(100) % 2
    assert drawn(other, component).equal(drawn(generator, component))
