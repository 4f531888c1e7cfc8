"""The page in a browser: from a file that is dropped to samples that are taken home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import png

pytestmark = pytest.mark.slow
WAIT = 600_000  # milliseconds, after which something hangs


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a studio is served, in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "equipoise", "studio", "--port", "0", "--no-browser"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    yield server.stdout.readline().removeprefix("studio: ").strip()
    server.terminate()
    server.wait(600)


def archive(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for number in range(60):
            shade = np.full((8, 8), 4 * number, np.uint8)
            opened.writestr(f"pets/{'cats' if number % 2 else 'dogs'}/{number}.png", png(shade))
    return path


def table(path: Path) -> Path:
    rows = [f"{20 + number % 50},{'ab'[number % 2]}" for number in range(300)]
    path.write_text("\n".join(["age,plan", *rows]) + "\n")
    return path


@pytest.mark.parametrize("kind", ["table", "images"])
def test_a_file_is_dropped_trained_on_and_samples_are_taken_home(
    address: str, tmp_path: Path, kind: str
) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    data = table(tmp_path / "people.csv") if kind == "table" else archive(tmp_path / "pets.zip")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(locale="en")
        page.set_default_timeout(WAIT)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        page.set_input_files("input[type=file] >> nth=0", data)
        page.click("text=More settings")
        page.fill("textarea[placeholder^=gamma]", "width = 8\nbatch_size = 16\nevaluate = quick")
        page.fill("[aria-label=samples]", "320")
        page.click("text=Start training")
        page.wait_for_selector(".tag:has-text('finished')")
        assert "Verdict" in page.inner_text("main")
        page.click("text=Use it")
        page.wait_for_selector("[data-result]")
        with page.expect_download() as download:
            page.click("a:text-is('Download')")
        taken = Path(download.value.path()).read_bytes()
        browser.close()
    assert problems == []
    assert taken.startswith(b"age,plan" if kind == "table" else b"PK")
