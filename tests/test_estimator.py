"""scikit-learn's conventions: parameters, clone, pickling, its own checks."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from equipoise import GAN
from equipoise.errors import EquipoiseWarning, RequestError

pytestmark = pytest.mark.usefixtures("brief_reports")

RNG = np.random.default_rng(0)
WORDS = "it is refused by a ValueError in other words, as all data is that is not numbers"
NOT_FOR_US = {
    "check_fit_score_takes_y": "labels are the second argument, and are called labels: they are "
    "no target that is predicted",
    "check_do_not_raise_errors_in_init_or_set_params": "a setting that cannot be is named when it "
    "is given, by a ValueError, not after data has been read for minutes",
    "check_complex_data": WORDS,
    "check_estimators_empty_data_messages": WORDS,
    "check_dtype_object": "an array of Python objects is refused: a table with columns of several "
    "types is a DataFrame",
    "check_fit1d": "(N,) is N samples of one number, and samples are (N,) again",
}


@pytest.mark.filterwarnings("ignore")  # scikit-learn's own, of its checks
def test_scikit_learns_checks_pass(tiny: dict[str, Any]) -> None:
    results = check_estimator(
        GAN(**tiny), expected_failed_checks=NOT_FOR_US, on_skip=None, on_fail=None
    )
    by_status = {
        status: {
            str(one["check_name"]): one["exception"] for one in results if one["status"] == status
        }
        for status in ("failed", "xfail", "passed", "skipped")
    }
    assert by_status["failed"] == {}
    assert set(by_status["xfail"]) == set(NOT_FOR_US)
    assert set(by_status["skipped"]) <= {"check_array_api_input"}  # needs a variable
    assert len(by_status["passed"]) > 25


def test_a_clone_has_the_same_settings_and_is_not_trained(tiny: dict[str, Any]) -> None:
    gan = GAN("wgan-gp", **tiny, columns={"a": {"kind": "integer"}})
    again = clone(gan)
    assert again.get_params() == gan.get_params() == {"recipe": "wgan-gp", **gan.get_params()}
    fitted = GAN(**tiny).fit(RNG.normal(size=(60, 2)))
    with pytest.raises(RequestError, match="not trained yet"):
        clone(fitted).sample(1)


def test_a_mistake_in_set_params_changes_nothing() -> None:
    gan = GAN("wgan-gp", samples=64)
    for wrong in ({"sample": 3}, {"recipe": "wgam"}, {"samples": -1}):
        with pytest.raises(RequestError):
            gan.set_params(batch_size=8, **wrong)
    assert gan.get_params() == {"recipe": "wgan-gp", "samples": 64}


def test_set_params_is_what_the_next_fit_has(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit(RNG.normal(size=(60, 2)))
    gan.set_params(recipe="wgan-gp", discriminator_steps=1, samples=48)
    assert gan.report.recipe == "balanced"
    with pytest.warns(EquipoiseWarning, match="fit starts anew"):
        gan.fit(RNG.normal(size=(60, 2)))
    assert gan.report.recipe == "wgan-gp"
    assert gan.report.samples_seen == 48


def test_the_repr_is_what_was_given() -> None:
    assert repr(GAN()) == "GAN()"
    assert repr(GAN("wgan-gp", batch_size=64)) == "GAN('wgan-gp', batch_size=64)"
    assert eval(repr(GAN("wgan-gp", batch_size=64)), {"GAN": GAN}).get_params() == {
        "recipe": "wgan-gp",
        "batch_size": 64,
    }


def test_columns_are_counted_and_named_as_they_were_fed(tiny: dict[str, Any]) -> None:
    frame = pd.DataFrame({"age": RNG.normal(size=60), "plan": ["free", "pro"] * 30})
    gan = GAN(**tiny)
    with pytest.raises(AttributeError, match="'n_features_in_': it is not trained yet"):
        _ = gan.n_features_in_
    gan.fit(frame)
    assert gan.n_features_in_ == 2
    assert gan.feature_names_in_.tolist() == ["age", "plan"]
    gan = GAN(**tiny).fit(RNG.normal(size=(60, 3)))
    assert gan.n_features_in_ == 3
    assert not hasattr(gan, "feature_names_in_")
    assert not hasattr(
        GAN(**tiny).fit(RNG.integers(0, 256, (60, 8, 8), np.uint8)), "n_features_in_"
    )


def test_pickled_and_copied_samples_and_reports_the_same(tiny: dict[str, Any]) -> None:
    gan = GAN(**tiny).fit("gaussian")
    report = gan.evaluate(quick=True)
    for again in (pickle.loads(pickle.dumps(gan)), copy.deepcopy(gan)):
        assert np.array_equal(again.sample(5, seed=1), gan.sample(5, seed=1))
        assert again.report == report
        assert again.get_params() == gan.get_params()
        again.fit("gaussian", init_from=gan)


def test_a_sparse_matrix_is_refused_with_what_would_be_right(tiny: dict[str, Any]) -> None:
    from scipy.sparse import csr_array

    with pytest.raises(RequestError, match=r"sparse data is not supported: give data\.toarray\(\)"):
        GAN(**tiny).fit(csr_array(np.eye(4)))
