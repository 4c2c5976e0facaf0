"""`fit` finds the demands of scenarios of its own making again, says how surely, and writes them into their text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from simvirt.cli.app import main
from simvirt.errors import ScenarioError, UsageError
from simvirt.fit import fit, simulating
from simvirt.fit.fitting import Search
from simvirt.fit.regression import fitted, separable
from simvirt.fit.scaling import at_load, times, work_s
from simvirt.fit.targets import Target
from simvirt.fit.usl import usl
from simvirt.fit.writing import fitted_text, said_time
from simvirt.measurements import table
from simvirt.measurements.points import Point
from simvirt.result.fit_document import FitDocument
from simvirt.runs.run import run
from simvirt.scenario import Scenario, load, loads

TEXT = """# A shop.
simvirt: 1
name: shop
host: {cores: 8, memory: 16GiB}
platforms: [PLATFORM]
services:
  web:
    deploy: {replicas: 2, resources: {limits: {cpus: 2, memory: 512MiB}}}
    operations:
      get: [{cpu: {exponential: 1ms}}, {call: db.select}]   # reads
      post:
        - cpu: {lognormal: {mean: 2ms, cv: 1}}
        - call: db.select
          times: 3
  db:
    deploy: {resources: {limits: {cpus: 4, memory: 1GiB}}}
    operations: {select: [{cpu: 0.6ms}]}
workload: {open: {rate: 300/s}, mix: {web.get: 3, web.post: 1}}
run: {duration: 10s, replications: 1, seed: 1}
"""
TRUTH = {("web", "get"): 1e-3, ("web", "post"): 2e-3, ("db", "select"): 0.6e-3}
OFF = {("web", "get"): 2.5, ("web", "post"): 0.4, ("db", "select"): 3.0}
"""What the demands of a guess are over the true ones."""


def shop(platform: str = "kvm") -> Scenario:
    return loads(TEXT.replace("PLATFORM", platform))


def measured(scenario: Scenario, noise: float = 0.0, seed: int = 1, rates: tuple[int, ...] = (100, 200, 300, 400), mixed: bool = True) -> list[Point]:
    """What a run of the scenario at each rate would have measured, with relative noise."""
    rng, found = np.random.default_rng(seed), []
    for number, rate in enumerate(rates):
        share = (0.9, 0.4)[number % 2] if mixed else 0.75
        at = at_load(scenario, {"web.get": rate * share, "web.post": rate * (1 - share)}, None, 12_000, 1)
        at = at.model_copy(update={"run": at.run.model_copy(update={"seed": 100 * seed + number})})
        result = next(iter(run(at, maximum=False).typed().platforms.values()))
        cores = {name: float(each.cpu_cores.value or 0) * (1 + noise * rng.standard_normal()) for name, each in result.services.items()}
        rates_of = {name: float(each.throughput_per_s.value or 0) for name, each in result.operations.items()} if mixed else {}
        found.append(Point("points.csv", number + 2, None, result.throughput_per_s.value, None, result.cpu.utilisation.value, rates_of,
                           {"mean": float(result.latency_s.mean.value or 0)}, cores))
    return found


@pytest.fixture(autouse=True, scope="module")
def short() -> Iterator[None]:
    """Predictions of latencies need not be precise here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulating, "REQUESTS", 2_500)
        patch.setattr(simulating, "COMPARED", 1_500)
        patch.setattr(simulating, "REPLICATIONS", 1)
        yield


@pytest.fixture(scope="module")
def points() -> list[Point]:
    return measured(shop(), noise=0.005)


WRONG = TEXT.replace("PLATFORM", "kvm").replace("exponential: 1ms", "exponential: 2500us").replace("mean: 2ms", "mean: 0.8ms").replace("cpu: 0.6ms", "cpu: 1.8ms")
"""A guess: the demands are off by OFF."""


@pytest.fixture(scope="module")
def document(points: list[Point]) -> FitDocument:
    return fit(loads(WRONG, "shop.yaml"), points).typed()


