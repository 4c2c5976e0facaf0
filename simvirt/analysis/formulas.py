"""Closed forms of queueing theory: what simulations of simple systems must come out at.

Rates are per second, times in seconds, `cv` is the coefficient of variation. A load of 1 or more has no steady state: UnstableError.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 2**18  # of a grid on which distributions are summed: a fraction of a second
Cdf = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class UnstableError(ValueError):
    """The offered load reaches capacity: no steady state, no formula."""


@dataclass(frozen=True, slots=True)
class Queue:
    """An open queue in steady state."""

    utilisation: float  # of each server, 0..1
    wait_s: float  # mean time before service (for processor sharing: mean time lost to sharing)
    response_s: float  # mean time from arrival to departure


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed system of clients in steady state."""

    throughput_per_s: float
    response_s: float
    residence_s: tuple[float, ...]  # response time spent at each station
    utilisation: tuple[float, ...]  # of each station
    population: tuple[float, ...]  # mean number at each station


def stable(rate: float, service_s: float, servers: int = 1) -> float:
    """The utilisation of each server; raises UnstableError at 1 and above."""
    rho = rate * service_s / servers
    if rho >= 1:
        raise UnstableError(f"offered load is {rho:.3g} x capacity: there is no steady state")
    return rho


def solve_tail(tail: Callable[[float], float], q: float, start: float) -> float:
    """The t at which a falling tail P(T > t) reaches 1 - q, by doubling and bisection to 1e-12 of t."""
    high = start
    while tail(high) > 1 - q:
        high *= 2
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > 1 - q else (low, middle)
        if high - low <= 1e-12 * high:
            break
    return (low + high) / 2


# -- Poisson arrivals, exponential service --------------------------------------------------------------------------------------


def mm1(rate: float, service_s: float) -> Queue:
    """M/M/1, first come first served. Source: Kleinrock, Queueing Systems I, 1975, section 3.2."""
    rho = stable(rate, service_s)
    response = service_s / (1 - rho)
    return Queue(rho, response - service_s, response)


def mm1_quantile(rate: float, service_s: float, q: float) -> float:
    """The q-quantile of the response time of M/M/1, which is exponential. Source: Kleinrock 1975, eq. 5.119."""
    return -mm1(rate, service_s).response_s * math.log1p(-q)


def erlang_b(servers: int, offered: float) -> float:
    """The probability that an arrival finds all servers of M/M/c/c busy, by the stable recursion in c. Source: Erlang 1917."""
    blocked = 1.0
    for c in range(1, servers + 1):
        blocked = offered * blocked / (c + offered * blocked)
    return blocked


def erlang_c(servers: int, offered: float) -> float:
    """The probability that an arrival to M/M/c waits; `offered` load in servers. Source: Erlang 1917; Kleinrock 1975, eq. 3.40."""
    rho = stable(offered, 1.0, servers)
    blocked = erlang_b(servers, offered)
    return blocked / (1 - rho * (1 - blocked))


def mmc(rate: float, service_s: float, servers: int) -> Queue:
    """M/M/c with one queue. Source: Kleinrock 1975, section 3.5."""
    rho = stable(rate, service_s, servers)
    wait = erlang_c(servers, rate * service_s) * service_s / (servers * (1 - rho))
    return Queue(rho, wait, wait + service_s)


def mmc_tail(rate: float, service_s: float, servers: int, t: float) -> float:
    """P(response > t) of M/M/c: no wait with 1 - C, an exponential wait at rate c mu - lambda with C, then the service.

    Source: Gross, Shortle, Thompson, Harris, Fundamentals of Queueing Theory, 4th ed. 2008, section 2.3 (eq. 2.40).
    """
    waits = erlang_c(servers, rate * service_s)
    mu = 1 / service_s
    drain = servers * mu - rate
    served = math.exp(-mu * t)
    if math.isclose(drain, mu, rel_tol=1e-7):  # both rates equal: the sum is an Erlang-2
        return served * (1 + waits * mu * t)
    return (1 - waits) * served + waits * (drain * served - mu * math.exp(-drain * t)) / (drain - mu)


