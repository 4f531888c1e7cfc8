"""Generator and inverse transforms as one module, for sampling and export."""

from __future__ import annotations

from torch import Tensor, nn

from equipoise.transforms.chain import Chain


class SamplerModule(nn.Module):
    """The generator and the inverse transforms.

    `torch.export.export` can export it, in evaluation mode: no branch and no shape
    depends on the data.
    """

    def __init__(self, generator: nn.Module, transform: Chain) -> None:
        super().__init__()
        self.generator: nn.Module = generator
        self.transform: Chain = transform

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Generate samples.

        Args:
            z: Latents, (N, Z).
            y: The networks' classes, (N,), or (N, C) with clusters per channel; None
                for networks without classes.

        Returns:
            Samples in the user's units, (N, *shape), rounded to the user's types, in
            float64.
        """
        samples: Tensor = self.transform.decode(self.generator(z, y), y)
        return samples
