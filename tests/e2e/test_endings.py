"""How runs end that do not simply end: overload, interruption, mutated scenarios. Never with a traceback."""

# ruff: noqa: E501  (a case of a table stays on its line)

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from helpers import shortened
from helpers.processes import command, environment, interrupted, until, visible
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simvirt import kernel
from simvirt.cli.app import main

MM1: Final = shortened.CONFIGS / "mm1.yaml"
compiled = pytest.mark.skipif(kernel.MODE == "plain", reason="takes minutes without the compiled kernel")


@compiled
@pytest.mark.parametrize("sets", [
    ["workload.open.rate=300/s", "run={duration: 500s, replications: 1}"], ["workload.open.rate=300/s", "run={requests: 150000, replications: 1}"],
    ["workload.open.rate=20000/s", "run={duration: 1h, replications: 1}"],
], ids=["moderate", "until all is answered", "without end"])
def test_overload_ends_in_bounded_memory_with_a_warning(sets: list[str], tmp_path: Path) -> None:
    """What comes in beyond the capacity piles up, a hundred thousand at three times the capacity, millions at 200 times; the report says so."""
    import resource

    done = subprocess.run(
        command("run", str(MM1), "--out", str(tmp_path), *changes(*sets)), env=environment(), capture_output=True, text=True, timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**31)),
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"offered load is \d+\.\d+ x capacity|with a million calls under way", " ".join(done.stdout.split()))


def changes(*sets: str) -> list[str]:
    """Overrides as options."""
    return [part for text in sets for part in ("--set", text)]


@compiled
def test_ctrl_c_keeps_what_is_complete_and_says_so(tmp_path: Path) -> None:
    """When the third replication is under way on one worker, the first is complete."""
    sets = changes("run.requests=50000", "run.replications=1000")
    status, said = interrupted(r"replication [3-9]/1000", "run", str(MM1), "--jobs", "1", "--out", "results", *sets, folder=tmp_path)
    assert status == 130, said
    found = re.search(r"interrupted: kept replications: (\d+) of 1000 of bare-metal in \S+result\.json", said)
    assert found, said
    files = sorted(tmp_path.rglob("*.*"))
    assert [file.name for file in files] == ["report.txt", "result.json"]
    document = json.loads(files[1].read_text(encoding="utf-8"))
    assert document["interrupted"] is True
    assert document["platforms"]["bare-metal"]["replications"] == int(found[1]) > 0


@compiled
def test_ctrl_c_before_anything_is_complete_keeps_nothing(tmp_path: Path) -> None:
    sets = changes("run.requests=30000000", "run.replications=2")
    status, said = interrupted(r"replication [12]/2", "run", str(MM1), "--out", "results", *sets, folder=tmp_path)
    assert status == 130, said
    assert said == "interrupted: nothing was kept"
    assert list(tmp_path.iterdir()) == []


TEXTS: Final = {name: (shortened.CONFIGS / f"{name}.yaml").read_text(encoding="utf-8") for name in shortened.SHORTER}
NASTY: Final = (
    "", "0", "-1", "1", "2", "7", "1e999", ".nan", "true", "null", "{}", "[]", "unlimited", "0ms", "1ns", "1us", "5ms", "3s", "1h", "1B", "1KiB", "64MiB", "8GiB", "0.5", "50%", "1/s", "900/s", "cfs",
    "credit", "gps", "round-robin", "random", "two-choices", "least-connections", "kvm", "docker", "firecracker", "nvme", "hdd", "1Gbps", "{exponential: 1ms}", "{pareto: {mean: 1ms, shape: 1.1}}", "99999", "x",
)
WORD: Final = re.compile(r"(?<![\w.])[\w.%/-]+(?=[\s,}\]])")


