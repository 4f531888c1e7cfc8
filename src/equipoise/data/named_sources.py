"""The data sets that have a name: the built-in distributions, and MNIST."""

from equipoise.data.distributions import DISTRIBUTIONS

NAMED_SOURCES = {
    **{name: distribution.summary for name, distribution in DISTRIBUTIONS.items()},
    "mnist": "70,000 handwritten digits, 28 x 28, grayscale, with labels",
}
