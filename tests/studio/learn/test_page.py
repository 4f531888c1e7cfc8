"""The page Learn in a browser: it plays, it can be steered, and every lesson opens."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from equipoise.studio.learn.lessons import LESSONS
from equipoise.studio.state import Studio

pytestmark = pytest.mark.slow
PATIENT = 600_000  # milliseconds, for what hangs


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A studio that is served by a thread of this process."""
    uvicorn = pytest.importorskip("uvicorn")
    from equipoise.studio.app import create_app
    from equipoise.studio.server import listen

    app = create_app(Studio(folder=tmp_path_factory.mktemp("studio") / "runs"))
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, log_level="warning", ws="websockets-sansio")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield made
        made.close()


class Tab:
    """A tab that keeps what went wrong in it."""

    def __init__(self, browser: Any, address: str, width: int = 1280, **options: Any) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(PATIENT)
        self.page, self.address = context.new_page(), address
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.errors.append(said.text) if said.type == "error" else None,
        )

    def open(self, place: str) -> None:
        self.page.goto(f"{self.address}/#/{place}")
        self.page.wait_for_function(
            "name => document.getElementById('learn-lesson')?.value === name"
            " && document.querySelector('.learn-findings li')",
            arg=place.removeprefix("learn").removeprefix("/"),
        )
        self.ready()

    def ready(self) -> None:
        self.page.wait_for_selector(".learn:not([aria-busy])")

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.ready()

    def steps(self) -> int:
        shown = self.page.locator(".learn-readings dd").first.evaluate("e => e.firstChild.data")
        return int(shown.replace(",", ""))

    def wait_for_steps(self, n: int) -> None:
        self.page.wait_for_function(
            "n => Number(document.querySelector('.learn-readings dd').firstChild.data"
            ".replace(/,/g, '')) >= n",
            arg=n,
        )

    def is_narrow_enough(self) -> bool:
        fits: bool = self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        return fits


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[Tab]:
    made = Tab(browser, address)
    yield made
    assert not made.errors
    made.page.context.close()


def test_it_plays_pauses_steps_and_takes_a_setting(tab: Tab) -> None:
    tab.open("learn")
    tab.click("Two bumps")
    assert tab.steps() == 0
    tab.click("Step D")
    assert tab.steps() == 1
    tab.click("Play")
    tab.wait_for_steps(10)
    tab.click("Pause")
    paused = tab.steps()
    tab.click("Step G")
    assert tab.steps() == paused + 1
    slider = tab.page.get_by_label("Penalty on slopes (gamma)")
    before = slider.get_attribute("aria-valuetext")
    slider.press("ArrowRight")
    tab.ready()
    assert slider.get_attribute("aria-valuetext") != before
    answer = tab.page.evaluate("fetch('/api/learn').then((r) => r.json())")
    assert str(answer["frame"]["readings"]["gamma"]) == slider.get_attribute("aria-valuetext")
    assert slider.evaluate("element => element === document.activeElement")


def test_what_is_drawn_by_mouse_and_by_keys_is_learned(tab: Tab) -> None:
    tab.open("learn")
    tab.page.get_by_role("button", name="Draw a curve …").click()
    pad = tab.page.locator(".learn-pad")
    box = pad.bounding_box()
    tab.page.mouse.move(box["x"] + 100, box["y"] + 50)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 200, box["y"] + 90, steps=5)
    tab.page.mouse.up()
    pad.press("ArrowRight")
    pad.press("ArrowUp")
    tab.click("Learn this")
    tab.page.wait_for_selector(".learn-pad", state="detached")
    tab.page.get_by_role("button", name="Draw points …").click()
    tab.click("Learn this")  # nothing is drawn: the page says so, and stays
    assert "points" in tab.page.locator(".learn-refused").inner_text()
    for key in (" ", "ArrowRight", "ArrowRight", " ", "ArrowUp", " "):
        tab.page.locator(".learn-pad").press(key)
    tab.click("Learn this")
    tab.page.wait_for_selector(".learn-pad", state="detached")
    tab.errors = [error for error in tab.errors if "400" not in error]


def test_two_tabs_show_the_same_training(tab: Tab, browser: Any, address: str) -> None:
    other = Tab(browser, address)
    tab.open("learn")
    other.open("learn")
    tab.click("Ring")
    other.page.wait_for_selector("button[data-name=ring][aria-pressed=true]")
    tab.click("Step both")
    other.wait_for_steps(1)
    assert not other.errors
    other.page.context.close()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_lesson_opens_with_a_goal_that_is_checked(tab: Tab, lesson: Any) -> None:
    tab.open(f"learn/{lesson.name}")
    goals = tab.page.locator(".learn-goal li")
    assert goals.count() == len(lesson.goal)
    assert "learn." not in tab.page.locator("main").inner_text()  # a key without its words
    assert "false" in [goals.nth(i).get_attribute("data-met") for i in range(goals.count())]
    assert tab.page.locator(".learn-met").is_hidden()


def test_a_lesson_that_is_done_says_so_and_leads_to_the_next(tab: Tab) -> None:
    tab.open("learn/turns")
    for _ in range(10):
        tab.click("Step D")
        tab.click("Step G")
    assert tab.page.locator(".learn-met").is_visible()
    tab.page.get_by_role("link", name="Next:").click()
    tab.page.wait_for_selector(".learn-findings li")
    assert tab.page.url.endswith("#/learn/best-discriminator")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_phone_shows_it_without_sideways_scrolling(
    browser: Any, address: str, scheme: str, locale: str
) -> None:
    phone = Tab(browser, address, 360, color_scheme=scheme, locale=locale)
    for place in ("learn/collapse", "learn/weak-gradient", "learn"):
        phone.open(place)
        assert phone.is_narrow_enough()
    labels = phone.page.eval_on_selector_all(
        "canvas.learn-picture", "all => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert labels
    assert all(labels)
    assert not phone.errors
    phone.page.context.close()


def test_everything_can_be_reached_by_keyboard_and_has_a_name(tab: Tab) -> None:
    tab.open("learn")
    unnamed = tab.page.evaluate(
        "[...document.querySelectorAll('main button, main select, main input')]"
        ".filter((one) => !one.textContent.trim() && !(one.labels ?? []).length).length"
    )
    assert unnamed == 0
    tab.page.get_by_role("button", name="Play", exact=True).focus()
    tab.page.keyboard.press("Enter")
    tab.wait_for_steps(1)
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("button", name="Play", exact=True).wait_for()
