"""`--set`: any leaf, by keys, indexes and names; what is wrong with one is told at the option."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import pytest
from helpers.mistakes import MM1, WEB, mistakes, only

from simvirt.scenario import CpuStep, loads


@pytest.mark.parametrize(("override", "path", "value"), [
    ("services.web.deploy.replicas=8", "services.web.replicas", 8),
    ("services.db.deploy.replicas=2", "services.db.replicas", 2),
    ("services.web.threads=unlimited", "services.web.threads", "unlimited"),
    ("services.web.deploy.resources.limits.cpus=0.5", "services.web.cpu_limit", 0.5),
    ("services.web.cpu_weight=5", "services.web.cpu_weight", 5),
    ("run.duration=2min", "run.duration", 120 * 10**9),
    ("run.requests=1000", "run.requests", 1000),
    ("run.requests=1000", "run.duration", None),
    ("host.cores=4", "host.cores", 4),
    ("host.scheduler=gps", "host.scheduler.policy", "gps"),
    ("host.scheduler.base_slice=1ms", "host.scheduler.base_slice", None),
    ("host={cores: 12, memory: 64GiB}", "host.cores", 12),
    ("platforms=[docker]", "platforms.0.name", "docker"),
    ("platforms.1=kvm2", "platforms.1.name", "kvm2"),
    ("platforms.docker-on-kvm.vms.count=5", "platforms.3.vms.count", 5),
    ("platforms.3.vms.count=6", "platforms.3.vms.count", 6),
    ("platforms.kvm.stack=[xen]", "platforms.2.stack", ("xen",)),
    ("workload.open.rate=5/s", "workload.open.rate", 5),
    ("workload.open.diurnal={mean: 5/s, amplitude: 0}", "workload.open.rate", None),
    ("workload.closed.clients=5", "workload.closed.clients", 5),
    ("workload.closed.clients=5", "workload.open", None),
    ("objective.latency_p99=5ms", "objective.latency_p99", 5_000_000),
    ("objective=null", "objective", None),
    ("objective=", "objective", None),
    ("name=a=b", "name", "a=b"),
])
def test_overrides(override: str, path: str, value: object) -> None:
    sets = ["host.scheduler.policy=eevdf", override] if "base_slice" in override else [override]
    found: object = loads(WEB, "web.yaml", sets)
    for part in path.split("."):
        found = found[part] if isinstance(found, dict) else found[int(part)] if isinstance(found, tuple) else getattr(found, part)
    assert found == (1_000_000 if "base_slice" in override else value)


def test_keys_with_dots_spaces_and_slashes() -> None:
    scenario = loads(WEB, sets=["workload.mix.web.GET /=3", "services.web.operations.GET /.0.cpu.gamma={mean: 2ms, cv: 1}",
                                "services.web.operations.GET /.1.times=5"])
    assert scenario.mix["web.GET /"] == 3
    cpu, call, _ = scenario.services["web"].operations["GET /"]
    assert isinstance(cpu, CpuStep) and cpu.cpu.kind == "gamma"
    assert call.times == 5


def test_a_mix_may_grow_and_a_service_be_added() -> None:
    scenario = loads(WEB, sets=["workload.mix.db.select=2", "services.hog={background: {}}"])
    assert scenario.mix["db.select"] == 2
    assert scenario.services["hog"].background is not None


def test_an_override_does_not_reach_through_an_alias() -> None:
    text = MM1.replace("  server: {threads: 1, operations: {job: [{cpu: {exponential: 10ms}}]}}",
                       "  server: &s {threads: 1, operations: {job: [{cpu: 1ms}]}}\n  other: *s")
    services = loads(text, sets=["services.other.threads=9"]).services
    assert (services["server"].threads, services["other"].threads) == (1, 9)


def test_the_last_override_wins_and_the_seed_over_all() -> None:
    assert loads(MM1, sets=["run.seed=3", "run.seed=4"]).run.seed == 4
    scenario = loads(MM1, sets=["run.seed=3"], seed=9)
    assert scenario.run.seed == 9
    assert scenario.locate(("run", "seed")) == ("--seed", None, None)
    assert loads(MM1.replace("run: {requests: 1000000, replications: 5, seed: 1}", ""), seed=9).run.seed == 9


@pytest.mark.parametrize(("override", "message"), [
    ("services.wbe.threads=3", '--set services.wbe.threads: unknown service "wbe"; did you mean "web"?'),
    ("services.web.thread=3", '--set services.web.thread: unknown key; did you mean "threads"?'),
    ("servics.web.threads=3", '--set servics.web.threads: servics: unknown key; did you mean "services"?'),
    ("services.web.operations.GETT /.0.cpu=1ms", '--set services.web.operations.GETT /.0.cpu: unknown operation "GETT /"; did you mean "GET /"?'),
    ("services.web.threads=abc", '--set services.web.threads: expected a whole number from 1 to 10000000 or unlimited or cores, for example 64; got "abc"'),
    ("run.duration=5", "--set run.duration: expected a time with a unit, for example 1.5ms; got the bare number 5"),
    ("platforms.9=x", '--set platforms.9: no entry "9"; expected an index from 0 to 3'),
    ("platforms.dcker.vms=x", '--set platforms.dcker.vms: unknown entry "dcker"; did you mean "docker"?'),
    ("name", "--set name: expected path=value, for example --set services.web.threads=8"),
    ("=3", "--set =3: expected path=value, for example --set services.web.threads=8"),
    ("a..b=3", "--set a..b=3: expected path=value, for example --set services.web.threads=8"),
    ("include=x.yaml", "--set include: unknown key; "),
    ("workload.mix.web.GET=1", '--set workload.mix.web.GET: service "web" has no operation "GET"; did you mean "web.GET /"?'),
    ("services.web.threads.x=1", "--set services.web.threads.x: services.web.threads: expected a whole number from 1"),
    ("run={a: 1, a: 2}", "--set run: duplicate key"),
    ("run=[", "--set run: not YAML: "),
])
def test_refused_overrides(override: str, message: str) -> None:
    assert any(line.startswith(message) for line in mistakes(WEB, [override])), mistakes(WEB, [override])


def test_overrides_and_the_file_are_told_together() -> None:
    lines = mistakes(WEB.replace("threads: 64", "threads: 0"), ["run.seed=x", "x"])
    assert [line.split(":")[0] for line in lines] == ["x.yaml", "--set x", "--set run.seed"]
    assert "seed" in only(WEB, ["run.seed=x"])


SHORT_AND_LONG = {
    "cpus": ("deploy.resources.limits.cpus", "2", "3"), "mem_limit": ("deploy.resources.limits.memory", "1GiB", "2GiB"),
    "scale": ("deploy.replicas", "2", "3"), "cpu_quota": ("deploy.resources.limits.cpus", "200ms", "3"),
}


@pytest.mark.parametrize("key", SHORT_AND_LONG)
def test_the_short_and_the_long_form_of_a_limit_replace_each_other(key: str) -> None:
    """Whichever stands in the file, and whichever an option or an including file says."""
    long, value, other = SHORT_AND_LONG[key]
    words = {"cpus": "cpu_limit", "cpu_quota": "cpu_limit", "mem_limit": "memory_limit", "scale": "replicas"}
    written = loads(MM1.replace("host:", "host:").replace("cores: 1", "cores: 4"), sets=[f"services.server.{key}={value}"])
    over = loads(MM1.replace("cores: 1", "cores: 4"), sets=[f"services.server.{key}={value}", f"services.server.{long}={other}"])
    back = loads(MM1.replace("cores: 1", "cores: 4"), sets=[f"services.server.{long}={other}", f"services.server.{key}={value}"])
    values = [getattr(spec.services["server"], words[key]) for spec in (written, over, back)]
    assert values[0] == values[2] != values[1]
