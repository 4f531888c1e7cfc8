"""Completion: the script of each shell, made of the commands' own parsers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers import Answer

from equipoise.cli.main import COMMANDS
from equipoise.cli.options import SHELLS
from equipoise.cli.parsers import NAMES
from equipoise.recipes import catalogue

ASK = """source {script}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1))
_shtab_equipoise equipoise "${{COMP_WORDS[COMP_CWORD]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(command: Callable[..., Answer], folder: Path, words: str) -> set[str]:
    """What bash offers for the last word."""
    script = folder / "equipoise.bash"
    script.write_text(command("completion", "bash").out)
    asked = ASK.format(script=script, words=words)
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_every_command_has_a_parser() -> None:
    assert set(NAMES) == set(COMMANDS)


def test_bash_completes_commands_options_and_values(
    command: Callable[..., Answer], tmp_path: Path
) -> None:
    assert set(COMMANDS) <= completed(command, tmp_path, "equipoise ''")
    assert completed(command, tmp_path, "equipoise train --recipe ''") == set(catalogue())
    found = completed(command, tmp_path, "equipoise train gaussian --conditional --rec")
    assert "--recipe" in found
    assert completed(command, tmp_path, "equipoise sample RUN --see") == {"--seed"}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_takes_its_script(
    shell: str, command: Callable[..., Answer], tmp_path: Path
) -> None:
    answer = command("completion", shell)
    assert answer.status == 0
    assert "train" in answer.out
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(answer.out)
        subprocess.run([shell, "-n", str(script)], check=True)


def test_another_shell_is_refused_with_the_known_ones(command: Callable[..., Answer]) -> None:
    answer = command("completion", "zhs")
    assert answer.status == 2
    assert answer.err == "equipoise: shell = 'zhs': did you mean 'zsh'?\n"
    assert command("completion").status == 2
