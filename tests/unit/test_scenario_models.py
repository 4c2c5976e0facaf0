"""Scenarios that are right: what comes out of each way to write them."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from helpers.mistakes import FIXTURES, MM1, WEB, mm1, mm1_service, mm1_steps, mm1_workload

from simvirt.scenario import (
    CallStep, Constant, CpuStep, DiskStep, Exponential, HostSpec, Lognormal, NetStep, ParallelStep, PlatformSpec, Scenario, json_schema,
    load, loads,
)
from simvirt.scenario.spec.distributions import KINDS


def test_the_web_shop() -> None:
    scenario = load(FIXTURES / "web.yaml")
    assert scenario.name == "web-shop"
    assert scenario.host == HostSpec(model="dell-r740-gold-6132")
    assert [platform.name for platform in scenario.platforms] == ["bare-metal", "docker", "kvm", "docker-on-kvm"]
    assert scenario.platforms[1].stack is None
    vms = scenario.platforms[3].vms
    assert scenario.platforms[3].stack == ("kvm", "docker")
    assert vms is not None and (vms.count, vms.vcpus, vms.memory) == (2, 8, 16 * 2**30)
    web = scenario.services["web"]
    assert (web.replicas, web.cpu_limit, web.memory_limit, web.quota_ns, web.period_ns) == (4, 2.0, 512 * 2**20, 200_000_000, 100_000_000)
    cpu, call, net = web.operations["GET /"]
    assert isinstance(cpu, CpuStep) and isinstance(cpu.cpu, Lognormal) and (cpu.cpu.mean, cpu.cpu.cv) == (1.5e6, 1.0)
    assert isinstance(call, CallStep) and (call.service, call.operation, call.times) == ("db", "select", 2)
    assert isinstance(net, NetStep) and net.net.out == 24 * 1024
    read, write = (scenario.services["db"].operations[name][1] for name in ("select", "insert"))
    assert isinstance(read, DiskStep) and (read.disk.read, read.disk.hit) == (8192, 0.98)
    assert isinstance(write, DiskStep) and (write.disk.write, write.disk.sync) == (16384, True)
    assert scenario.objective is not None and scenario.objective.limits == {"latency_p99": 100_000_000}
    assert (scenario.run.duration, scenario.run.replications, scenario.run.seed) == (600_000_000_000, 5, 1)
    assert scenario.mix == {"web.GET /": 9.0, "web.POST /order": 1.0}


def test_the_queue() -> None:
    scenario = load(FIXTURES / "mm1.yaml")
    step = scenario.services["server"].operations["job"][0]
    assert isinstance(step, CpuStep) and isinstance(step.cpu, Exponential) and step.cpu.mean == 1e7
    assert scenario.services["server"].threads == 1
    assert (scenario.run.requests, scenario.run.duration) == (1_000_000, None)
    assert scenario.host.cpus == 1
    assert scenario.host.scheduler.policy == "eevdf"


def test_the_throttled_neighbour() -> None:
    scenario = load(FIXTURES / "throttled.yaml")
    server, hog = scenario.services["server"], scenario.services["hog"]
    assert (server.quota_ns, server.period_ns, server.cpu_limit) == (50_000_000, 100_000_000, 0.5)
    assert hog.background is not None and (hog.background.threads, hog.background.duty) == (1, 1.0)
    assert hog.cpu_shares == 1024
    assert hog.threads == "unlimited"


@pytest.mark.parametrize(("text", "kind", "mean"), [
    ("4ms", "constant", 4e6), ("0s", "constant", 0), ("{exponential: 4ms}", "exponential", 4e6), ("{exponential: {mean: 4ms}}", "exponential", 4e6),
    ("{lognormal: {mean: 4ms, cv: 1}}", "lognormal", 4e6), ("{gamma: {mean: 4ms, cv: 0.5}}", "gamma", 4e6),
    ("{pareto: {mean: 4ms, shape: 2.5}}", "pareto", 4e6), ("{hyperexponential: {mean: 4ms, cv: 2}}", "hyperexponential", 4e6),
    ("{uniform: {low: 2ms, high: 6ms}}", "uniform", 4e6),
])
def test_distributions(text: str, kind: str, mean: float) -> None:
    step = loads(mm1_steps(f"[{{cpu: {text}}}, {{delay: {text}}}]")).services["server"].operations["job"][0]
    assert isinstance(step, CpuStep)
    assert (step.cpu.kind, step.cpu.mean) == (kind, mean)


def test_every_kind_has_its_own_name() -> None:
    assert all(spec.model_fields["kind"].default == kind for kind, spec in KINDS.items())


def test_an_empirical_distribution(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("demand_ms\n1\n3\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text(mm1("{exponential: 10ms}", "{empirical: d.csv}"), encoding="utf-8")
    step = load(tmp_path / "s.yaml").services["server"].operations["job"][0]
    assert isinstance(step, CpuStep) and step.cpu.kind == "empirical" and step.cpu.mean == 2e6


def test_branches_are_steps_or_lists() -> None:
    text = mm1_steps("[{parallel: [{cpu: 1ms}, [{delay: 1ms}, {net: {in: 2KiB}}]], probability: 30%, times: 3}]")
    step = loads(text).services["server"].operations["job"][0]
    assert isinstance(step, ParallelStep)
    assert [len(branch) for branch in step.parallel] == [1, 2]
    assert (step.probability, step.times) == (0.3, 3)
    assert isinstance(step.parallel[1][1], NetStep) and step.parallel[1][1].net.in_ == 2048


def test_shorthands() -> None:
    scenario = loads(mm1("host: {cores: 1, memory: 4GiB}", "host: dell-r740-gold-6132"))
    assert scenario.host.model == "dell-r740-gold-6132"
    assert loads(mm1("4GiB}", "4GiB, scheduler: {policy: cfs, latency: 6ms}}")).host.scheduler.latency == 6_000_000
    assert loads(mm1("4GiB}", "4GiB, nic: 25Gbps}")).host.nic == 25e9
    assert loads(mm1("4GiB}", "4GiB, nic: x710}")).host.nic == "x710"


def test_compose_words_and_cgroups() -> None:
    service = loads(mm1_service(
        "{cpus: '0.5', mem_limit: 1GiB, scale: 3, cpuset: '0', cpu_weight: 200, queue: 0, balance: two-choices, operations: {job: [{cpu: 1ms}]},"
        " startup: [{cpu: 1s}, {disk: {read: 1MiB}}, {delay: 3ms}]}")).services["server"]
    assert (service.replicas, service.cpu_limit, service.memory_limit, service.quota_ns) == (3, 0.5, 2**30, 50_000_000)
    assert (service.cpuset, service.queue, len(service.startup)) == ((0,), 0, 3)


def test_cpusets() -> None:
    host = mm1("cores: 1", "cores: 16")
    text = host.replace("{threads: 1, operations: {job: [{cpu: {exponential: 10ms}}]}}", "{cpuset: '0-3,8', operations: {job: [{cpu: 1ms}]}}")
    assert loads(text).services["server"].cpuset == (0, 1, 2, 3, 8)


@pytest.mark.parametrize(("workload", "rate"), [
    ("{rate: 80/s}", 80), ("{piecewise: [{for: 1s, rate: 10/s}, {for: 3s, rate: 50/s}]}", 40), ("{diurnal: {mean: 5/s, amplitude: 0.5}}", 5),
    ("{mmpp: {rates: [0/s, 100/s], sojourn: [9s, 1s]}, arrivals: deterministic}", 10),
])
def test_open_workloads(workload: str, rate: float) -> None:
    scenario = loads(mm1_workload(f"{{open: {workload}}}"))
    assert scenario.workload is not None and scenario.workload.open is not None
    assert scenario.workload.open.mean_rate == pytest.approx(rate)
    assert scenario.mix == {"server.job": 1.0}


def test_a_closed_workload() -> None:
    workload = loads(mm1_workload("{closed: {clients: 3}}")).workload
    assert workload is not None and workload.closed is not None
    assert isinstance(workload.closed.think, Constant) and workload.closed.think.mean == 0


def test_no_workload_beside_a_background() -> None:
    text = mm1("workload: {open: {rate: 80/s}, mix: {server.job: 1}}\n").replace("threads: 1,", "threads: 1, background: {duty: 30%},")
    assert loads(text).workload is None


def test_run_defaults() -> None:
    assert loads(mm1("run: {requests: 1000000, replications: 5, seed: 1}", "")).run.duration == 60_000_000_000
    run = loads(mm1("requests: 1000000", "requests: 5, precision: 2%")).run
    assert (run.precision, run.max_replications, run.warmup) == (0.02, 100, None)


def test_the_timeline() -> None:
    events = loads(MM1 + "timeline: [{at: 3s, crash: server, replica: 0, restart: 1s}, {at: 9s, stop: server}]\n").timeline
    assert [(event.verb, event.service, event.at) for event in events] == [("crash", "server", 3 * 10**9), ("stop", "server", 9 * 10**9)]


def test_anchors_and_merges() -> None:
    text = MM1.replace("  server: {threads: 1, operations: {job: [{cpu: {exponential: 10ms}}]}}",
                       "  server: &s {threads: 1, operations: {job: [{cpu: 1ms}]}}\n  other: {<<: *s, threads: 5}")
    services = loads(text).services
    assert services["other"].threads == 5
    assert services["other"].operations == services["server"].operations


def test_scenarios_are_frozen_and_travel() -> None:
    scenario = loads(WEB, "web.yaml")
    with pytest.raises(ValueError, match="frozen"):
        scenario.name = "other"
    copy = pickle.loads(pickle.dumps(scenario))
    assert copy == scenario
    assert copy.digest == scenario.digest
    assert copy.locate(("services", "web", "threads")) == ("web.yaml", 16, 14)


def test_the_digest_knows_content_not_form(tmp_path: Path) -> None:
    assert loads(MM1).digest == loads(mm1("10ms", "10000us").replace("[bare-metal]", "\n  - {name: bare-metal}")).digest
    assert loads(MM1).digest != loads(MM1, sets=["run.seed=2"]).digest
    assert len(loads(MM1).digest) == 64


def test_the_digest_knows_the_content_of_files(tmp_path: Path) -> None:
    digests = []
    for folder, content in (("a", "at_s\n1\n"), ("b", "at_s\n1\n"), ("c", "at_s\n2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.csv").write_text(content, encoding="utf-8")
        (tmp_path / folder / "s.yaml").write_text(mm1_workload("{trace: {file: t.csv, at: at_s}}"), encoding="utf-8")
        digests.append(load(tmp_path / folder / "s.yaml").digest)
    assert digests[0] == digests[1] != digests[2]


def test_python_objects_as_parts() -> None:
    scenario = loads(MM1)
    copy = Scenario(simvirt=1, name="x", host=HostSpec(model="m"), platforms=(PlatformSpec(name="docker"),), services=scenario.services,
                    workload=scenario.workload)
    assert copy.services == scenario.services
    assert copy.locate(("name",)) == (None, None, None)


def test_the_schema_is_json_and_knows_every_key() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert set(schema["properties"]) == {*(field.alias or name for name, field in Scenario.model_fields.items()), "include"}
    assert schema["additionalProperties"] is False
    text = json.dumps(schema)
    assert '"for"' in text and '"in"' in text and "for_" not in text
    assert all(kind in text for kind in KINDS)


def test_yaml_words_are_texts() -> None:
    scenario = loads(mm1("server", "on").replace("name: mm1", "name: no"))
    assert scenario.name == "no"
    assert list(scenario.services) == ["on"]


def test_the_schema_accepts_what_loads() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    yaml = pytest.importorskip("yaml")
    validator = jsonschema.Draft202012Validator(json_schema())
    branches = mm1_steps("[{parallel: [{cpu: 1ms}, [{delay: 1ms}, {net: {in: 2KiB}}]], probability: 30%, times: 3}]")
    for text in (WEB, MM1, branches, mm1("host: {cores: 1, memory: 4GiB}", "host: big"), mm1_workload("{closed: {clients: 3, think: {exponential: 1s}}}")):
        assert not list(validator.iter_errors(yaml.safe_load(text)))
    assert list(validator.iter_errors(yaml.safe_load(mm1("threads: 1", "thread: 1"))))
