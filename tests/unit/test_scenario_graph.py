"""The walk over steps and the graph of calls."""

import subprocess
import sys
from graphlib import CycleError

import pytest

from simvirt import run
from simvirt.errors import ScenarioError
from simvirt.scenario import CallStep, CpuStep, DelayStep, loads
from simvirt.scenario.graph import callees_first, calls, cycle, name_of, reached, visits
from simvirt.scenario.walk import elapsed, rewritten, walk

TEXT = """
simvirt: 1
name: graph
host: {cores: 4, memory: 8GiB}
platforms: [bare-metal]
services:
  web:
    threads: 8
    operations:
      GET /a.b:
        - cpu: 1ms
        - {call: db.read, times: 2, probability: 0.5}
        - times: 3
          probability: 0.5
          parallel: [[{call: cache.get}, {delay: 1ms, times: 2}], {call: db.read}]
      PUT: [{call: db.write}]
  db: {threads: 1, operations: {read: [{cpu: 1ms}], write: [{call: cache.get, probability: 0}, {cpu: 1ms}], idle: [{cpu: 1ms}]}}
  cache: {threads: 1, operations: {get: [{cpu: 1ms}]}}
workload: {open: {rate: 1/s}, mix: {web.GET /a.b: 3, web.PUT: 1}}
run: {duration: 1s}
"""
SCENARIO = loads(TEXT)
STEPS = SCENARIO.services["web"].operations["GET /a.b"]


def test_the_walk_meets_every_step_with_its_path_and_how_often():
    met = [(type(v.step).__name__, v.path, v.times, v.expected) for v in walk(STEPS, ("x",))]
    assert met == [
        ("CpuStep", ("x", 0), 1, 1.0),
        ("CallStep", ("x", 1), 2, 1.0),
        ("ParallelStep", ("x", 2), 3, 1.5),
        ("CallStep", ("x", 2, "parallel", 0, 0), 3, 1.5),
        ("DelayStep", ("x", 2, "parallel", 0, 1), 6, 3.0),
        ("CallStep", ("x", 2, "parallel", 1, 0), 3, 1.5),
    ]


def test_steps_are_rewritten_inside_branches_too_and_may_go_or_multiply():
    def change(step):
        return {CallStep: [], DelayStep: [step, step]}.get(type(step), [step])

    changed = rewritten(STEPS, change)
    assert [type(v.step).__name__ for v in walk(changed)] == ["CpuStep", "ParallelStep", "DelayStep", "DelayStep"]
    assert rewritten(STEPS, lambda step: [step]) == STEPS
    assert isinstance(STEPS[0], CpuStep) and changed[0] is STEPS[0]


GROUP = loads(TEXT.replace("get: [{cpu: 1ms}]", "get: [{repeat: [{delay: 1ms}, {cpu: 1ms, times: 2}], times: 5, probability: 0.5}]"))


def test_a_group_is_walked_and_rewritten_as_its_steps():
    steps = GROUP.services["cache"].operations["get"]
    assert [(type(v.step).__name__, v.path, v.times, v.expected) for v in walk(steps)] == [
        ("RepeatStep", (0,), 5, 2.5), ("DelayStep", (0, "repeat", 0), 5, 2.5), ("CpuStep", (0, "repeat", 1), 10, 5.0),
    ]
    (changed,) = rewritten(steps, lambda step: [] if isinstance(step, DelayStep) else [step])
    assert (len(changed.repeat), changed.times) == (1, 5)


def test_a_group_is_its_steps_again_and_again():
    """The same draws for the same steps: a group of constants takes exactly what its steps take when they are written out."""
    text = TEXT.replace("web.GET /a.b: 3, web.PUT: 1", "cache.get: 1").replace("duration: 1s", "requests: 200, replications: 1")
    group = "[{repeat: [{delay: 1ms}, {cpu: {exponential: 2ms}}], times: 3}]"
    plain = f"[{', '.join(['{delay: 1ms}, {cpu: {exponential: 2ms}}'] * 3)}]"
    found = [run(loads(text.replace("[{cpu: 1ms}]", steps))).typed().platforms for steps in (group, plain)]
    assert [p.latency_s for p in found[0].values()] == [p.latency_s for p in found[1].values()]
    assert [p.breakdown_s for p in found[0].values()] == [p.breakdown_s for p in found[1].values()]