def mmc_quantile(rate: float, service_s: float, servers: int, q: float) -> float:
    """The q-quantile of the response time of M/M/c, from its exact tail."""
    return solve_tail(lambda t: mmc_tail(rate, service_s, servers, t), q, mmc(rate, service_s, servers).response_s)


# -- Poisson arrivals, general service ------------------------------------------------------------------------------------------


def mg1(rate: float, service_s: float, cv: float) -> Queue:
    """M/G/1, first come first served (Pollaczek-Khinchine). Source: Kleinrock 1975, eq. 5.63."""
    rho = stable(rate, service_s)
    wait = rho * service_s * (1 + cv * cv) / (2 * (1 - rho))
    return Queue(rho, wait, wait + service_s)


def md1(rate: float, service_s: float) -> Queue:
    """M/D/1: a constant service. Source: Kleinrock 1975, eq. 5.63 with cv = 0."""
    return mg1(rate, service_s, 0.0)


def md1_population(rate: float, service_s: float, n: int) -> NDArray[np.float64]:
    """P(0..n-1 requests in M/D/1), by cuts of the chain embedded at departures: only sums of positive terms, so it is stable.

    Source: Ramaswami, A stable recursion for the steady state vector in Markov chains of M/G/1 type, Stoch. Models 4 (1988).
    """
    rho = stable(rate, service_s)
    arrivals = np.exp(np.cumsum(np.r_[-rho, math.log(rho) - np.log(np.arange(1, n + 60))]))  # in one service: Poisson(rho)
    more = np.cumsum(arrivals[::-1])[::-1]  # P(at least k arrivals in a service)
    p = np.zeros(n)
    p[0] = 1 - rho
    for j in range(n - 1):
        p[j + 1] = (p[0] * more[j + 1] + p[1 : j + 1] @ more[j + 1 : 1 : -1]) / arrivals[0]
    return p


def md1_wait_cdf(rate: float, service_s: float, t: float) -> float:
    """P(wait <= t) of M/D/1, without the cancelling terms of Erlang's form.

    Source: Franx, A simple solution for the M/D/c waiting time distribution, Operations Research Letters 29 (2001).
    """
    k = math.floor(t / service_s) + 1
    queued = np.cumsum(md1_population(rate, service_s, k + 1))[1:]  # P(at most i waiting), i = 0..k-1
    u = max(rate * (k * service_s - t), 1e-300)
    j = np.arange(k)
    poisson = np.exp(np.cumsum(np.r_[-u, math.log(u) - np.log(j[1:])]))
    return float(queued[::-1] @ poisson)


def md1_quantile(rate: float, service_s: float, q: float) -> float:
    """The q-quantile of the response time of M/D/1."""
    if stable(rate, service_s) <= 1 - q:
        return service_s  # the requests that do not wait reach beyond q
    return service_s + solve_tail(lambda t: 1 - md1_wait_cdf(rate, service_s, t), q, service_s)


def mg1_quantile(rate: float, service_s: float, cdf: Cdf, q: float, cells: int = 8192) -> float | None:
    """The q-quantile of the response time of M/G/1 FIFO for any service `cdf` (vectorised), to some 1e-3; None beyond its grid's reach.

    Model: the wait is a geometric number of residual services (Pollaczek-Khinchine), summed on a grid by a tilted Fourier transform.
    Source: Kleinrock 1975, eq. 5.111; Grubel, Hermesmeier, Computation of compound distributions I, ASTIN Bulletin 29 (1999).
    """
    rho = stable(rate, service_s)
    step = service_s / max(8, round(cells * (1 - rho) / 4))  # a whole number in the mean, so that a constant falls on the grid
    while cells <= MOST_CELLS:
        below = _mg1_response_cdf(rho, service_s, cdf, step, cells)
        if below[-1] > q:
            return float(np.interp(q, below, step * np.arange(cells)))
        cells, step = (cells, 2 * step) if 16 * step <= service_s else (2 * cells, step)
    return None


