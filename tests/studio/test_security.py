"""Requests that are not the page's own are refused, and bodies are bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.studio.conftest import ADDRESS, SOCKET

from equipoise.errors import RequestError
from equipoise.studio.app import create_app
from equipoise.studio.security import COOKIE, MAX_BODY
from equipoise.studio.state import Studio

TOKEN = "a-token-of-24-characters"


@pytest.fixture
def echoing(studio: Studio) -> TestClient:
    """A studio that has one more address, whose answer is its body's length."""

    async def count(request: Request) -> Response:
        return JSONResponse({"bytes": len(await request.body())})

    async def fail(_: Request) -> Response:
        raise RequestError("width = 0: at least 1")

    async def break_down(_: Request) -> Response:
        raise ZeroDivisionError

    app = create_app(studio)
    app.router.routes += [
        Route("/api/count", count, methods=["GET", "POST"]),
        Route("/api/uploads/{name}", count, methods=["PUT"]),
        Route("/api/fail", fail),
        Route("/api/bug", break_down),
    ]
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost:9000", "[::1]:8420", "LOCALHOST"])
def test_names_of_loopback_are_answered(echoing: TestClient, host: str) -> None:
    assert echoing.get("/api/count", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.5:8420", "", "[", "a@127.0.0.1.x"]
)
def test_other_hosts_are_refused(echoing: TestClient, host: str) -> None:
    answer = echoing.get("/api/count", headers={"Host": host})
    assert answer.status_code == 421
    assert "--host" in answer.json()["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": "http://x"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_sites_pages_are_refused(
    echoing: TestClient, headers: dict[str, str], method: str
) -> None:
    answer = echoing.request(method, "/api/count", headers={"X-Equipoise": "1", **headers})
    assert answer.status_code == 403


def test_a_link_of_another_site_opens_the_page(echoing: TestClient) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert echoing.get("/", headers=followed).status_code == 200


def test_a_change_without_the_pages_header_is_refused(echoing: TestClient) -> None:
    assert echoing.post("/api/count").status_code == 403
    assert echoing.post("/api/count", headers={"X-Equipoise": "1"}).status_code == 200


def test_a_websocket_of_another_site_is_refused(echoing: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        echoing.websocket_connect(f"{SOCKET}/api/live", headers={"Origin": "http://evil.example"}),
    ):
        pass


def test_bodies_are_bounded_whether_their_length_is_told_or_not(echoing: TestClient) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 2**16 + 1):
            yield bytes(2**16)

    headers = {"X-Equipoise": "1"}
    assert echoing.post("/api/count", content=bytes(MAX_BODY), headers=headers).status_code == 200
    for content in (bytes(MAX_BODY + 1), parts()):
        answer = echoing.post("/api/count", content=content, headers=headers)
        assert answer.status_code == 413
    told = headers | {"Content-Length": str(2**30)}
    assert echoing.post("/api/count", content=b"", headers=told).status_code == 413


def test_uploads_have_a_bound_of_their_own(echoing: TestClient, studio: Studio) -> None:
    studio.max_upload = MAX_BODY + 10
    for extra, status in ((10, 200), (11, 413)):
        answer = echoing.put(
            "/api/uploads/a", content=bytes(MAX_BODY + extra), headers={"X-Equipoise": "1"}
        )
        assert answer.status_code == status


def test_errors_are_one_line_and_a_bug_says_that_it_is_one(echoing: TestClient) -> None:
    answer = echoing.get("/api/fail")
    assert (answer.status_code, answer.json()) == (400, {"error": "width = 0: at least 1"})
    answer = echoing.get("/api/bug")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "this is a bug in Equipoise: ZeroDivisionError: ZeroDivisionError"
    }


def test_every_answer_confines_the_page(client: TestClient) -> None:
    for path in ("/", "/static/app.js", "/api/nothing"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"]
)
def test_files_outside_the_page_are_not_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


class TestToken:
    @pytest.fixture
    def guarded(self, tmp_path: Path) -> TestClient:
        app = create_app(Studio(folder=tmp_path, token=TOKEN))
        return TestClient(app, base_url="http://192.168.1.5:8420", follow_redirects=False)

    def test_without_it_nothing_is_answered(self, guarded: TestClient) -> None:
        for path in ("/", "/static/app.js", "/api/nothing", "/?token=wrong", "/?token=ä"):
            assert guarded.get(path).status_code == 401
        with (
            pytest.raises(WebSocketDisconnect),
            guarded.websocket_connect("ws://192.168.1.5:8420/api/live"),
        ):
            pass

    def test_the_address_with_it_sets_a_cookie_that_scripts_and_other_sites_do_not_get(
        self, guarded: TestClient
    ) -> None:
        answer = guarded.get(f"/?token={TOKEN}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert guarded.cookies[COOKIE] == TOKEN
        assert guarded.get("/").status_code == 200

    def test_a_program_sends_it_as_a_bearer_token(self, guarded: TestClient) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert guarded.get("/", headers=headers).status_code == 200

    def test_a_domain_that_leads_here_is_refused_all_the_same(self, guarded: TestClient) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}
        assert guarded.get("/", headers=headers).status_code == 421
