"""scikit-learn's conventions: `get_params`, `set_params`, `clone`, what was seen in
`fit`, and a repr that shows the settings that were given.

`sklearn.base.BaseEstimator` is no base: it reads the names of settings from the
signature of `__init__`, and ours are fields of the recipe and of the run.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from equipoise.errors import RequestError, clipped
from equipoise.recipes import DEFAULT, find
from equipoise.report.trained_run import TrainedRun
from equipoise.runs.config import Requested
from equipoise.runs.settings import RunSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.utils import Tags

    from equipoise.data.schema import Schema
    from equipoise.recipes.base import Recipe

MAX_VALUE = 60  # letters of a setting's value in the repr


class Estimator:
    """What scikit-learn asks of an estimator. Its settings are those that were given:
    all others are defaults, which depend on the recipe and on the data."""

    recipe: str | None
    """The name of the recipe that was given; None for the default."""
    _given: dict[str, Any]
    """The settings that were given, as they were."""
    _settings: Requested
    """The same, checked."""
    _run: TrainedRun | None

    def _set(self, recipe: str | None, given: Mapping[str, Any]) -> None:
        """Check settings and take them.

        Raises:
            RequestError: One is not known, or cannot be. Nothing has changed then.
        """
        settings = Requested.of(find(DEFAULT if recipe is None else recipe), given)
        RunSettings(**settings.run)
        self.recipe, self._given, self._settings = recipe, dict(given), settings

    def _take(self, run: TrainedRun, device: str) -> None:
        """Hold a run that was loaded, with the settings that its user gave."""
        given = {} if device == "auto" else {"device": device}
        settings = run.config.requested.updated(Requested(run=given))
        self._run, self.recipe = run, run.sampler.recipe.name
        self._settings, self._given = settings, {**settings.recipe, **settings.run}

    @property
    def _recipe_type(self) -> type[Recipe] | None:
        """The recipe that was given."""
        return None if self.recipe is None else find(self.recipe)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The recipe and the settings that were given, by name.

        Args:
            deep: For scikit-learn, which asks it of all estimators; there is none
                inside of this one.
        """
        return {"recipe": self.recipe, **self._given}

    def set_params(self, **params: Any) -> Self:
        """Change the recipe or settings, and return self. The next `fit` has them; what
        is trained stays as it is until then.

        Raises:
            RequestError: One is not known, or cannot be. Nothing has changed then.
        """
        asked = {**self.get_params(), **params}
        self._set(asked.pop("recipe"), asked)
        return self

    def __repr__(self) -> str:
        given = [] if self.recipe is None else [repr(self.recipe)]
        given += [
            f"{name}={clipped(repr(value), MAX_VALUE)}" for name, value in self._given.items()
        ]
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_is_fitted__(self) -> bool:
        return self._run is not None

    def __sklearn_tags__(self) -> Tags:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(),
        )

    @property
    def n_features_in_(self) -> int:
        """The columns of what was trained on, its labels aside; there are none of
        images and windows of series (AttributeError, as before `fit`)."""
        names = self._columns("n_features_in_")
        return names if isinstance(names, int) else len(names)

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """The names of the columns of the table that was trained on, (D,);
        AttributeError where they are not all text."""
        names = self._columns("feature_names_in_")
        if isinstance(names, int) or not all(isinstance(name, str) for name in names):
            raise self._lacks("feature_names_in_", "its data had no columns with names")
        return np.array(names, dtype=object)

    @property
    def _threads(self) -> int | None:
        """The threads of every public method; None leaves their number as it is."""
        return None if self._run is None else self._run.threads

    def _trained(self) -> TrainedRun:
        if self._run is None:
            raise RequestError("this GAN is not trained yet: call fit, or GAN.load")
        return self._run

    def _columns(self, attribute: str) -> tuple[Hashable, ...] | int:
        """The names of columns, or their number where they have none.

        Raises:
            AttributeError: There are no columns.
        """
        if self._run is None:
            raise self._lacks(attribute, "it is not trained yet")
        columns = columns_of(self._run.sampler.schema)
        if columns is None:
            raise self._lacks(attribute, "its data had no columns")
        return columns

    def _lacks(self, attribute: str, why: str) -> AttributeError:
        return AttributeError(f"{type(self).__name__} has no {attribute!r}: {why}")


def columns_of(schema: Schema) -> tuple[Hashable, ...] | int | None:
    """The names of the user's columns, or their number where they have none; None of
    images and windows of series."""
    if schema.is_image or schema.series is not None:
        return None
    if schema.table is not None:
        return tuple(column.name for column in schema.table.columns)
    return schema.size if schema.columns is None else schema.columns
