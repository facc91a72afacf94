"""Fixtures of the tests of load and abuse."""

import pytest
from served import App


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    parent = tmp_path_factory.mktemp("app")
    made = App(parent / "temporary", parent / "log")
    try:
        for _ in range(20):
            assert made.serves()  # everything is loaded and warm
        made.rest = made.megabytes
        yield made
    finally:
        made.end()
    assert not list(made.folder.iterdir()), "SIGTERM removes the folder"


@pytest.fixture
def measured(capsys):
    def say(**figures):
        with capsys.disabled():
            print("\n   ", ", ".join(f"{name} {value}" for name, value in figures.items()), end="")

    return say
