"""Two loops of our own around the engine's networks: what P1 and P2 compare the engine
with.

`Minimal` is the least code that does `balanced`'s arithmetic, written to be fast.
`Typical` does it with the habits of typical public implementations: it is nobody's
code, but written by us to those habits, which its docstring lists. Both train deep
copies of an engine's networks, so that only the loop differs.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, Dataset, TensorDataset

from benchmarks.engine import Engine
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import cosine
from equipoise.training.step import EMA_RAMPUP
from equipoise.transforms.space import NetworkSpace

DIGIT_MEAN, DIGIT_STD = (
    0.1307,
    0.3081,
)  # of MNIST's pixels on [0, 1], as handed on from tutorial to tutorial
LOGGED = ("loss_d", "loss_g", "r1", "r2")


class Minimal:
    """`balanced` by hand: L_D = mean softplus(D(x') - D(x)) + gamma/2 (R1 + R2), L_G =
    mean softplus(D(x) - D(x')), Adam along a cosine, an average of G. One tensor holds
    the data; no pass, copy or reading that the mathematics does not ask for."""

    def __init__(self, engine: Engine, samples: int | None = None) -> None:
        recipe, state = engine.recipe, engine.state
        assert isinstance(recipe, Balanced), "the loop is balanced's"
        self.recipe, self.prior, self.n = recipe, engine.method.prior, recipe.batch_size
        self.generator, self.discriminator, self.average = (
            copy.deepcopy(network) for network in (state.generator, state.discriminator, state.ema)
        )
        betas = (recipe.beta1, recipe.beta2)
        self.adam_g = torch.optim.Adam(
            self.generator.parameters(), recipe.learning_rate, betas, fused=True
        )
        self.adam_d = torch.optim.Adam(
            self.discriminator.parameters(), recipe.learning_rate, betas, fused=True
        )
        self.weights_g: list[Tensor] = list(self.generator.parameters())
        self.weights_d: list[Tensor] = list(self.discriminator.parameters())
        self.averages: list[Tensor] = list(self.average.parameters())
        self.data, self.classes = engine.resident()
        self.order, self.at, self.seen = torch.randperm(len(self.data)), 0, 0
        self.horizon = samples or recipe.default_samples(NetworkSpace.of(engine.fit.source.schema))
        self.latents = torch.Generator().manual_seed(0)

    def step(self) -> tuple[Tensor, Tensor]:
        """One step on the next samples and fresh latents; both losses, ()."""
        if self.at + self.n > len(self.data):
            self.order, self.at = torch.randperm(len(self.data)), 0
        rows = self.order[self.at : self.at + self.n]
        self.at += self.n
        y = None if self.classes is None else self.classes[rows]
        return self.learn(
            self.data[rows],
            y,
            self.prior.sample(self.n, self.latents),
            self.prior.sample(self.n, self.latents),
        )

    def learn(self, x: Tensor, y: Tensor | None, z_d: Tensor, z_g: Tensor) -> tuple[Tensor, Tensor]:
        """One step on real samples x, (N, *shape), and their classes, (N,), with D's
        and G's latents, (N, Z); both losses, ()."""
        rate = cosine(
            self.recipe.learning_rate,
            self.recipe.learning_rate * self.recipe.learning_rate_end,
            self.seen / self.horizon,
        )
        self.adam_g.param_groups[0]["lr"] = self.adam_d.param_groups[0]["lr"] = rate

        with torch.no_grad():
            x_fake = self.generator(z_d, y)
        both = torch.cat([x, x_fake]).requires_grad_()
        logits = self.discriminator(both, None if y is None else torch.cat([y, y]))[0]
        real, fake = logits.chunk(2)
        slopes = torch.autograd.grad(logits.sum(), both, create_graph=True)[0]
        loss_d = softplus(fake - real).mean() + self.recipe.gamma / 2 * slopes.square().sum() / len(
            x
        )
        self.adam_d.zero_grad()
        torch.autograd.backward(loss_d, inputs=self.weights_d)
        self.adam_d.step()

        with torch.no_grad():
            real = self.discriminator(x, y)[0]
        self.discriminator.requires_grad_(False)
        loss_g = softplus(real - self.discriminator(self.generator(z_g, y), y)[0]).mean()
        self.adam_g.zero_grad()
        torch.autograd.backward(loss_g)
        self.adam_g.step()
        self.discriminator.requires_grad_(True)

        self.seen += self.n
        half_life = min(self.recipe.ema_half_life, EMA_RAMPUP * self.seen)
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, self.weights_g, 1 - 0.5 ** (self.n / half_life))
        return loss_d.detach(), loss_g.detach()


class ImageItems(Dataset[tuple[Tensor, int]]):
    """Grey images as the usual image datasets hand them out: every item becomes a PIL
    image, is turned into a float tensor on [0, 1], and has `mean` taken off and is
    divided by `std`, one item at a time."""

    def __init__(
        self, images: NDArray[np.uint8], labels: NDArray[np.integer], mean: float, std: float
    ) -> None:
        self.images, self.labels, self.mean, self.std = images, labels, mean, std

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.images[i])
        x = torch.from_numpy(np.array(image, np.uint8)).view(image.height, image.width, 1)
        x = x.permute(2, 0, 1).contiguous().float().div(255)
        mean, std = (
            torch.tensor([self.mean]).view(-1, 1, 1),
            torch.tensor([self.std]).view(-1, 1, 1),
        )
        return x.clone().sub_(mean).div_(std), int(self.labels[i])


class Typical:
    """`balanced` with the habits of typical public implementations:

    - a shuffling DataLoader without workers, its default, over PIL images (points: over
      a TensorDataset), item by item;
    - real and generated samples pass D one after the other, each with its own penalty
      by its own autograd.grad;
    - generated samples are drawn once a step and serve both networks, which is cheaper
      than the engine's two draws;
    - D's weights collect gradients in G's step, which the next zero_grad throws away;
    - Adam neither fused nor foreach, torch's default on a CPU;
    - a constant learning rate;
    - the EMA weight by weight in a for-loop;
    - `.item()` of every loss at every step.
    """

    def __init__(self, engine: Engine) -> None:
        recipe, state = engine.recipe, engine.state
        assert isinstance(recipe, Balanced), "the loop is balanced's"
        self.recipe, self.prior, self.latents = (
            recipe,
            engine.method.prior,
            torch.Generator().manual_seed(0),
        )
        self.generator, self.discriminator, self.average = (
            copy.deepcopy(network) for network in (state.generator, state.discriminator, state.ema)
        )
        betas = (recipe.beta1, recipe.beta2)
        self.generator.mixed, self.discriminator.mixed = False, False  # type: ignore[assignment]  # fields of copies, which mypy takes for any module
        self.adam_g = torch.optim.Adam(
            self.generator.parameters(), lr=recipe.learning_rate, betas=betas, foreach=False
        )
        self.adam_d = torch.optim.Adam(
            self.discriminator.parameters(), lr=recipe.learning_rate, betas=betas, foreach=False
        )
        self.decay = 0.5 ** (recipe.batch_size / recipe.ema_half_life)
        dataset: Dataset[Any]
        data, classes = engine.resident()
        self.told = classes is not None
        if engine.fit.source.is_digits:
            images = engine.fit.source.seen(len(data), engine.fit.settings.seed)[:, 0].numpy()
            labels = np.zeros(len(data), np.int64) if classes is None else classes.numpy()
            dataset = ImageItems(images, labels, DIGIT_MEAN, DIGIT_STD)
        else:
            dataset = TensorDataset(data) if classes is None else TensorDataset(data, classes)
        self.loader = DataLoader(
            dataset, batch_size=recipe.batch_size, shuffle=True, drop_last=True
        )
        self.batches: Iterator[Any] = iter(self.loader)
        self.history: dict[str, list[float]] = {name: [] for name in LOGGED}

    def step(self) -> None:
        """One step on the loader's next batch."""
        try:
            real, *label = next(self.batches)
        except StopIteration:
            self.batches = iter(self.loader)
            real, *label = next(self.batches)
        self.learn(
            real, label[0] if self.told else None, self.prior.sample(len(real), self.latents)
        )

    def learn(self, real: Tensor, y: Tensor | None, z: Tensor) -> None:
        """One step on real samples, (N, *shape), and their classes, (N,), with latents,
        (N, Z), for both networks."""
        self.adam_d.zero_grad()
        fake = self.generator(z, y)
        real_in, fake_in = real.detach().requires_grad_(), fake.detach().requires_grad_()
        real_logits, fake_logits = (
            self.discriminator(real_in, y)[0],
            self.discriminator(fake_in, y)[0],
        )
        r1, r2 = (
            zero_centred_penalty(real_logits, real_in),
            zero_centred_penalty(fake_logits, fake_in),
        )
        loss_d = softplus(-(real_logits - fake_logits)).mean() + self.recipe.gamma / 2 * (r1 + r2)
        torch.autograd.backward(loss_d)
        self.adam_d.step()

        self.adam_g.zero_grad()
        real_logits, fake_logits = (
            self.discriminator(real, y)[0].detach(),
            self.discriminator(fake, y)[0],
        )
        loss_g = softplus(-(fake_logits - real_logits)).mean()
        torch.autograd.backward(loss_g)
        self.adam_g.step()

        self.update_ema()
        for name, value in zip(LOGGED, (loss_d, loss_g, r1, r2), strict=True):
            self.history[name].append(value.item())

    @torch.no_grad()
    def update_ema(self) -> None:
        for average, weight in zip(
            self.average.parameters(), self.generator.parameters(), strict=True
        ):
            average.mul_(self.decay).add_(weight, alpha=1 - self.decay)


def zero_centred_penalty(logits: Tensor, x: Tensor) -> Tensor:
    """mean |grad D(x)|^2, ()."""
    slopes = torch.autograd.grad(outputs=logits.sum(), inputs=x, create_graph=True)[0]
    return slopes.pow(2).reshape(len(x), -1).sum(1).mean()
