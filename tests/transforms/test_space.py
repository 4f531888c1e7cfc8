"""What networks are built for."""

from __future__ import annotations

from equipoise.data.schema import Schema
from equipoise.recipes._building import network_space
from equipoise.recipes.balanced import Balanced
from equipoise.transforms.space import NetworkSpace, Span


def test_the_space_of_data_has_its_shape_its_labels_and_one_linear_span() -> None:
    space = NetworkSpace.of(Schema((3,), "ND", "float64"))
    assert space == NetworkSpace((3,), is_image=False, labels=None, classes=0)
    assert (space.size, space.activations) == (3, (Span(3, "linear"),))
    images = Schema((3, 4, 5), "NHWC", "uint8", classes=(0, 1), class_counts=(1, 1))
    assert NetworkSpace.of(images) == NetworkSpace((3, 4, 5), is_image=True, labels=2)


def test_the_networks_space_has_the_classes_that_the_recipe_conditions_on() -> None:
    images = Schema((3, 4, 5), "NHWC", "uint8", classes=(0, 1), class_counts=(1, 1))
    for given, classes in (
        ({"conditional": True, "clusters": 0}, 2),
        ({"conditional": True, "clusters": 5}, 10),
        ({"conditional": False, "clusters": 5}, 5),
        ({"clusters": 5, "per_channel_clusters": True}, 15),
        ({"clusters": 0}, 0),
    ):
        assert network_space(Balanced(**given), images).classes == classes
