"""Weights drawn from a generator of their own: the same as from the global one seeded
alike, which nobody touches."""

from __future__ import annotations

import subprocess
import sys
import threading

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from equipoise.networks.seeded_init import SeededInit


def drawn() -> list[Tensor]:
    """What layers and functions draw, of many kinds."""
    layers = [
        nn.Linear(5, 7),
        nn.Conv2d(3, 4, 3),
        nn.Embedding(4, 5),
        spectral_norm(nn.Linear(4, 4)),
    ]
    nn.init.kaiming_normal_(layers[0].weight)
    nn.init.orthogonal_(layers[2].weight)
    weights = [
        tensor.detach().clone() for layer in layers for tensor in layer.state_dict().values()
    ]
    integers = [
        torch.randint(9, (4,)),
        torch.randint(2, 9, (4,)),
        torch.randperm(6),
        torch.multinomial(torch.ones(4), 3),
    ]
    return [
        *weights,
        *integers,
        torch.randn(4),
        torch.rand(3),
        torch.rand_like(torch.ones(3)),
        torch.empty(4).exponential_(),
    ]


def test_what_is_drawn_is_what_the_global_generator_would_give_and_that_one_does_not_move() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        expected = drawn()
    before = torch.get_rng_state()
    with SeededInit(torch.Generator().manual_seed(5)):
        found = drawn()
    assert torch.equal(torch.get_rng_state(), before)
    assert [torch.equal(a, b) for a, b in zip(found, expected, strict=True)] == [True] * len(
        expected
    )


def test_a_generator_that_is_given_is_taken() -> None:
    expected = torch.randn(3, generator=torch.Generator().manual_seed(1))
    with SeededInit(torch.Generator().manual_seed(5)):
        assert torch.equal(torch.randn(3, generator=torch.Generator().manual_seed(1)), expected)


def test_another_thread_draws_from_the_global_generator_as_ever() -> None:
    found = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        expected = torch.randn(3)
        torch.manual_seed(3)
        with SeededInit(torch.Generator().manual_seed(5)):
            thread = threading.Thread(target=lambda: found.append(torch.randn(3)))
            thread.start()
            thread.join()
    assert torch.equal(found[0], expected)


def test_networks_on_the_meta_device_draw_nothing_and_do_not_import_torchs_compiler() -> None:
    program = """
import sys, torch
from equipoise.networks.seeded_init import SeededInit
generator = torch.Generator()
before = generator.get_state()
with SeededInit(generator), torch.device("meta"):
    layer = torch.nn.Linear(3, 3)
    torch.nn.init.normal_(layer.weight)
    torch.rand(3)
assert layer.weight.is_meta
assert torch.equal(generator.get_state(), before)
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
