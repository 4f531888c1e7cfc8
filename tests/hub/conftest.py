"""A stand-in of the Hub's API on this machine: repositories with commits in memory."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

TOKEN = "hf_standin"


@dataclass
class Hub:
    """What the stand-in holds, and what it was asked."""

    commits: dict[str, list[dict[str, bytes]]] = field(default_factory=dict)
    """Of each repository all files after each commit."""
    asked: list[str] = field(default_factory=list)
    """The method and path of each request."""
    private: set[str] = field(default_factory=set)
    endpoint: str = ""

    def sha(self, repo: str, number: int) -> str:
        """The hash of a commit."""
        return hashlib.sha1(f"{repo} {number}".encode()).hexdigest()

    def files(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """The commit's hash and the files of a revision."""
        commits = self.commits[repo]
        for number, files in enumerate(commits):
            if revision == self.sha(repo, number) or (
                revision == "main" and number == len(commits) - 1
            ):
                return self.sha(repo, number), files
        return None

    def commit(self, repo: str, files: dict[str, bytes], deleted: Sequence[str] = ()) -> str:
        """Change files of a repository, and return the commit's hash."""
        commits = self.commits.setdefault(repo, [])
        kept = commits[-1].items() if commits else ()
        commits.append({**{name: of for name, of in kept if name not in deleted}, **files})
        return self.sha(repo, len(commits) - 1)


class Handler(BaseHTTPRequestHandler):
    """The requests that huggingface_hub sends for a push and for a download."""

    hub: Hub

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self._path()
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._json({"error": "Invalid username or password."}, 401)
        if path == "/api/repos/create":
            asked = json.loads(content)
            repo = f"{asked['organization']}/{asked['name']}"
            self.hub.commits.setdefault(repo, [{}])
            if asked.get("private"):
                self.hub.private.add(repo)
            return self._json({"url": f"{self.hub.endpoint}/{repo}", "id": repo, "name": repo})
        _, _, kind, user, name, action, *_ = path.split("/")
        assert kind == "models"
        if action == "preupload":
            asked = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(content)["files"]
            ]
            return self._json({"files": asked})
        assert action == "commit"
        lines = [json.loads(line) for line in content.splitlines()]
        files = {
            line["value"]["path"]: base64.b64decode(line["value"]["content"])
            for line in lines
            if line["key"] == "file"
        }
        deleted = [line["value"]["path"] for line in lines if line["key"] == "deletedFile"]
        oid = self.hub.commit(f"{user}/{name}", files, deleted)
        url = f"{self.hub.endpoint}/{user}/{name}/commit/{oid}"
        return self._json({"success": True, "commitUrl": url, "commitOid": oid, "hookOutput": ""})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self._path().strip("/").split("/")
        resolving = len(parts) >= 5 and parts[2] == "resolve"
        if not resolving and parts[:2] != ["api", "models"]:
            return self._json({"error": "not here"}, 404)
        repo = "/".join(parts[:2] if resolving else parts[2:4])
        allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repo not in self.hub.commits or (repo in self.hub.private and not allowed):
            return self._json({"error": "Repository not found"}, 404, "RepoNotFound")
        revision = parts[3] if resolving else parts[5] if len(parts) > 5 else "main"
        found = self.hub.files(repo, revision)
        if found is None:
            return self._json({"error": f"Invalid rev id: {revision}"}, 404, "RevisionNotFound")
        sha, files = found
        if resolving:
            return self._file(sha, files, "/".join(parts[4:]))
        listed = [
            {"type": "file", "path": name, "size": len(of), "oid": _etag(of)}
            for name, of in files.items()
        ]
        if len(parts) > 4 and parts[4] == "tree":
            return self._json(listed)
        siblings = [{"rfilename": name} for name in files]
        return self._json({"id": repo, "sha": sha, "siblings": siblings, "private": False})

    def _path(self) -> str:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        return path

    def _json(self, content: Any, status: int = 200, code: str = "") -> None:
        headers = {"X-Error-Code": code} if code else {}
        self._send(json.dumps(content).encode(), status, "application/json", headers)

    def _file(self, sha: str, files: dict[str, bytes], name: str) -> None:
        if name not in files:
            return self._json({"error": "Entry not found"}, 404, "EntryNotFound")
        headers = {"X-Repo-Commit": sha, "ETag": f'"{_etag(files[name])}"'}
        return self._send(files[name], 200, "application/octet-stream", headers)

    def _send(self, content: bytes, status: int, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The stand-in, which huggingface_hub asks instead of the Hub, with an empty cache.
    An account is logged in."""
    held = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"hub": held}))
    held.endpoint = f"http://127.0.0.1:{server.server_port}"
    template = f"{held.endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "ENDPOINT", held.endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield held
    server.shutdown()
    thread.join()
    server.server_close()
