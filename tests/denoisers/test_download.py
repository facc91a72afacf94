"""Downloads of priors: bounded, checked, stopped in the middle, and resumed."""

import pytest
from checkpoints import PICKLE, WEIGHTS, same
from hubs import hub_of

from inverse.denoisers import catalog, hub
from inverse.denoisers.cards import PRIORS
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.unet import load_unet
from inverse.errors import PriorError

CARD = PRIORS["ddpm-cat-256"]


@pytest.fixture
def server(monkeypatch, tmp_path, flat):
    catalog.forget()
    files = {path.name: path.read_bytes() for path in flat.iterdir()}
    files |= {"modeling_ddpm.py": b"raise SystemExit", PICKLE: bytes(20_000)}
    with hub_of(monkeypatch, tmp_path / "cache", files) as server:
        yield server
    catalog.forget()


def asked(server, name=WEIGHTS):
    return [span for path, span in server.asked if path == name]


def parts(tmp_path):
    return list((tmp_path / "cache").rglob("*.part"))


def test_only_configuration_and_weights_are_downloaded_and_then_nothing_more(server, flat, monkeypatch):
    assert hub.here_of(CARD) is None
    assert same(load_prior("ddpm-cat-256", "cpu"), load_unet(flat))
    assert {name for name, _ in server.asked} == {"config.json", "scheduler_config.json", WEIGHTS}
    catalog.forget()
    server.asked.clear()
    assert same(load_prior(CARD.identity, "cpu"), load_unet(flat)) and server.asked == []
    # It lies where the Hub's own library looks for it, under the name by which settings keep it, too.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert hub.here_of(CARD) == hub.folder_of(CARD)


def test_progress_grows_to_all_of_it(server):
    server.pieces = 4096
    seen = list(hub.fetch(CARD))
    total = sum(len(server.files[name]) for name in ("config.json", "scheduler_config.json", WEIGHTS))
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert seen[0].done == 0 and seen[-1].done == total and {each.total for each in seen} == {total}


def test_a_download_that_was_stopped_goes_on_where_it_was(server, tmp_path, flat):
    server.pieces, server.pause = 4096, 0.01
    fetching = hub.fetch(CARD)
    half = len(server.files[WEIGHTS]) // 2
    for progress in fetching:
        if progress.done > half:
            break
    fetching.close()
    (part,) = parts(tmp_path)
    have = part.stat().st_size
    assert 0 < have < len(server.files[WEIGHTS]) and hub.here_of(CARD) is None
    server.pause = 0
    assert same(load_prior("ddpm-cat-256", "cpu"), load_unet(flat))
    assert asked(server) == [None, f"bytes={have}-"] and not parts(tmp_path)


def test_a_broken_connection_is_told_and_nothing_is_lost(server, tmp_path, flat):
    server.pieces = server.cut = 4096
    with pytest.raises(PriorError, match=r"cannot be reached.*hf download"):
        hub.folder_of(CARD)
    server.cut = None
    server.resumes = False  # then it begins at the beginning, and is right all the same
    assert same(load_prior("ddpm-cat-256", "cpu"), load_unet(flat)) and not parts(tmp_path)


def test_what_is_not_what_the_hub_said_is_thrown_away(server, tmp_path):
    fetching = hub.fetch(CARD)
    next(fetching)  # the listing is known
    good = server.files[WEIGHTS]
    for bad in (bytes(len(good)), good + b"more", b"<html>" * 3000):
        server.files[WEIGHTS] = bad
        with pytest.raises(PriorError, match="did not arrive"):
            list(fetching)
        assert not parts(tmp_path) or parts(tmp_path)[0].stat().st_size < len(good)
        assert hub.here_of(CARD) is None
        server.files[WEIGHTS] = good
        fetching = hub.fetch(CARD)
        next(fetching)
    for path in parts(tmp_path):
        path.unlink()
    list(fetching)
    assert hub.here_of(CARD) is not None


def test_too_much_and_too_little_are_refused_before_anything_is_downloaded(server, monkeypatch):
    monkeypatch.setattr(hub, "MAX_BYTES", 1000)
    with pytest.raises(PriorError, match="GB are downloaded"):
        hub.folder_of(CARD)
    del server.files[WEIGHTS]
    with pytest.raises(PriorError, match=r"no weights that can be read.*--allow-pickle"):
        hub.folder_of(CARD)
    server.files.clear()
    with pytest.raises(PriorError, match="no weights"):
        hub.folder_of(CARD)
    assert server.asked == []


def test_nonsense_in_place_of_a_list_ends_in_a_sentence(server, monkeypatch):
    from inverse.denoisers import download

    class Answer:
        links: dict = {}  # noqa: RUF012

        def raise_for_status(self):
            pass

    for nonsense in (
        {"error": "no"},
        [{"type": "file"}],
        [{"type": "file", "path": "config.json", "size": "x", "oid": 5}],
        5,
    ):
        Answer.json = lambda self, said=nonsense: said
        monkeypatch.setattr(download.httpx, "get", lambda *_, **__: Answer())
        with pytest.raises(PriorError, match=r"cannot be reached"):
            hub.folder_of(CARD)
    names = [{"type": "file", "path": "config.json", "size": 5, "oid": "../../../evil"}, 7, {"type": "directory"}]
    Answer.json = lambda self: names
    with pytest.raises(PriorError, match=r"no weights"):
        hub.folder_of(CARD)


def test_without_a_connection_or_offline_the_sentence_names_the_command(server, monkeypatch):
    server.shutdown()
    server.server_close()
    for offline in (False, True):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
        with pytest.raises(PriorError, match=r"cannot be reached.*hf download google/ddpm-cat-256"):
            hub.folder_of(CARD)
