"""The classic tutorial's two examples in plain torch, as a tutorial writes them: what
P4 compares with.

    python -m benchmarks.tutorial line      N(4, 1.25): Wasserstein-1 through time
    python -m benchmarks.tutorial digits
        MNIST: Fréchet distance of digit features through time

On the line D and G are small MLPs, and D is shown a whole batch as one vector, with
each value's squared distance to the batch's mean. On digits both are MLPs with dropout,
and dropout stays on when samples are drawn, as it does there. Sizes and rates are the
ones that are handed on most: nothing is tuned here, for better or for worse.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from benchmarks.baselines import ImageItems
from benchmarks.likeness import DigitQuality, LineQuality
from equipoise.data import mnist

MEAN, STD = 4.0, 1.25
LINE_BATCH, LINE_HIDDEN, LINE_RATE, LINE_REAL_LABEL = 100, 50, 2e-4, 0.95
DIGIT_BATCH, DIGIT_HIDDEN, DIGIT_RATE, DIGIT_REAL_LABEL = 100, 256, 2e-4, 0.9
LATENT, DROPOUT, LEAKY_SLOPE = 100, 0.2, 0.2
PIXEL_MEAN, PIXEL_STD = 0.5, 0.5  # pixels on [-1, 1], as the tanh has them

Moment = tuple[float, NDArray[np.generic]]


class LineGenerator(nn.Module):
    """Noise (N, 1) to numbers (N, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.map1 = nn.Linear(1, LINE_HIDDEN)
        self.map2 = nn.Linear(LINE_HIDDEN, LINE_HIDDEN)
        self.map3 = nn.Linear(LINE_HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.elu(self.map1(x))
        x = torch.sigmoid(self.map2(x))
        out: Tensor = self.map3(x)
        return out


class LineDiscriminator(nn.Module):
    """A batch as one vector, (1, 2 N), to the probability that it is real, (1, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.map1 = nn.Linear(2 * LINE_BATCH, LINE_HIDDEN)
        self.map2 = nn.Linear(LINE_HIDDEN, LINE_HIDDEN)
        self.map3 = nn.Linear(LINE_HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.elu(self.map1(x))
        x = nn.functional.elu(self.map2(x))
        return torch.sigmoid(self.map3(x))


def with_squares(data: Tensor) -> Tensor:
    """A batch, (1, N), with each value's squared distance to its mean beside it, (1, 2
    N)."""
    mean = torch.mean(data, 1, keepdim=True)
    return torch.cat([data, torch.pow(data - mean, 2.0)], 1)


def line(seed: int, steps: int = 10_000, moments: int = 20, n: int = 100_000) -> Iterator[Moment]:
    """Train on N(4, 1.25) and yield, `moments` times, the seconds of training so far
    and n samples, (n,), drawn outside the clock."""
    torch.manual_seed(seed)
    numbers = np.random.default_rng(seed)
    generator, discriminator = LineGenerator(), LineDiscriminator()
    criterion = nn.BCELoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=LINE_RATE)
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=LINE_RATE)
    seconds, began = 0.0, time.perf_counter()
    for step in range(1, steps + 1):
        discriminator.zero_grad()
        real_data = torch.tensor(numbers.normal(MEAN, STD, (1, LINE_BATCH)), dtype=torch.float32)
        real_decision = discriminator(with_squares(real_data))
        real_error = criterion(real_decision, LINE_REAL_LABEL * torch.ones(1, 1))
        real_error.backward()
        fake_data = generator(torch.rand(LINE_BATCH, 1)).detach()
        fake_decision = discriminator(with_squares(fake_data.t()))
        fake_error = criterion(fake_decision, torch.zeros(1, 1))
        fake_error.backward()
        optimizer_d.step()

        generator.zero_grad()
        fake_data = generator(torch.rand(LINE_BATCH, 1))
        decision = discriminator(with_squares(fake_data.t()))
        error = criterion(decision, torch.ones(1, 1))
        error.backward()
        optimizer_g.step()

        if step * moments // steps > (step - 1) * moments // steps:
            seconds += time.perf_counter() - began
            with torch.no_grad():
                yield seconds, generator(torch.rand(n, 1)).double().numpy()[:, 0]
            began = time.perf_counter()


def digit_networks() -> tuple[nn.Module, nn.Module]:
    """G, latents (N, 100) to images (N, 784) on [-1, 1], and D, images to probabilities
    (N, 1)."""
    generator = nn.Sequential(
        nn.Linear(LATENT, DIGIT_HIDDEN),
        nn.LeakyReLU(LEAKY_SLOPE),
        nn.Dropout(DROPOUT),
        nn.Linear(DIGIT_HIDDEN, DIGIT_HIDDEN),
        nn.LeakyReLU(LEAKY_SLOPE),
        nn.Dropout(DROPOUT),
        nn.Linear(DIGIT_HIDDEN, 784),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Linear(784, DIGIT_HIDDEN),
        nn.LeakyReLU(LEAKY_SLOPE),
        nn.Dropout(DROPOUT),
        nn.Linear(DIGIT_HIDDEN, DIGIT_HIDDEN),
        nn.LeakyReLU(LEAKY_SLOPE),
        nn.Dropout(DROPOUT),
        nn.Linear(DIGIT_HIDDEN, 1),
        nn.Sigmoid(),
    )
    return generator, discriminator


def digits(
    seed: int, epochs: int = 20, n: int = 10_000, max_samples: int = 60_000
) -> Iterator[Moment]:
    """Train on the first `max_samples` digits of MNIST. After every epoch yield the
    seconds of training so far and n samples, (n, 28, 28) uint8, drawn outside the
    clock."""
    torch.manual_seed(seed)
    images, labels = (part[:max_samples] for part in mnist.load("train"))
    loader = DataLoader(
        ImageItems(images, labels, PIXEL_MEAN, PIXEL_STD),
        batch_size=DIGIT_BATCH,
        shuffle=True,
        drop_last=True,
    )
    generator, discriminator = digit_networks()
    criterion = nn.BCELoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=DIGIT_RATE)
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=DIGIT_RATE)
    real_labels, fake_labels = (
        torch.full((DIGIT_BATCH, 1), DIGIT_REAL_LABEL),
        torch.zeros(DIGIT_BATCH, 1),
    )
    seconds, began = 0.0, time.perf_counter()
    for _ in range(epochs):
        for images, _ in loader:
            real_loss = criterion(discriminator(images.view(DIGIT_BATCH, -1)), real_labels)
            fake_images = generator(torch.rand(DIGIT_BATCH, LATENT) * 2 - 1)
            fake_loss = criterion(discriminator(fake_images.detach()), fake_labels)
            d_loss = real_loss + fake_loss
            optimizer_d.zero_grad()
            d_loss.backward()
            optimizer_d.step()

            fake_images = generator(torch.rand(DIGIT_BATCH, LATENT) * 2 - 1)
            g_loss = criterion(discriminator(fake_images), torch.ones(DIGIT_BATCH, 1))
            optimizer_g.zero_grad()
            g_loss.backward()
            optimizer_g.step()
        seconds += time.perf_counter() - began
        with torch.no_grad():
            generated = generator(torch.rand(n, LATENT) * 2 - 1).view(n, 28, 28)
        yield seconds, ((generated + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()
        began = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("example", choices=["line", "digits"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10_000, help="of the example on the line")
    parser.add_argument("--epochs", type=int, default=20, help="of the digits")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.example == "line":
        of_line = LineQuality()
        for seconds, samples in line(options.seed, options.steps):
            print(
                f"{seconds:8.2f} s  Wasserstein-1 {of_line(samples):.4f} (real samples "
                f"{of_line.baseline:.4f})",
                flush=True,
            )
    else:
        of_digits = DigitQuality()
        for seconds, samples in digits(options.seed, options.epochs):
            print(
                f"{seconds:8.1f} s  Fréchet (digit features) {of_digits(samples):.1f} (real "
                f"digits {of_digits.baseline:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
