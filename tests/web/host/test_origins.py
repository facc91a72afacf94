"""Pages of other websites, names that were made to point here (DNS rebinding), and whoever must not be kept out."""

import pytest

from inverse.web.host.answers import Refusal
from inverse.web.host.origins import Names, hostname, names_of

LOCAL = Names(anywhere=False)
PUBLIC = Names(anywhere=True)


def allowed(names, **headers):
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    try:
        names.check({"headers": lines})
    except Refusal as refusal:
        assert refusal.status == 403 and "APP_HOSTS" in refusal.sentence
        return False
    return True


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:7860", "127.0.0.1:7860", "[::1]:7860", "[::1]", "127.0.0.2", "0.0.0.0:7860",
     "192.168.0.5:7860", "app.localhost:80", "LOCALHOST:7860", "localhost.:7860"],
)  # fmt: skip
def test_this_machine_goes_by_addresses_and_localhost(host):
    assert allowed(LOCAL, host=host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example", "[::1", "2130706433"],
)
def test_any_other_name_is_an_attack_unless_it_was_told(host):
    assert not allowed(LOCAL, host=host)
    assert allowed(PUBLIC, host=host)
    assert allowed(Names([hostname(host)], anywhere=False), host=host) and allowed(Names(["*"], False), host=host)


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1:7860", "[::1]:7860", "restore.example.org", "1.2.3.4"])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://evil.example:7860", "https://restore.example.org.evil.example", "x"],
)
def test_no_foreign_page_may_ask(host, origin):
    for more in ({}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}):
        assert not allowed(PUBLIC, host=host, origin=origin, **more)
    assert allowed(Names(["*"]), host=host, origin=origin)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:7860", "origin": "http://localhost:7860"},
        {"host": "127.0.0.1:7860", "origin": "http://localhost:3000"},  # a page of one's own, while it is developed
        {"host": "[::1]:7860", "origin": "http://[::1]:7860"},
        {"host": "192.168.0.5:7860", "origin": "http://192.168.0.5:7860"},
        {"host": "restore.example.org", "origin": "https://restore.example.org"},
        {"host": "127.0.0.1:7860", "origin": "https://a.example", "x_forwarded_host": "a.example"},
        {"host": "127.0.0.1:7860", "origin": "https://a.example", "sec_fetch_site": "same-origin"},
        {"host": "10.0.0.7:7860", "origin": "https://user-space.hf.space", "x_forwarded_host": "user-space.hf.space"},
        {"host": "127.0.0.1:7860"},  # a program
        {},
    ],
)
def test_ones_own_page_a_proxy_and_programs_are_let_in(headers):
    assert allowed(PUBLIC, **headers)


def test_what_is_told_is_let_in(monkeypatch):
    for name in ("APP_HOSTS", "SPACE_HOST", "SPACE_ID", "GRADIO_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert not allowed(names_of(None, shared=False), host="evil.example")
    for address in ("0.0.0.0", "192.168.0.5", "::", "[::]"):
        assert allowed(names_of(address, shared=False), host="anything.example"), address
    for address in ("127.0.0.1", "localhost", "::1", "[::1]"):
        assert not allowed(names_of(address, shared=False), host="evil.example"), address
    assert allowed(names_of(None, shared=True), host="abc.gradio.live")
    monkeypatch.setenv("APP_HOSTS", "restore.example.org, Blog.example.org")
    told = names_of(None, shared=False)
    assert allowed(told, host="restore.example.org") and not allowed(told, host="evil.example")
    assert allowed(told, host="restore.example.org", origin="https://blog.example.org")
    monkeypatch.setenv("SPACE_HOST", "user-space.hf.space")
    monkeypatch.setenv("SPACE_ID", "user/space")
    space = names_of("0.0.0.0", shared=False)
    assert allowed(space, host="10.0.0.7", origin="https://user-space.hf.space")
    assert not allowed(space, host="user-space.hf.space", origin="https://evil.hf.space")


def test_a_name_that_comes_twice_is_not_believed():
    with pytest.raises(Refusal):
        LOCAL.check({"headers": [(b"host", b"localhost"), (b"host", b"evil.example")]})
