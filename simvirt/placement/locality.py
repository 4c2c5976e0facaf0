"""Hosts that have a replica's images already.

*Model*: the sizes of a pod's images that a host has, each times the share of hosts that have it, between two thresholds.
*Ignores*: layers that images share: a host has an image or it does not.
*Source*: kubernetes/kubernetes pkg/scheduler/framework/plugins/imagelocality/image_locality.go.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from simvirt.placement.hosts import Counts, Mask
from simvirt.placement.resources import MOST

LEAST_SIZE: Final = 23 * 1024**2
"""Sum of images [bytes] below which a host scores nothing."""
MOST_SIZE: Final = 1000 * 1024**2
"""Size of images [bytes] per container above which it makes no difference."""


def image_scores(held: Mask, sizes: Counts, least: int = LEAST_SIZE, most: int = MOST_SIZE) -> Counts:
    """Scores of hosts: `held` says for each container's image (rows) which hosts have it, `sizes` how large it is [bytes]."""
    containers, hosts = held.shape
    spread = held.sum(1) / hosts
    scaled = np.asarray(np.trunc(sizes * spread), np.int64)
    total = np.clip((held * scaled[:, None]).sum(0), least, most * containers)
    found: Counts = MOST * (total - least) // (most * containers - least)
    return found
