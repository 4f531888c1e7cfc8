import numpy as np
import pytest
import sklearn.mixture
import torch
from threadpoolctl import threadpool_limits

from equipoise.data.distributions import Gaussian, Ring, Swissroll
from equipoise.transforms.gaussian_mixture import MIN_STD, GaussianMixture, log_joint


def scaled(n: int, seed: int = 0) -> torch.Tensor:
    x = Swissroll().sample(n, torch.Generator().manual_seed(seed))
    return (x - x.mean(0)) / x.std(0)


def of_scikit_learn(mixture: GaussianMixture) -> sklearn.mixture.GaussianMixture:
    """The same mixture, made by scikit-learn's own attributes."""
    theirs = sklearn.mixture.GaussianMixture(len(mixture.weights))
    covariances = (mixture.factors @ mixture.factors.transpose(1, 2)).numpy()
    theirs.weights_, theirs.means_ = mixture.weights.numpy(), mixture.means.numpy()
    theirs.covariances_ = covariances
    theirs.precisions_cholesky_ = np.linalg.cholesky(np.linalg.inv(covariances))
    return theirs


@pytest.fixture(scope="module")
def roll() -> GaussianMixture:
    return GaussianMixture.fit(scaled(5_000), 16, 0)


def test_posteriors_density_and_bic_are_scikit_learns(roll: GaussianMixture) -> None:
    x, theirs = scaled(500, seed=1), of_scikit_learn(roll)
    joint = log_joint(x.double(), roll.weights, roll.means, roll.factors)
    np.testing.assert_allclose(joint.softmax(1), theirs.predict_proba(x.numpy()), atol=1e-9)
    np.testing.assert_allclose(joint.logsumexp(1), theirs.score_samples(x.numpy()), rtol=1e-9)
    assert roll.bic(x) == pytest.approx(theirs.bic(x.numpy()), rel=1e-9)


def test_the_fit_is_as_likely_as_scikit_learns_best_of_three(roll: GaussianMixture) -> None:
    theirs = sklearn.mixture.GaussianMixture(16, random_state=0, n_init=3).fit(scaled(5_000))
    unseen = scaled(5_000, seed=1).numpy()
    assert of_scikit_learn(roll).score(unseen) > theirs.score(unseen) - 0.05


def test_one_component_has_the_mean_and_covariance_of_the_rows() -> None:
    x = scaled(1_000).double()
    mixture = GaussianMixture.fit(x, 1, 0)
    torch.testing.assert_close(mixture.means[0], x.mean(0))
    expected = torch.cov(x.T, correction=0) + MIN_STD**2 * torch.eye(2)
    torch.testing.assert_close(mixture.factors[0] @ mixture.factors[0].T, expected)


def test_the_true_components_are_found() -> None:
    x = Ring().sample(10_000, torch.Generator().manual_seed(0))
    mixture = GaussianMixture.fit(x, 8, 0)
    centres = torch.from_numpy(Ring().modes()[0])
    nearest = torch.cdist(centres.double(), mixture.means).min(1)
    assert nearest.values.max() < 0.005
    assert len(nearest.indices.unique()) == 8
    assert mixture.weights.sub(1 / 8).abs().max() < 0.02


def test_seed_and_nothing_else_decides_the_fit() -> None:
    x = Gaussian().sample(3_000, torch.Generator().manual_seed(0))
    fits = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fits.append(GaussianMixture.fit(x, 4, 3))
    for name in ("weights", "means", "factors"):
        assert torch.equal(getattr(fits[0], name), getattr(fits[1], name))
    assert not torch.equal(fits[0].means, GaussianMixture.fit(x, 4, 4).means)