def _mg1_response_cdf(rho: float, service_s: float, cdf: Cdf, step: float, cells: int) -> NDArray[np.float64]:
    """P(response <= i step), i = 0..cells-1, with the residual service rounded to the grid."""
    fine = 16  # finer grid for the integral of the service's tail
    middles: NDArray[np.float64] = np.arange(0.5, fine * cells) * (step / fine)
    residual = np.cumsum(1 - cdf(middles)) * step / fine / service_s  # P(residual <= (k+1) step/fine)
    pmf = np.diff(residual[fine // 2 - 1 :: fine], prepend=0.0)[:cells]
    tilt = np.exp(np.arange(cells) * (math.log(1e-8) / (2 * cells)))  # what wraps around comes back 1e-8 as large
    residuals, service = np.fft.rfft(pmf * tilt, 2 * cells), np.fft.rfft(cdf(step * np.arange(float(cells))) * tilt, 2 * cells)
    below = np.fft.irfft((1 - rho) / (1 - rho * residuals) * service, 2 * cells)
    return np.asarray(below[:cells] / tilt)


# -- processor sharing ----------------------------------------------------------------------------------------------------------


def mg1_ps(rate: float, service_s: float) -> Queue:
    """M/G/1 processor sharing: the mean is the same for every service distribution.

    Source: Kleinrock, Queueing Systems II, 1976, eq. 4.17.
    """
    rho = stable(rate, service_s)
    response = service_s / (1 - rho)
    return Queue(rho, response - service_s, response)


def mm1_ps_quantile(rate: float, service_s: float, q: float) -> float:
    """The q-quantile of the response time of M/M/1 processor sharing.

    Model: a tagged request among n others (at first geometric), a Markov chain solved by uniformization.
    Source: Coffman, Muntz, Trotter, Waiting time distributions for processor-sharing systems, J. ACM 17 (1970); Jensen 1953.
    """
    rho, mu = stable(rate, service_s), 1 / service_s
    n = np.arange(math.ceil(math.log(1e-12) / math.log(rho)) + 50)
    speed = rate + mu
    up, down = np.full(n.size, rate / speed), mu / speed * n / (n + 1)
    alive, left = [1.0], 100.0
    p = np.asarray((1 - rho) * rho**n, dtype=float)
    while left > 0:  # until the quantile is passed, and then by ten standard deviations of the number of jumps
        p = np.r_[0.0, (p * up)[:-1]] + np.r_[(p * down)[1:], 0.0]
        alive.append(float(p.sum()))
        left = 10 * math.sqrt(len(alive)) + 100 if alive[-1] > 1 - q else left - 1
    survivors, k = np.array(alive), np.arange(len(alive))
    logs = np.r_[0.0, np.cumsum(np.log(k[1:]))]
    return solve_tail(lambda t: float(survivors @ np.exp(k * math.log(speed * t) - speed * t - logs)), q, service_s)


# -- closed systems -------------------------------------------------------------------------------------------------------------


def machine_repair(clients: int, think_s: float, service_s: float, servers: int = 1) -> Closed:
    """M/M/c//N: clients that think and then queue for c servers; think times may have any distribution.

    Source: Kleinrock 1975, sections 3.8 and 3.9; birth-death balance, in logarithms so that 10 000 clients do not overflow.
    """
    n = np.arange(clients + 1)
    p = np.ones(1) if clients == 0 else _machine_population(clients, think_s, service_s, servers)
    throughput = float(p @ np.minimum(n, servers)) / service_s
    mean = float(p @ n)
    response = mean / throughput
    return Closed(throughput, response, (response,), (throughput * service_s / servers,), (mean,))


def _machine_population(clients: int, think_s: float, service_s: float, servers: int) -> NDArray[np.float64]:
    """P(0..N of the clients are at the servers) of M/M/c//N."""
    if think_s == 0:
        return np.asarray(np.r_[np.zeros(clients), 1.0])
    n = np.arange(1, clients + 1)
    logs = np.r_[0.0, np.cumsum(np.log((clients - n + 1) / think_s * service_s / np.minimum(n, servers)))]
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def machine_repair_quantile(clients: int, think_s: float, service_s: float, q: float) -> float:
    """The q-quantile of the response time of M/M/1//N first come first served: an arrival sees the system with N - 1 clients.

    Source: Sevcik, Mitrani, The distribution of queuing network states at input and output instants, J. ACM 28 (1981).
    """
    seen = _machine_population(clients - 1, think_s, service_s, 1) if clients > 1 else np.ones(1)
    ahead = np.cumsum(seen[::-1])[::-1]  # P(at least i ahead): the Poisson terms of Erlang tails share it
    i = np.arange(clients)
    logs = np.r_[0.0, np.cumsum(np.log(i[1:]))]

    def tail(t: float) -> float:
        return float(ahead @ np.exp(i * math.log(t / service_s) - t / service_s - logs))

    return solve_tail(tail, q, service_s)


def mva(demands_s: Sequence[float], clients: int, think_s: float = 0.0) -> Closed:
    """Exact mean value analysis of one class over single-server stations with `demands_s` seconds a request at each.

    Source: Reiser, Lavenberg, Mean-value analysis of closed multichain queuing networks, J. ACM 27 (1980).
    """
    demands = np.asarray(demands_s, dtype=float)
    population = np.zeros(demands.size)
    residence, throughput = demands, 0.0
    for n in range(1, clients + 1):
        residence = demands * (1 + population)
        throughput = n / (think_s + float(residence.sum()))
        population = throughput * residence
    busy, response = throughput * demands, float(residence.sum())
    return Closed(throughput, response, tuple(residence.tolist()), tuple(busy.tolist()), tuple(population.tolist()))


def throughput_bound(demands_s: Sequence[float], clients: int, think_s: float = 0.0) -> float:
    """The most that a closed system can do: min(1 / Dmax, N / (D + Z)). Source: Denning, Buzen, ACM Comp. Surveys 10 (1978)."""
    total, largest = sum(demands_s) + think_s, max(demands_s)
    return min(1 / largest if largest else math.inf, clients / total if total else math.inf)


def response_bound(demands_s: Sequence[float], clients: int, think_s: float = 0.0) -> float:
    """The least mean response time of a closed system: max(D, N Dmax - Z). Source: Denning, Buzen 1978."""
    return max(sum(demands_s), clients * max(demands_s) - think_s)


# -- networks -------------------------------------------------------------------------------------------------------------------


def jackson(rate: float, stations: Sequence[tuple[float, float, int]]) -> Queue:
    """Open product-form network of M/M/c stations (visits a request, mean service a visit, servers); means over a whole request.

    Utilisation is that of the busiest station. Source: Jackson, Jobshop-like queueing systems, Management Science 10 (1963).
    """
    queues = [(visits, mmc(rate * visits, service, servers)) for visits, service, servers in stations]
    return Queue(max(q.utilisation for _, q in queues), sum(v * q.wait_s for v, q in queues), sum(v * q.response_s for v, q in queues))


def tandem_quantile(rate: float, first: tuple[float, int], second: tuple[float, int], q: float, cells: int = 2000) -> float:
    """The q-quantile of the time through two M/M/c stations (mean service, servers) in a row, whose times are independent.

    Source: Burke, The output process of a stationary M/M/s queueing system, Ann. Math. Stat. 39 (1968); the sum is taken on a grid.
    """
    enough = (1 + q) / 2  # the sum exceeds both parts' quantiles there with at most 1 - q
    step = (mmc_quantile(rate, *first, enough) + mmc_quantile(rate, *second, enough)) / (cells - 2)
    edges = [1 - mmc_tail(rate, *first, i * step) for i in range(cells + 1)]
    middles = [1 - mmc_tail(rate, *second, (i + 0.5) * step) for i in range(cells)]
    below = np.convolve(np.diff(edges), middles)[:cells]  # P(sum <= (i+1) step)
    return float(np.interp(q, below, step * np.arange(1, cells + 1)))


def fork_join_2(rate: float, service_s: float) -> float:
    """Mean response of a request forked to two equal M/M/1 queues and joined, (12 - rho) / 8 of one.

    Source: Nelson, Tantawi, Approximate analysis of fork/join synchronization in parallel queues, IEEE Trans. Comp. 37 (1988);
    exact for two queues (Flatto, Hahn 1984).
    """
    queue = mm1(rate, service_s)
    return (12 - queue.utilisation) / 8 * queue.response_s
