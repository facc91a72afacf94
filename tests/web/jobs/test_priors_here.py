"""Which priors an app offers, by its environment; and what a run with each is said to take."""

from dataclasses import replace

import pytest
from hubs import hub_of
from offered import offered, two

from inverse import web
from inverse.denoisers import catalog, hub
from inverse.denoisers.cards import EMBEDDED, PRIORS
from inverse.denoisers.offers import safe_names
from inverse.errors import ParameterError
from inverse.settings import Settings
from inverse.web.jobs import device, pace, priors
from inverse.web.jobs.pace import Pace

LONG = Settings.create(task="denoise", solver="diffpir", solver_parameters={"steps": 20})


def test_alone_on_a_machine_all_that_is_safe_is_offered_and_to_others_what_its_operator_names():
    assert priors.wanted({}) == safe_names()
    for known in ({"GRADIO_SERVER_NAME": "127.0.0.1"}, {"GRADIO_SERVER_NAME": "localhost"}, {"APP_PRIORS": "  "}):
        assert priors.wanted(known) == safe_names()
    for reached in ({"SPACE_ID": "me/x"}, {"GRADIO_SERVER_NAME": "0.0.0.0"}, {"GRADIO_SHARE": "True"}):
        assert priors.wanted(reached) == [EMBEDDED]
        assert priors.wanted({**reached, "APP_PRIORS": " ddpm-cat-256 , /a/b "}) == ["ddpm-cat-256", "/a/b"]


def test_an_app_that_is_opened_to_others_after_all_offers_the_embedded_one_only(monkeypatch):
    monkeypatch.setenv("APP_PRIORS", "")
    monkeypatch.delenv("APP_PRIORS")
    priors.offered.cache_clear()
    assert len(priors.offered()) > 1
    priors.open_to_others()
    assert [*priors.offered()] == [EMBEDDED]
    monkeypatch.delenv("APP_PRIORS")
    priors.offered.cache_clear()


@pytest.mark.parametrize("named", ["ddpm-celebahq-256", "nothing", "/etc/passwd", ",,x"])
def test_nonsense_in_the_environment_ends_the_program_with_a_sentence(monkeypatch, named):
    monkeypatch.setenv("APP_PRIORS", named)
    priors.offered.cache_clear()
    try:
        with pytest.raises(SystemExit, match=r"^inverse: .*\.$"):
            web.build()
    finally:
        monkeypatch.delenv("APP_PRIORS")
        priors.offered.cache_clear()


def test_a_prior_is_found_by_its_name_and_by_what_settings_keep(tmp_path):
    with offered("ddpm-cat-256", *two(tmp_path)) as found:
        for name, offer in found.items():
            assert priors.find(name) is priors.find(offer.identity) is offer
        (tmp_path / "mine.safetensors").write_bytes(b"another training")
        with pytest.raises(ParameterError, match="of other weights"):
            priors.find(f"faces@ddpm:{'0' * 64}")


def test_a_larger_prior_is_expected_to_take_longer_until_it_has_run(monkeypatch):
    monkeypatch.setattr(pace, "seconds_per_pixel", lambda denoiser: 1e-6)
    with offered("ddpm-cat-256"):
        cat, here = replace(LONG, prior=PRIORS["ddpm-cat-256"].identity), Pace()
        times = PRIORS["ddpm-cat-256"].parameters / PRIORS[EMBEDDED].parameters
        assert here.seconds([cat], (32, 32)) == pytest.approx(times * here.seconds([LONG], (32, 32)))
        here.learn([LONG], (32, 32), 2.0)
        assert here.seconds([cat, LONG], (32, 32)) == pytest.approx(2 * times + 2)
        here.learn([cat], (32, 32), 5.0)
        here.learn([cat, LONG], (32, 32), 500.0)  # of which nobody knows which took how long
        assert here.seconds([cat, LONG], (32, 32)) == pytest.approx(5 + 2)


def test_on_a_lent_gpu_every_prior_has_its_own_duration(monkeypatch):
    monkeypatch.setattr(device, "LENT", True)
    with offered("ddpm-cat-256"):
        cat = replace(LONG, prior=PRIORS["ddpm-cat-256"].identity)
        one, other = device.seconds([LONG], (256, 256)), device.seconds([cat], (256, 256))
        assert other > one and device.seconds([LONG, cat], (256, 256)) > max(one, other)


def test_where_others_use_the_app_its_priors_are_here_before_they_ask(tmp_path, monkeypatch):
    folder, _ = two(tmp_path / "own")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with hub_of(monkeypatch, tmp_path / "cache", files), offered("ddpm-cat-256", "ddpm-cifar10-32"):
        priors.prepare()
        assert all(hub.here_of(PRIORS[name]) for name in ("ddpm-cat-256", "ddpm-cifar10-32"))
        files.clear()
        catalog.forget()
        priors.prepare()  # nothing is asked for