def test_recovers_demands_that_it_did_not_know(document: FitDocument) -> None:
    """Operations are told apart by two mixes, and what KVM adds is taken off: it shows in the measured time."""
    for name, demand in TRUTH.items():
        found = document.fitted[".".join(name)]
        assert found.cpu_s.value == pytest.approx(demand, rel=0.05)
        assert found.platform > 0.005 and found.measured_s.value == pytest.approx(found.cpu_s.value / (1 - found.platform))
        assert found.stated_s == pytest.approx(demand * OFF[name])
    assert document.hold_out is not None and document.hold_out.points == 8 and document.hold_out.median < 0.05
    assert all(abs(row.error or 0) < 0.15 for row in document.compared if row.measure.endswith("cpu_cores"))


def test_with_one_mix_operations_keep_their_proportions() -> None:
    """And it is said that another mix would tell them apart."""
    document = fit(times(shop("docker"), dict.fromkeys(TRUTH, 2.0)), measured(shop("docker"), mixed=False, rates=(100, 300))).typed()
    assert document.fitted["web.get"].together == ("web.post",)
    for name, demand in TRUTH.items():
        assert document.fitted[".".join(name)].cpu_s.value == pytest.approx(demand, rel=0.05)
    assert document.next.startswith("web under another mix, or the operations one by one: web.get and web.post are not told apart")


def test_the_host_alone_tells_one_factor(points: list[Point]) -> None:
    alone = [Point(p.file, p.line, None, p.throughput_per_s, None, p.host_cpu, p.operations) for p in points]
    document = fit(times(shop(), dict.fromkeys(TRUTH, 3.0)), alone).typed()
    for name, demand in TRUTH.items():
        assert document.fitted[".".join(name)].cpu_s.value == pytest.approx(demand, rel=0.05)
    assert document.next == "the CPU use of web and db, by itself: it is known only together with others"


def test_latencies_alone_tell_one_factor_without_interval(points: list[Point]) -> None:
    alone = [Point(p.file, p.line, None, p.throughput_per_s, operations=p.operations, latency_s=p.latency_s) for p in points[:1]]
    document = fit(times(shop(), dict.fromkeys(TRUTH, 1.5)), alone).typed()
    for name, demand in TRUTH.items():
        found = document.fitted[".".join(name)].cpu_s
        assert found.value == pytest.approx(demand, rel=0.1) and found.low is None


def test_in_python_files_are_measurements_too(points: list[Point], document: FitDocument, tmp_path: Path) -> None:
    import simvirt

    file = tmp_path / "points.csv"
    file.write_text(table.text(points), encoding="utf-8")
    found = simvirt.fit(shop(), [str(file)]).typed()
    assert {name: one.cpu_s.value for name, one in found.fitted.items()} == pytest.approx(
        {name: one.cpu_s.value for name, one in document.fitted.items()}, rel=1e-3)


def test_check_fits_nothing(points: list[Point]) -> None:
    document = fit(shop(), points, check=True).typed()
    assert not document.fitted and document.hold_out is None
    errors = {row.measure: abs(row.error or 0) for row in document.compared}
    assert set(errors) == {"latency_mean_s", "web.cpu_cores", "db.cpu_cores", "host.cpu"} and max(errors.values()) < 0.2


def test_measurements_that_the_platform_alone_exceeds_have_no_answer() -> None:
    """gVisor's own work is more than what was measured: that is said, and the demand stays as it was."""
    few = [Point("p.csv", 2 + row, None, rate, cpu_cores={"web": rate * 2e-6, "db": rate * 1e-3}) for row, rate in enumerate((100, 200))]
    result = fit(shop("gvisor"), few)
    document = result.typed()
    assert {key.partition(".")[0] for key in document.failed} == {"web"}
    assert "us that were measured: check the platform" in next(iter(document.failed.values()))
    assert list(document.fitted) == ["db.select"] and ("web", "get") not in result.factors


@pytest.mark.parametrize(("points", "message"), [
    ([Point("p.csv", 2, cpu_cores={"web": 1.0})], "p.csv:2: throughput_per_s: expected the throughput of requests"),
    ([Point("p.csv", 2, throughput_per_s=10.0)], "nothing that was measured tells a demand; expected the CPU use of services"),
    ([Point("p.csv", 2, throughput_per_s=10.0, cpu_cores={"other": 1.0})], "names that are no service: other"),
    ([Point("p.csv", 2, throughput_per_s=10.0, cpu_cores={"web": 64.0})], "web used 64 CPUs, and the scenario's host has 8"),
])
def test_what_cannot_be_fitted(points: list[Point], message: str) -> None:
    with pytest.raises((UsageError, ScenarioError), match=message):
        fit(shop(), points)


