"""preset="paper" gives what was published, number for number."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.helpers import state_of
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from equipoise.data.arrays import from_array
from equipoise.data.distributions import Ring
from equipoise.data.schema import Schema
from equipoise.data.sources import DistributionSource, RowsSource, Source
from equipoise.errors import RequestError
from equipoise.networks import pretrained
from equipoise.networks.maxout import Maxout
from equipoise.networks.stylegan2 import MinibatchStd, ResidualBlock
from equipoise.ranges import search_ranges
from equipoise.recipes import catalogue, find
from equipoise.recipes._building import (
    network_space,
    outline,
    recipe_from,
    recipe_to_dict,
)
from equipoise.recipes.base import Recipe
from equipoise.recipes.projected import Projected
from equipoise.training.step import adversarial_step
from equipoise.transforms.space import NetworkSpace, mode_spans

CLASSES: dict[str, Any] = {"classes": (0, 1, 2), "class_counts": (4, 4, 4)}
DIGITS = Schema((1, 28, 28), "NHW", "uint8", **CLASSES)
PLANE = Schema((2,), "ND", "float64")


def colour(side: int) -> Schema:
    return Schema((3, side, side), "NHWC", "uint8", **CLASSES)


# What most of them share: Adam, a constant rate, one step of each network, no EMA.
PLAIN = {
    "optimizer": "adam",
    "learning_rate_end": 1.0,
    "discriminator_rate": 1.0,
    "beta1": 0.5,
    "beta2": 0.999,
    "discriminator_steps": 1,
    "ema_half_life": 0,
    "weight_decay": 0.0,
    "packing": 1,
    "clusters": 0,
    "augment": "none",
}
IMAGES = PLAIN | {"scaling": "unit"}

CROSS_ENTROPY = IMAGES | {"real_label": 1.0, "generator_loss": "non-saturating"}
MAXOUT = CROSS_ENTROPY | {"optimizer": "sgd", "batch_size": 100, "learning_rate": 0.1}
# Recipe, data, published values, and where they are published.
PUBLISHED: list[tuple[str, Schema, dict[str, Any], str]] = [
    (
        "classic",
        DIGITS,
        MAXOUT
        | {"discriminator_rate": 0.5, "latent": "uniform", "latent_dim": 100}
        | {"width": 1200, "dropout": 0.5},
        "goodfeli/adversarial: mnist.yaml, __init__.py (AdversaryCost2)",
    ),
    (
        "cgan",
        DIGITS,
        MAXOUT
        | {"latent": "uniform", "latent_dim": 100, "width": 1200, "conditioning": "concatenation"},
        "Mirza & Osindero 2014, section 4.1",
    ),
    (
        "dcgan",
        colour(64),
        CROSS_ENTROPY
        | {"batch_size": 128, "learning_rate": 2e-4, "latent": "uniform", "latent_dim": 100}
        | {"width": 128, "kernel_size": 5},
        "Radford et al. 2016, section 4; Newmu/dcgan_code: faces/train_uncond_dcgan.py",
    ),
    (
        "lsgan",
        colour(112),
        IMAGES
        | {"batch_size": 64, "learning_rate": 1e-3, "latent": "uniform", "latent_dim": 1024}
        | {"width": 64, "kernel_size": 5, "a": 0.0, "b": 1.0, "c": 1.0},
        "xudonmao/LSGAN: train_lsun.py, vgg.py",
    ),
    (
        "acgan",
        colour(32),
        CROSS_ENTROPY
        | {"batch_size": 100, "learning_rate": 2e-4, "latent": "normal", "latent_dim": 100}
        | {"width": 96, "kernel_size": 5, "class_weight": 1.0},
        "Odena et al. 2017, appendix A",
    ),
    (
        "infogan",
        DIGITS,
        CROSS_ENTROPY
        | {"batch_size": 128, "learning_rate": 1e-3, "discriminator_rate": 0.2}
        | {"latent": "uniform", "latent_dim": 62, "width": 64, "kernel_size": 4}
        | {"dense_units": 1024}
        | {"categorical_codes": 10, "continuous_codes": 2, "learned_std": False}
        | {"categorical_weight": 1.0, "continuous_weight": 1.0}
        | {"invariance_weight": 0.0},
        "openai/InfoGAN: launchers/run_mnist_exp.py, infogan/models/regularized_gan.py",
    ),
    (
        "wgan",
        colour(64),
        IMAGES
        | {"batch_size": 64, "optimizer": "rmsprop", "learning_rate": 5e-5, "beta2": 0.99}
        | {
            "discriminator_steps": 5,
            "clip": 0.01,
            "norm_clip": 0.01,
            "latent": "normal",
            "latent_dim": 100,
        }
        | {"width": 64, "kernel_size": 4},
        "Arjovsky et al. 2017, algorithm 1; martinarjovsky/WassersteinGAN: main.py",
    ),
    (
        "wgan-gp",
        colour(64),
        IMAGES
        | {"batch_size": 64, "learning_rate": 1e-4, "beta1": 0.0, "beta2": 0.9}
        | {"discriminator_steps": 5, "penalty": 10.0, "latent": "normal", "latent_dim": 128}
        | {"width": 64, "kernel_size": 5},
        "Gulrajani et al. 2017, algorithm 1",
    ),
    (
        "wgan-gp",
        PLANE,
        PLAIN
        | {"batch_size": 256, "learning_rate": 1e-4, "beta2": 0.9, "discriminator_steps": 5}
        | {"penalty": 0.1, "latent": "normal", "latent_dim": 2, "width": 512},
        "igul222/improved_wgan_training: gan_toy.py",
    ),
    (
        "sngan",
        colour(32),
        IMAGES
        | {"batch_size": 64, "learning_rate": 2e-4, "latent": "normal", "latent_dim": 128}
        | {"width": 64, "lipschitz": 1.0},
        "Miyato et al. 2018, table 1, setting C, and table 3",
    ),
    (
        "dragan",
        DIGITS,
        CROSS_ENTROPY
        | {"batch_size": 128, "learning_rate": 1e-4, "beta2": 0.9, "latent": "uniform"}
        | {"latent_dim": 100, "penalty": 10.0, "perturbation": 0.5, "target": 1.0},
        "kodalinaveen3/DRAGAN: DRAGAN.ipynb",
    ),
    (
        "pacgan",
        DIGITS,
        CROSS_ENTROPY
        | {"packing": 2, "batch_size": 128, "learning_rate": 2e-4, "latent": "uniform"}
        | {"latent_dim": 100, "width": 64, "kernel_size": 5},
        "fjxmlzn/PacGAN: stacked_MNIST_experiments/VEEGAN_experiment",
    ),
    (
        "pacgan",
        PLANE,
        PLAIN
        | {"packing": 2, "batch_size": 200, "learning_rate": 1e-4, "beta1": 0.8}
        | {"latent": "normal", "latent_dim": 2, "width": 400},
        "fjxmlzn/PacGAN: synthetic_data_experiments/2DGrid_GAN&PacGAN",
    ),
    (
        "began",
        colour(64),
        IMAGES
        | {"batch_size": 16, "learning_rate": 1e-4, "beta1": 0.9, "gamma": 0.5}
        | {"lambda_k": 0.001, "latent_dim": 64, "code_dim": 64, "width": 128},
        "Berthelot et al. 2017, section 4.1",
    ),
    (
        "sagan",
        colour(128),
        IMAGES
        | {"batch_size": 256, "learning_rate": 1e-4, "discriminator_rate": 4.0, "beta1": 0.0}
        | {"beta2": 0.9, "latent": "normal", "latent_dim": 128, "width": 64},
        "Zhang et al. 2019, section 4; brain-research/self-attention-gan: model.py",
    ),
    (
        "fastgan",
        colour(256),
        IMAGES
        | {"batch_size": 8, "learning_rate": 2e-4, "ema_half_life": 5_542, "latent": "normal"}
        | {"latent_dim": 256, "width": 64, "augment": "color,translation", "reconstruction": 1.0},
        "odegeasslbc/FastGAN-pytorch: train.py",
    ),
    (
        "projected",
        colour(64),
        IMAGES
        | {"batch_size": 64, "learning_rate": 2e-4, "beta1": 0.0, "beta2": 0.99}
        | {"ema_half_life": 20_000, "latent": "normal", "latent_dim": 256, "width": 64}
        | {"feature_side": 224, "augment": "color,translation,cutout"},
        "autonomousvision/projected-gan: train.py (fastgan), pg_modules/discriminator.py",
    ),
    (
        "stylegan2",
        colour(32),
        IMAGES
        | {"batch_size": 64, "learning_rate": 2.5e-3, "beta1": 0.0, "beta2": 0.99}
        | {"ema_half_life": 500_000, "gamma": 0.01, "penalty_interval": 16, "path_length": 0.0}
        | {"mixing": 0.0, "mapping_layers": 2, "latent_dim": 512},
        "NVlabs/stylegan2-ada-pytorch: train.py (cifar)",
    ),
    (
        "stylegan2",
        colour(256),
        IMAGES
        | {"batch_size": 32, "learning_rate": 2e-3, "beta1": 0.0, "beta2": 0.99}
        | {"ema_half_life": 10_000, "gamma": 10.0, "penalty_interval": 16, "path_length": 2.0}
        | {"path_length_interval": 4, "mixing": 0.9, "mapping_layers": 8, "latent_dim": 512},
        "Karras et al. 2020; NVlabs/stylegan2-ada-pytorch: train.py (stylegan2)",
    ),
    (
        "r3gan",
        colour(32),
        IMAGES
        | {"batch_size": 512, "learning_rate": 2e-4, "learning_rate_end": 0.25, "beta1": 0.0}
        | {"beta2_start": 0.9, "beta2": 0.99, "ema_half_life": 5_000_000, "gamma": 0.05}
        | {"gamma_end": 0.1, "width": 768, "blocks": 2, "group": 16, "fold": 1, "latent_dim": 64},
        "brownvc/R3GAN: train.py",
    ),
]
IDS = [f"{name}-{'x'.join(map(str, schema.shape))}" for name, schema, *_ in PUBLISHED]


def paper(name: str, schema: Schema, **given: Any) -> Recipe:
    recipe = find(name)
    return recipe.for_data(schema, {"preset": "paper", "conditional": recipe.needs_labels, **given})


def numbers(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def dense(network: nn.Module) -> list[tuple[int, int]]:
    return [
        (layer.in_features, layer.out_features)
        for layer in network.modules()
        if isinstance(layer, nn.Linear)
    ]


@pytest.fixture(autouse=True)
def photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """The features of photographs need not be installed for settings to be known."""
    monkeypatch.setattr(pretrained, "require", lambda _: None)


def test_every_recipe_of_a_paper_has_a_published_setting() -> None:
    own = {name for name, found in catalogue().items() if found.__module__.startswith("equipoise")}
    known = {name for name, *_ in PUBLISHED} | {"ctgan"}
    assert own - known == {"balanced"}
    assert all(find(name).published_for for name in known)


@pytest.mark.parametrize(("name", "schema", "values", "source"), PUBLISHED, ids=IDS)
def test_the_preset_has_the_published_values(
    name: str, schema: Schema, values: dict[str, Any], source: str
) -> None:
    recipe = paper(name, schema)
    assert {field: getattr(recipe, field) for field in values} == values, source
    assert vars(recipe).get("dense_units", 0) == values.get("dense_units", 0)


def test_ctgans_defaults_are_the_papers() -> None:
    spans = mode_spans((0, 0, 3))
    space = NetworkSpace((sum(span.size for span in spans),), spans=spans)
    recipe = find("ctgan")
    published = recipe.published(space)
    assert published is not None
    assert recipe(**published) == recipe()
    assert published["learning_rate"] == 2e-4
    assert (published["batch_size"], published["packing"]) == (500, 10)


def source_of(schema: Schema) -> Source:
    """Twelve samples of this shape."""
    if not schema.is_image:
        return DistributionSource(Ring())
    channels, *sides = schema.shape
    shape = (12, *sides) if channels == 1 else (12, *sides, channels)
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return RowsSource("noise", from_array(x, [0, 1, 2] * 4, "x"), 0)


@pytest.mark.parametrize(
    ("name", "schema"),
    # The features of `projected` are not there without their weights.
    [(name, schema) for name, schema, *_ in PUBLISHED if name != "projected"],
    ids=[name for name in IDS if not name.startswith("projected")],
)
def test_one_step_of_the_published_setting_moves_both_networks_and_stays_finite(
    name: str, schema: Schema
) -> None:
    data = source_of(schema)
    given = {"batch_size": 4, "latent_dim": 16, "discriminator_steps": 1}
    given |= {"width": 80 if name in ("classic", "cgan") else 8}
    given |= {"group": 2} if name == "r3gan" else {}
    state = state_of(paper(name, data.schema, **given), data)
    before = [[p.detach().clone() for p in n.parameters()] for n in _networks(state)]
    adversarial_step(state, state.method.schedule(0.5, 0))
    for network, old in zip(_networks(state), before, strict=True):
        new = list(network.parameters())
        assert all(bool(p.isfinite().all()) for p in new)
        assert any(not torch.equal(a, b) for a, b in zip(new, old, strict=True))


def _networks(state: Any) -> tuple[nn.Module, nn.Module]:
    return state.generator, state.discriminator


def test_a_given_field_comes_before_the_preset() -> None:
    recipe = paper("dcgan", DIGITS, learning_rate=1e-3, width=8)
    assert (recipe.learning_rate, vars(recipe)["width"], recipe.batch_size) == (1e-3, 8, 128)
    assert find("dcgan").for_data(DIGITS, {"preset": "sized"}) == find("dcgan").for_data(DIGITS, {})


@pytest.mark.parametrize("name", ["classic", "wgan"])
def test_the_preset_survives_a_file_and_is_not_searched(name: str) -> None:
    recipe = paper(name, DIGITS)
    assert recipe_from(recipe_to_dict(recipe)) == recipe
    assert recipe_to_dict(recipe)["preset"] == "paper"
    assert "preset" not in search_ranges(type(recipe))
    assert next(field.name for field in fields(recipe)) == "preset"


@pytest.mark.parametrize(
    ("name", "schema", "told"),
    [
        ("balanced", DIGITS, "balanced is no paper's method: use the recipe 'r3gan'"),
        ("balanced", PLANE, "balanced is no paper's method"),
        ("classic", PLANE, "published for grey images, this data is points of 2 numbers"),
        ("classic", colour(32), "published for grey images, this data is 32 x 32 colour images"),
        ("lsgan", Schema((1,), "N", "float64"), "for images, this data is points of one number"),
        ("pacgan", Schema((3,), "ND", "float64"), "images and points of two numbers, this data"),
        ("stylegan2", DIGITS, "published for colour images, this data is 28 x 28 grey images"),
        ("dcgan", PLANE, "dcgan is for images, and this data is points"),
        ("ctgan", PLANE, "ctgan is for tables with categories"),
    ],
)
def test_data_that_nothing_was_published_for_is_refused_in_a_line(
    name: str, schema: Schema, told: str
) -> None:
    with pytest.raises(RequestError, match=told) as refused:
        paper(name, schema)
    assert "\n" not in str(refused.value)


def test_a_recipe_of_no_paper_says_that_it_has_no_published_setting() -> None:
    class Own(find("lsgan")):  # type: ignore[misc]
        name = "own"
        published_for = ""

        @classmethod
        def published(cls, space: NetworkSpace) -> dict[str, Any] | None:
            return None

    with pytest.raises(RequestError, match="own has no published setting: leave preset out"):
        Own.for_data(DIGITS, {"preset": "paper"})


def test_classic_has_the_maxout_networks_of_2014() -> None:
    method = outline(paper("classic", DIGITS), DIGITS)
    assert dense(method.generator) == [(100, 1200), (1200, 1200), (1200, 784)]
    assert dense(method.discriminator) == [(784, 1200), (240, 1200), (240, 1)]
    pieces = [layer.pieces for layer in method.discriminator.modules() if isinstance(layer, Maxout)]
    assert pieces == [5, 5]


def test_cgan_maps_sample_and_class_apart_and_joins_them() -> None:
    ten = replace(DIGITS, classes=tuple(range(10)), class_counts=(1,) * 10)
    method = outline(paper("cgan", ten), ten)
    assert dense(method.generator) == [(100, 200), (10, 1000), (1200, 1200), (1200, 784)]
    assert dense(method.discriminator) == [(784, 1200), (10, 250), (290, 960), (240, 1)]
    beside = paper("cgan", DIGITS, conditioning="projection", width=24)
    d = beside.build(network_space(beside, DIGITS)).discriminator
    x = torch.randn(1, 1, 28, 28).expand(2, -1, -1, -1)
    d.eval()
    assert not torch.equal(d(x, torch.tensor([0, 1]))[0], d(x, torch.tensor([1, 0]))[0])


def test_pacgan_has_the_maxout_networks_of_its_authors_for_points() -> None:
    method = outline(paper("pacgan", PLANE), PLANE)
    assert dense(method.generator) == [(2, 400), *[(400, 400)] * 3, (400, 2)]
    assert dense(method.discriminator) == [(4, 1000), (200, 1000), (200, 1000), (200, 1)]
    assert method.packing.size == 2


def test_sngan_has_the_standard_cnn_with_spectral_normalisation() -> None:
    schema = colour(32)
    recipe = paper("sngan", schema, width=4)
    method = recipe.build(network_space(recipe, schema))
    layers = [m for m in method.discriminator.modules() if isinstance(m, nn.Conv2d)]
    sizes = [(layer.out_channels // 4, layer.kernel_size[0], layer.stride[0]) for layer in layers]
    assert sizes == [(1, 3, 1), (1, 4, 2), (2, 3, 1), (2, 4, 2), (4, 3, 1), (4, 4, 2), (8, 3, 1)]
    assert all(is_parametrized(layer) for layer in layers)
    slopes = {
        m.negative_slope for m in method.discriminator.modules() if isinstance(m, nn.LeakyReLU)
    }
    assert slopes == {0.1}


def convolutions(network: nn.Module) -> list[tuple[int, int, int]]:
    """Channels, side of the kernel and stride of each."""
    return [
        (layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]


def norms(network: nn.Module) -> list[tuple[str, int]]:
    """The kind and the channels of each normalisation layer."""
    return [
        (type(layer).__name__, layer.weight.numel())
        for layer in network.modules()
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm)
    ]


def test_dcgans_generator_normalises_each_number_of_its_coarsest_grid() -> None:
    schema = colour(64)
    method = outline(paper("dcgan", schema, width=16), schema)
    finer = [("BatchNorm2d", 16 * 2**k) for k in (2, 1, 0)]
    assert norms(method.generator) == [("BatchNorm1d", 128 * 4 * 4), *finer]
    sized = outline(find("dcgan").for_data(schema, {"width": 16}), schema)
    assert norms(sized.generator) == [("BatchNorm2d", 128), *finer]


def test_wgan_gps_critic_of_images_has_layer_normalisation() -> None:
    schema = colour(64)
    method = outline(paper("wgan-gp", schema, width=16), schema)
    assert norms(method.discriminator) == [("GroupNorm", 16 * 2**k) for k in (1, 2, 3)]
    groups = [m.num_groups for m in method.discriminator.modules() if isinstance(m, nn.GroupNorm)]
    assert set(groups) == {1}
    assert method.together
    sized = outline(find("wgan-gp").for_data(schema, {"width": 16}), schema)
    assert norms(sized.discriminator) == []


def test_wgan_gps_networks_of_points_have_relus() -> None:
    method = outline(paper("wgan-gp", PLANE), PLANE)
    assert dense(method.generator) == [(2, 512), (512, 512), (512, 512), (512, 2)]
    assert dense(method.discriminator) == [(2, 512), (512, 512), (512, 512), (512, 1)]
    for network in (method.generator, method.discriminator):
        kinds = [type(layer) for layer in network.modules()]
        assert (kinds.count(nn.ReLU), kinds.count(nn.LeakyReLU)) == (3, 0)


def test_acgan_has_the_networks_of_its_appendix() -> None:
    schema = colour(32)
    method = outline(paper("acgan", schema), schema)
    assert convolutions(method.generator) == [(192, 5, 2), (96, 5, 2), (3, 5, 2)]
    assert norms(method.generator) == [("BatchNorm2d", 192), ("BatchNorm2d", 96)]
    assert convolutions(method.discriminator) == [
        (16, 3, 2),
        (32, 3, 1),
        (64, 3, 2),
        (128, 3, 1),
        (256, 3, 2),
        (512, 3, 1),
    ]
    assert dense(method.discriminator) == [(512 * 16, 3), (512 * 16, 1)]


def test_infogans_q_has_a_layer_of_128_units_with_batch_norm() -> None:
    method = outline(paper("infogan", DIGITS), DIGITS)
    assert dense(method.discriminator.get_submodule("auxiliary")) == [(1024, 128), (128, 14)]
    assert dense(method.generator) == [(74, 1024), (1024, 128 * 49)]
    assert convolutions(method.generator) == [(64, 4, 2), (1, 4, 2)]
    assert convolutions(method.discriminator) == [(64, 4, 2), (128, 4, 2)]


def test_infogans_discriminator_has_the_papers_slope() -> None:
    method = outline(paper("infogan", DIGITS), DIGITS)
    slopes = [
        m.negative_slope for m in method.discriminator.modules() if isinstance(m, nn.LeakyReLU)
    ]
    assert slopes == [0.1] * 4


def test_lsgan_has_the_networks_of_its_code() -> None:
    schema = colour(112)
    method = outline(paper("lsgan", schema), schema)
    assert dense(method.generator) == [(1024, 256 * 49)]
    assert convolutions(method.generator) == [
        (256, 3, 2),
        (256, 3, 1),
        (256, 3, 2),
        (256, 3, 1),
        (128, 3, 2),
        (64, 3, 2),
        (3, 3, 1),
    ]
    assert convolutions(method.discriminator) == [(64 * 2**k, 5, 2) for k in range(4)]


@pytest.mark.parametrize(
    ("name", "side", "generator", "discriminator"),
    [
        ("wgan", 64, 3.58e6, 2.77e6),
        ("dcgan", 64, 18.9e6, 17.2e6),
        ("stylegan2", 256, 30.0e6, 28.9e6),
        ("stylegan2", 32, 20.0e6, 20.7e6),
    ],
)
def test_the_published_networks_have_the_known_numbers_of_weights(
    name: str, side: int, generator: float, discriminator: float
) -> None:
    schema = colour(side)
    method = outline(paper(name, schema), schema)
    assert numbers(method.generator) == pytest.approx(generator, rel=0.02)
    assert numbers(method.discriminator) == pytest.approx(discriminator, rel=0.02)


def test_sagans_generator_has_the_authors_channels() -> None:
    schema = colour(128)
    recipe = paper("sagan", schema, width=4)
    body = recipe.build(network_space(recipe, schema)).generator
    widths = [
        layer.out_channels
        for name, layer in body.named_modules()
        if isinstance(layer, nn.Conv2d) and name.endswith(".second")
    ]
    assert widths == [64, 32, 16, 8, 4]  # a sixteenth of 1,024 to 64


def test_sagans_discriminator_has_the_authors_blocks() -> None:
    schema = colour(128)
    recipe = paper("sagan", schema, width=4)
    trunk = recipe.build(network_space(recipe, schema)).discriminator
    found: dict[str, list[int]] = {"first": [], "skip": []}
    for name, layer in trunk.named_modules():
        if isinstance(layer, nn.Conv2d) and (kind := name.rpartition(".")[2]) in found:
            found[kind].append(layer.out_channels)
    assert found == {"first": [4, 8, 16, 32, 64, 64], "skip": [4, 8, 16, 32, 64]}


@pytest.mark.parametrize(("side", "blocks", "group"), [(32, 0, 32), (64, 4, 4)])
def test_stylegan2s_discriminator_is_not_residual_for_small_images(
    side: int, blocks: int, group: int
) -> None:
    schema = colour(side)
    layers = list(outline(paper("stylegan2", schema), schema).discriminator.modules())
    assert len([layer for layer in layers if isinstance(layer, ResidualBlock)]) == blocks
    assert [layer.group for layer in layers if isinstance(layer, MinibatchStd)] == [group]


def test_fastgans_networks_have_the_authors_channels() -> None:
    schema = colour(256)
    method = outline(paper("fastgan", schema), schema)
    in_d = [
        layer.out_channels
        for name, layer in method.discriminator.named_modules()
        if isinstance(layer, nn.Conv2d) and (name == "trunk.0.0" or name.endswith(".main.0"))
    ]
    assert in_d == [32, 64, 128, 256, 512, 512]
    widths = [
        layer.out_channels // 2
        for name, layer in method.generator.named_modules()
        if isinstance(layer, nn.Conv2d) and name.endswith(".1")
    ]
    assert widths == [512, 256, 128, 128, 64, 32]


def test_images_of_less_than_224_pixels_are_enlarged_to_it_for_projecteds_features() -> None:
    sides = (64, 223, 224, 256, 300)
    found = [Projected.published(NetworkSpace((3, n, n), is_image=True)) for n in sides]
    assert [preset and preset["feature_side"] for preset in found] == [224, 224, 224, 256, 320]


def test_kernels_of_5_are_for_dcgans_networks_and_dense_layers_for_convolutional_ones() -> None:
    for name, schema in (("lsgan", PLANE), ("sagan", DIGITS), ("classic", DIGITS)):
        with pytest.raises(RequestError, match="kernel_size = 5: is for DCGAN's networks"):
            find(name).for_data(schema, {"kernel_size": 5})
    for name, schema in (("lsgan", PLANE), ("classic", DIGITS)):
        with pytest.raises(RequestError, match="dense_units = 8: is for convolutional networks"):
            find(name).for_data(schema, {"dense_units": 8})
    recipe = find("dcgan").for_data(DIGITS, {"kernel_size": 5, "width": 4})
    method = recipe.build(network_space(recipe, DIGITS))
    x = method.generator(method.prior.sample(2, torch.Generator()))
    assert x.shape == (2, 1, 28, 28)
    assert method.discriminator(x)[0].shape == (2,)
    kernels = {
        layer.kernel_size
        for network in (method.generator, method.discriminator)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    }
    assert kernels == {(5, 5)}
