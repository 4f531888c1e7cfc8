"""The command lines that the page runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from equipoise.cli.train_options import parse_train
from equipoise.errors import RequestError
from equipoise.studio.training.commands import next_step, option_words, train_words

RUN = Path("runs/my run")


def test_what_is_typed_is_what_was_asked_for() -> None:
    choices = {
        "samples": 100,
        "stop_when": "converged",
        "conditional": False,
        "constraints": ("a <= b", "--c=1"),
        "label_column": "-x",
        "minutes": None,
    }
    words = train_words("d.csv", "wgan-gp", choices, Path("out"))
    request = parse_train(words[1:])
    assert request.recipe.name == "wgan-gp"
    assert request.out == Path("out")
    expected = {name: value for name, value in choices.items() if value is not None}
    assert request.choices == expected


@pytest.mark.parametrize(
    "choices",
    [{"out": "x"}, {"resume": True}, {"tracker": "wandb"}, {"--x": 1}, {"a b": 1}, {"seed": [{}]}],
)
def test_a_setting_that_is_not_the_pages_is_refused(choices: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        option_words(choices)


def test_a_line_break_in_a_value_is_refused() -> None:
    with pytest.raises(RequestError, match="one line"):
        option_words({"label_column": "a\nb"})


def test_the_command_of_a_verdict_is_a_button_only_where_the_page_can_do_it() -> None:
    resumed = next_step("equipoise train --resume 'runs/my run' --samples 9", RUN)
    assert resumed == {"action": "resume", "choices": {"samples": "9"}}
    anew = next_step("equipoise train d.csv --recipe cgan --latent-dim 9 --fit", RUN)
    assert anew == {
        "action": "train",
        "data": "d.csv",
        "recipe": "cgan",
        "choices": {"latent_dim": "9", "fit": True},
    }
    constrained = next_step("equipoise train d.csv --constraints=a<b --constraints=b<c", RUN)
    assert constrained is not None
    assert constrained["choices"] == {"constraints": ["a<b", "b<c"]}
    assert option_words(constrained["choices"]) == ["--constraints=a<b", "--constraints=b<c"]
    assert next_step("equipoise sample 'runs/my run' -n 1000", RUN) == {"action": "use"}
    for other in ("equipoise evaluate x", "equipoise train --resume other", "rm -r x", "train '"):
        assert next_step(other, RUN) is None
