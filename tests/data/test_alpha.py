"""What transparency hides is neither learned nor judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from equipoise import GAN
from equipoise.data.alpha import as_measured, premultiplied, straight
from equipoise.data.arrays import from_array
from equipoise.data.factory import open_source
from equipoise.data.image_options import ImageOptions
from equipoise.data.schema import Schema
from equipoise.transforms.fitting import fit_chain

RNG = np.random.default_rng(0)


def icons(n: int = 40, hidden: int = 0) -> np.ndarray:
    """A disk of one colour on nothing, (N, 8, 8, 4); colours of the nothing are random,
    by the seed `hidden`."""
    rng = np.random.default_rng(hidden)
    colours = np.random.default_rng(9).integers(0, 256, (n, 1, 1, 3))
    y, x = np.mgrid[:8, :8] - 3.5
    inside = np.broadcast_to((x**2 + y**2 < 9)[None, :, :, None], (n, 8, 8, 1))
    rgb = np.where(inside, colours, rng.integers(0, 256, (n, 8, 8, 3)))
    return np.concatenate([rgb, inside * 255], 3).astype(np.uint8)


def test_colours_are_premultiplied_as_porter_and_duff_have_them() -> None:
    x = torch.tensor([100.0, 200.0, 50.0, 51.0]).reshape(1, 4, 1, 1)
    expected = [100 * 51 / 255, 200 * 51 / 255, 50 * 51 / 255, 51]
    torch.testing.assert_close(premultiplied(x, (0, 255)).flatten(), torch.tensor(expected))


def test_straight_colours_come_back_and_hidden_ones_are_the_lowest() -> None:
    x = torch.from_numpy(RNG.integers(0, 256, (5, 4, 6, 6))).double()
    x[:, 3, :3] = 0
    for low, high in ((0.0, 255.0), (-1.0, 1.0)):
        scaled = low + x / 255 * (high - low)
        back = straight(premultiplied(scaled, (low, high)), (low, high), 0.0)
        torch.testing.assert_close(back[:, :, 3:], scaled[:, :, 3:])
        assert (back[:, :3, :3] == low).all()


def test_what_is_hidden_changes_nothing_that_is_learned_or_measured() -> None:
    one, other = (open_source(icons(hidden=seed)) for seed in (1, 2))
    assert one.schema.alpha
    chains = [fit_chain(source, "standard", 0, 0, 0) for source in (one, other)]
    encoded = [
        chain.encode(source.seen(99, 0))[0]
        for chain, source in zip(chains, (one, other), strict=True)
    ]
    assert torch.equal(*encoded)
    assert not torch.equal(one.held_out(99, 0), other.held_out(99, 0))
    measured = [source.measured(source.held_out(99, 0)) for source in (one, other)]
    assert torch.equal(*measured)


def test_the_chain_gives_back_what_can_be_seen() -> None:
    source = open_source(icons())
    chain = fit_chain(source, "standard", 0, 0, 0)
    raw = source.seen(99, 0)
    back = chain.decode(chain.encode(raw)[0])
    visible = (raw[:, 3:] > 0).expand(-1, 3, -1, -1)
    torch.testing.assert_close(back[:, 3], raw[:, 3].double())
    torch.testing.assert_close(back[:, :3][visible], raw[:, :3][visible].double())
    assert (back[:, :3][~visible] == 0).all()


def test_a_trained_generator_survives_saving_and_draws_with_alpha(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    gan = GAN(**tiny).fit(icons())
    gan.save(tmp_path / "run")
    again = GAN.load(tmp_path / "run")
    np.testing.assert_array_equal(gan.sample(3, seed=0), again.sample(3, seed=0))
    samples = gan.sample(9, seed=0)
    assert (samples[..., :3][samples[..., 3] == 0] == 0).all()
    assert Image.open(gan.draw(tmp_path / "x.png", seed=0)).mode == "RGBA"


def test_a_fourth_channel_is_transparency_where_it_looks_like_it_or_is_said_to_be() -> None:
    bands = RNG.integers(0, 256, (20, 4, 8, 8)).astype(np.uint8)
    sparse = bands.copy()
    sparse[:, 3] = 0
    for array, expected in ((icons(), True), (bands, False), (sparse, False)):
        rows = from_array(array, None, "x")
        assert rows.schema.alpha is expected
        assert ("--no-alpha" if expected else "--alpha") in rows.notes[-1]
        for asked in (True, False):
            assert from_array(array, None, "x", ImageOptions(alpha=asked)).schema.alpha is asked


def test_images_without_alpha_are_measured_as_they_are() -> None:
    x = torch.from_numpy(RNG.integers(0, 256, (5, 4, 6, 6)))
    assert as_measured(x, Schema((4, 6, 6), "NCHW", "uint8"), (0.0, 255.0)) is x
