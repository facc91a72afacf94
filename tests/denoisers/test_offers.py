"""What an app may offer, whether it fits the machine, and by what settings know it for ever."""

import hashlib
import shutil
import weakref
from dataclasses import replace

import pytest
import torch
from checkpoints import COMMIT, WEIGHTS, pickled, save_tiny
from trainings import TINY

from inverse.denoisers import cards, catalog, hub, memory, offers, resident
from inverse.denoisers.cards import DDPM, EMBEDDED, PRIORS, kind_of, short
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.embedded import save_network
from inverse.denoisers.identity import identity_of
from inverse.denoisers.network import ResidualUNet
from inverse.errors import ParameterError
from inverse.settings import Settings

CAT = PRIORS["ddpm-cat-256"]


@pytest.fixture(autouse=True)
def forget(tmp_path, monkeypatch):
    """Nothing in memory, nothing in the Hub's cache, and no connection."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    catalog.forget()
    yield
    catalog.forget()


@pytest.fixture
def folder(tmp_path):
    return save_tiny(tmp_path / "secret" / "faces")


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "secret" / "mine.safetensors"
    path.parent.mkdir(exist_ok=True)
    save_network(ResidualUNet(TINY), path)
    return path


# What is offered


def test_the_embedded_prior_is_always_offered_and_first(folder, file):
    for names in ([], ["embedded"], [str(folder), "embedded"], offers.safe_names()):
        assert next(iter(offers.offers(names))) == EMBEDDED
    found = offers.offers([str(folder), str(file), "ddpm-cat-256", f"someone/else@{COMMIT}"])
    assert [*found] == [EMBEDDED, "faces", "mine.safetensors", "ddpm-cat-256", f"someone/else@{COMMIT}"]
    assert [offer.card.kind for offer in found.values()] == [EMBEDDED, DDPM, EMBEDDED, DDPM, DDPM]
    assert found["faces"].card.size == 16 and found["mine.safetensors"].card.size == 0


def test_safetensors_only_whoever_names_it(tmp_path, folder):
    assert set(offers.safe_names()) == {name for name, card in PRIORS.items() if not card.pickled}
    bad = ["ddpm-celebahq-256", str(pickled(folder)), str(tmp_path / "a.pt")]
    (tmp_path / "a.pt").write_bytes(b"x")
    for name in bad:
        with pytest.raises(ParameterError, match=r"safetensors.*\.$"):
            offers.offers([name])


@pytest.mark.parametrize("name", ["nothing", "../../etc", "google/ddpm-cat-256x", "a\0b", "x" * 5000, "~"])
def test_what_is_no_prior_is_refused_in_a_sentence(name):
    with pytest.raises(ParameterError, match=r"(is no prior that can be offered|has no weights in safetensors).*\.$"):
        offers.offers([name])


def test_two_of_one_name_are_refused(tmp_path, folder):
    other = shutil.copytree(folder, tmp_path / "other" / "faces")
    with pytest.raises(ParameterError, match="Two priors are called 'faces'"):
        offers.offers([str(folder), str(other)])
    assert len(offers.offers([str(folder), str(folder)])) == 2


# Whether it fits


def test_offline_only_what_is_on_the_disk_and_otherwise_the_command(monkeypatch):
    offer = offers.offers(["ddpm-cat-256"])["ddpm-cat-256"]
    assert not offer.here and "455 MB to download" in offer.about
    assert offer.refusal("cpu").endswith(CAT.command) and "offline" in offer.refusal("cpu")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(memory, "free_bytes", lambda device: 10**10)
    assert offer.refusal("cpu") == "", "it can be downloaded"
    monkeypatch.setattr(offers, "_free_on_disk", lambda: 10**8)
    assert "100 MB of the disk are free" in offer.refusal("cpu") and CAT.command in offer.refusal("cpu")
    monkeypatch.setattr(hub, "here_of", lambda card: "somewhere")
    assert offer.refusal("cpu") == "" and "to download" not in offer.about


def test_memory_that_does_not_suffice_is_said_with_both_figures(monkeypatch):
    offer = offers.offers(["ddpm-cat-256"])["ddpm-cat-256"]
    monkeypatch.setattr(hub, "here_of", lambda card: "somewhere")
    monkeypatch.setattr(memory, "free_bytes", lambda device: int(0.5e9))
    assert "about 0.9 GB of memory, and 0.5 GB are free" in offer.refusal("cpu")
    monkeypatch.setattr(catalog, "replaceable", lambda: int(0.5e9))
    assert offer.refusal("cpu") == "", "what is there now goes before it comes"
    monkeypatch.setattr(memory, "free_bytes", lambda device: None)
    assert offer.refusal("cpu") == ""
    monkeypatch.setattr(catalog, "replaceable", lambda: 0)
    monkeypatch.setattr(memory, "free_bytes", lambda device: 0)
    assert offers.offers([])[EMBEDDED].refusal("cpu")
    load_prior("embedded", "cpu")
    assert offers.offers([])[EMBEDDED].refusal("cpu") == "", "it is in memory already"


# Its name for ever


def test_settings_name_the_commit_or_the_digest_and_no_folder(folder, file):
    assert identity_of("embedded") == "embedded"
    pinned = f"google/ddpm-cat-256@{CAT.revision}"
    assert identity_of("ddpm-cat-256") == identity_of("google/ddpm-cat-256@" + CAT.revision) == CAT.identity == pinned
    assert identity_of(f"someone/else@{COMMIT}") == f"someone/else@{COMMIT}"
    assert identity_of(file) == f"mine.safetensors@embedded:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert identity_of(folder).startswith("faces@ddpm:") and "secret" not in identity_of(folder) + identity_of(file)
    for name in (pinned, identity_of(file), identity_of(folder), identity_of("x" * 5000), identity_of("a/b/\n.pt")):
        assert Settings.create(prior=name).prior == name
    assert identity_of("/nowhere/secret/gone.safetensors") == "gone.safetensors"


def test_the_digest_is_of_the_content_and_not_of_the_place(tmp_path, folder, file):
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / "faces")
    (moved / "README.md").write_text("not read")
    assert identity_of(moved) == identity_of(folder)
    before = identity_of(folder)
    for name in ("config.json", "scheduler_config.json", WEIGHTS):
        text = (folder / name).read_bytes()
        (folder / name).write_bytes(text + b" ")
        assert identity_of(folder) != before, name
        (folder / name).write_bytes(text)
        assert identity_of(folder) == before
    (tmp_path / "run").mkdir()
    shutil.copy(file, tmp_path / "run" / "prior.safetensors")
    assert identity_of(tmp_path / "run").partition("@")[2] == identity_of(file).partition("@")[2]


def test_the_kind_is_known_by_the_name_alone(folder, file):
    assert kind_of(identity_of(folder)) == DDPM and kind_of(identity_of(file)) == EMBEDDED
    assert kind_of(CAT.identity) == kind_of("ddpm-cat-256") == DDPM
    assert kind_of("x@../../etc:" + "0" * 64) == EMBEDDED, "no path is ever made of it"
    assert short(identity_of(folder)) == "faces" and short(CAT.identity) == "ddpm-cat-256"
    assert short(f"someone/else@{COMMIT}") == "else" and short("a/b/") == "a/b/"


# In memory


def test_of_large_priors_one_is_in_memory_at_a_time(tmp_path, folder, monkeypatch):
    other, kept = save_tiny(tmp_path / "cats", 1), load_prior("embedded", "cpu")
    monkeypatch.setattr(resident, "LARGE", 10**4)
    monkeypatch.setattr(resident, "weight", lambda prior: 0 if prior is kept else 10**5)
    gone = weakref.ref(load_prior(str(folder), "cpu"))
    assert catalog.replaceable() == 10**5
    loaded = catalog.LOADERS[DDPM]

    def load(*arguments):
        assert gone() is None, "it is let go before the next one comes"
        return loaded(*arguments)

    monkeypatch.setitem(catalog.LOADERS, DDPM, load)
    load_prior(str(other), "cpu")
    assert catalog.is_kept(str(other), "cpu") and not catalog.is_kept(str(folder), "cpu")
    assert load_prior("embedded", "cpu") is kept


def test_where_all_are_to_be_kept_none_goes(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(catalog._load, "all", True)
    monkeypatch.setattr(resident, "LARGE", 0)
    places = [str(folder), str(save_tiny(tmp_path / "cats", 1)), "embedded"]
    for place in places:
        load_prior(place, "cpu")
    assert all(catalog.is_kept(place, "cpu") for place in places) and catalog.replaceable() == 0


def test_a_card_says_what_it_needs():
    assert CAT.need == pytest.approx(4e6 * 113.7 + 0.4e9) and CAT.attentive and not PRIORS[EMBEDDED].attentive
    assert cards.card_of(replace(CAT, revision=COMMIT).identity) is None
