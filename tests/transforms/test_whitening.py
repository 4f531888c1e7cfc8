import numpy as np
import pytest
import torch
from scipy import stats

from equipoise.data.distributions import (
    Distribution,
    Gaussian,
    Grid,
    Mixture,
    Ring,
    Swissroll,
)
from equipoise.transforms.whitening import ComponentWhitening


def scaled(distribution: Distribution, n: int = 10_000, seed: int = 0) -> torch.Tensor:
    x = distribution.sample(n, torch.Generator().manual_seed(seed))
    return ((x - x.mean(0)) / x.std(0)).float()


def fitted(x: torch.Tensor, components: int | None = None) -> ComponentWhitening:
    return ComponentWhitening((x.shape[1],), components).fit([x])


@pytest.fixture(scope="module")
def roll() -> ComponentWhitening:
    return ComponentWhitening((2,), 16).fit([scaled(Swissroll())])


@pytest.mark.parametrize(
    ("distribution", "count"),
    [(Gaussian(), 1), (Ring(), 8), (Mixture((-3, 3), (1, 0.5), (1, 1)), 2)],
)
def test_as_many_components_are_found_as_the_distribution_has(
    distribution: Distribution, count: int
) -> None:
    assert fitted(scaled(distribution)).count == count


@pytest.mark.parametrize("distribution", [Ring(), Grid()])
def test_every_mode_of_a_distribution_has_a_component_at_its_centre(
    distribution: Ring | Grid,
) -> None:
    raw = distribution.sample(10_000, torch.Generator().manual_seed(0))
    clustering = fitted(((raw - raw.mean(0)) / raw.std(0)).float())
    centres = (torch.from_numpy(distribution.modes()[0]) - raw.mean(0)) / raw.std(0)
    nearest = torch.cdist(centres.float(), clustering.centres).min(1).values
    assert (nearest < 3 * distribution.std / raw.std(0).min()).all()


def test_the_log_density_is_that_of_scipys_normal_distributions(roll: ComponentWhitening) -> None:
    x = scaled(Swissroll(), 50, seed=1)
    distributions = [
        stats.multivariate_normal(m.numpy(), (a @ a.T).numpy())
        for m, a in zip(roll.centres, roll.factors, strict=True)
    ]
    expected = [
        np.log(float(weight)) + distribution.logpdf(x)
        for weight, distribution in zip(roll.weights[0], distributions, strict=True)
    ]
    np.testing.assert_allclose(roll.log_joint(x).T, np.stack(expected), rtol=1e-3, atol=1e-2)


def test_components_are_drawn_from_their_posterior(roll: ComponentWhitening) -> None:
    x = scaled(Swissroll(), 50)[:1]
    drawn = roll.assign(x.expand(20_000, 2), torch.Generator().manual_seed(0))
    weights = torch.bincount(drawn, minlength=roll.count) / len(drawn)
    torch.testing.assert_close(weights, roll.log_joint(x).softmax(1)[0], atol=0.02, rtol=0)


def test_whitened_points_come_back(roll: ComponentWhitening) -> None:
    x = scaled(Swissroll(), 500)
    component = roll.assign(x, torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        roll.unwhiten(roll.whiten(x, component), component), x, atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("columns", [2, 20])
def test_whitened_points_are_what_numpy_solves(columns: int) -> None:
    x = torch.randn(300, columns, generator=torch.Generator().manual_seed(0)) @ torch.randn(
        columns, columns
    )
    clustering = fitted(x, 3)
    component = clustering.assign(x, torch.Generator().manual_seed(0))
    centred = (x - clustering.centres[component]).double().numpy()
    expected = np.linalg.solve(clustering.factors[component].double().numpy(), centred[:, :, None])[
        :, :, 0
    ]
    np.testing.assert_allclose(clustering.whiten(x, component), expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(
        clustering.unwhiten(clustering.whiten(x, component), component), x, atol=1e-3, rtol=1e-3
    )


def test_points_whitened_by_a_good_fit_are_standard_normal() -> None:
    distribution = Mixture((-3, 3), (1, 0.5), (1, 1))
    x = scaled(distribution)
    clustering = fitted(x)
    u = clustering.whiten(x, clustering.assign(x, torch.Generator().manual_seed(0))).numpy().ravel()
    assert stats.kstest(u, "norm").statistic < 0.02


def test_repeated_values_and_constant_columns_have_components_too() -> None:
    x = torch.from_numpy(np.random.default_rng(0).poisson(3, (5000, 2))).float()
    x = torch.cat([(x - x.mean(0)) / x.std(0), torch.zeros(5000, 1)], 1)
    clustering = fitted(x)
    assert all(
        torch.isfinite(part).all()
        for part in (clustering.weights, clustering.centres, clustering.factors)
    )
    component = clustering.assign(x, torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        clustering.unwhiten(clustering.whiten(x, component), component), x, atol=1e-5, rtol=1e-4
    )


def test_few_points_have_few_components() -> None:
    assert fitted(scaled(Ring(), 30)).count <= 2


def test_one_point_has_one_component_at_that_point() -> None:
    clustering = fitted(torch.tensor([[3.0, -1.0]]), 1)
    torch.testing.assert_close(clustering.centres, torch.tensor([[3.0, -1.0]]))
    assert clustering.factors.isfinite().all()