def mutated(text: str, seed: int, times: int) -> str:
    """A scenario with some of its words replaced: by nasty ones, by others of its own, or by the same with another digit."""
    luck = random.Random(seed)
    for _ in range(times):
        words = [word for word in WORD.finditer(text) if not text[text.rfind("\n", 0, word.start()) + 1:word.start()].lstrip().startswith("#")]
        word = luck.choice(words)
        digit = re.sub(r"\d", lambda _: str(luck.randrange(10)), word[0], count=1)
        text = text[:word.start()] + luck.choice([luck.choice(NASTY), luck.choice(words)[0], digit]) + text[word.end():]
    return text


def ends_well(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> int:
    """Runs a command; 0 and a result, or 2 and a place; and never anything internal."""
    status = main(arguments)
    captured = capsys.readouterr()
    assert status in (0, 2), captured.err
    assert "Traceback" not in captured.err and "internal error" not in captured.err, captured.err
    assert (captured.out == "") == (status == 2)
    return status


def tiny(path: Path, out: Path) -> list[str]:
    """A run that is over soon, whatever the scenario says."""
    sets = ["run={requests: 200, replications: 1}", "timeline=[]"]
    return ["run", str(path), "--format", "json", "--quiet", "--no-maximum", "--out", str(out), *changes(*sets)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the mutated scenarios lie, with the file that one of them names."""
    made = tmp_path_factory.mktemp("mutated")
    (made / "load-profile.csv").write_bytes((shortened.CONFIGS / "load-profile.csv").read_bytes())
    return made


@pytest.mark.skipif(kernel.MODE == "plain", reason="the runs are small but many")
@pytest.mark.parametrize("examples", [40, pytest.param(800, marks=[pytest.mark.slow, pytest.mark.verification])])
def test_mutated_scenarios(examples: int, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What passes the check also runs: nothing wrong is found only then."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(name=st.sampled_from(sorted(TEXTS)), seed=st.integers(0, 2**32), times=st.integers(1, 4))
    def checked_and_run(name: str, seed: int, times: int) -> None:
        path = folder / "x.yaml"
        path.write_text(mutated(TEXTS[name], seed, times), encoding="utf-8")
        status = ends_well(["check", str(path)], capsys)
        if status == 0 and small(path):
            assert ends_well(tiny(path, folder / "results"), capsys) == 0

    checked_and_run()


def small(path: Path) -> bool:
    """Whether a mutated scenario is simulated in a moment: not with thousands of replicas, years of thinking or backgrounds of a nanosecond."""
    from simvirt import load

    scenario: Any = load(path)
    workload = scenario.workload
    if workload is None or sum(service.replicas for service in scenario.services.values()) > 200:
        return False
    rate = workload.open.mean_rate if workload.open is not None else 0.0
    backgrounds = [service.background for service in scenario.services.values() if service.background is not None]
    return rate > 0.5 and all(background.threads < 100 and background.period >= 1_000_000 for background in backgrounds)


BACKGROUND_ONLY: Final = """
simvirt: 1
name: background
host: {cores: 2, memory: 16GiB}
platforms: [bare-metal]
services: {hog: {background: {threads: 10, duty: 0.3, period: 1ms}}}
run: {duration: 9000s, replications: 1}
"""


@compiled
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_a_run_without_requests_ends_when_asked_to_and_leaves_no_folder(sent: signal.Signals, jobs: str, tmp_path: Path) -> None:
    """No block of requests ever asks whether it is still wanted."""
    (tmp_path / "b.yaml").write_text(BACKGROUND_ONLY)
    process = subprocess.Popen(
        command("run", "b.yaml", "--jobs", jobs), cwd=tmp_path, env=environment(FORCE_COLOR="1", COLUMNS="100"), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE)
    try:
        until(r"replication 1/1", process)
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert visible(said).rstrip().endswith("interrupted: nothing was kept")
    assert [file.name for file in tmp_path.iterdir()] == ["b.yaml"]


def test_ctrl_c_while_the_command_is_imported_is_no_traceback(tmp_path: Path) -> None:
    """The first thing that is imported raises what Ctrl-C raises."""
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    found = environment()
    found["PYTHONPATH"] = f"{tmp_path}:{found['PYTHONPATH']}"
    done = subprocess.run(command("list"), env=found, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "interrupted: nothing was kept\n")
