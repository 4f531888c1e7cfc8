"""From latents to the user's units as one module, for sampling and for export."""

from __future__ import annotations

from torch import Tensor, nn

from equipoise.transforms.chain import Chain


class SamplerModule(nn.Module):
    """The generator and the way back through the transforms.

    `torch.export.export` takes it: no branch and no shape depends on the data. Put it
    into evaluation mode first.
    """

    def __init__(self, generator: nn.Module, transform: Chain) -> None:
        super().__init__()
        self.generator, self.transform = generator, transform

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """
        Args:
            z: Latents, (N, Z).
            y: The networks' classes, (N,) or for clusters per channel (N, C); None for
                networks without classes.

        Returns:
            Samples in the user's units, (N, *shape), rounded to the user's types, in
            float64.
        """
        samples: Tensor = self.transform.decode(self.generator(z, y), y)
        return samples
