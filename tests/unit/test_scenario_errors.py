"""Scenarios that are wrong: each mistake is told where it stands, with what was expected, an example and a guess."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import re

import pytest
from helpers.effort import effort
from helpers.mistakes import MM1, WEB, mistakes, mm1, mm1_service, mm1_steps, mm1_workload, only

from simvirt.errors import ScenarioError
from simvirt.scenario import loads


def test_the_mistake_of_the_manual() -> None:
    assert only(WEB.replace("threads: 64 ", "thread: 64 ")) == 'x.yaml:16:5: services.web.thread: unknown key; did you mean "threads"?'


def test_all_mistakes_at_once_in_the_order_of_the_file() -> None:
    text = (WEB.replace("threads: 64 ", "thread: 64 ").replace("mean: 1.5ms", "mean: 5").replace("db.select", "db.selct")
            .replace("800/s", "800rps").replace("10min", ".nan").replace("512MiB", "512M").replace("objective", "objectives"))
    lines = mistakes(text)
    assert len(lines) == 7
    assert [int(line.split(":")[1]) for line in lines] == sorted(int(line.split(":")[1]) for line in lines)
    assert "pydantic" not in "\n".join(lines) and "http" not in "\n".join(lines)


@pytest.mark.parametrize(("text", "expected"), [
    (mm1_service("{thread: 1, operations: {job: [{cpu: 1ms}]}}"), r'services\.server\.thread: unknown key; did you mean "threads"\?'),
    (mm1_service("{memory: 1GiB, operations: {job: [{cpu: 1ms}]}}"), r"memory: expected a mapping, for example .*mem_limit"),
    (mm1_service("{operations: {job: [{disk: {read: 8KiB, working_set: 1GiB, hit: 0.5}}]}}"), r"hit: follows from the working set"),
    (mm1_service("{operations: {job: [{disk: {read: 8KiB, zipf: 0.5}}]}}"), r"zipf: has no effect without a working set"),
    (mm1_service("{operations: {job: [{disk: {write: 8KiB, working_set: 1GiB}}]}}"), r"working_set: only reads have a working set"),
    (mm1_service("{operations: {job: [{disk: {read: 8KiB, working_set: 1KiB}}]}}"), r"working_set: expected at least one read"),
    (mm1_service("{memory: {heap: 1GiB}, operations: {job: [{cpu: 1ms}]}}"), r"memory.heap: bounds a growth that is not there"),
    (mm1_service("{zzz: 1, operations: {job: [{cpu: 1ms}]}}"), r"unknown key; known here: image, profile, deploy"),
    (mm1("exponential: 10ms", "exponential: 10"), r'cpu\.exponential: expected a time with a unit, for example 1\.5ms; got the bare number 10'),
    (mm1("exponential: 10ms", "exponential: 10MB"), r'exponential: expected a time, for example 1\.5ms \(units: .*\); got "10MB"'),
    (mm1("exponential: 10ms", "exponential: .nan"), r"exponential: expected a time that is a finite number"),
    (mm1("exponential: 10ms", "exponential: .inf"), r"exponential: expected a time that is a finite number"),
    (mm1("exponential: 10ms", "exponential: -10ms"), r"exponential: expected a time above 0"),
    (mm1("exponential: 10ms", "exponential: 0ms"), r"exponential: expected a time above 0"),
    (mm1("exponential: 10ms", "exponental: 10ms"), r'cpu\.exponental: unknown distribution; did you mean "exponential"\?'),
    (mm1("exponential: 10ms", "mean: 10ms"), r"expected the kind of the distribution first"),
    (mm1("{exponential: 10ms}", "{lognormal: {mean: 4ms}}"), r'lognormal\.cv: missing \(standard deviation over mean\), for example "cv: 1"'),
    (mm1("{exponential: 10ms}", "{lognormal: 4ms}"), r"lognormal: expected a mapping, for example \{mean: 4ms, cv: 1\}"),
    (mm1("{exponential: 10ms}", "{pareto: {mean: 4ms, shape: 1}}"), r"shape: expected a number above 1"),
    (mm1("{exponential: 10ms}", "{hyperexponential: {mean: 4ms, cv: 0.5}}"), r"cv: expected a number from 1"),
    (mm1("{exponential: 10ms}", "{uniform: {low: 4ms, high: 1ms}}"), r"expected high to be at least low"),
    (mm1("{exponential: 10ms}", "{exponential: 4ms, gamma: {mean: 1ms, cv: 1}}"), r"expected one distribution"),
    (mm1("{exponential: 10ms}", "[]"), r"cpu: expected a time or a distribution, for example 4ms, \{exponential: 4ms\}"),
    (mm1("{exponential: 10ms}", "{gamma: {kind: gamma, mean: 4ms, cv: 1}}"), r"gamma\.kind: unknown key"),
    (mm1("80/s", "-80/s"), r"open\.rate: expected a rate above 0"),
    (mm1("80/s", "1e300/s"), r"open\.rate: expected a rate of at most 1e12/s"),
    (mm1("80/s", "80"), r"open\.rate: expected a rate with a unit, for example 800/s"),
    (mm1("threads: 1", "threads: 0"), r"services\.server\.threads: expected a whole number from 1 .* or unlimited or cores, for example 64; got 0"),
    (mm1("threads: 1", "threads: 1.5"), r"services\.server\.threads: expected a whole number"),
    (mm1("threads: 1", "threads: true"), r"services\.server\.threads: .* got true"),
    (mm1("threads: 1", "threads: 99999999999"), r"services\.server\.threads: expected a whole number"),
    (mm1("threads: 1", f"threads: {'9' * 5000}"), r"services\.server\.threads: expected a whole number"),
    (mm1("mix: {server.job: 1}", "mix: {}"), r"workload\.mix: expected at least one operation with a weight above 0"),
    (mm1("server.job: 1", "server.job: 0"), r"workload\.mix: expected at least one operation with a weight above 0"),
    (mm1("server.job: 1", "server.job: -1"), r"workload\.mix\.server\.job: expected a number from 0"),
    (mm1("server.job: 1", "server.jop: 1"), r'workload\.mix\.server\.jop: service "server" has no operation "jop"; did you mean "server\.job"\?'),
    (mm1("server.job: 1", "sever.job: 1"), r'unknown service "sever"; did you mean "server\.job"\?'),
    (mm1("server.job: 1", "job: 1"), r"workload\.mix\.job: expected service\.operation, for example db\.select"),
    (mm1("[bare-metal]", "[]"), r"platforms: expected at least one entry, for example \[bare-metal, docker, kvm\]; got an empty list"),
    (mm1("[bare-metal]", "bare-metal"), r'platforms: expected a list, for example \[bare-metal, docker, kvm\]; got "bare-metal"'),
    (mm1("[bare-metal]", "[kvm, {name: kvm}]"), r'platforms\.1\.name: a platform named "kvm" is already there'),
    (mm1("[bare-metal]", "[{name: x, stack: kvm}]"), r'platforms\.0\.stack: expected a list'),
    (mm1("simvirt: 1\n", ""), r'x\.yaml:1:1: simvirt: missing \(version of the schema\), for example "simvirt: 1"'),
    (mm1("simvirt: 1", "simvirt: 2"), r"simvirt: this version of simvirt reads schema version 1"),
    (mm1("name: mm1\n", ""), r"name: missing \(name of the scenario\)"),
    (mm1("host: {cores: 1, memory: 4GiB}\n", ""), r"host: missing"),
    (mm1("host: {cores: 1, memory: 4GiB}", "host: {cores: 1}"), r"3:1: host: a host without a model needs memory"),
    (mm1("cores: 1", "cores: -1"), r"host\.cores: expected a whole number from 1 to 4096, for example 14; got -1"),
    (mm1("4GiB", "4"), r"host\.memory: expected a size with a unit, for example 512MiB; got the bare number 4"),
    (mm1("4GiB}", "4GiB, nic: 25}"), r"host\.nic: expected a bandwidth with a unit, for example 25Gbps"),
    (mm1("4GiB}", "4GiB, nic: 25GBps}"), r"host\.nic: expected a bandwidth"),
    (mm1("4GiB}", "4GiB, scheduler: efdf}"), r'scheduler\.policy: expected one of eevdf, cfs, credit, credit2, esxi, hyperv, round-robin, gps; got "efdf"; did you mean "eevdf"'),
    (mm1("4GiB}", "4GiB, scheduler: {policy: cfs, quantum: 1ms}}"), r"scheduler\.quantum: cfs has no such parameter; it has latency"),
    (mm1("4GiB}", "4GiB, disk: {}}"), r"host\.disk: expected a name of the catalogue, for example nvme; got an empty mapping"),
    (mm1_service("{threads: 1}"), r"services\.server: expected operations or a background"),
    (mm1_service(""), r"services\.server: expected a mapping, for example .*; got nothing"),
    (mm1_service("{operations: {job: []}}"), r"operations\.job: expected at least one entry"),
    (mm1_service("{cpus: 1, cpu_quota: 50ms, operations: {job: [{cpu: 1ms}]}}"), r"cpu_quota: given twice; expected either cpu_quota or cpus"),
    (mm1_service("{scale: 1, deploy: {replicas: 2}, operations: {job: [{cpu: 1ms}]}}"), r"scale: given twice"),
    (mm1_service("{cpu_shares: 4, cpu_weight: 2, operations: {job: [{cpu: 1ms}]}}"), r"cpu_shares: given twice"),
    (mm1_service("{cpu_period: 50ms, operations: {job: [{cpu: 1ms}]}}"), r"cpu_period: has no effect without a limit"),
    (mm1_service("{cpu_quota: 5ms, cpu_burst: 6ms, operations: {job: [{cpu: 1ms}]}}"), r"cpu_burst: expected at most the quota of 5 ms; got 6 ms"),
    (mm1_service("{cpu_quota: 5us, operations: {job: [{cpu: 1ms}]}}"), r"cpu_quota: the kernel refuses less than 1ms"),
    (mm1_service("{cpu_quota: 5ms, cpu_period: 2s, operations: {job: [{cpu: 1ms}]}}"), r"cpu_period: expected a period of 1ms to 1s"),
    (mm1_service("{cpuset: 3-1, operations: {job: [{cpu: 1ms}]}}"), r'cpuset: expected CPU numbers up to 65535, for example "0-3,8"'),
    (mm1_service("{cpuset: 0-99999999999, operations: {job: [{cpu: 1ms}]}}"), r"cpuset: expected CPU numbers"),
    (mm1_service("{cpuset: '3', operations: {job: [{cpu: 1ms}]}}"), r"cpuset: expected CPUs from 0 to 0, those of the host; got 3"),
    (mm1_service("{deploy: {resources: {reservations: {cpus: 0.6}}}, cpus: 0.5, operations: {job: [{cpu: 1ms}]}}"), r"reservations\.cpus: expected at most the limit of 0\.5 CPUs; got 0\.6"),
    (mm1_service("{scale: 2, deploy: {resources: {reservations: {cpus: 0.6}}}, operations: {job: [{cpu: 1ms}]}}"), r"reservations\.cpus: expected at most the 1 CPUs of the host in all reservations together; got 1\.2"),
    (mm1_service("{cpus: 3, operations: {job: [{cpu: 1ms}]}}"), r"server\.cpus: expected at most the 1 CPUs of the host; got 3"),
    (mm1_service("{mem_limit: 8GiB, operations: {job: [{cpu: 1ms}]}}"), r"mem_limit: expected at most the 4 GiB of the host; got 8 GiB"),
    (mm1("4GiB", "1KiB"), r"host\.memory: expected a size of at least 64MiB, for example 192GiB; got \"1KiB\""),
    (mm1("4GiB", "4GiB, clock: 1Hz"), r"host\.clock: expected a frequency of at least 100MHz, for example 2\.6GHz; got \"1Hz\""),
    (mm1("4GiB}", "4GiB}\nmeasured_on: {clock: 1Hz}"), r"measured_on\.clock: expected a frequency of at least 100MHz"),
    (mm1_steps("[{cpu: 1ms, measured_on: {clock: 99MHz}}]"), r"measured_on\.clock: expected a frequency of at least 100MHz"),
    (mm1("4GiB", "4GiB, nic: 1bps"), r"host\.nic: expected a bandwidth of at least 1Mbps, for example 25Gbps; got \"1bps\""),
    (mm1("4GiB", "4GiB, kernel_entry: 1d"), r"host\.kernel_entry: expected a time of at most 1ms, for example 300ns; got \"1d\""),
    (mm1("4GiB", "4GiB, memory_ratio: 1.0e-9"), r"host\.memory_ratio: expected a number from 0\.01 to 100"),
    (mm1("[bare-metal]", "[{name: x, stack: [kvm, docker], vms: {count: 1, vcpus: 1, memory: 1B}}]"), r"vms\.memory: expected a size of at least 16MiB"),
    (mm1_service("{mem_limit: 1B, operations: {job: [{cpu: 1ms}]}}"), r"mem_limit: expected a size of at least 6MiB, for example 512MiB; got \"1B\""),
    (mm1_service("{mem_high: 1B, operations: {job: [{cpu: 1ms}]}}"), r"mem_high: expected a size of at least 6MiB"),
    (mm1_service("{mem_reservation: 1B, operations: {job: [{cpu: 1ms}]}}"), r"mem_reservation: expected a size of at least 6MiB"),
    (mm1_service("{deploy: {resources: {limits: {memory: 1B}}}, operations: {job: [{cpu: 1ms}]}}"), r"limits\.memory: expected a size of at least 6MiB"),
    (mm1_service("{scale: 100000, threads: 1000, operations: {job: [{cpu: 1ms}]}}"), r"services: expected at most 20000000 threads in all"),
    (mm1_service("{balance: rr, operations: {job: [{cpu: 1ms}]}}"), r"balance: expected one of round-robin, least-connections"),
    (mm1_steps("[{cpuu: 1ms}]"), r'operations\.job\.0\.cpuu: unknown verb; did you mean "cpu"\?'),
    (mm1_steps("[{times: 2}]"), r"operations\.job\.0: expected a step with one of cpu, call"),
    (mm1_steps("[cpu]"), r"operations\.job\.0: expected a step, for example .*; got \"cpu\""),
    (mm1_steps("{cpu: 1ms}"), r"operations\.job: expected a list"),
    (mm1_steps("[{cpu: 1ms, delay: 1ms}]"), r"expected one verb in a step, got cpu and delay; write two steps"),
    (mm1_steps("[{cpu: 1ms, time: 2}]"), r'job\.0\.time: unknown key; did you mean "times"\?'),
    (mm1_steps("[{cpu: 1ms, times: 0}]"), r"times: expected a whole number from 1"),
    (mm1_steps("[{cpu: 1ms, probability: 1.5}]"), r"probability: expected a ratio from 0 to 1, for example 0\.3 or 30%; got 1\.5"),
    (mm1_steps("[{disk: {read: 1KiB, write: 1KiB}}]"), r"disk: expected either read or write"),
    (mm1_steps("[{disk: {write: 1KiB, hit: 0.5}}]"), r"disk\.hit: only reads can hit the page cache"),
    (mm1_steps("[{disk: {read: 1KiB, sync: true}}]"), r"disk\.sync: only writes can be synchronous"),
    (mm1_steps("[{disk: {write: 1KiB, sync: 1}}]"), r"disk\.sync: expected true or false, for example true; got 1"),
    (mm1_steps("[{net: {}}]"), r"net: expected out, in or both"),
    (mm1_steps("[{parallel: []}]"), r"parallel: expected at least one entry"),
    (mm1_steps("[{parallel: [{cpu: 1}]}]"), r"job\.0\.parallel\.0\.cpu: expected a time with a unit"),
    (mm1_steps("[{parallel: [[{cpu: 1}]]}]"), r"job\.0\.parallel\.0\.0\.cpu: expected a time with a unit"),
    (mm1_steps("[{call: nothing}]"), r"job\.0\.call: expected service\.operation, for example db\.select"),
    (mm1_steps("[{call: server.jab}]"), r'has no operation "jab"; did you mean "server\.job"\?'),
    (mm1_service("{operations: {job: [{cpu: 1ms}]}, startup: [{call: server.job}]}"), r"startup\.0\.call: a start-up consists of the steps cpu, disk, files, delay"),
    (mm1_steps("[{call: server.job}]"), r"job\.0\.call: operations call one another in a cycle: server\.job -> server\.job"),
    (mm1_steps("[{cpu: 1ms, times: 20000}, {cpu: 1ms}]"), r"operations\.job: expected at most 20000 steps in a request"),
    (mm1_workload("{}"), r"workload: expected one of open, closed, trace, rates, for example"),
    (mm1_workload("{open: {rate: 1/s}, closed: {clients: 1}}"), r"workload\.closed: expected only one of open, closed, trace, rates; got open and closed"),
    (mm1_workload("{open: {}}"), r"workload\.open: expected one of rate, piecewise, diurnal, mmpp"),
    (mm1_workload("{open: 80/s}"), r'workload\.open: expected a mapping, for example \{rate: 800/s\}; got "80/s"'),
    (mm1_workload("{closed: {clients: 0}}"), r"closed\.clients: expected a whole number from 1"),
    (mm1_workload("{open: {mmpp: {rates: [1/s, 2/s], sojourn: [1s, 2s, 3s]}}}"), r"sojourn: expected one for each rate"),
    (mm1_workload("{open: {piecewise: [{for: 1s, rate: 0/s}]}}"), r"piecewise: expected a rate above 0 in one of the pieces"),
    (mm1_workload("{trace: {file: a.csv, at: when}}"), r"trace\.at: expected a column that ends in its unit"),
    (mm1("workload: {open: {rate: 80/s}, mix: {server.job: 1}}\n", ""), r"x\.yaml:1:1: workload: missing \(where requests come from\)"),
    (mm1("requests: 1000000", "requests: 1000000, duration: 1s"), r"run\.requests: expected only one of duration, requests"),
    (mm1("requests: 1000000", "duration: 10s, warmup: 10s"), r"run\.warmup: expected less than the duration"),
    (mm1("requests: 1000000", "duration: 36500d").replace("80/s", "1000000/s"), r"run\.duration: expected at most 1e\+10 requests in a replication"),
    (mm1("requests: 1000000", "precision: 2%, max_replications: 1"), r"max_replications: expected at least replications"),
    (mm1("requests: 1000000", "requests: 1e6000"), r"run\.requests: expected a whole number"),
    (mm1("seed: 1", "seed: -1"), r"run\.seed: expected a whole number from 0"),
    (mm1("replications: 5", "replications: 5000"), r"run\.replications: expected a whole number from 1 to 1000, for example 5; got 5000"),
    (MM1 + "objective: {}", r"objective: expected at least one of latency_mean"),
    (MM1 + "objective: {p99: 3ms}", r'objective\.p99: unknown key; did you mean "latency_p99"\?'),
    (MM1 + "timeline: [{at: 1s}]", r"timeline\.0: expected one of start, stop, crash"),
    (MM1 + "timeline: [{at: 1s, stop: sever}]", r'timeline\.0\.stop: unknown service "sever"; did you mean "server"\?'),
    (MM1 + "timeline: [{at: 1s, stop: server, restart: 1s}]", r"restart: only a crash has a restart"),
    (MM1 + "timeline: [{at: 1s, stop: server, replica: 1}]", r'replica: expected a replica of "server" from 0 to 0; got 1'),
    (mm1("requests: 1000000", "duration: 9s") + "timeline: [{at: 9s, stop: server}]", r"at: expected an instant before the end of the run at 9 s"),
    (MM1 + "inclde: x", r'inclde: unknown key; did you mean "include"\?'),
    (MM1 + "threads:4", r"not YAML"),
    (mm1("threads: 1", "threads:1"), r'did you mean "threads: 1", with a space after the colon\?'),
    (mm1("server:", "a b:"), r"services\.a b: expected a name of letters, digits, - and _, for example web-1"),
])
def test_each_mistake(text: str, expected: str) -> None:
    lines = mistakes(text)
    assert any(re.search(expected, line) for line in lines), lines
    assert all(re.match(r"x\.yaml:\d+:\d+: ", line) for line in lines), lines


def test_no_services() -> None:
    lines = mistakes(mm1("services:\n  server: {threads: 1, operations: {job: [{cpu: {exponential: 10ms}}]}}\n", "services: {}\n"))
    assert any("services: expected at least one entry, for example {server:" in line for line in lines)


def test_circles_of_calls() -> None:
    text = WEB.replace("select: [", "select: [{call: db.insert}, ").replace("insert: [", "insert: [{call: web.GET /}, ")
    assert only(text).endswith("operations call one another in a cycle: web.GET / -> db.select -> db.insert -> web.GET /")


def test_duplicate_keys() -> None:
    assert only(mm1("threads: 1,", "threads: 1, threads: 2,")) == (
        "x.yaml:6:24: services.server.threads: duplicate key; it is already given in line 6")


@pytest.mark.parametrize(("text", "expected"), [
    ("", "x.yaml:1:1: empty"), ("# nothing\n", "x.yaml:1:1: empty"), ("just text", "expected a mapping, which begins with simvirt: 1"),
    ("[1, 2]", "got a list"), ("a: [1", "not YAML"), ("a: {b: 1", "not YAML"), ("a:\n\t- b", "tab cannot indent"), ("a: b: c", "needs quotes"),
    ("a: 'b", "does not end"), ("simvirt: 1\n---\nsimvirt: 1", "one YAML document"), ("a: *b", "unknown alias"), ("a: &a [*a]", "is inside the value"),
    ("? [a]\n: b", "expected a name as key"), ("<<: 3", "expected a mapping to merge"), ("a: \x00", "binary file"), ("a: \x07", "U+0007"),
    ("a: \ud800", "U+D800"), ("a: " + "[" * 100 + "]" * 100, "at most 40 nested lists"), ("{" * 100, "expected a name as key"), ("{a: " * 100000, "at most 40 nested lists"), ("[" * 1000000, "at most 40"),
    ("a: !!python/object/apply:os.system ['true']", "not understood"), ("a: !!python/name:os.system", "not understood"), ("a: !foo 1", "not understood"),
    ("a: !!binary aGk=", "not understood"), ("%YAML 9.9\n---\na: 1", "not YAML"), ("- " * 60 + "a", "at most 40"), ("a: @b", "needs quotes"),
])
def test_yaml_that_cannot_be_a_scenario(text: str, expected: str) -> None:
    work, lines = effort(mistakes, text)
    assert work < 20_000, "read to the mistake, not to the end"
    assert any(expected in line for line in lines), lines
    assert all(re.match(r"x\.yaml:\d+:\d+: ", line) for line in lines), lines


def test_braces_without_end_are_refused_in_the_words_of_either_parser() -> None:
    """PyYAML before 6.0.4 hands over the second brace, which is no key; later ones count how deep they are first."""
    (line,) = mistakes("{" * 100000)
    assert line in (
        "x.yaml:1:2: expected a name as key; got a list or mapping (are quotes missing around a text?)",
        "x.yaml:1:1001: not YAML: expected at most 40 nested lists and mappings",
    )


def test_alias_bombs() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    work, lines = effort(mistakes, bomb)
    assert "at most 100000 values in a file, those that aliases repeat included" in lines[0]
    assert work < 20_000, "counted, not unfolded"


def test_merge_bombs() -> None:
    bomb = "a0: &a0 {x0: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 12))
    work, lines = effort(mistakes, bomb)
    assert "at most 100000 values" in lines[0]
    assert work < 20_000, "counted, not unfolded"


def test_huge_texts_and_many_mistakes() -> None:
    assert "at most 4 MiB" in mistakes("#" * (4 * 2**20 + 1))[0]
    few, many = (effort(mistakes, "\n".join(f"k{n}: {n}" for n in range(lines))) for lines in (2_000, 20_000))
    assert len(many[1]) == 101
    assert re.search(r"and \d+ more mistakes", many[1][-1])
    assert many[0] < 12 * few[0], "ten times as many mistakes take ten times the work"


def test_a_long_chain_of_calls_and_an_explosion() -> None:
    chain = ", ".join(f"o{n}: [{{call: server.o{n + 1}, times: 2}}]" for n in range(300))
    lines = mistakes(mm1_service(f"{{operations: {{job: [{{call: server.o0}}], {chain}, o300: [{{cpu: 1ms}}]}}}}"))
    assert any("expected at most 20000 steps in a request" in line for line in lines)


def test_no_mistake_hides_another_kind() -> None:
    lines = mistakes(mm1_steps("[{cpu: 1}, {call: no.where}]"))
    assert len(lines) == 2


def test_an_error_is_one_for_programs_too() -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(mm1("threads: 1", "threads: 0"), "x.yaml")
    issue, = caught.value.issues
    assert (issue.file, issue.line, issue.column, issue.path) == ("x.yaml", 6, 21, "services.server.threads")
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("step", ["{cpu: 0ms}", "{call: db.query}", "{disk: {write: 4KiB}}", "{parallel: [{cpu: 0ms}]}"])
def test_clients_that_never_let_time_pass_are_refused(step):
    text = (
        "simvirt: 1\nname: x\nhost: {cores: 1, memory: 4GiB}\nplatforms: [bare-metal]\n"
        f"services:\n  web: {{operations: {{get: [{step}]}}}}\n  db: {{operations: {{query: [{{cpu: 0ms}}]}}}}\n"
        "workload: {closed: {clients: 3}, mix: {web.get: 1}}\nrun: {requests: 100}\n"
    )
    with pytest.raises(ScenarioError, match="takes no time"):
        loads(text)


@pytest.mark.parametrize("key", ["mem_reservation", "mem_high"])
def test_reservations_lie_within_the_limit(key: str) -> None:
    """As Docker and Compose ask for."""
    text = f"""
simvirt: 1
name: x
host: {{cores: 1, memory: 1GiB}}
platforms: [docker]
services: {{web: {{mem_limit: 64MiB, {key}: 65MiB, operations: {{get: [{{cpu: 1ms}}]}}}}}}
workload: {{open: {{rate: 1/s}}}}
"""
    with pytest.raises(ScenarioError, match=f"services.web.{key}: expected at most the memory limit of 64 MiB; got 65 MiB"):
        loads(text)
    loads(text.replace("65MiB", "64MiB"))