def test_several_platforms_are_asked_about(points: list[Point]) -> None:
    with pytest.raises(UsageError, match="for example --platform kvm; there is kvm, docker"):
        fit(loads(TEXT.replace("PLATFORM", "kvm, docker")), points)


def trial(seed: int, spread: float = 0.03) -> bool:
    """Whether the interval of a first coefficient has the true one."""
    rng = np.random.default_rng(seed)
    load = rng.uniform(50, 500, 8)
    columns = np.stack([load * rng.uniform(0.3, 0.9, 8), load, np.ones(8)], axis=1)
    found = fitted(columns, columns @ [2e-3, 1e-3, 0.02] * (1 + spread * rng.standard_normal(8)))
    return bool(abs(found.value[0] - 2e-3) <= found.half[0])


def test_intervals_cover() -> None:
    """95 % of 600, within four standard errors."""
    covered = np.mean([trial(seed) for seed in range(600)])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 600)


@pytest.mark.slow
@pytest.mark.verification
def test_intervals_cover_simulated_demands() -> None:
    """Of runs with draws of their own, noise on top; intervals are of the demands, after what the platform adds was taken off."""
    inside = []
    for seed in range(1, 21):
        document = fit(times(shop(), OFF), measured(shop(), 0.01, seed, (100, 150, 200, 250, 300, 400))).typed()
        for name, demand in TRUTH.items():
            found = document.fitted[".".join(name)].cpu_s
            inside.append((found.low or 0) <= demand <= (found.high or 0))
    assert np.mean(inside) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / len(inside))


def test_regression_against_normal_equations() -> None:
    """Value, interval and left-out errors of one column and no constant, by their closed forms."""
    x, y = np.array([1.0, 2.0, 4.0]), np.array([1.1, 1.9, 4.2])
    found, ratio = fitted(x[:, None], y), x / y
    slope = ratio.sum() / (ratio**2).sum()
    assert found.value[0] == pytest.approx(slope)
    spread = np.sqrt(((1 - ratio * slope) ** 2).sum() / 2)
    assert found.half[0] == pytest.approx(4.302653 * spread / np.sqrt((ratio**2).sum()))
    without = [1 - ratio[i] * (np.delete(ratio, i).sum() / (np.delete(ratio, i) ** 2).sum()) for i in range(3)]
    assert found.left_out == pytest.approx(without)


def test_a_coefficient_is_never_negative() -> None:
    columns = np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    found = fitted(columns, np.array([0.9, 1.95, 4.1]))
    assert found.value[1] == 0 and found.half[1] == 0 and found.value[0] == pytest.approx(1, rel=0.05)


