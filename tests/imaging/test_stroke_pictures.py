"""Pictures of strokes of any kind are read as one kind."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inverse.errors import ImageError
from inverse.imaging import strokes
from inverse.settings import Settings


def painted(mode="RGBA", ground=(0, 0, 0, 0), colour=(200, 60, 30, 255)):
    picture = Image.new("RGBA", (40, 30), ground)
    picture.paste(colour, (5, 5, 15, 8))
    return picture.convert(mode)


def marked(picture):
    return np.asarray(picture)[..., 3] > 0


def test_a_layer_and_a_painted_photo_mean_the_same():
    for picture in (painted(), painted("RGB", (90, 90, 90, 255)), painted(ground=(70, 90, 20, 30))):
        found = strokes.load(picture)
        assert found.mode == "RGBA" and marked(found).sum() == 30
        assert found.getpixel((6, 6)) == (200, 60, 30, 255) and found.getpixel((0, 0)) == (0, 0, 0, 0)
        assert strokes.load(found).tobytes() == found.tobytes()
    assert marked(strokes.load(painted(colour=(80, 80, 80, 255)))).sum() == 30, "a grey stroke on a layer is one"


def test_nothing_thin_is_lost_when_it_gets_smaller():
    picture = Image.new("RGBA", (400, 300))
    picture.paste((20, 200, 60, 255), (0, 100, 400, 101))
    for small in (strokes.load(picture, 100), Image.fromarray(_levels(strokes.fitted(picture, (75, 100))))):
        assert small.size == (100, 75) and marked(small).any(0).all() and marked(small).sum() == 100
        assert np.abs(np.asarray(small)[25, 50].astype(int) - (20, 200, 60, 255)).max() <= 2


def _levels(planes):
    return (planes.permute(1, 2, 0) * 255).round().byte().numpy()


@pytest.mark.parametrize(
    "picture", [painted(colour=(0, 0, 0, 0)), painted("L"), painted("RGB", (9, 9, 9), (99, 99, 99))]
)
def test_a_picture_without_a_stroke_is_refused(picture):
    with pytest.raises(ImageError, match=r"no stroke.*Paint"):
        strokes.load(picture)


def test_strokes_travel_in_settings():
    settings = Settings.create(task="colorize-strokes").with_auxiliary(strokes.load(painted()))
    found = Settings.from_dict(settings.to_dict())[0]
    assert found == settings and found.auxiliary_picture.tobytes() == strokes.load(painted()).tobytes()
