"""What a GAN has to do with the Hugging Face Hub: it can be pushed there, and loaded
from there."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from equipoise.errors import RequestError, warn
from equipoise.estimator import Estimator
from equipoise.hub import client, publish
from equipoise.report.report import Report
from equipoise.report.trained_run import TrainedRun
from equipoise.runtime.device import resolve_device
from equipoise.runtime.process import restores_torch_settings


@restores_torch_settings
class HubModel(Estimator):
    """An estimator that can be pushed to the Hub, and loaded from there."""

    @property
    @abstractmethod
    def report(self) -> Report:
        """The report of the training."""

    @classmethod
    def from_hub(
        cls,
        repo: str,
        *,
        revision: str | None = None,
        token: str | None = None,
        device: str = "auto",
    ) -> Self:
        """The GAN of a repository on the Hugging Face Hub.

        Weights and JSON are downloaded into huggingface_hub's cache, and checked as
        those of every run; nothing else is, and nothing is run.

        Args:
            repo: The repository, "user/name".
            revision: The commit that `push_to_hub` returned, or a tag or branch.
                Without it the newest is taken, and a warning has its commit.
            token: Of an account that may read it; None for the one that is logged in.
            device: cpu, cuda, or auto: a CUDA GPU if there is one.

        Raises:
            RequestError: There is no such repository or revision, it holds no GAN, or
                the extra `hub` is not installed.
            EquipoiseError: The Hub cannot be reached, or its files are damaged.
        """
        folder = client.pull(repo, publish.READ, revision=revision, token=token)
        run = TrainedRun.read_only(folder, resolve_device(device))
        # A stranger's configuration opens no file of this machine.
        run.config = publish.without_traces(run.config)
        gan = cls()
        gan._take(run, device)
        return gan

    def push_to_hub(
        self,
        repo: str,
        *,
        private: bool | None = None,
        license: str | None = None,  # noqa: A002  # the Hub's own name
        message: str = "A GAN of Equipoise",
        token: str | None = None,
    ) -> str:
        """Upload the generator, its configuration and its report to the Hugging Face
        Hub, with a model card, and return the commit's hash, for `from_hub`.

        What is uploaded says what the data's columns and labels are called, with the
        categories and bounds of each column, since samples have them; it names no path
        of this machine.

        Args:
            repo: The repository, "user/name"; it is made if there is none.
            private: Whether a new one is private; None for the account's default.
            license: The Hub's name of a licence, such as "mit".
            message: Of the commit.
            token: Of an account that may write; None for the one that is logged in.

        Raises:
            RequestError: A token or the extra `hub` is missing, or the account may not.
            EquipoiseError: The Hub cannot be reached, or fails.
        """
        run = self._trained()
        client.check_push(repo, token)
        with TemporaryDirectory() as folder:
            publish.write_repository(run, Path(folder), self._measured(), repo, license)
            return client.push(
                Path(folder),
                repo,
                publish.READ,
                private=private,
                message=message,
                token=token,
            )

    def _measured(self) -> Report | None:
        """The report; None where the data is not there to make it."""
        try:
            return self.report
        except RequestError as error:
            warn(f"the model card has no metrics: {error}")
            return None
