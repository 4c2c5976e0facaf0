"""Means of consecutive latencies: batches that are merged in pairs when there is no room for another one."""

from simvirt.kernel.marks import rare
from simvirt.kernel.tables import Plane


def batch_latency(p: Plane, w: int, latency: int, now: int) -> None:
    """Add a latency to the open batch of all requests or of a workload; merge neighbours when all batches are full."""
    p.tallies.batch_open[w] += latency
    p.tallies.batch_fill[w] += 1
    if p.tallies.batch_fill[w] < p.tallies.batch_size[w]:
        return
    n: int = p.tallies.batch_count[w]
    at: int = w * p.tallies.batch_capacity[0] + n
    p.tallies.batch_sum[at] = p.tallies.batch_open[w]
    p.tallies.batch_at[at] = now
    p.tallies.batch_open[w] = 0.0
    p.tallies.batch_fill[w] = 0
    p.tallies.batch_count[w] = n + 1
    if n + 1 == p.tallies.batch_capacity[0]:
        merge_batches(p, w)


@rare
def merge_batches(p: Plane, w: int) -> None:
    """Halve the number of batches by joining neighbours."""
    half: int = p.tallies.batch_count[w] // 2
    first: int = w * p.tallies.batch_capacity[0]
    for j in range(first, first + half):
        p.tallies.batch_sum[j] = p.tallies.batch_sum[2 * j - first] + p.tallies.batch_sum[2 * j - first + 1]
        p.tallies.batch_at[j] = p.tallies.batch_at[2 * j - first + 1]
    p.tallies.batch_count[w] = half
    p.tallies.batch_size[w] *= 2
