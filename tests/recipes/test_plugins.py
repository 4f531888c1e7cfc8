"""Recipes of other packages: a broken one breaks only itself, and a missing one is no
damage."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from equipoise import GAN, recipes
from equipoise.errors import EquipoiseError, EquipoiseWarning, RequestError
from equipoise.recipes import broken, catalogue, find, register
from equipoise.recipes.balanced import Balanced
from equipoise.recipes.base import RECIPES
from equipoise.runs.serialization import pack, read_json, unpack, write_json

Command = Callable[..., Any]
MODULES = {
    "lacking": "import no_such_module\n",
    "odd": "Strange = 5\n",
    "failing": "raise RuntimeError('not today\\nand not tomorrow')\n",
    "leaving": "import sys\nsys.exit('no licence')\n",
}


@pytest.fixture
def registry() -> Iterator[None]:
    """Recipes that a test registers are gone after it."""
    before = dict(catalogue())
    yield
    RECIPES.clear()
    RECIPES.update(before)


@pytest.fixture
def plugins(
    registry: None,  # noqa: ARG001  # which looks after this is undone
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Packages whose recipes cannot be used."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}_plugin.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint(name, f"{name}_plugin:Strange", recipes.ENTRY_POINTS) for name in MODULES]
    monkeypatch.setattr(
        recipes, "entry_points", lambda group: points if group == recipes.ENTRY_POINTS else []
    )
    recipes._broken_entry_points.cache_clear()
    yield
    recipes._broken_entry_points.cache_clear()


@pytest.mark.usefixtures("plugins")
def test_broken_plugins_break_no_command_and_are_listed_with_what_is_wrong(
    trained: Path, command: Command
) -> None:
    assert find("balanced") is Balanced
    assert command("sample", str(trained), "-n", "2").status == 0
    listed = command("recipes")
    assert listed.status == 0
    assert "balanced" in listed.out
    for name, message in (
        (
            "lacking",
            "the import of lacking_plugin:Strange of lacking_plugin:Strange failed: "
            "ModuleNotFoundError: No module named",
        ),
        ("odd", "is not a subclass of Recipe"),
        ("failing", "RuntimeError: not today"),
        ("leaving", "SystemExit: no licence"),
    ):
        (line,) = [line for line in listed.out.splitlines() if line.startswith(f"{name} ")]
        assert message in line


def test_a_plugin_with_the_name_of_a_recipe_is_not_used_and_said_so(
    registry: None,  # noqa: ARG001  # which looks after this is undone
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "namesake_plugin.py").write_text(
        "from equipoise.recipes.balanced import Balanced\n\n"
        'class Strange(Balanced):\n    name = "balanced"\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("balanced", "namesake_plugin:Strange", recipes.ENTRY_POINTS)
    monkeypatch.setattr(
        recipes, "entry_points", lambda group: [point] if group == recipes.ENTRY_POINTS else []
    )
    for cached in (recipes._broken_entry_points, recipes._warn_of_namesake):
        cached.cache_clear()
    try:
        with pytest.warns(EquipoiseWarning, match="'balanced' of another package is not used: .*"):
            assert find("balanced") is Balanced
    finally:
        for cached in (recipes._broken_entry_points, recipes._warn_of_namesake):
            cached.cache_clear()


@pytest.mark.usefixtures("plugins", "here")
def test_a_broken_recipe_is_refused_with_the_error_of_its_import(command: Command) -> None:
    answer = command("train", "ring", "--recipe", "lacking")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "the recipe 'lacking' cannot be used: " in answer.err
    assert "No module named 'no_such_module'" in answer.err


@pytest.mark.usefixtures("plugins")
def test_a_plugin_takes_no_name_of_equipoises_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "usurping_plugin.py").write_text(
        "from dataclasses import dataclass\nfrom equipoise.recipes.balanced import Balanced\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Strange(Balanced):\n    name = 'balanced'\n"
    )
    point = EntryPoint("usurping", "usurping_plugin:Strange", recipes.ENTRY_POINTS)
    monkeypatch.setattr(recipes, "entry_points", lambda **_: [point])
    recipes._broken_entry_points.cache_clear()
    assert find("balanced") is Balanced
    assert "has the name 'balanced', which is one of Equipoise's own" in broken()["usurping"]


RECIPE = (
    "from dataclasses import dataclass\nfrom equipoise.recipes.balanced import Balanced\n"
    "@dataclass(frozen=True, kw_only=True)\nclass Strange(Balanced):\n"
)


@pytest.fixture
def offered(tmp_path: Path, registry: None) -> Iterator[Callable[..., None]]:  # noqa: ARG001  # which looks after this is undone
    """Offer entry points, by name, of recipes whose classes have these bodies.

    They are unloaded after the test.
    """
    with pytest.MonkeyPatch.context() as patch:

        def offer(**bodies: str) -> None:
            points = []
            for name, body in bodies.items():
                (tmp_path / f"{name}_offering.py").write_text(f"{RECIPE}    {body}\n")
                points.append(EntryPoint(name, f"{name}_offering:Strange", recipes.ENTRY_POINTS))
            patch.syspath_prepend(tmp_path)
            patch.setattr(recipes, "entry_points", lambda **_: points)
            recipes._broken_entry_points.cache_clear()

        yield offer
    for name in [name for name in sys.modules if name.endswith("_offering")]:
        del sys.modules[name]
    recipes._broken_entry_points.cache_clear()


def test_of_two_plugins_with_one_name_the_first_is_used_and_the_other_reported(
    offered: Callable[..., None],
) -> None:
    offered(first="name = 'twin'", second="name = 'twin'")
    assert find("twin").__module__ == "first_offering"
    assert broken().keys() == {"second"}
    assert "has the name 'twin', which first_offering has taken" in broken()["second"]


def test_a_plugin_with_a_name_that_is_no_text_or_without_a_summary_breaks_only_itself(
    offered: Callable[..., None], command: Command
) -> None:
    offered(number="name = 5", silent="name, summary = 'silent', None")
    listed = command("recipes")
    assert listed.status == 0
    for message in ("number           cannot be used: number_offering:Strange", "has no summary"):
        assert message in listed.out
    with pytest.raises(RequestError, match="the recipe 'silent' cannot be used: "):
        find("silent")


@pytest.mark.usefixtures("registry")
def test_a_recipe_that_is_defined_after_the_first_look_up_is_found() -> None:
    with pytest.raises(RequestError, match="no recipe 'late'"):
        find("late")

    for _ in range(2):  # as a notebook's cell that is run again

        @register
        @dataclass(frozen=True, kw_only=True)
        class Late(Balanced):
            name = "late"

        assert find("late") is Late
        assert find(GAN("late", width=8).recipe or "") is Late


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "balanced"}, "has the name 'balanced', which is one of Equipoise's own"),
        ({"name": "taken"}, "has the name 'taken', which elsewhere has taken"),
        ({}, "has no name of its own: give the class name = 'my-recipe'"),
        ({"name": "silent", "paper": None}, "has no paper"),
    ],
)
def test_a_recipe_registers_with_a_name_that_is_free_a_summary_and_a_paper(
    body: dict[str, Any], message: str
) -> None:
    register(type("Taken", (Balanced,), {"name": "taken", "__module__": "elsewhere"}))
    with pytest.raises(RequestError, match=message):
        register(type("Strange", (Balanced,), body))


def of_another_recipe(run: Path, copy: Path, name: str) -> Path:
    """A copy of a run that says that it was trained with another recipe."""
    shutil.copytree(run, copy)
    config = read_json(copy / "config.json")
    config["recipe"]["name"] = name
    write_json(copy / "config.json", config)
    tensors, metadata = unpack(copy / "generator.safetensors")
    metadata["recipe"]["name"] = name
    (copy / "generator.safetensors").write_bytes(pack(tensors, metadata))
    return copy


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample"],
        ["evaluate"],
        ["compare"],
        ["train", "--resume"],
        ["train", "ring", "--init-from"],
    ],
)
def test_a_run_of_a_recipe_that_is_not_installed_is_not_called_damaged(
    arguments: list[str], trained: Path, tmp_path: Path, command: Command
) -> None:
    run = of_another_recipe(trained, tmp_path / "run", "foo")
    answer = command(*arguments, str(run))
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    message = (
        f"{run} was trained with the recipe 'foo', which is not installed here: install "
        "the package that provides it"
    )
    assert message in answer.err


@pytest.mark.usefixtures("plugins")
def test_a_run_of_a_broken_recipe_has_the_error_of_its_import(
    trained: Path, tmp_path: Path
) -> None:
    run = of_another_recipe(trained, tmp_path / "run", "lacking")
    with pytest.raises(
        EquipoiseError,
        match=r"'lacking', which cannot be used: the import of "
        r"lacking_plugin:Strange.*no_such_module",
    ):
        GAN.load(run)
