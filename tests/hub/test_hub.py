"""Pushing a GAN to the Hub and loading it from there, against a stand-in on this
machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from huggingface_hub import constants

from equipoise import GAN
from equipoise.errors import EquipoiseError, EquipoiseWarning, RequestError
from equipoise.hub import client

pytestmark = pytest.mark.usefixtures("brief_reports")
REPO = "user/digits"


def metadata(card: bytes) -> dict[str, Any]:
    """The YAML at the head of a model card."""
    found: dict[str, Any] = yaml.safe_load(card.decode().split("---\n")[1])
    return found


def test_what_is_pushed_comes_back_and_samples_the_same(hub: Any, trained_images: Path) -> None:
    gan = GAN.load(trained_images)
    revision = gan.push_to_hub(REPO, license="mit")
    back = GAN.from_hub(REPO, revision=revision)
    assert np.array_equal(back.sample(5, seed=1), gan.sample(5, seed=1))
    assert back.report.metrics == gan.report.metrics
    assert back.report.verdict.sentence == gan.report.verdict.sentence
    assert back.recipe == "balanced"
    read = [asked.rsplit("/", 1)[1] for asked in hub.asked if "/resolve/" in asked]
    assert set(read) == {"config.json", "generator.safetensors", "report.json"}


def test_the_model_card_has_the_reports_metrics_as_its_metadata(
    hub: Any, trained_images: Path
) -> None:
    gan = GAN.load(trained_images)
    gan.push_to_hub(REPO, license="mit")
    files = hub.commits[REPO][-1]
    assert set(files) == {
        "README.md",
        "config.json",
        "generator.safetensors",
        "report.json",
        "samples.png",
    }
    known = metadata(files["README.md"])
    assert known["library_name"] == "equipoise"
    assert known["license"] == "mit"
    assert {"equipoise", "gan", "balanced"} <= set(known["tags"])
    (model,) = known["model-index"]
    assert model["name"] == REPO
    values = {
        metric["type"]: metric["value"] for of in model["results"] for metric in of["metrics"]
    }
    primary = gan.report.metrics[0]
    assert values[primary.key] == pytest.approx(primary.value)
    assert gan.report.verdict.sentence.split(":")[0][:30] in files["README.md"].decode()


def test_nothing_that_is_pushed_names_a_path_of_this_machine(
    hub: Any, trained_images: Path
) -> None:
    assert str(trained_images.parent) in (trained_images / "config.json").read_text()
    GAN.load(trained_images).push_to_hub(REPO)
    files = hub.commits[REPO][-1]
    assert [name for name, of in files.items() if str(trained_images.parent).encode() in of] == []
    config = json.loads(files["config.json"])
    assert config["command"] == []
    assert config["data"]["origin"] is None


@pytest.mark.usefixtures("hub")
def test_without_a_revision_the_newest_comes_with_a_warning_that_has_its_commit(
    trained: Path,
) -> None:
    gan = GAN.load(trained)
    first = gan.push_to_hub(REPO)
    second = gan.push_to_hub(REPO)
    assert first != second
    with pytest.warns(EquipoiseWarning, match=f"give revision='{second}'"):
        GAN.from_hub(REPO)


@pytest.mark.usefixtures("hub")
def test_a_loaded_gan_writes_nothing_into_the_cache(
    trained: Path, tmp_path: Path, listing: Any
) -> None:
    gan = GAN.load(trained)
    back = GAN.from_hub(REPO, revision=gan.push_to_hub(REPO))
    before = listing(tmp_path / "cache")
    back.evaluate(quick=True)
    back.save(tmp_path / "own")
    assert listing(tmp_path / "cache") == before
    assert GAN.load(tmp_path / "own").recipe == back.recipe


def test_a_gan_whose_data_is_not_there_is_pushed_without_metrics(
    hub: Any, tiny: dict[str, Any], tmp_path: Path
) -> None:
    hub.commit(REPO, {"report.json": b"of an earlier push", "notes.md": b"the user's"})
    GAN(**tiny).fit(np.random.default_rng(0).normal(size=(60, 2))).save(tmp_path / "run")
    with pytest.warns(EquipoiseWarning, match="the model card has no metrics"):
        GAN.load(tmp_path / "run").push_to_hub(REPO)
    assert "report.json" not in hub.commits[REPO][-1]
    assert "notes.md" in hub.commits[REPO][-1]
    card = hub.commits[REPO][-1]["README.md"]
    assert "model-index" not in metadata(card)
    assert b"It was not measured." in card


def test_names_from_data_are_no_markup_in_the_card(hub: Any, tiny: dict[str, Any]) -> None:
    x = np.random.default_rng(0).normal(size=(60, 1))
    labels = ["<script>a|b[c](d)</script>", "`rm`"] * 30
    GAN(**tiny).fit(x, labels).push_to_hub(REPO)
    card = hub.commits[REPO][-1]["README.md"].decode()
    text = card.split("```")[2]
    assert "<script>" not in text
    assert "a\\|b\\[c\\]" in text


def test_a_strangers_config_opens_no_file_of_this_machine(hub: Any, trained_images: Path) -> None:
    GAN.load(trained_images).push_to_hub(REPO)
    revision = hub.commit(REPO, {"config.json": (trained_images / "config.json").read_bytes()})
    gan = GAN.from_hub(REPO, revision=revision)
    with pytest.raises(RequestError, match="give data to evaluate against"):
        gan.evaluate()


def test_a_file_that_was_changed_on_the_hub_is_refused(hub: Any, trained: Path) -> None:
    GAN.load(trained).push_to_hub(REPO)
    weights = bytearray(hub.commits[REPO][-1]["generator.safetensors"])
    weights[-1] ^= 1
    changed = hub.commit(REPO, {"generator.safetensors": bytes(weights)})
    with pytest.raises(EquipoiseError, match="is damaged"):
        GAN.from_hub(REPO, revision=changed)


def test_mistakes_are_one_line_each(
    hub: Any, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = GAN.load(trained)
    with pytest.raises(RequestError, match="no repository 'user/none' on the Hub"):
        GAN.from_hub("user/none", revision="main")
    with pytest.raises(RequestError, match="must be a name such as 'user/name'"):
        GAN.from_hub("a/b/c")
    gan.push_to_hub(REPO)
    with pytest.raises(RequestError, match="has no revision 'v9'"):
        GAN.from_hub(REPO, revision="v9")
    hub.commit("user/text", {"README.md": b"none"})
    with pytest.raises(RequestError, match=r"is not a GAN of Equipoise: it has no config\.json"):
        GAN.from_hub("user/text", revision="main")
    with pytest.raises(RequestError, match="the Hub refuses 'user/digits' to this account"):
        gan.push_to_hub(REPO, token="hf_another")
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(RequestError, match="needs a token that may write"):
        gan.push_to_hub(REPO)
    monkeypatch.setattr(client, "find_spec", lambda _: None)
    for ask in (gan.push_to_hub, GAN.from_hub):
        with pytest.raises(RequestError, match=r"pip install 'equipoise\[hub\]'"):
            ask(REPO)


@pytest.mark.usefixtures("hub")
def test_what_is_in_the_cache_is_loaded_without_a_network(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = GAN.load(trained)
    revision = gan.push_to_hub(REPO)
    GAN.from_hub(REPO, revision=revision)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    again = GAN.from_hub(REPO, revision=revision)
    assert np.array_equal(again.sample(5, seed=1), gan.sample(5, seed=1))


@pytest.mark.usefixtures("hub")
def test_a_hub_that_cannot_be_reached_is_one_line(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(EquipoiseError, match="the Hub cannot be reached for 'user/digits'"):
        GAN.from_hub(REPO, revision="main")
    with pytest.raises(EquipoiseError, match="the Hub cannot be reached for 'user/digits'"):
        GAN.load(trained).push_to_hub(REPO)
