"""Recipes are found by name, fit their data, and say what is wrong in a line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields, replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from equipoise import recipes
from equipoise.cli.train_options import Train
from equipoise.coerce import hints
from equipoise.data.distributions import DISTRIBUTIONS
from equipoise.data.schema import Schema
from equipoise.errors import RequestError
from equipoise.recipes import catalogue, find
from equipoise.recipes._building import network_space
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import Recipe, cosine
from equipoise.recipes.classic import Classic
from equipoise.runs.settings import RunSettings
from equipoise.transforms.space import NetworkSpace

LINE, PLANE, SPACE = (
    Schema((1,), "N", "float64"),
    Schema((2,), "ND", "float64"),
    Schema((3,), "ND", "float64"),
)
IMAGES = Schema((3, 20, 30), "NHWC", "uint8")


def test_every_file_of_the_folder_is_in_the_catalogue_and_the_default_comes_first() -> None:
    files = {
        path.stem.replace("_", "-") for path in Path(recipes.__path__[0]).glob("[a-z]*.py")
    } - {"base", "dcgan-family", "method", "output"}
    assert set(catalogue()) == files
    assert next(iter(catalogue())) == recipes.DEFAULT == "balanced"


def test_another_package_may_add_one_by_an_entry_point(tmp_path: Path) -> None:
    (tmp_path / "stranger.py").write_text(
        "from dataclasses import dataclass\n"
        "from equipoise.recipes.balanced import Balanced\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Strange(Balanced):\n"
        "    '''Strange.'''\n"
        "    name = 'strange'\n"
        "    summary = 's'\n"
        "    paper = 'p'\n"
    )
    info = tmp_path / "stranger-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: stranger\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[equipoise.recipes]\nstrange = stranger:Strange\n")
    code = "from equipoise.recipes import find; print(find('strange').__doc__)"
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "Strange."
    assert (
        EntryPoint("strange", "stranger:Strange", recipes.ENTRY_POINTS).group == "equipoise.recipes"
    )


def test_an_unknown_recipe_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(RequestError, match=r"no recipe 'clasic': did you mean 'classic'\?"):
        find("clasic")


@pytest.mark.parametrize("recipe", catalogue().values())
def test_every_field_has_a_docstring_and_every_recipe_a_summary_and_a_paper(
    recipe: type[Recipe],
) -> None:
    lineage = [base for base in recipe.__mro__ if issubclass(base, Recipe)]
    source = "".join(
        Path(sys.modules[base.__module__].__file__ or "").read_text() for base in lineage
    )
    undocumented = [
        name
        for name in hints(recipe)
        if not re.search(rf'^    {name}: [^\n]*\n    """', source, re.M)
    ]
    assert undocumented == []
    assert recipe.summary
    assert re.search(r"\d{4}", recipe.paper)


@pytest.mark.parametrize("recipe", catalogue().values())
@pytest.mark.parametrize("schema", [LINE, PLANE, IMAGES])
def test_built_networks_fit_the_data(recipe: type[Recipe], schema: Schema) -> None:
    import torch

    if recipe.tables_only:
        with pytest.raises(RequestError, match=f"{recipe.name} is for tables"):
            recipe.for_data(schema, {})
        return
    if recipe.images_only and not schema.is_image:
        message = f"{recipe.name} is for images, and this data is points: use the recipe 'classic'"
        with pytest.raises(RequestError, match=message):
            recipe.for_data(schema, {})
        return
    schema = (
        replace(schema, classes=("a", 2, (3, "b")), class_counts=(1, 1, 1))
        if recipe.needs_labels
        else schema
    )
    chosen = recipe.for_data(schema, {"width": 8, "conditional": recipe.needs_labels})
    method = chosen.build(network_space(chosen, schema))
    y = torch.tensor([0, 1, 2, 0]) if recipe.needs_labels else None
    x = method.generator(method.prior.sample(4, torch.Generator().manual_seed(0)), y)
    assert x.shape == (4, *schema.shape)
    logits, answers = method.discriminator(x, y)
    assert logits.shape == (4 * (len(logits) // 4),)
    assert answers.shape[0] == 4
    assert (answers.shape[1] > 0) == (method.auxiliary is not None)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"batch_size": 0}, "batch_size = 0: must be at least 1"),
        ({"learning_rate": -1.0}, "learning_rate = -1.0: must be a positive number"),
        ({"width": 0}, "width = 0: must be at least 1"),
        ({"clusters": -1}, "clusters = -1: must be at least 0"),
        ({"gamma": float("nan")}, "gamma = nan: must be a number of at least 0"),
        ({"beta2": 1.0}, "beta2 = 1.0: must be at least 0 and below 1"),
        ({"discriminator_rate": 0.0}, "discriminator_rate = 0.0: must be a positive number"),
        ({"augment": "colour"}, "augment = 'colour': did you mean 'color'?"),
        ({"augment_probability": 1.5}, "augment_probability = 1.5: must be from 0 to 1"),
        ({"augment_target": 0.6}, "augment_target = 0.6 has nothing to adapt: set augment"),
        ({"learning_rate_end": 2.0}, "learning_rate_end = 2.0: must be above 0 and at most 1"),
        (
            {"batch_size": 0, "beta1": 1.0, "augment": "colour"},
            "batch_size = 0: must be at least 1; beta1 = 1.0: must be at least 0 and below 1; "
            "augment = 'colour': did you mean 'color'?",
        ),
        ({"width": "wide"}, "width = 'wide': must be a whole number"),
    ],
)
def test_values_that_cannot_be_are_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(RequestError, match=re.escape(told)):
        Balanced(**settings)


