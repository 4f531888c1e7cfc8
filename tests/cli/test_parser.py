from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from equipoise.cli.field_docs import field_docs
from equipoise.cli.options import Compare, Evaluate, Sample
from equipoise.cli.parser import parse
from equipoise.cli.train_options import Train, parse_train
from equipoise.coerce import hints
from equipoise.data.distributions import Gaussian, Mixture
from equipoise.errors import RequestError
from equipoise.recipes import find
from equipoise.runs.settings import RunSettings

BALANCED = find("balanced")


def test_only_what_was_typed_is_a_choice() -> None:
    request = parse_train(["gaussian", "--seed", "0", "--batch-size", "64", "--gamma=2"], BALANCED)
    assert request.choices == {"seed": 0, "batch_size": 64, "gamma": 2.0}
    assert (request.data, request.out) == ("gaussian", None)


def test_a_default_that_is_typed_is_a_choice() -> None:
    request = parse_train(
        ["gaussian", "--recipe", "balanced", "--batch-size", str(BALANCED().batch_size)], BALANCED
    )
    assert request.choices == {"batch_size": BALANCED().batch_size}


def test_options_may_stand_before_data_and_be_written_with_underscores() -> None:
    typed = ["--batch_size", "8", "--resume", "--out", "a b", "x.csv"]
    assert parse_train(typed, BALANCED).data == "x.csv"
    assert parse_train(["gaussian", "--batch_size=8"], BALANCED).choices == {"batch_size": 8}


def test_a_distributions_own_settings_are_options() -> None:
    assert parse_train(
        ["gaussian", "--mean", "-2", "--std", "0.5"], BALANCED
    ).distribution == Gaussian(mean=-2.0, std=0.5)
    distribution = parse_train(
        ["mixture", "--means", "-1", "2", "--stds", "1", "1", "--weights", "1", "3"], BALANCED
    ).distribution
    assert distribution == Mixture((-1.0, 2.0), (1.0, 1.0), (1.0, 3.0))
    assert parse_train(["x.npy"], BALANCED).distribution is None


def test_sample_and_evaluate_have_their_options() -> None:
    assert parse(Sample, "sample", ["run", "-n", "7", "--label", "3", "--out", "a.npy"]) == Sample(
        Path("run"), n=7, label="3", out=Path("a.npy")
    )
    assert parse(Evaluate, "evaluate", ["run", "--json"]) == Evaluate(Path("run"), json=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "equipoise train needs data: see equipoise train --help"),
        (
            ["gaussian", "--widht", "3"],
            "no option --widht of train with the recipe balanced: did you mean '--width'?",
        ),
        (["x.npy", "--std", "3"], "no option --std of train with the recipe balanced: "),
        (["gaussian", "--width", "x"], "--width = 'x': must be a whole number"),
        (["gaussian", "--width", "2.5"], "--width = '2.5': must be a whole number"),
        (["gaussian", "--width"], "--width has no value: must be a whole number"),
        (["gaussian", "--gamma", "ten"], "--gamma = 'ten': must be a number"),
        (["gaussian", "--scaling", "foo"], "--scaling = 'foo': must be 'standard' or 'unit'"),
        (["gaussian", "--conditional=maybe"], "--conditional = 'maybe': must be True or False"),
        (["gaussian", "--conditional", "maybe"], "'maybe' was not expected: see equipoise train"),
        (["gaussian", "ring"], "'ring' was not expected: see equipoise train --help"),
        (["gaussian", "-x"], "'-x' was not expected: see equipoise train --help"),
        (["gaussian", "--seed", "-1"], "seed = -1: must be a whole number from 0 to 2147483647"),
        (["gaussian", "--batch-size", "0"], "batch_size = 0: must be at least 1"),
        (["gaussian", "--std", "0"], "std = 0.0 of gaussian: must be a positive number"),
        (
            ["mixture", "--means", "0"],
            "means, stds and weights of mixture have lengths 1, 3 and 3: give as many of each",
        ),
        (
            ["gaussian", "--samples", "9", "--minutes", "1"],
            "samples = 9 and minutes = 1.0: give one of them",
        ),
    ],
)
def test_a_mistake_is_one_line_with_the_option_the_value_and_the_remedy(
    arguments: list[str], message: str
) -> None:
    with pytest.raises(RequestError) as error:
        parse_train(arguments, BALANCED)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_command_without_its_run_is_refused() -> None:
    with pytest.raises(
        RequestError, match="equipoise sample needs a run directory: see equipoise sample --help"
    ):
        parse(Sample, "sample", ["-n", "3"])


