"""Built-in distributions: data with a known density, generated as it is needed.

Training draws fresh samples for every batch, and what is held out is another draw. To
add one, write a subclass of `Distribution` and list it here.
"""

from equipoise.data.distributions.base import Distribution, distribution_settings
from equipoise.data.distributions.planar import Grid, Ring, Swissroll
from equipoise.data.distributions.univariate import Gaussian, Mixture

__all__ = [
    "DISTRIBUTIONS",
    "Distribution",
    "Gaussian",
    "Grid",
    "Mixture",
    "Ring",
    "Swissroll",
    "distribution_settings",
]

DISTRIBUTIONS: dict[str, type[Distribution]] = {
    distribution.name: distribution for distribution in (Gaussian, Mixture, Ring, Grid, Swissroll)
}
