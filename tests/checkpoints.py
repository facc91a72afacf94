"""Small networks on disk, as diffusers writes them, and what may be done to their files."""

import json

import torch
from diffusers import DDPMScheduler, UNet2DModel

WEIGHTS = "diffusion_pytorch_model.safetensors"
PICKLE = "diffusion_pytorch_model.bin"
COMMIT = "0123456789abcdef" * 2 + "01234567"


def tiny():
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    return UNet2DModel(sample_size=16, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4, **blocks)


def save_tiny(folder, seed=0):
    """A diffusers folder of a prior that has learned nothing, for 16 pixels."""
    network = tiny()
    torch.manual_seed(seed)
    torch.nn.init.normal_(network.conv_out.bias, std=0.1)  # what tells two of them apart
    network.save_pretrained(folder)
    DDPMScheduler().save_pretrained(folder)
    return folder


def pickled(folder, content=None):
    torch.save(tiny().state_dict() if content is None else content, folder / PICKLE)
    (folder / WEIGHTS).unlink(missing_ok=True)
    return folder


def change(path, changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def same(one, other):
    """Whether two priors are one: what they compute may differ in the last bit, by where in memory the weights lie."""
    ours, theirs = one.network.state_dict(), other.network.state_dict()
    levels = torch.logspace(-3, 3, 200, dtype=torch.float64)
    return (
        ours.keys() == theirs.keys()
        and all(torch.equal(ours[name], theirs[name]) for name in ours)
        and (one.prediction, one.multiple, one.channels) == (other.prediction, other.multiple, other.channels)
        and (one.sigma_min, one.sigma_max) == (other.sigma_min, other.sigma_max)
        and torch.equal(one.time_step(levels), other.time_step(levels))
    )


INDEX = f"{WEIGHTS}.index.json"


def renamed(folder, old, new):
    """Calls a shard something else, in the index too."""
    index = json.loads((folder / INDEX).read_text())
    places = {tensor: new if name == old else name for tensor, name in index["weight_map"].items()}
    (folder / INDEX).write_text(json.dumps({**index, "weight_map": places}))


def shard(folder):
    return min(folder.glob("*.safetensors")).name
