"""The border: files, and pixels on [0, 255]; nothing else in the package knows either."""

from inverse.imaging.images import Photo, fit, load, to_image, to_tensor

__all__ = ["Photo", "fit", "load", "to_image", "to_tensor"]