@pytest.mark.parametrize("typed", [["x.csv", "-help"], ["x.csv", "-hx", "--widht", "3"]])
def test_a_switch_with_a_value_glued_to_it_is_a_mistake(typed: list[str]) -> None:
    with pytest.raises(RequestError, match="-h"):
        parse_train(typed, BALANCED)


def test_every_mistake_is_named_at_once() -> None:
    typed = ["x.csv", "--widht", "3", "--gamma", "ten", "--seed", "-1", "--minutes"]
    with pytest.raises(RequestError) as error:
        parse_train(typed, BALANCED)
    for part in ("--widht", "--gamma = 'ten'", "seed = -1", "--minutes has no value"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        (["--conditional"], True),
        (["--conditional", "True"], True),
        (["--conditional=on"], True),
        (["--no-conditional"], False),
        (["--conditional", "False"], False),
        (["--conditional=false"], False),
    ],
)
def test_a_switch_is_on_off_or_has_a_value(typed: list[str], value: bool) -> None:
    for arguments in (["x.csv", *typed], [*typed, "x.csv"]):
        request = parse_train(arguments, BALANCED)
        assert (request.data, request.choices) == ("x.csv", {"conditional": value})


def test_negative_numbers_are_values_in_any_notation() -> None:
    distribution = parse_train(["gaussian", "--mean", "-1e-3"], BALANCED).distribution
    assert distribution == Gaussian(mean=-0.001)
    assert parse(Sample, "sample", ["run", "--label", "-1"]).label == "-1"


def test_an_option_that_may_be_none_takes_none() -> None:
    assert parse_train(["ring", "--clusters", "None"], BALANCED).choices == {"clusters": None}


def test_several_runs_may_stand_before_and_after_options() -> None:
    compare = parse(Compare, "compare", ["a", "b", "--out", "x.html", "c"])
    assert compare == Compare((Path("a"), Path("b"), Path("c")), Path("x.html"))


def test_the_recipe_named_decides_which_settings_are_options() -> None:
    assert parse_train(["ring", "--recipe", "wgan", "--clip", "0.1"]).choices == {"clip": 0.1}
    with pytest.raises(RequestError, match="no option --clip of train with the recipe balanced"):
        parse_train(["ring", "--clip", "0.1"])


def test_every_field_has_its_docstring_as_help() -> None:
    for settings in (Train, Sample, Evaluate, Compare, RunSettings, BALANCED, Gaussian, Mixture):
        documented = {each.name for each in fields(settings) if each.metadata.get("doc")}
        assert documented | set(field_docs(settings)) >= set(hints(settings)), settings


@pytest.mark.parametrize("typed", [["--until", "converged"], ["--until=converged"]])
def test_until_sets_stop_when(typed: list[str]) -> None:
    assert parse_train(["gaussian", *typed]).choices == {"stop_when": "converged"}


@pytest.mark.parametrize(
    ("typed", "data"),
    [
        (["--resume", "run"], None),
        (["--resume=run"], None),
        (["run", "--resume"], None),
        (["x.csv", "--resume", "run"], "x.csv"),
        (["--resume", "run", "--seed", "1"], None),
        (["--resume", "--out", "run"], None),
        (["x.csv", "--out=run", "--resume"], "x.csv"),
        (["--resume", "x.csv", "--out", "run"], "x.csv"),
    ],
)
def test_a_run_that_follows_resume_or_stands_alone_is_the_one_to_go_on_with(
    typed: list[str], data: str | None
) -> None:
    request = parse_train(typed, BALANCED)
    assert (request.resume, request.out, request.data) == (True, Path("run"), data)


def test_a_run_that_is_named_twice_is_a_mistake() -> None:
    with pytest.raises(RequestError, match="'a' was not expected: --out names the run to resume"):
        parse_train(["x.csv", "--resume", "a", "--out", "b"], BALANCED)
    with pytest.raises(RequestError, match="equipoise train --resume needs the run"):
        parse_train(["--resume", "--seed", "1"], BALANCED)


def test_without_resume_nothing_is_taken_for_a_run() -> None:
    request = parse_train(["x.csv", "--out", "run"], BALANCED)
    assert (request.data, request.out, request.resume) == ("x.csv", Path("run"), False)
    request = parse_train(["x.csv", "--init-from", "runs/a"], BALANCED)
    assert request.init_from == Path("runs/a")
