"""Networks on disk."""

import pytest
from checkpoints import tiny
from diffusers import DDPMScheduler

from inverse.denoisers import catalog


@pytest.fixture
def nothing_kept():
    """No prior is in memory, before and after."""
    catalog.forget()
    yield
    catalog.forget()


@pytest.fixture
def flat(tmp_path):
    """A model with its scheduler beside it, as the old repositories of the Hub are laid out."""
    folder = tmp_path / "flat"
    tiny().save_pretrained(folder, safe_serialization=True)
    DDPMScheduler().save_pretrained(folder)
    return folder


@pytest.fixture
def sharded(tmp_path):
    """A model in shards, with the names that an index gives them."""
    folder = tmp_path / "sharded"
    tiny().save_pretrained(folder, safe_serialization=True, max_shard_size="20KB")
    DDPMScheduler().save_pretrained(folder)
    assert len(list(folder.glob("*.safetensors"))) > 1
    return folder
