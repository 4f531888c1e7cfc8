"""One module from latents to the user's units, as `torch.export` takes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from equipoise import GAN
from equipoise.sampling.module import SamplerModule

RNG = np.random.default_rng(0)
BLOBS = RNG.choice([-9.0, 0.0, 9.0], (400, 1))
DATA: dict[str, tuple[Any, Any, int]] = {
    "one column, three components": ((RNG.normal(size=(400, 1)) + BLOBS)[:, 0], None, 3),
    "nine columns, three components": (RNG.normal(size=(400, 9)) + BLOBS, None, 3),
    "twelve columns of whole numbers": (RNG.integers(0, 900, (400, 12)), None, 2),
    "images with labels": (RNG.integers(0, 256, (60, 8, 8, 3), np.uint8), [0, 1, 2] * 20, 2),
    "images": (RNG.random((60, 8, 8)), None, 0),
}


@pytest.mark.parametrize("kind", DATA)
def test_the_exported_module_makes_what_the_sampler_makes(kind: str, tiny: dict[str, Any]) -> None:
    data, labels, clusters = DATA[kind]
    sampler = GAN(**tiny, clusters=clusters).fit(data, labels)._trained().sampler
    module = SamplerModule(sampler.generator, sampler.transform).eval()
    z, y = sampler.latents(50, 1)
    arguments = (z[:7],) if y is None else (z[:7], y[:7])
    batch = torch.export.Dim("batch")
    dynamic = tuple({0: batch} for _ in arguments)
    program = torch.export.export(module, arguments, dynamic_shapes=dynamic).module()
    made = program(z) if y is None else program(z, y)
    expected = sampler.schema.to_user(made.detach().numpy())
    sampled = sampler.sample(50, 1)
    if np.issubdtype(np.asarray(data).dtype, np.integer):
        off = np.abs(np.asarray(sampled).astype(int) - np.asarray(expected).astype(int))
        assert off.max() <= 1
        assert (off > 0).mean() < 0.01
    else:
        np.testing.assert_allclose(np.asarray(sampled), np.asarray(expected), rtol=1e-4, atol=1e-5)