def test_too_many_steps_in_groups_are_refused_with_their_place():
    nested = "[{repeat: [{repeat: [{cpu: 1ms}], times: 200}], times: 200}]"
    with pytest.raises(ScenarioError, match=r"services\.cache\.operations\.get: expected at most 20000 steps in a request"):
        loads(TEXT.replace("[{cpu: 1ms}]", nested))
    with pytest.raises(ScenarioError, match=r'get\.0\.repeat\.0\.call: service "db" has no operation "reed"; did you mean "db\.read"'):
        loads(TEXT.replace("get: [{cpu: 1ms}]", "get: [{repeat: [{call: db.reed}]}]"))


def test_a_name_is_split_at_its_first_dot():
    assert name_of("web.GET /a.b") == ("web", "GET /a.b")


def test_calls_are_counted_over_branches_repetitions_and_probabilities():
    assert calls(SCENARIO)["web", "GET /a.b"] == {("db", "read"): 2.5, ("cache", "get"): 1.5}
    assert calls(SCENARIO)["db", "read"] == {}


def test_what_is_reached_comes_depth_first_in_the_order_of_mention():
    assert reached({"a": ["b", "c"], "b": ["d"], "c": ["b"], "d": [], "e": ["a"]}, ["c", "a"]) == ["c", "b", "d", "a"]
    assert ("db", "idle") not in reached(calls(SCENARIO), map(name_of, SCENARIO.mix))


def test_a_long_chain_needs_no_recursion():
    edges = {n: [n + 1] for n in range(20_000)} | {20_000: []}
    assert len(reached(edges, [0])) == 20_001
    assert callees_first(edges)[0] == 20_000


def test_callees_come_first_and_a_cycle_has_no_order():
    order = callees_first(calls(SCENARIO))
    assert order.index(("cache", "get")) < order.index(("db", "write")) < order.index(("web", "PUT"))
    with pytest.raises(CycleError):
        callees_first({"a": ["b"], "b": ["a"]})


def test_a_cycle_comes_back_to_its_first_node():
    found = cycle([("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")])
    assert found is not None and found[0] == found[-1] and set(found) == {"b", "c"}
    assert cycle([("a", "b"), ("a", "c"), ("b", "c")]) is None


def test_visits_follow_the_calls_and_the_shares_of_the_mix():
    found = visits(calls(SCENARIO), SCENARIO.mix)
    assert found == {
        ("web", "GET /a.b"): 0.75, ("web", "PUT"): 0.25, ("db", "read"): 0.75 * 2.5, ("db", "write"): 0.25, ("db", "idle"): 0.0,
        ("cache", "get"): 0.75 * 1.5,
    }


def test_clients_without_thought_need_a_step_that_takes_time_and_can_happen():
    closed = ["workload.closed={clients: 1, think: 0s}", "workload.mix={web.PUT: 1}", "services.db.operations.write.1.cpu=0s"]
    with pytest.raises(Exception, match="takes no time"):
        loads(TEXT, sets=closed)
    assert loads(TEXT, sets=[*closed, "services.db.operations.write.0.probability=0.1"]).workload.closed.clients == 1


def test_a_step_under_a_lock_takes_its_time():
    steps = loads(TEXT, sets=["services.db.operations.idle=[{lock: log, hold: [{delay: 2ms}, {delay: 1ms, times: 2}]}]"]).services["db"]
    assert elapsed(steps.operations["idle"], lambda step: step.delay.mean) == 4e6


def test_many_paths_to_work_that_takes_no_time_are_looked_at_once():
    """Forty levels of two calls each are 2^40 paths; their lengths are counted and refused, the operations walked once."""
    levels = "\n".join(f"      l{n}: [{{call: s.l{n + 1}}}, {{call: s.l{n + 1}}}]" for n in range(40))
    text = TEXT.partition("services:")[0] + f"""
services:
  s:
    threads: 1
    operations:
{levels}
      l40: [{{cpu: 0s}}]
workload: {{closed: {{clients: 1, think: 0s}}, mix: {{s.l0: 1}}}}
run: {{duration: 1s}}
"""
    with pytest.raises(Exception, match="takes no time") as caught:
        loads(text)
    assert "expected at most" in str(caught.value)


def test_check_and_run_take_no_networkx(tmp_path):
    (tmp_path / "s.yaml").write_text(TEXT)
    code = "import sys, simvirt.runs.run\nfrom simvirt.cli.app import main\nsys.exit(main(sys.argv[1:]) or 'networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, "check", str(tmp_path / "s.yaml")], check=False, capture_output=True).returncode == 0
