"""Samples joined into packs, and taken apart again."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from equipoise.networks.conditioning import Discriminator
from equipoise.networks.packing import Packing


def test_points_are_joined_along_columns_and_images_along_channels() -> None:
    points = torch.arange(12.0).reshape(6, 2)
    assert Packing(3).join(points).tolist() == [
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        [6.0, 7.0, 8.0, 9.0, 10.0, 11.0],
    ]
    images = torch.randn(4, 3, 5, 6)
    packs = Packing(2).join(images)
    assert packs.shape == (2, 6, 5, 6)
    assert torch.equal(packs[1], torch.cat([images[2], images[3]]))


@given(
    size=st.integers(1, 5),
    packs=st.integers(1, 4),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
)
def test_what_is_joined_comes_apart_again(size: int, packs: int, shape: list[int]) -> None:
    x = torch.randn(size * packs, *shape)
    assert torch.equal(Packing(size).split(Packing(size).join(x)), x)


def test_a_pack_of_one_is_the_sample_itself() -> None:
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 2, 0])
    one = Packing(1, classes=3)
    assert one.join(x) is x
    assert one.split(x) is x
    assert one.join_classes(y) is y
    assert Packing(2).join_classes(None) is None


def test_each_place_in_a_pack_has_classes_of_its_own() -> None:
    packing = Packing(2, classes=3)
    y = packing.join_classes(torch.tensor([0, 2, 1, 0]))
    assert y is not None
    assert y.tolist() == [[0, 3 + 2], [1, 3 + 0]]
    several = packing.join_classes(torch.tensor([[0, 1], [2, 0], [1, 1], [0, 2]]))
    assert several is not None
    assert several.tolist() == [[0, 1, 5, 3], [1, 1, 3, 5]]


def test_d_is_told_which_sample_of_a_pack_has_which_class() -> None:
    """Concatenated classes are the one-hot vectors of all samples in order."""
    seen: list[torch.Tensor] = []

    class Trunk(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return x[:, :1]

    packing = Packing(2, classes=3)
    critic = Discriminator(Trunk(), 1, classes=6, conditioning="concatenation")
    critic(torch.zeros(1, 4), packing.join_classes(torch.tensor([2, 0])))
    assert seen[0].tolist() == [[0.0] * 4 + [0, 0, 1] + [1, 0, 0]]
