"""The loops that the engine is compared with: the minimal one is the engine's own
arithmetic, the typical one trains the same networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from benchmarks.baselines import LOGGED, ImageItems, Minimal, Typical
from benchmarks.engine import Engine

from equipoise.transforms.space import NetworkSpace

SMALL = {"points": {"batch_size": 16, "width": 8}, "images": {"batch_size": 8, "width": 4}}


def engine(kind: str) -> Engine:
    if kind == "points":
        return Engine("ring", **SMALL[kind])
    return Engine(np.random.default_rng(0).integers(0, 256, (40, 16, 16), np.uint8), **SMALL[kind])


@pytest.mark.parametrize("kind", SMALL)
def test_minimal_and_the_engine_give_the_same_losses_and_weights(kind: str) -> None:
    ours, twin = (
        engine(kind),
        engine(kind),
    )  # two alike: the twin's feed and latents are those that ours will draw
    minimal = Minimal(ours)
    for _ in range(4):
        x, y = twin.state.loader.next()
        loss_d, loss_g = minimal.learn(x, y, twin.state.latents(len(x)), twin.state.latents(len(x)))
        readings = {name: reading.detach() for name, reading in ours.step().items()}
        penalised = readings["discriminator_loss"] + ours.method.schedule(0).penalty * (
            readings["r1"] + readings["r2"]
        )
        torch.testing.assert_close(loss_d, penalised, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(loss_g, readings["generator_loss"], rtol=1e-4, atol=1e-5)
    networks = (
        (minimal.generator, ours.state.generator),
        (minimal.discriminator, ours.state.discriminator),
        (minimal.average, ours.state.ema),
    )
    for by_hand, by_engine in networks:
        for weight, same in zip(by_hand.parameters(), by_engine.parameters(), strict=True):
            torch.testing.assert_close(weight, same, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loop", [Minimal, Typical])
def test_a_loop_leaves_the_engines_own_networks_alone(loop: type[Minimal | Typical]) -> None:
    ours = engine("points")
    before = [weight.clone() for weight in ours.state.discriminator.parameters()]
    own = loop(ours)
    own.step()
    assert all(
        torch.equal(a, b)
        for a, b in zip(before, ours.state.discriminator.parameters(), strict=True)
    )
    assert not all(
        torch.equal(a, b) for a, b in zip(before, own.discriminator.parameters(), strict=True)
    )


def test_typical_takes_the_loss_and_the_penalties_of_the_engine() -> None:
    ours, twin = engine("points"), engine("points")
    typical = Typical(ours)
    x, y = twin.state.loader.next()
    typical.learn(x, y, twin.state.latents(len(x)))
    readings = {
        name: float(reading.detach()) for name, reading in ours.step().items() if reading.dim() == 0
    }
    logged = {name: typical.history[name][0] for name in LOGGED}
    assert logged["r1"] == pytest.approx(readings["r1"], rel=1e-4)
    assert logged["r2"] == pytest.approx(readings["r2"], rel=1e-4)
    penalised = readings["discriminator_loss"] + ours.method.schedule(0).penalty * (
        readings["r1"] + readings["r2"]
    )
    assert logged["loss_d"] == pytest.approx(penalised, rel=1e-4)


def test_both_loops_go_on_when_the_data_has_been_seen() -> None:
    ours = engine("images")  # 36 images to train on, in batches of 8: four steps an epoch
    for own in (Minimal(ours), Typical(ours)):
        before = [weight.clone() for weight in own.average.parameters()]
        for _ in range(6):
            own.step()
        assert all(weight.isfinite().all() for weight in own.average.parameters())
        assert not all(
            torch.equal(a, b) for a, b in zip(before, own.average.parameters(), strict=True)
        )


def test_image_items_are_pixels_on_the_unit_interval_less_the_mean_over_the_std() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 5, 7), np.uint8)
    x, label = ImageItems(images, np.array([4, 5, 6], np.uint8), 0.25, 0.5)[1]
    assert label == 5
    torch.testing.assert_close(x, torch.from_numpy((images[1:2] / 255 - 0.25) / 0.5).float())


def test_the_engine_by_hand_counts_its_samples_and_follows_the_schedule() -> None:
    ours = engine("points")
    for _ in range(3):
        ours.step()
    assert ours.state.samples_seen == 3 * 16
    assert ours.progress == pytest.approx(
        48 / ours.recipe.default_samples(NetworkSpace.of(ours.fit.source.schema))
    )
    assert ours.state.generator.training
