"""Real Compose files and Kubernetes manifests: each becomes a scenario that runs, or is refused as the reference tools refuse it; mutations end with a message."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.mutated_files import mutated

from simvirt.errors import ScenarioError
from simvirt.importers import compose, kubernetes
from simvirt.importers.guesses import guessed
from simvirt.importers.importing import imported
from simvirt.runs.admission import catalog_of
from simvirt.runs.run import run
from simvirt.scenario import loads

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SHORT = ("run.duration=2s", "run.replications=1", "run.warmup=0s")
REFUSED = {
    "compose-depends-on-profile-no-cycle.yaml": "wait for each other",
    "compose-depends-on-self.yaml": "wait for each other",
    "compose-include-cycle.yaml": "includes itself",
    "project-directory.yaml": "project's folder",
    "compose.https.yaml": "SITES_RULE",
    "compose.multi-bench.yaml": "ROUTER",
    "compose.traefik.yaml": "HASHED_PASSWORD",
    "output-k8s.yaml": "",
    "compose-controller-label.yaml": "unknown key",
    "compose.extras.yaml": "expected a mapping with services",
    "values.yaml": "expected apiVersion",
    "horizontal-pod-autoscaler.yaml": "expected Deployment",
    "hpa-php-apache.yaml": "expected Deployment",
    "resource-quota.yaml": "expected Deployment",
    "compose.agent.yaml": "no service",
    "compose.profiling.yaml": "no service",
    "compose.tests.yaml": "no service",
    "docker-compose-load.yaml": "no service",
    **{
        f"{name}-hsc.yaml": "expected Deployment"
        for name in ("cart", "orders", "payment", "shipping", "front-end", "queue-master", "user", "catalogue")
    },
}
"""Files that are no applications by themselves -> what is said of them."""
BY_SCHEMA = "etherpad/docker-compose.yml"
"""A file with an empty port, which Compose's schema refuses where it is installed."""
PAIRS = {
    "sock-shop": (
        "compose/sock-shop/deploy/docker-compose/docker-compose.yml",
        "k8s/sock-shop/deploy/kubernetes/complete-demo.yaml",
        {"edge-router", "session-db"},
    ),
    "teastore": (
        "compose/teastore/examples/docker/docker-compose_default.yaml",
        "k8s/teastore/examples/kubernetes/teastore-clusterip.yaml",
        set(),
    ),
    "hotel": (
        "compose/deathstarbench/hotelReservation/docker-compose.yml",
        "k8s/deathstarbench/hotelReservation/kubernetes",
        {"review", "attractions"},
    ),
}
"""Applications that both say -> the files, and services that only one of them has."""


def files() -> list[Path]:
    """All files."""
    return sorted([*DATA.glob("compose/**/*.y*ml"), *DATA.glob("k8s/**/*.y*ml")])


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no files: {DATA} is absent")


def kind(file: Path) -> str:
    return "compose" if "compose" in file.relative_to(DATA).parts[:1] else "kubernetes"


@needs_data
def test_every_file_is_imported_or_refused_with_its_reason() -> None:
    wrong = []
    for file in (file for file in files() if not str(file).endswith(BY_SCHEMA)):
        try:
            scenario = loads(imported(kind(file), [str(file)], ordered=False).text)
            catalog_of(scenario)
            said = None if file.name not in REFUSED else "was not refused"
        except ScenarioError as error:
            said = str(error) if file.name not in REFUSED or REFUSED[file.name] not in str(error) or str(file) not in str(error) else None
        wrong += [f"{file.relative_to(DATA)}: {said}"] if said else []
    assert not wrong


@needs_data
@pytest.mark.slow
def test_application_files_run_without_editing() -> None:
    """A short run of each, on its first platform."""
    for file in (file for file in files() if file.name not in REFUSED and not str(file).endswith(BY_SCHEMA)):
        scenario = loads(imported(kind(file), [str(file)], ordered=False).text, sets=SHORT)
        only = scenario.model_copy(update={"platforms": scenario.platforms[:1]})
        assert run(only, maximum=False).document()["platforms"], file


@needs_data
@pytest.mark.parametrize("name", PAIRS)
def test_both_kinds_of_files_say_the_same_of_one_application(name: str) -> None:
    """What requests cost and who calls whom, but for services that only one of them has, and stores whose names are not their owners'."""
    first, second, unlike = PAIRS[name]
    one, other = guessed(compose.load([str(DATA / first)])), guessed(kubernetes.load([str(DATA / second)]))

    def plain(text: str) -> str:
        return text.removeprefix("teastore-")

    def is_common(text: str) -> bool:
        return not any(word in text for word in unlike)

    demands = [{plain(key): value for key, value in found.demand.items() if is_common(key)} for found in (one, other)]
    assert demands[0] == demands[1]
    calls = [
        {
            (plain(a), plain(b))
            for a, each in found.calls.items()
            for b in each
            if is_common(a) and is_common(b) and b != "memcached-reserve"
        }
        for found in (one, other)
    ]
    assert calls[0] == calls[1]


def changed(folder: Path, seeds: range) -> Iterator[tuple[int, str]]:
    """What is wrong with how mutated files are taken: anything but a scenario that can be run, or mistakes that name the file."""
    found = files()
    for seed in seeds:
        file = found[seed % len(found)]
        path = folder / "file.yaml"
        path.write_text(mutated(file.read_text(encoding="utf-8"), seed), encoding="utf-8")
        try:
            catalog_of(loads(imported(kind(file), [str(path)], ordered=False).text))
        except ScenarioError as error:
            if not all(issue.file and os.path.basename(issue.file) == "file.yaml" for issue in error.issues):
                yield seed, f"{file.relative_to(DATA)}: {error}"
        except Exception as error:
            yield seed, f"{file.relative_to(DATA)}: {type(error).__name__}: {error}"


@needs_data
def test_mutated_files_end_with_a_scenario_or_a_message(tmp_path: Path) -> None:
    assert not list(changed(tmp_path, range(60)))


@needs_data
@pytest.mark.slow
@pytest.mark.verification
def test_many_mutated_files_do(tmp_path: Path) -> None:
    assert not list(changed(tmp_path, range(100, 2100)))


@needs_data
def test_nothing_outside_the_folder_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = open

    def noted(file: object, *args: object, **more: object) -> object:
        opened.append(os.path.realpath(str(file)))
        return real(file, *args, **more)  # type: ignore[call-overload]

    (tmp_path / "secret").write_text("A=1", encoding="utf-8")
    inner = tmp_path / "project"
    inner.mkdir()
    (inner / "link.env").symlink_to(tmp_path / "secret")
    (inner / "compose.yaml").write_text(
        "services: {web: {image: x, env_file: [../secret, link.env, /etc/hosts], build: ../..}}", encoding="utf-8"
    )
    monkeypatch.setattr("builtins.open", noted)
    imported("compose", [str(inner / "compose.yaml")], ordered=False)
    outside = [file for file in opened if not file.startswith(str(inner)) and ("secret" in file or "/etc/" in file)]
    assert not outside
