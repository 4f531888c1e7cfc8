"""`equipoise completion`: a script that completes commands and options in a shell.

The script is made by shtab of the commands' own parsers. It holds all words, so that
completing starts no Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from equipoise.cli.options import SHELLS, Completion
from equipoise.cli.parser import OptionsParser, parse
from equipoise.cli.parsers import NAMES, parser_of
from equipoise.cli.values import choices_of

FILES, FOLDERS = ("DATA", "FILE", "PATH"), ("RUN", "DIR")  # what metavars begin with


def completion(arguments: Sequence[str]) -> None:
    """equipoise completion SHELL"""
    options = parse(Completion, "completion", arguments)

    import shtab

    print(shtab.complete(_whole_parser(), options.shell))


def _whole_parser() -> argparse.ArgumentParser:
    """One parser of all commands, with the options of all recipes."""
    whole = argparse.ArgumentParser("equipoise", description="Train GANs.")
    whole.add_argument("--version", action="store_true", help="Print the version.")
    commands = whole.add_subparsers()
    for name in NAMES:
        options = parser_of(name, every_recipe=True)
        for action in options.parser._actions:
            _tell_values(action, options)
        about = " ".join((parser_of(name).parser.description or "").split())
        commands.add_parser(
            name,
            help=about.split(". ")[0].replace("%", "%%"),
            parents=[options.parser],
            add_help="--help" not in options.known,  # as that of every recipe is without
        )
    return whole


def _tell_values(action: argparse.Action, options: OptionsParser) -> None:
    """Say which values an option has: fixed words, files or folders."""
    import shtab

    from equipoise.recipes import catalogue

    metavar, hint = str(action.metavar), options.types.get(action.dest)
    if action.dest == "recipe":
        action.choices = list(catalogue())
    elif action.dest == "shell":
        action.choices = SHELLS
    elif hint is not None and (words := choices_of(hint)):
        action.choices = words
    elif metavar.startswith((*FILES, *FOLDERS)):
        known: Any = action
        known.complete = shtab.FILE if metavar.startswith(FILES) else shtab.DIRECTORY
