"""The command lines that the page runs, and those that it can run for a verdict."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from equipoise.errors import RequestError, clipped
from equipoise.utils.option_names import option_of

OPTION = re.compile(r"[a-z][a-z0-9_]{0,40}")
# Of which the page has its own, or which are for the command line alone.
RESERVED = {"out", "resume", "data", "recipe", "processes", "tracker", "init_from", "help"}
MAX_VALUE = 2000  # characters


def train_words(data: str, recipe: str, choices: Mapping[str, Any], out: Path) -> list[str]:
    """What is typed after `equipoise` to train.

    Args:
        data: A file, a folder or a built-in source.
        recipe: The recipe's name.
        choices: Settings of the recipe and the run by name.
        out: The run directory.

    Raises:
        RequestError: If a setting could not be typed.
    """
    from equipoise.recipes import DEFAULT

    words = ["train", data]
    if recipe != DEFAULT:
        words += ["--recipe", recipe]
    return [*words, *option_words(choices), "--out", str(out)]


def resume_words(run: Path, choices: Mapping[str, Any]) -> list[str]:
    """What is typed after `equipoise` to go on with a run. Raises as `train_words`."""
    return ["train", "--resume", str(run), *option_words(choices)]


def option_words(choices: Mapping[str, Any]) -> list[str]:
    """Settings as options. Lists of constraints become several words.

    Raises:
        RequestError: If one could not be typed.
    """
    words: list[str] = []
    for name, value in choices.items():
        if not OPTION.fullmatch(name) or name in RESERVED:
            raise RequestError(f"{clipped(repr(name))} is no setting that the page can give")
        option = option_of(name)
        if value is None:
            continue
        if isinstance(value, bool):
            words.append(option if value else f"--no-{option.removeprefix('--')}")
        elif isinstance(value, list | tuple):
            for part in value:
                words.append(f"{option}={_text(name, part)}")
        else:
            words.append(f"{option}={_text(name, value)}")
    return words


def command(words: Iterable[str]) -> list[str]:
    """The process of `equipoise WORDS`."""
    return [sys.executable, "-m", "equipoise", *words]


def line(words: Iterable[str]) -> str:
    """`equipoise WORDS` as it is typed."""
    return shlex.join(["equipoise", *words])


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str | int | float) or len(str(value)) > MAX_VALUE:
        raise RequestError(f"{name} = {clipped(repr(value))}: must be text or a number")
    text = str(value)
    if not text.isprintable():
        raise RequestError(f"{name} = {clipped(repr(value))}: must be one line of text")
    return text


def next_step(text: str, run: Path) -> dict[str, Any] | None:
    """What the page does for the command of a verdict; None where it can only show it.

    Args:
        text: The command: "equipoise train --resume runs/a --samples 1000".
        run: The run directory that the verdict is on.

    Returns:
        "action": "resume", "train" or "use"; for the first two "choices", and for
        "train" the "data" and the "recipe", None for the default one.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    if words[:2] == ["equipoise", "sample"] and words[2:3] == [str(run)]:
        return {"action": "use"}
    if words[:2] != ["equipoise", "train"]:
        return None
    if words[2:4] == ["--resume", str(run)]:
        choices = _choices(words[4:])
        return None if choices is None else {"action": "resume", "choices": choices}
    choices = _choices(words[3:])
    if choices is None or not words[2:3] or words[2].startswith("-"):
        return None
    recipe = choices.pop("recipe", None)
    return {"action": "train", "data": words[2], "recipe": recipe, "choices": choices}


def _choices(words: Sequence[str]) -> dict[str, Any] | None:
    """Options as settings: pairs of "--name value", which are a list where there are
    several of a name, and switches; None for anything else."""
    found: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            return None
        name, equals, value = word[2:].partition("=")
        if not equals and rest and not rest[0].startswith("--"):
            value, equals = rest.pop(0), "="
        name = name.replace("-", "_")
        given: Any = value if equals else True
        if name in found:
            before = found[name]
            given = [*(before if isinstance(before, list) else [before]), given]
        found[name] = given
    return found
