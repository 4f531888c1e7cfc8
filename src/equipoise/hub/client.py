"""Upload a folder to the Hub, and download what is read of it, by huggingface_hub.
Whatever that raises becomes one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from equipoise import __version__
from equipoise.errors import EquipoiseError, RequestError, clipped, first_line, warn

INSTALL = "pip install 'equipoise[hub]'"
LOG_IN = "log in with 'hf auth login', or give a token"
REFUSED = (401, 403)  # HTTP statuses


def require() -> None:
    """Check that huggingface_hub is installed.

    Raises:
        RequestError: It is not.
    """
    if find_spec("huggingface_hub") is None:
        raise RequestError(f"the Hub needs the package huggingface_hub: {INSTALL}")


def check_push(repo: str, token: str | None) -> None:
    """Check what can be checked before a push is prepared.

    Raises:
        RequestError: The package or a token is missing.
    """
    require()
    from huggingface_hub import get_token

    if token is None and get_token() is None:
        raise RequestError(f"pushing to {repo!r} needs a token that may write: {LOG_IN}")


def push(
    folder: Path,
    repo: str,
    files: Sequence[str],
    *,
    private: bool | None,
    message: str,
    token: str | None,
) -> str:
    """Upload all files of a folder as one commit, and return its hash.

    Args:
        folder: What is uploaded.
        repo: The repository, made where there is none.
        files: Names of which the repository keeps none of an earlier push.
        private: Whether a new one is private; None for the account's default.
        message: Of the commit.
        token: Of an account that may write; None for the one that is logged in.

    Raises:
        RequestError: The account may not.
        EquipoiseError: The Hub cannot be reached, or fails.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token, library_name="equipoise", library_version=__version__)
    with told(repo):
        made = api.create_repo(repo, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            commit_message=message,
            delete_patterns=list(files),
        )
    return commit.oid


def pull(repo: str, files: Sequence[str], *, revision: str | None, token: str | None) -> Path:
    """Download some files of a repository, or find them in the cache, and return their
    folder, whose name is the commit.

    Args:
        repo: The repository, "user/name".
        files: Their names. Those that it lacks are left out.
        revision: A commit, tag or branch; None for the newest of the main branch.
        token: Of an account that may read; None for the one that is logged in, if any.

    Raises:
        RequestError: There is no such repository or revision, or it may not be read.
        EquipoiseError: The Hub cannot be reached, or fails.
    """
    require()
    from huggingface_hub import snapshot_download

    with told(repo, revision):
        folder = snapshot_download(
            repo,
            revision=revision,
            allow_patterns=list(files),
            token=token,
            library_name="equipoise",
            library_version=__version__,
        )
    path = Path(folder)
    if not (path / files[0]).is_file():
        raise RequestError(f"{repo!r} is not a GAN of Equipoise: it has no {files[0]}")
    if revision is None:
        warn(
            f"{repo} is at its newest revision, which can change: for the same generator each "
            f"time give revision={path.name!r}"
        )
    return path


@contextmanager
def told(repo: str, revision: str | None = None) -> Iterator[None]:
    """Turn errors of huggingface_hub into those of Equipoise."""
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise RequestError(
            f"repo = {clipped(repr(repo))}: must be a name such as 'user/name': {first_line(error)}"
        ) from None
    except errors.GatedRepoError:
        raise RequestError(
            f"{repo!r} asks for its terms to be accepted, on its page on the Hub: then {LOG_IN}"
        ) from None
    except errors.RepositoryNotFoundError:
        raise RequestError(
            f"no repository {repo!r} on the Hub, or it is private: check the name, or {LOG_IN}"
        ) from None
    except errors.RevisionNotFoundError:
        raise RequestError(
            f"{repo!r} has no revision {revision!r}: give a commit, a tag or a branch"
        ) from None
    except errors.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in REFUSED:
            raise RequestError(
                f"the Hub refuses {repo!r} to this account: {LOG_IN} that may"
            ) from None
        raise EquipoiseError(f"the Hub failed with {repo!r}: {first_line(error)}") from None
    # Of the HTTP client that huggingface_hub uses, or of a file not found offline.
    except (errors.HTTPError, OSError) as error:  # type: ignore[attr-defined]  # not told of to type checkers
        raise EquipoiseError(
            f"the Hub cannot be reached for {repo!r}: {first_line(error)}"
        ) from None
