"""The closed forms against independent numeric checks: Markov chains summed or solved, integrals, and each other."""

import math

import numpy as np
import pytest

from simvirt.analysis import formulas as f

RHOS = (0.1, 0.5, 0.8, 0.95)


def birth_death(up, down):
    """Stationary probabilities of a birth-death chain by direct balance."""
    p = np.cumprod(np.r_[1.0, np.asarray(up) / np.asarray(down)])
    return p / p.sum()


@pytest.mark.parametrize("servers", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("rho", RHOS)
def test_mmc_equals_its_markov_chain(servers, rho):
    n = np.arange(1, 3000)
    p = birth_death(np.full(n.size, rho * servers), np.minimum(n, servers))
    assert f.erlang_c(servers, rho * servers) == pytest.approx(p[servers:].sum(), rel=1e-9)
    mean = p @ np.arange(p.size)
    assert f.mmc(rho * servers, 1.0, servers).response_s == pytest.approx(mean / (rho * servers), rel=1e-9)


@pytest.mark.parametrize("rho", RHOS)
def test_mmc_with_one_server_is_mm1(rho):
    assert f.mmc(rho * 50, 0.02, 1).response_s == pytest.approx(f.mm1(rho * 50, 0.02).response_s)
    assert f.mmc_quantile(rho * 50, 0.02, 1, 0.95) == pytest.approx(f.mm1_quantile(rho * 50, 0.02, 0.95), rel=1e-9)


@pytest.mark.parametrize("servers", [1, 2, 3, 5])
@pytest.mark.parametrize("rho", [0.3, 0.5, 0.8])  # with two servers at 0.5 both rates of the tail are equal
def test_mmc_tail_integrates_to_the_mean(servers, rho):
    t = np.linspace(0, 120, 120_001)
    tail = [f.mmc_tail(rho * servers, 1.0, servers, x) for x in t]
    assert np.trapezoid(tail, t) == pytest.approx(f.mmc(rho * servers, 1.0, servers).response_s, rel=1e-6)


def test_mmc_tail_is_continuous_where_its_two_rates_meet():
    assert f.mmc_tail(1.0, 1.0, 2, 2.0) == pytest.approx(f.mmc_tail(1.0 + 1e-5, 1.0, 2, 2.0), rel=1e-4)


def test_the_issue_of_one_hundredth_second_jobs():
    assert f.mm1(80, 0.010).response_s == pytest.approx(0.050)
    assert f.mm1_quantile(80, 0.010, 0.95) == pytest.approx(0.050 * math.log(20))


@pytest.mark.parametrize("rho", RHOS)
def test_pollaczek_khinchine_against_its_special_cases(rho):
    assert f.mg1(rho, 1.0, 1.0).response_s == pytest.approx(f.mm1(rho, 1.0).response_s)
    assert f.md1(rho, 1.0).wait_s == pytest.approx(f.mm1(rho, 1.0).wait_s / 2)


@pytest.mark.parametrize("rho", RHOS)
def test_md1_population_sums_to_its_mean(rho):
    p = f.md1_population(rho, 1.0, 600)
    assert p.sum() == pytest.approx(1)
    assert p @ np.arange(600) == pytest.approx(rho * f.md1(rho, 1.0).response_s, rel=1e-8)


def erlang_md1_wait(rho, t):
    """Erlang's own alternating sum for M/D/1, exact for short waits."""
    terms = ((rho * (k - t)) ** k / math.factorial(k) * math.exp(-rho * (k - t)) for k in range(math.floor(t) + 1))
    return (1 - rho) * math.fsum(terms)


@pytest.mark.parametrize("rho", [0.3, 0.7, 0.9])
@pytest.mark.parametrize("t", [0.0, 0.4, 1.0, 2.5, 7.9])
def test_md1_wait_equals_erlangs_sum(rho, t):
    assert f.md1_wait_cdf(rho, 1.0, t) == pytest.approx(erlang_md1_wait(rho, t), abs=1e-9)


def test_md1_quantile_at_low_load_is_the_service_itself():
    assert f.md1_quantile(0.04, 1.0, 0.95) == 1.0
    assert f.md1_quantile(0.99, 1.0, 0.95) > 100


@pytest.mark.parametrize("rho", RHOS)
@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_mg1_quantile_equals_mm1(rho, q):
    assert f.mg1_quantile(rho, 1.0, lambda t: -np.expm1(-t), q) == pytest.approx(f.mm1_quantile(rho, 1.0, q), rel=3e-3)


@pytest.mark.parametrize("rho", [0.5, 0.8, 0.95])
def test_mg1_quantile_equals_md1(rho):
    assert f.mg1_quantile(rho, 1.0, lambda t: (t >= 1.0) * 1.0, 0.95) == pytest.approx(f.md1_quantile(rho, 1.0, 0.95), rel=1e-2)


def test_mg1_quantile_against_a_lindley_simulation_of_a_hyperexponential():
    rng, n, rho = np.random.default_rng(1), 2_000_000, 0.7
    mean = np.where(rng.random(n) < 0.9, 0.5, 5.5)
    service, gaps = rng.exponential(mean), rng.exponential(1 / rho, n)
    work = np.cumsum(service[:-1] - gaps[1:])
    wait = work - np.minimum(np.minimum.accumulate(work), 0)
    sample = np.quantile(wait + service[1:], 0.95)
    exact = f.mg1_quantile(rho, 1.0, lambda t: 1 - 0.9 * np.exp(-t / 0.5) - 0.1 * np.exp(-t / 5.5), 0.95)
    assert exact == pytest.approx(sample, rel=0.05)


@pytest.mark.parametrize("rho", RHOS)
def test_ps_quantile_comes_from_a_tail_with_the_right_mean(rho):
    """The quantiles of processor sharing, averaged, are its mean."""
    mean = np.mean([f.mm1_ps_quantile(rho, 1.0, (i + 0.5) / 200) for i in range(200)])
    assert mean == pytest.approx(f.mg1_ps(rho, 1.0).response_s, rel=0.03)


def test_ps_quantile_at_no_load_is_the_demand_itself():
    assert f.mm1_ps_quantile(1e-9, 1.0, 0.95) == pytest.approx(math.log(20), rel=1e-6)


@pytest.mark.parametrize(("clients", "think", "servers"), [(1, 3.0, 1), (5, 3.0, 1), (40, 20.0, 1), (40, 20.0, 4), (7, 0.0, 2)])
def test_machine_repair_equals_a_solved_generator(clients, think, servers):
    n = np.arange(clients + 1)
    q = np.diag(np.minimum(n, servers)[1:], -1).astype(float)
    q += np.diag((clients - n)[:-1] / think, 1) if think else np.diag(np.full(clients, 1e12), 1)
    q -= np.diag(q.sum(axis=1))
    p = np.linalg.lstsq(np.vstack([q.T, np.ones(clients + 1)]), np.r_[np.zeros(clients + 1), 1.0], rcond=None)[0]
    result = f.machine_repair(clients, think, 1.0, servers)
    assert result.throughput_per_s == pytest.approx(p @ np.minimum(n, servers), rel=1e-6)
    assert result.throughput_per_s * (result.response_s + think) == pytest.approx(clients)


@pytest.mark.parametrize("clients", [1, 2, 10, 50])
def test_machine_repair_quantiles_average_to_its_mean(clients):
    mean = np.mean([f.machine_repair_quantile(clients, 5.0, 1.0, (i + 0.5) / 1000) for i in range(1000)])
    assert mean == pytest.approx(f.machine_repair(clients, 5.0, 1.0).response_s, rel=5e-3)


def test_machine_repair_holds_ten_thousand_clients():
    assert f.machine_repair(10_000, 100.0, 0.005, 1).throughput_per_s == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize("clients", [1, 4, 30])
def test_mva_of_one_station_is_machine_repair(clients):
    ours, theirs = f.mva([0.2], clients, 1.0), f.machine_repair(clients, 1.0, 0.2)
    assert ours.throughput_per_s == pytest.approx(theirs.throughput_per_s)
    assert ours.population[0] == pytest.approx(theirs.population[0])


def test_mva_equals_the_normalising_constant_of_two_stations():
    demands, clients = (0.3, 0.5), 6
    g = [sum(demands[0] ** i * demands[1] ** (n - i) for i in range(n + 1)) for n in range(clients + 1)]
    assert f.mva(demands, clients).throughput_per_s == pytest.approx(g[-2] / g[-1])


@pytest.mark.parametrize("clients", [1, 3, 10, 100])
def test_mva_respects_the_asymptotic_bounds(clients):
    result = f.mva([0.1, 0.4, 0.2], clients, 2.0)
    assert result.throughput_per_s <= f.throughput_bound([0.1, 0.4, 0.2], clients, 2.0) + 1e-12
    assert result.response_s >= f.response_bound([0.1, 0.4, 0.2], clients, 2.0) - 1e-12


def test_jackson_tandem_equals_the_solved_chain_of_two_queues():
    size, rate = 45, 0.5
    a, b = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    joint = (1 - 0.5) * 0.5**a * (1 - 0.4) * 0.4**b
    balance = (
        rate * joint[:-2, 1:-1][:-1] + 1.0 * joint[2:, :-2][:-1] + 1.25 * joint[1:-1, 2:][:-1] - (rate + 2.25) * joint[1:-1, 1:-1][:-1]
    )
    assert np.abs(balance).max() < 1e-12  # the product form solves the global balance inside
    assert f.jackson(rate, [(1, 1.0, 1), (1, 0.8, 1)]).response_s * rate == pytest.approx(1.0 + 0.4 / 0.6)


def test_jackson_counts_visits():
    assert f.jackson(1.0, [(2, 0.2, 1)]).response_s == pytest.approx(2 * f.mm1(2.0, 0.2).response_s)


def test_tandem_quantile_of_two_mm1_is_hypoexponential():
    fast, slow = 1 / 0.5 - 1, 1 / 0.8 - 1  # rates of the two exponential response times at one request a second
    t = f.tandem_quantile(1.0, (0.5, 1), (0.8, 1), 0.95)
    assert (fast * math.exp(-slow * t) - slow * math.exp(-fast * t)) / (fast - slow) == pytest.approx(0.05, rel=1e-4)


def test_fork_join_equals_the_solved_chain():
    """The join's mean by solving the truncated two-dimensional chain of both queue lengths, and Little's law on the longer one."""
    rate, size = 0.4, 40
    p = np.zeros((size, size))
    p[0, 0] = 1.0
    speed = rate + 2.0
    for _ in range(6000):
        moved = np.zeros_like(p)
        moved[1:, 1:] += rate * p[:-1, :-1]
        moved[-1, :] += rate * p[-1, :]
        moved[:-1, -1] += rate * p[:-1, -1]
        moved[:-1, :] += p[1:, :]
        moved[0, :] += p[0, :]
        moved[:, :-1] += p[:, 1:]
        moved[:, 0] += p[:, 0]
        p = moved / speed
    i, j = np.indices(p.shape)
    assert p.sum() == pytest.approx(1)
    assert (p * np.maximum(i, j)).sum() / rate == pytest.approx(f.fork_join_2(rate, 1.0), rel=1e-6)


@pytest.mark.parametrize(
    "call", [lambda: f.mm1(1, 1), lambda: f.mmc(4, 1, 4), lambda: f.mg1(2, 1, 1), lambda: f.jackson(1, [(1, 0.2, 1), (2, 0.5, 1)])]
)
def test_no_steady_state_is_an_error_that_says_so(call):
    with pytest.raises(f.UnstableError, match="no steady state"):
        call()
