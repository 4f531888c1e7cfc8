"""FID and KID on Inception's features, as torch-fidelity computes them: an optional
extra, for images like those that Inception was trained on.

Its features come from photographs, not from digits or drawings, and its weights are a
download of their own: nothing is fetched here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from equipoise.errors import RequestError
from equipoise.metrics.reference import Array
from equipoise.metrics.registry import Metric, describe
from equipoise.metrics.result import MetricResult

# Torch-fidelity's name for the TensorFlow model that FID is defined by.
WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
KID_SUBSET = 1000  # images, torch-fidelity's own; fewer where there are not as many

FID = describe(
    Metric(
        "inception_fid", "FID (Inception, torch-fidelity)", "lower", "Fréchet Inception Distance"
    )
)
KID = describe(
    Metric("inception_kid", "KID (Inception, torch-fidelity)", "lower", "Kernel Inception Distance")
)
THEIR_NAMES = ((FID, "frechet_inception_distance"), (KID, "kernel_inception_distance_mean"))


class Images(Dataset[Tensor]):
    """Images (N, C, H, W) with values in `limits` as torch-fidelity takes them: uint8
    of three channels. Transparency is left out."""

    def __init__(self, values: Array, limits: tuple[float, float]) -> None:
        low, high = limits
        eight_bit = ((values - low) / (high - low) * 255).round().clip(0, 255).astype(np.uint8)
        channels = eight_bit.shape[1]
        self.images: Tensor = torch.from_numpy(
            eight_bit[:, :3] if channels >= 3 else np.repeat(eight_bit[:, :1], 3, axis=1)
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


def inception_metrics(
    fake: Array, real: Array, fresh: Array, limits: tuple[float, float]
) -> list[MetricResult]:
    """FID and KID of generated images.

    Args:
        fake: The images, (N, C, H, W).
        real: Those that they are compared with, (M, C, H, W).
        fresh: Other real ones, (N, C, H, W), for the baseline.
        limits: The least and the greatest value of a pixel.

    Raises:
        RequestError: Where torch-fidelity, or its weights, are not there.
    """
    try:
        from torch_fidelity import calculate_metrics
    except ImportError:
        raise RequestError(
            "inception needs torch-fidelity, which is not installed: pip install "
            "'equipoise[inception]'"
        ) from None
    weights = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS
    if not weights.is_file():
        raise RequestError(
            f"inception needs the weights that torch-fidelity downloads: put {WEIGHTS} into "
            f"{weights.parent}"
        )
    subset = min(KID_SUBSET, len(fake), len(real), len(fresh))
    values, baselines = (
        calculate_metrics(
            input1=Images(images, limits),
            input2=Images(real, limits),
            fid=True,
            kid=True,
            kid_subset_size=subset,
            feature_extractor_weights_path=str(weights),
            cuda=torch.cuda.is_available(),
            cache=False,
            verbose=False,
        )
        for images in (fake, fresh)
    )
    protocol = (
        f"{len(fake):,} samples against {len(real):,} held-out images; baseline: "
        f"{len(fresh):,} real ones; KID in subsets of {subset:,}"
    )
    return [
        MetricResult.of(metric, float(values[name]), float(baselines[name]), protocol, n=len(fake))
        for metric, name in THEIR_NAMES
    ]
