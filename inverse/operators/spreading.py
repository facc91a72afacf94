"""How far a stroke's colour reaches on a grey photo: to where the brightness changes."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage, sparse
from scipy.sparse import linalg
from torch import Tensor

DIRECT = 2**16
"""Pixels up to which the system is factorised; beyond, conjugate gradients refine what a picture of half the size
tells."""
REFINEMENTS = 60
"""Iterations of those: they move edges by a few pixels, which is all that is left to do."""
STEP = 0.015
"""Least difference of neighbours in brightness, on [0, 1], that begins to part them: about 4 of 255 levels."""
LEAK = 1e-6
"""How well an edge conducts, in parts of a flat region."""
HALFWAY = 0.5
"""Pixels that a walk goes where `reach` is a half, in parts of the longer side."""
REACHED, UNREACHED = 0.5, 0.1
"""Influences from which a pixel has the colour of its strokes, and below which it has none."""


def spread_colours(light: Tensor, marks: Tensor, colours: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """Colours of strokes, carried to what they mean, and the strokes' influence on each pixel.

    A random walk starts at a pixel and goes to neighbours, the more likely the more alike they are in brightness; in
    each step it may end, the sooner the smaller `reach`. The influence is the probability that it meets a stroke, and
    the colour the mean of those that it meets. That is the affinity of Levin, Lischinski and Weiss 2004 (Colorization
    using optimization, SIGGRAPH) in the energy of Grady 2006 (Random walks for image segmentation, PAMI), sum w_pq
    (u_p - u_q)^2 + decay sum u_p^2, whose solution never leaves the range of its strokes.

    Args:
        light: brightness, (H, W) on [-1, 1].
        marks: (H, W), above 0 under a stroke.
        colours: (C, H, W), used under strokes.
        reach: on [0, 1]: 0 leaves colours where they are, 1 carries them everywhere.

    Returns:
        Colours (C, H, W), 0 where no stroke has any influence, and the influence (H, W) on [0, 1], 1 under strokes.
    """
    seeds = (marks > 0).cpu().numpy()
    given = np.where(seeds, colours.detach().cpu().double().numpy(), 0)
    if reach <= 0 or not seeds.any() or seeds.all():
        return torch.from_numpy(given).to(colours), torch.from_numpy(seeds).to(colours)
    values = np.concatenate([seeds[None], given]).reshape(len(given) + 1, -1).T
    decay = ((1 - reach) / reach / (HALFWAY * max(seeds.shape))) ** 2 + 1e-9
    grey = (light.detach().cpu().double().numpy() + 1) / 2
    found = _solved(ndimage.gaussian_filter(grey, 0.5), seeds, values, decay)
    influence = found[:, 0].clip(1e-12, 1)
    spread_out = (found[:, 1:] / influence[:, None]).T.reshape(given.shape)
    spread_out = np.where(seeds, given, spread_out)
    return torch.from_numpy(spread_out).to(colours), torch.from_numpy(influence.reshape(seeds.shape)).to(colours)


def share(influence: Tensor) -> Tensor:
    """How much of its colour a pixel has where nothing else is to give it one: all, none, or less towards the end."""
    return ((influence - UNREACHED) / (REACHED - UNREACHED)).clamp(0, 1)


def _solved(grey: np.ndarray, seeds: np.ndarray, values: np.ndarray, decay: float) -> np.ndarray:
    """u that minimises the energy with u = values where there are seeds, (pixels, columns)."""
    laplacian = _laplacian(grey)
    free = ~seeds.reshape(-1)
    system = (laplacian + decay * sparse.identity(len(free), format="csr"))[free]
    right, system = -system[:, ~free] @ values[~free], system[:, free]
    found = values.astype(np.float64)
    if grey.size <= DIRECT:
        found[free] = linalg.splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A").solve(right)
        return found
    start = _enlarged(_coarse(grey, seeds, values, decay), grey.shape)[free]
    scale = sparse.diags(1 / system.diagonal())
    for column in range(values.shape[1]):
        found[free, column] = linalg.cg(
            system, right[:, column], x0=start[:, column], maxiter=REFINEMENTS, M=scale, atol=0.0
        )[0]
    found[:, 0] = found[:, 0].clip(0, 1)
    return found


def _coarse(grey: np.ndarray, seeds: np.ndarray, values: np.ndarray, decay: float) -> np.ndarray:
    """The same for a picture of half the size, (h, w, columns)."""
    height, width = grey.shape
    padding = ((0, height % 2), (0, width % 2))

    def halved(plane: np.ndarray) -> np.ndarray:
        whole = np.pad(plane, padding, mode="edge")
        return whole.reshape(whole.shape[0] // 2, 2, whole.shape[1] // 2, 2).mean((1, 3))

    count = halved(seeds.astype(float))
    planes = values.T.reshape(-1, height, width)
    small = np.stack([halved(plane) / np.where(count > 0, count, 1) for plane in planes])
    found = _solved(halved(grey), count > 0, small.reshape(len(small), -1).T, 4 * decay)
    return found.reshape(*count.shape, -1)


def _enlarged(found: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    doubled = found.repeat(2, 0).repeat(2, 1)[: shape[0], : shape[1]]
    return doubled.reshape(-1, found.shape[-1])


def _laplacian(grey: np.ndarray) -> sparse.csr_matrix:
    """Of the grid of pixels with their four neighbours; a step as small as most of this picture parts nothing."""
    places = np.arange(grey.size).reshape(grey.shape)
    steps = [np.diff(grey, axis=axis).reshape(-1) for axis in (0, 1)]
    every = np.concatenate(steps)
    usual = float(np.median(np.abs(every))) / 0.6745 if every.size else 0.0
    weights = np.exp(-(every**2) / (2 * (STEP**2 + usual**2))) + LEAK
    first = np.concatenate([places[:-1].reshape(-1), places[:, :-1].reshape(-1)])
    second = np.concatenate([places[1:].reshape(-1), places[:, 1:].reshape(-1)])
    joined = sparse.coo_matrix((weights, (first, second)), shape=(grey.size, grey.size)).tocsr()
    joined = joined + joined.T
    return (sparse.diags(np.asarray(joined.sum(1)).reshape(-1)) - joined).tocsr()