WHOLE = [
    (recipe, field.name)
    for recipe in catalogue().values()
    for field in fields(recipe)
    if re.match(r"(Annotated\[)?int", str(field.type))
    and field.name != "full_rate_samples"  # which is a date, not a size
]


@pytest.mark.parametrize(("recipe", "field"), WHOLE)
def test_sizes_that_no_memory_holds_are_refused_at_the_door(
    recipe: type[Recipe], field: str
) -> None:
    with pytest.raises(
        RequestError, match=rf"{field} = '?1000000000000000000'?: must be (at most|.*to) \d+"
    ):
        recipe(**{field: 10**18})


def test_what_the_user_gives_comes_before_the_defaults_for_the_data() -> None:
    assert Balanced.for_data(IMAGES, {}).batch_size == 32
    assert Balanced.for_data(IMAGES, {"batch_size": 48}).batch_size == 48
    assert Balanced.for_data(LINE, {}).clusters is None
    assert Balanced.for_data(LINE, {"clusters": 3}).clusters == 3


def test_conditional_without_labels_is_refused() -> None:
    with pytest.raises(RequestError, match="conditional is on, but the data has no labels"):
        Balanced.for_data(LINE, {"conditional": True})


def test_classic_refuses_a_batch_as_a_vector_and_a_tanh_where_they_do_not_fit() -> None:
    for schema in (PLANE, Schema((1, 1, 1), "NHW", "uint8")):
        with pytest.raises(RequestError, match="discriminator_sees = 'batch' is for one column"):
            Classic.for_data(schema, {"discriminator_sees": "batch"})
    with pytest.raises(RequestError, match="scaling = 'standard': G ends in a tanh on images"):
        Classic.for_data(IMAGES, {"scaling": "standard"})


def test_the_cosine_goes_from_start_to_end_through_the_middle() -> None:
    assert [cosine(1.0, 0.0, t) for t in (0.0, 0.5, 1.0, 2.0)] == pytest.approx(
        [1.0, 0.5, 0.0, 0.0]
    )


def test_classic_can_play_the_papers_minimax_game() -> None:
    import torch

    fake = torch.tensor([0.3, -0.7])
    minimax = (
        Classic(generator_loss="minimax").build(NetworkSpace.of(LINE)).generator_loss(fake, fake)
    )
    assert minimax.item() == pytest.approx(torch.log(1 - fake.sigmoid()).mean().item())
    assert Classic().build(NetworkSpace.of(LINE)).generator_loss(
        fake, fake
    ).item() == pytest.approx(-torch.log(fake.sigmoid()).mean().item())


@pytest.mark.parametrize("name", ["cgan", "acgan"])
def test_recipes_of_classes_need_labels_and_say_so(name: str) -> None:
    with pytest.raises(
        RequestError,
        match=f"{name} learns classes, but the data has no labels: give labels, or use "
        "another recipe",
    ):
        find(name).for_data(PLANE, {"conditional": False})


def test_augmentation_is_for_images() -> None:
    with pytest.raises(RequestError, match="augment = 'cutout' is for images: leave it out"):
        Balanced.for_data(PLANE, {"augment": "cutout"})


def documented(recipe: type[Recipe], field: str) -> str:
    """The docstring of a field, from the first class of the lineage that has it."""
    for base in recipe.__mro__:
        source = Path(sys.modules[base.__module__].__file__ or "").read_text()
        text = source[source.index(f"class {base.__name__}(") :].split("\n@dataclass")[0]
        found = re.search(rf'^    {field}: [^\n]*\n    """(.*?)"""', text, re.M | re.S)
        if found:
            return " ".join(found[1].split())
    raise AssertionError(f"{recipe.name} does not document {field}")


@pytest.mark.parametrize("recipe", catalogue().values())
def test_defaults_that_depend_on_the_data_are_told_where_the_field_is(recipe: type[Recipe]) -> None:
    own = {field.name: field.default for field in fields(recipe)}
    for schema in (LINE, PLANE, SPACE, IMAGES):
        for field, value in recipe.defaults(NetworkSpace.of(schema)).items():
            if value != own[field]:
                told = documented(recipe, field)
                assert re.search(r"\((images|points|paper)", told), (
                    f"{recipe.name}.{field} is {value} on {schema.shape}: {told}"
                )
                numbers = [
                    float(text.replace(",", ""))
                    for text in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", told)
                ]
                assert str(value) in told or "columns: D" in told or value in numbers, (
                    f"{recipe.name}.{field} is {value}: {told}"
                )


def test_no_field_of_a_recipe_is_one_of_a_run_or_of_a_distribution() -> None:
    """On the command line they stand side by side."""
    for recipe in catalogue().values():
        for other in (RunSettings, Train, *DISTRIBUTIONS.values()):
            assert set(hints(recipe)).isdisjoint(hints(other)), (recipe.name, other)
