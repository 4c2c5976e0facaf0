"""The document of `simvirt plan`: which hosts, how many, what runs where, what it costs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Number, Program, ScenarioName, Utilisations, Verdict


class PlannedLoad(Document):
    """The load that the hosts have to carry [requests/s]."""

    stated_per_s: Number = Field(description="requests per second of the scenario")
    growth: Number = Field(description="growth of a year, as a ratio")
    years: Number = Field(description="years of growth")
    growth_factor: Number = Field(description="the load after these years, over the stated one")
    peak_to_mean: Number = Field(description="peak over mean")
    mean_per_s: Number = Field(description="mean load after growth")
    peak_per_s: Number = Field(description="peak load after growth")


class PlannedSite(Document):
    """Where the hosts stand."""

    name: str = Field(description="site of the catalogue")
    energy_price_usd_per_kwh: Number = Field(description="price of energy")
    pue: Number = Field(description="energy of the building over that of the hosts")
    round_trip_s: Number = Field(description="round trip between two hosts")


class Question(Document):
    """What was asked."""

    load: PlannedLoad = Field(description="the load")
    survive: int = Field(description="hosts that may be lost")
    headroom: Number = Field(description="ratio of each resource that is to stay free")
    memory_ratio: Number = Field(description="memory that may be promised, over that of the host")
    replicas: str = Field(description="how replicas are counted")
    site: PlannedSite = Field(description="where the hosts stand")
    amortisation_years: Number = Field(description="years over which hosts are paid for")


class Binding(Document):
    """The fullest resource of the fullest host at peak."""

    resource: str = Field(description="which")
    utilisation: Number = Field(description="how much of it is used")


class Headroom(Document):
    """What is free of the fullest resource."""

    peak: Number = Field(description="at peak")
    lost: Number | None = Field(description="with the lost hosts gone, `null` where none may be lost")


class MeanLatency(Document):
    """Latency of the whole system [s], over all replications together; `null` where nothing was answered."""

    mean: Number | None = Field(description="mean over requests")
    p50: Number | None = Field(description="median")
    p90: Number | None = Field(description="90th percentile")
    p95: Number | None = Field(description="95th percentile")
    p99: Number | None = Field(description="99th percentile")
    p999: Number | None = Field(description="99.9th percentile")


class SystemResult(Document):
    """All hosts together, simulated."""

    latency_s: MeanLatency = Field(description="latency of the whole system")
    objective: Mapping[str, Verdict] = Field(description="each limit of the scenario's objective")
    resources: Utilisations = Field(
        description="utilisation of the fullest host; `host.cpu` is throughput over the largest one"
    )
    stable: bool = Field(description="whether requests do not pile up")


class Cost(Document):
    """What a year costs [USD] and draws."""

    hosts: int = Field(description="hosts that are paid for")
    buy_usd: Number = Field(description="to buy the hosts, once")
    hardware_usd: Number = Field(description="of that, a year's part")
    upkeep_usd: Number = Field(description="upkeep")
    building_usd: Number = Field(description="the building, for each watt of the largest draw")
    energy_usd: Number = Field(description="energy, PUE included")
    rent_usd: Number = Field(description="rent of hosts that are not bought")
    mean_w: Number = Field(description="power of all hosts at the mean load")
    peak_w: Number = Field(description="power of all hosts at peak")
    energy_kwh: Number = Field(description="energy of a year, PUE included")
    year_usd: Number = Field(description="all parts of a year")
    month_usd: Number = Field(description="the same by the month")


class PlacementResult(Document):
    """A distinct load of a host at peak."""

    hosts: int = Field(description="hosts that carry it")
    replicas: Mapping[str, int] = Field(description="replicas on each, by service")
    memory_bytes: int = Field(description="memory used, the host's own included")
    promised_bytes: int = Field(description="memory promised")
    cpu: Number = Field(description="throughput over the largest one")
    disk: Number = Field(description="utilisation of the disk")
    nic: Number = Field(description="utilisation of the NIC")


class ScaledResult(Document):
    """A service with another number of replicas than stated."""

    stated: int = Field(description="replicas that the scenario states")
    planned: int = Field(description="replicas that the plan needs")
    reason: str = Field(description="`load` where the load asks for them, `objective` where the simulation showed that as many are needed")


class AlternativeResult(Document):
    """A platform on a host model; what follows `replicas` is absent where no number of hosts suffices."""

    rank: int = Field(description="place by the cost of a year")
    platform: str = Field(description="the platform")
    host: str = Field(description="the host model")
    feasible: bool = Field(description="whether some number of hosts suffices")
    reason: str | None = Field(description="if not, why")
    failed: bool = Field(default=False, description="`true` where an internal error ended the search for it")
    hosts: int | None = Field(
        description="how many there are, those that may be lost included; `null` where none suffice"
    )
    speed: Number = Field(
        description="of a core, relative to a core of the scenario's host: clock times work per cycle; CPU demands "
        "are divided by it"
    )
    simulations: int = Field(description="how many times a host was simulated for it, its levels and years included")
    replicas: Mapping[str, int] = Field(description="of each service in the whole system")
    scaled: Mapping[str, ScaledResult] = Field(default={}, description="services whose replicas are more or fewer than stated, and why")
    analytic_hosts: int = Field(default=0, description="how many hosts placement alone requires, before any simulation")
    lower_bound: int = Field(default=0, description="hosts that any placement needs, those to be lost included")
    packed_hosts: int = Field(default=0, description="how many hosts hold all replicas with the headroom kept free")
    proven: bool = Field(default=False, description="whether fewer hosts than placed are proven impossible")
    binding: Binding | None = Field(default=None, description="the fullest resource of the fullest host at peak")
    headroom: Headroom | None = Field(default=None, description="what is free of the fullest resource")
    peak: SystemResult | None = Field(default=None, description="the peak, simulated")
    mean: SystemResult | None = Field(default=None, description="the mean, simulated")
    lost: SystemResult | None = Field(
        default=None, description="the peak without the lost hosts, `null` where none may be lost"
    )
    cost: Cost | None = Field(default=None, description="of a year")
    placement: tuple[PlacementResult, ...] = Field(default=(), description="what runs where: distinct loads of hosts")
    hosts_by_year: tuple[int | None, ...] = Field(
        default=(), description="of the first alternative, where the load grows: hosts after 0, 1, 2 ... years"
    )


class Choice(Document):
    """A platform, a host model and a number of hosts; lists have an entry for each level of the load."""

    platform: str = Field(description="the platform")
    host: str = Field(description="the host model")
    hosts: int = Field(description="the number of hosts")
    costs_usd: tuple[Number, ...] = Field(description="of a year, with missing hosts bought late")
    missing_hosts: tuple[int, ...] = Field(description="hosts that it lacks")
    regrets_usd: tuple[Number, ...] = Field(description="its cost over that of the best choice")
    max_regret_usd: Number = Field(description="the largest regret")


class Minimax(Document):
    """The choice with the smallest largest regret."""

    platform: str = Field(description="the platform")
    host: str = Field(description="the host model")
    hosts: int = Field(description="the number of hosts")
    max_regret_usd: Number = Field(description="its largest regret")


class Regret(Document):
    """What each choice costs beyond the best in hindsight, where the load is uncertain."""

    levels: tuple[Number, ...] = Field(description="multiples of the load")
    premium: Number = Field(description="the extra cost of a host that is bought late, as a ratio of its cost")
    best_usd: tuple[Number, ...] = Field(description="a year of the best choice at each level")
    choices: tuple[Choice, ...] = Field(description="all choices, the smallest largest regret first")
    minimax: Minimax = Field(description="the first of them")


class PlanDocument(Document):
    """What `simvirt plan` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    scenario: ScenarioName = Field(description="which scenario was planned for")
    seed: int = Field(description="seed of all random streams")
    replications: int = Field(description="replications of each simulation")
    wall_s: Number = Field(description="wall-clock time of the command")
    simulations: int = Field(description="how many times a host was simulated, each with all replications")
    answer: str = Field(default="", description="the answer to the scenario's question in a sentence")
    plan: Question = Field(description="what was asked")
    alternatives: tuple[AlternativeResult, ...] = Field(
        description="the platforms on the host models, the cheapest first"
    )
    assumptions: tuple[str, ...] = Field(default=(), description="what was assumed where the scenario does not say it")
    warnings: tuple[str, ...] = Field(description="messages that say what makes the numbers less than they seem")
    regret: Regret | None = Field(
        default=None, description="where the load is uncertain: what each choice costs beyond the best"
    )