def test_columns_that_points_tell_apart() -> None:
    assert separable(np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert not separable(np.array([[1.0, 2.0], [2.0, 4.0]])) and not separable(np.array([[1.0, 2.0]]))


def test_samples_of_a_single_point_give_an_interval() -> None:
    known = fitted(np.array([[100.0]]), np.array([0.5]), np.array([0.01]))
    assert known.half[0] / known.value[0] == pytest.approx(1.96 * 0.01)
    assert np.isnan(fitted(np.array([[100.0]]), np.array([0.5])).half[0])


def law(clients: float, contention: float, coherence: float) -> Point:
    rate = 100 * clients / (1 + contention * (clients - 1) + coherence * clients * (clients - 1))
    return Point("p.csv", None, None, rate * (1 + 1e-4 * (-1) ** clients), clients)


def test_scalability() -> None:
    found = usl([law(n, 0.05, 0.001) for n in (1, 2, 4, 8, 16, 32, 64)])
    assert found is not None
    assert (found.alone_per_s, found.contention.value, found.coherence.value) == pytest.approx((100, 0.05, 0.001), rel=0.02)
    assert found.peak_clients == pytest.approx(np.sqrt(0.95 / 0.001), rel=0.02)
    assert usl([law(n, 0, 0) for n in (1, 2, 4, 8)]) is None and usl([law(n, 0.05, 0) for n in (1, 2, 4)]) is None


def test_the_text_keeps_all_but_the_numbers(document: FitDocument) -> None:
    new = fitted_text(WRONG, "shop.yaml", loads(WRONG, "shop.yaml"), document, ["runs/points.csv"])
    assert new.startswith("# CPU demands fitted by simvirt fit ") and "to 4 points of points.csv, measured on kvm." in new
    before, after = WRONG.splitlines(), new.splitlines()[-len(WRONG.splitlines()):]
    changed = [two for one, two in zip(before, after, strict=True) if one != two]
    assert len(changed) == 3 and "# reads  # fitted, 95 %: " in changed[0] and "was 1.8ms" in changed[2]
    for name, demand in work_s(loads(new)).items():
        assert demand == pytest.approx(TRUTH[name], rel=0.05)


def test_a_scenario_of_several_files_is_written_as_one(document: FitDocument, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(WRONG)
    file = tmp_path / "shop.yaml"
    file.write_text("include: base.yaml\nname: other\n")
    new = fitted_text(file.read_text(), str(file), load(file), document, ["points.csv"])
    assert "# web.get: fitted, 95 %: " in new
    assert yaml.safe_load(new)["name"] == "other" and work_s(loads(new))["web", "get"] == pytest.approx(1e-3, rel=0.05)


def test_what_was_assumed_is_so_no_more(document: FitDocument) -> None:
    text = WRONG.replace("# reads", "# assumed: as all do")
    assert "assumed" not in fitted_text(text, "shop.yaml", loads(text, "shop.yaml"), document, ["points.csv"])


def test_intervals_of_a_platform_whose_slope_is_not_known_are_those_of_the_measurements() -> None:
    """Two demands that are too near to tell how use grows with them."""
    target = Target("web", ("web",), ((("web", "get"),),), (0,), np.array([1.0]), False)
    near, far = (Search(target, 0, 2.0, [(1.0, 1.9), (demand, 2.0)], demand) for demand in (1.01, 1.08))
    assert near.known_slope is None and near.slope == pytest.approx(2 / 1.01)
    assert far.known_slope == pytest.approx(0.1 / 0.08) and far.slope == far.known_slope


def test_an_anchor_that_two_operations_share_is_written_out(document: FitDocument) -> None:
    text = WRONG.replace("{exponential: 2500us}", "&d {exponential: 2500us}").replace("{lognormal: {mean: 0.8ms, cv: 1}}", "*d")
    new = fitted_text(text, "shop.yaml", loads(text, "shop.yaml"), document, ["points.csv"])
    found = work_s(loads(new))
    assert found["web", "get"] == pytest.approx(1e-3, rel=0.05) and found["web", "post"] == pytest.approx(2e-3 * 2.5 / 0.8, rel=0.05)


def test_the_command(points: list[Point], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario, measurements = tmp_path / "shop.yaml", tmp_path / "points.csv"
    scenario.write_text(TEXT.replace("PLATFORM", "bare-metal, kvm"))
    measurements.write_text(table.text(points[:3]))
    call = ["fit", str(scenario), "--from", str(measurements), "--out", str(tmp_path / "results")]
    assert main(call) == 2 and "expected the platform on which it was measured" in capsys.readouterr().err
    assert main([*call, "--platform", "kvm", "--format", "json"]) == 0
    out: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert out["platform"] == "kvm" and out["points"] == 3 and out["answer"].startswith("web.get takes ")
    (folder,) = (tmp_path / "results").iterdir()
    assert {path.name for path in folder.iterdir()} == {"fit.json", "fit.txt", "fitted.yaml"}
    assert [platform.name for platform in loads((folder / "fitted.yaml").read_text()).platforms] == ["bare-metal", "kvm"]
    assert main(["report", str(folder), "-q"]) == 0 and "web.get" in (folder / "report.html").read_text()
    assert main([*call, "--platform", "kvm", "--check"]) == 0 and "Measured beside predicted" in capsys.readouterr().out
    assert main([*call, "--check", "-o", "x.yaml"]) == 2
    assert main([*call, "-o", str(scenario)]) == 2 and "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(("ns", "said"), [(1.4951e6, "1.495ms"), (2e9, "2s"), (956_400, "956.4us"), (12.5, "12.5ns"), (0.5, "0.5ns")])
def test_times_as_a_scenario_writes_them(ns: float, said: str) -> None:
    assert said_time(ns) == said
