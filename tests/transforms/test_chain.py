"""The chain: its links together."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from equipoise.data.factory import open_source
from equipoise.errors import RequestError
from equipoise.recipes._building import fitted_recipe
from equipoise.recipes.balanced import Balanced
from equipoise.transforms.chain import Chain
from equipoise.transforms.fitting import fit_chain
from equipoise.transforms.space import NetworkSpace

RNG = np.random.default_rng(0)
DATA: dict[str, tuple[Any, int]] = {
    "points": (RNG.normal(size=(600, 3)) * [1.0, 1e6, 1e-6], 0),
    "clustered points": (RNG.normal(size=(600, 3)) + RNG.choice([-9, 9], (600, 1)), 2),
    "whole numbers": (RNG.integers(-50, 50, (600, 2)), 2),
    "a line": (RNG.normal(size=600), 0),
    "images": (RNG.integers(0, 256, (60, 8, 8, 3), np.uint8), 3),
}


@pytest.mark.parametrize("kind", DATA)
def test_what_is_encoded_decodes_to_itself(kind: str) -> None:
    data, clusters = DATA[kind]
    source = open_source(data)
    chain = fit_chain(source, "standard", clusters, 0, 0)
    raw = source.seen(1000, 0)
    x, y = chain.encode(raw, None, torch.Generator().manual_seed(0))
    assert x.shape[1:] == chain.shape
    assert x.dtype == torch.float32
    assert (y is None) == (clusters == 0)
    scale = raw.double().std(0) if raw.dim() == 2 else 1.0
    assert ((chain.decode(x, y) - raw).abs() / scale).max() < 1e-5


@pytest.mark.parametrize("kind", DATA)
def test_a_chain_comes_back_from_its_config_and_its_tensors(kind: str) -> None:
    data, clusters = DATA[kind]
    source = open_source(data)
    chain = fit_chain(source, "unit", clusters, 0, 0)
    again = Chain.from_config(source.schema, json.loads(json.dumps(chain.config())))
    again.load_state_dict(chain.state_dict())
    raw = source.seen(100, 0)
    for generator in (None, 7):
        one, other = (
            made.encode(raw, None, generator and torch.Generator().manual_seed(generator))
            for made in (chain, again)
        )
        assert torch.equal(one[0], other[0])
        assert torch.equal(chain.decode(*one), again.decode(*other))


@pytest.mark.parametrize("kind", DATA)
def test_encoding_once_and_then_each_batch_is_encoding(kind: str) -> None:
    data, clusters = DATA[kind]
    source = open_source(data)
    chain = fit_chain(source, "standard", clusters, 0, 0)
    raw, seeds = source.seen(100, 0), (torch.Generator().manual_seed(0) for _ in range(2))
    once = chain.encode_batch(chain.encode_once(raw), None, next(seeds))
    assert torch.equal(once[0], chain.encode(raw, None, next(seeds))[0])


def test_networks_are_conditioned_on_labels_clusters_or_pairs_of_them() -> None:
    source = open_source("ring")
    space = NetworkSpace.of(source.schema)
    for clusters, labels, expected in ((0, 0, 0), (0, 8, 8), (1, 0, 0), (1, 8, 8), (4, 8, 32)):
        chain = fit_chain(source, "standard", clusters, labels, 0)
        recipe = fitted_recipe(Balanced(conditional=labels > 0), chain)
        assert recipe.classes(space) == expected


def test_a_link_that_is_not_known_is_named() -> None:
    with pytest.raises(RequestError, match="its transform 'pca' is not known"):
        Chain.from_config(open_source("ring").schema, [{"name": "pca"}])
