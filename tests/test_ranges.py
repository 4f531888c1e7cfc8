from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from equipoise.coerce import Gt
from equipoise.ranges import Around, Between, search_ranges
from equipoise.recipes import find
from equipoise.recipes.balanced import Balanced


@dataclass
class Base:
    """Fields with and without a range."""

    rate: Annotated[float, Gt(0), Around(10)] = 1.0
    name: str = ""


@dataclass
class Other(Base):
    """Another default, and a field more."""

    rate: float = 2.0
    beta: Annotated[float, Between(0, 0.9)] = 0.5


def test_a_field_without_a_range_is_not_searched() -> None:
    assert search_ranges(Base) == {"rate": Around(10)}


def test_a_redefined_field_keeps_its_range() -> None:
    assert search_ranges(Other) == {"rate": Around(10), "beta": Between(0, 0.9)}


def test_fields_without_an_effect_are_not_searched() -> None:
    assert "beta1" not in find("wgan")().searched()
    assert "beta1" in find("wgan-gp")().searched()
    penalties, spectral = Balanced().searched(), Balanced(regularization="spectral").searched()
    assert penalties.keys() ^ spectral.keys() == {"gamma", "lipschitz"}
    assert "gamma" in penalties
