"""CIFAR-10 for benchmarks: colour images of ten classes, and a classifier of them.

The images are JPEG files in class folders, in `$EQUIPOISE_DATA/cifar10/train.tar.gz`
and `test.tar.gz`. The classifier plays the part that the digit classifier plays for
MNIST: its features see what an image shows. No recipe is trained on them.

    python -m benchmarks.cifar
        trains the classifier, and writes its weights beside this file

Training takes the 50,000 training images alone; the accuracy it prints is of the test
images, by which nothing is chosen. About 25 minutes on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

WEIGHTS = Path(__file__).parent / "cifar_classifier.safetensors"
FEATURES = 256
EPOCHS, BATCH, PEAK_RATE = 16, 250, 6e-3
NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
Pixels = NDArray[np.uint8]
Classes = NDArray[np.int64]


@cache
def images(split: str) -> tuple[Pixels, Classes]:
    """The images and classes of "train" or "test": (N, 3, 32, 32) and (N,).

    Classes are places in `NAMES`.
    """
    pixels, classes = [], []
    for name, data in files(split):
        pixels.append(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
        classes.append(NAMES.index(name.parent.name))
    return np.stack(pixels).transpose(0, 3, 1, 2).copy(), np.array(classes, np.int64)


def files(split: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The name, .../class/number.jpg, and the bytes of every image."""
    archive = Path(os.environ["EQUIPOISE_DATA"]) / "cifar10" / f"{split}.tar.gz"
    with tarfile.open(archive) as opened:
        for member in opened:
            if member.isfile() and (stream := opened.extractfile(member)) is not None:
                yield PurePosixPath(member.name), stream.read()


def extract(split: str, folder: Path) -> None:
    """Write the images of a split into class folders."""
    for name in NAMES:
        (folder / name).mkdir(parents=True)
    for path, data in files(split):
        (folder / path.parent.name / path.name).write_bytes(data)


class CifarClassifier(nn.Module):
    """Eight 3 x 3 convolutions, three poolings, a global mean: pixels (N, 3, 32, 32) in
    [0, 1] to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 32, 64, 64, 128, 128, 192, FEATURES)
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(widths)):
            layers += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
            if i in (1, 3, 5):
                layers.append(nn.MaxPool2d(2))
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(FEATURES, 10)

    def features(self, x: Tensor) -> Tensor:
        """The mean of the last feature maps over the image: (N, 256)."""
        maps: Tensor = self.trunk(x * 4 - 2)
        return maps.float().mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the ten classes, (N, 10)."""
        logits: Tensor = self.head(self.features(x))
        return logits


@cache
def classifier() -> CifarClassifier:
    """The trained classifier, in evaluation mode."""
    network = CifarClassifier()
    network.load_state_dict({k: v.float() for k, v in load(WEIGHTS.read_bytes()).items()})
    return network.eval().requires_grad_(False)


@torch.no_grad()
def read_images(pixels: Pixels, batch: int = 250) -> tuple[NDArray[np.float64], Classes]:
    """Features (N, 256) and classes (N,) that the classifier sees in images, uint8 of
    shape (N, 3, 32, 32)."""
    network = classifier()
    parts = [
        network.features(part.float().div(255).contiguous(memory_format=torch.channels_last))
        for part in torch.split(torch.from_numpy(pixels), batch)
    ]
    features = torch.cat(parts)
    return features.double().numpy(), network.head(features).argmax(1).numpy()


def augmented(x: Tensor, randomness: torch.Generator) -> Tensor:
    """Images (N, 3, 32, 32), each mirrored or not, moved by up to 4 pixels, and with a
    square of 8 pixels grey."""
    n, side = len(x), x.shape[2]
    mirrored = torch.rand(n, generator=randomness) < 0.5
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    move = torch.randint(0, 9, (n, 2), generator=randomness)
    rows = move[:, :1] + torch.arange(side)
    columns = move[:, 1:] + torch.arange(side)
    padded = nn.functional.pad(x, (4, 4, 4, 4), mode="reflect")
    x = padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    hole = torch.randint(0, side, (n, 2), generator=randomness)
    at = torch.arange(side)
    inside = ((at - hole[:, :1]).abs() < 4)[:, :, None] & ((at - hole[:, 1:]).abs() < 4)[:, None]
    return torch.where(inside[..., None], 0.5, x).permute(0, 3, 1, 2)


def train(network: CifarClassifier) -> None:
    """Fit the classifier to the training images; print a line for each epoch."""
    randomness = torch.Generator().manual_seed(0)
    pixels, classes = (torch.from_numpy(part) for part in images("train"))
    optimizer = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK_RATE, total_steps=EPOCHS * (len(pixels) // BATCH)
    )
    for epoch in range(EPOCHS):
        order = torch.randperm(len(pixels), generator=randomness)
        for index in torch.split(order, BATCH):
            x = augmented(pixels[index].float() / 255, randomness)
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(x.contiguous(memory_format=torch.channels_last))
            loss = cross_entropy(logits.float(), classes[index], label_smoothing=0.05)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1:2d}: last loss {loss.item():.3f}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--threads", type=int, default=1)
    torch.set_num_threads(arguments.parse_args().threads)
    torch.manual_seed(0)
    network = CifarClassifier()
    train(network)
    # Half precision: 2 MB, and the same accuracy.
    raw = save({name: value.half().contiguous() for name, value in network.state_dict().items()})
    WEIGHTS.write_bytes(raw)
    pixels, classes = images("test")
    accuracy = (read_images(pixels)[1] == classes).mean()
    print(f"{WEIGHTS.name}: {len(raw):,} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}")
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
