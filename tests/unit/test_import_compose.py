"""Compose files as scenarios: interpolation, merging, extends, include, profiles, values, calls; what is wrong names file and line."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import pytest

from simvirt.catalog import Catalog
from simvirt.cli.app import main
from simvirt.errors import ScenarioError
from simvirt.importers.dotenv import variables_of
from simvirt.importers.importing import Imported, imported
from simvirt.importers.interpolation import Uninterpolable, interpolated
from simvirt.importers.kinds import kind_of
from simvirt.importers.projects import NO_OPTIONS, Options
from simvirt.importers.values import seconds, size
from simvirt.scenario import loads


def made(folder: Path, text: str, options: Options = NO_OPTIONS, **others: str) -> Imported:
    """A Compose file, beside others, as a scenario."""
    for name, other in others.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(other, encoding="utf-8")
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    return imported("compose", [str(folder / "compose.yaml")], options, ordered=False)


def keys(found: Imported, name: str) -> dict[str, Any]:
    """What a service of the file says in a scenario's words."""
    return found.application.services[name].keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A-${A}", "1-1"),
        ("${B}", ""),
        ("${B:-x}${E:-y}${E-z}", "xy"),
        ("${A:+there}${B:+there}${E+set}${E:+no}", "thereset"),
        ("${B:-${C:-${A}}}", "1"),
        ("$$A $${A}", "$A ${A}"),
        ("${B:-a b}c", "a bc"),
        ("plain", "plain"),
        ("${A:?no}", "1"),
    ],
)
def test_variables_are_filled_in_as_the_specification_says(text: str, expected: str) -> None:
    assert interpolated(text, {"A": "1", "E": ""}) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${B:?name it}", "B has to be set: name it"),
        ("${E:?}", "E has to be set"),
        ("${A", 'expected "}"'),
        ("$1", "expected a name"),
        ("${A!}", "expected a name"),
        ("${B:-" * 60 + "}" * 60, "at most 50"),
    ],
)
def test_variables_that_cannot_be_filled_in_are_told_of(text: str, said: str) -> None:
    with pytest.raises(Uninterpolable, match=said.replace("?", r"\?")):
        interpolated(text, {"A": "1", "E": ""})


def test_files_of_variables_have_quotes_comments_and_earlier_variables() -> None:
    text = "A=1\n# no\nexport B='$A' # said\nC=\"x\\n$A\"\nD=two words # said\nE=a#b\nF=${A}${G:-g}\n"
    assert variables_of(text, {}) == {"A": "1", "B": "$A", "C": "x\n1", "D": "two words", "E": "a#b", "F": "1g"}
    assert variables_of("F=$A\nA=1\n", {"A": "shell"})["F"] == "shell"


def test_sizes_are_powers_of_1024_and_times_have_units() -> None:
    assert [size(text) for text in ("512m", "1.5g", "300", "2kb", "64MiB", "5x")] == [512 << 20, 3 << 29, 300, 2048, 64 << 20, None]
    assert [seconds(text) for text in ("1m30s", "500ms", "0", "1h", "x", "5")] == [90.0, 0.5, 0.0, 3600.0, None, None]


def test_what_a_file_says_is_taken_over(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        """
services:
  web:
    image: nginx:1.27
    ports: ["80:80"]
    depends_on: {api: {condition: service_healthy}}
    restart: unless-stopped
  api:
    image: node:22
    environment: [DB=postgres://user@db:5432/x]
    deploy: {replicas: 3, resources: {limits: {cpus: "0.5", memory: 256M}, reservations: {memory: 64m}}}
    healthcheck: {test: [CMD, x], interval: 1m30s, retries: 5}
  db: {image: "postgres:17", mem_limit: 1g, cpus: 2, cpu_shares: 512}
""",
    )
    scenario = loads(found.text)
    api, web = scenario.services["api"], scenario.services["web"]
    assert (api.replicas, api.cpu_limit, api.memory_limit, api.memory_reservation) == (3, 0.5, 256 << 20, 64 << 20)
    assert api.healthcheck is not None and (api.healthcheck.interval, api.healthcheck.retries) == (90_000_000_000, 5)
    assert (web.restart, web.depends_on["api"].condition) == ("unless-stopped", "service_healthy")
    assert (scenario.services["db"].cpu_limit, scenario.services["db"].cpu_shares) == (2.0, 512)
    assert found.guesses.calls == {"web": ["api"], "api": ["db"]}
    assert found.guesses.entries == ["web"]


def test_what_is_assumed_and_left_out_is_written_with_its_reason_and_place(tmp_path: Path) -> None:
    found = made(tmp_path, "services:\n  web:\n    image: redis\n    logging: {driver: x}\n    ports: ['1:1']\n")
    assert "event_loops: 1" in found.text and "# assumed: its image says Redis" in found.text
    assert "compose.yaml:4 services.web.logging" in found.text
    assert all(one.reason for one in found.guesses.assumed)


def test_later_files_go_over_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "over.yaml").write_text(
        "services: {web: {command: [b], environment: {A: two}, ports: !reset null, volumes: ['y:/data', 'z:/z'], deploy: !override {replicas: 2}}}",
        encoding="utf-8",
    )
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {image: x, command: [a], environment: [A=one, B=b], ports: ['1:1'], volumes: ['x:/data'], deploy: {resources: {limits: {cpus: 1}}}}}",
        encoding="utf-8",
    )
    found = imported("compose", [str(tmp_path / "compose.yaml"), str(tmp_path / "over.yaml")], ordered=False)
    web = found.application.services["web"]
    assert sorted(web.texts) == ["b", "b", "two"] and not web.published
    assert web.keys["deploy"] == {"replicas": 2}


def test_services_extend_others_of_the_file_and_of_other_files(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        "services:\n  a: {extends: {service: b}, cpus: 1}\n  b: {extends: {file: sub/base.yaml, service: c}, mem_limit: 1g}\n",
        sub__base_yaml="services: {c: {image: 'redis', cpus: 4, depends_on: [d]}, d: {image: x}}",
    )
    assert keys(found, "a") == {"cpus": 1.0, "mem_limit": "1GiB"}
    assert found.application.services["a"].image == "redis"


def test_included_files_and_profiles(tmp_path: Path) -> None:
    text = "include: [sub/other.yaml]\nservices: {web: {image: x, depends_on: [db]}, debug: {image: y, profiles: [debug]}}\n"
    other = "services: {db: {image: '${DB:-postgres}'}}"
    assert set(made(tmp_path, text, sub__other_yaml=other).application.services) == {"db", "web"}
    found = made(tmp_path, text, Options(profiles=("debug",)), sub__other_yaml=other)
    assert set(found.application.services) == {"db", "web", "debug"}
    (tmp_path / "sub/.env").write_text("DB=mysql:8\n", encoding="utf-8")
    assert made(tmp_path, text).application.services["db"].image == "mysql:8"


def test_services_that_end_are_left_out(tmp_path: Path) -> None:
    found = made(
        tmp_path, "services: {web: {image: x, depends_on: {migrate: {condition: service_completed_successfully}}}, migrate: {image: y}}"
    )
    assert "migrate" not in loads(found.text).services and "services.migrate: it is not there when requests come" in found.text


def test_telemetry_is_not_waited_for_and_circles_are_cut(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        """
services:
  a: {image: x, environment: {PEER: "http://b:80", TRACES: "http://jaeger:4317"}, ports: ["1:1"]}
  b: {image: x, environment: {PEER: "http://a:80", NOT: "ab.c", ALSO: "xb"}}
  jaeger: {image: jaegertracing/all-in-one}
""",
    )
    assert found.guesses.calls == {"a": ["b"]}
    loads(found.text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: {web: {image: x, extends: {service: web}}}", "extends itself: web -> web"),
        ("services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}", "wait for each other"),
        ("include: [compose.yaml]\nservices: {a: {image: x}}", "includes itself"),
        ("services:\n  web:\n    imagee: x\n", r'compose.yaml:3:5: services.web.imagee: unknown key; did you mean "image"'),
        (
            "services:\n  web:\n    mem_limit: lots\n",
            r"compose.yaml:3:16: services.web.mem_limit: expected a size, for example 512m; got \"lots\"",
        ),
        ("services: {web: {image: x, deploy: {replicas: 1.5}}}", "expected a whole number"),
        ("services: {web: {image: x, extends: {file: ../../etc/x.yaml, service: y}}}", "project's folder"),
        ("include: [/etc/hosts]", "project's folder"),
        ("services: {web: {image: '${X:?say it}'}}", "X has to be set: say it"),
        ("services: {web: {image: x, restart: sometimes}}", "unless-stopped"),
        ("services: {web: {image: x, depends_on: {db: {condition: x}}}, db: {image: y}}", "expected one of service_started"),
        (
            "services: {web: {image: x, deploy: {resources: {limits: {cpus: 1e9}}}}}",
            r"compose.yaml:1:12: services.web.deploy.resources.limits.cpus",
        ),
        ("services: {web: {image: x, deploy: {resources: {limits: {cpu: 2}}}}}", 'limits.cpu: unknown key; did you mean "cpus"'),
        ("services: {web: {image: x, healthcheck: {tests: [x]}}}", 'did you mean "test"'),
        ("services: {web: {image: x, depends_on: [db]}}", 'there is no service "db"; expected one of: web'),
        ("services: []", "expected a mapping"),
        ("version: '3'", "expected services"),
        ("web: {image: x}", "unknown key"),
        ("", "expected a mapping with services"),
    ],
)
def test_mistakes_name_their_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        made(tmp_path, text)


def test_variables_of_the_shell_are_used_only_where_they_are_asked_for(tmp_path: Path) -> None:
    found = made(
        tmp_path,
        "services: {web: {image: x, environment: [TOKEN, OTHER=$SHELL_SECRET]}}",
        Options(environment={"TOKEN": "t", "SECRET": "hidden", "SHELL_SECRET": "s"}),
    )
    assert "hidden" not in found.text and found.application.services["web"].texts == ("t", "s")


def test_kinds_are_told_apart(tmp_path: Path) -> None:
    for text, kind in (
        ("simvirt: 1\nservices: {}\n", None),
        ("services:\n  a: {}\n", "compose"),
        ("kind: Pod\napiVersion: v1\n", "kubernetes"),
        ("x: 1\n", None),
    ):
        (tmp_path / "file.yaml").write_text(text, encoding="utf-8")
        assert kind_of(tmp_path / "file.yaml") == kind
    assert kind_of(tmp_path / "none.yaml") is None


def test_services_without_replicas_are_left_out(tmp_path: Path) -> None:
    found = made(tmp_path, "services: {web: {image: x}, off: {image: y, deploy: {replicas: 0}}}")
    assert set(loads(found.text).services) == {"web"} and "services.off: it is not there" in found.text


def test_variables_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("IMAGE=redis\n", encoding="utf-8")
    inner = tmp_path / "project"
    inner.mkdir()
    (inner / ".env").symlink_to(tmp_path / "secret")
    assert made(inner, "services: {web: {image: '${IMAGE:-nginx}'}}").application.services["web"].image == "nginx"


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("cpu", "7ms", lambda found: "exponential: 7ms" in found.text),
        ("workers", "event_loop", lambda found: "event_loops: 1" in found.text),
        ("threads", 77, lambda found: "threads: 77" in found.text),
        ("read", "64KiB", lambda found: "read: 64KiB" in found.text),
        ("hit", 0.5, lambda found: "hit: 0.5" in found.text),
        ("telemetry", ["db"], lambda found: "db" not in found.guesses.calls.get("web", [])),
        ("load", ["db"], lambda found: "db" not in loads(found.text).services),
    ],
)
def test_every_field_of_demands_acts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: Any, read: Any) -> None:
    """On what is assumed of a service: a database that another service calls."""
    text = "services: {web: {image: x, ports: ['1:1'], depends_on: [db]}, db: {image: postgres}}"
    assert not read(made(tmp_path, text))
    real = Catalog.load
    name = "generic" if field in ("telemetry", "load") else "postgres-oltp"
    written = {"value": value, "source": "made up for a test"} if field in ("cpu", "threads", "read", "hit") else value
    mine = {"demands": {name: {"like": name, field: written}}}
    monkeypatch.setattr("simvirt.importers.guesses.Catalog.load", lambda *known: real(mine) if known == (None,) else real(*known))
    assert read(made(tmp_path, text))


def test_a_scenario_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, "services: {web: {image: nginx}}")
    monkeypatch.chdir(tmp_path)
    assert main(["import", "compose", "compose.yaml", "--no-runs", "-o", "shop.yaml"]) == 0
    whole = (tmp_path / "shop.yaml").read_text(encoding="utf-8")
    assert loads(whole).name == tmp_path.name
    assert main(["import", "compose", "compose.yaml", "--no-runs", "-o", "shop.yaml"]) == 2
    assert "shop.yaml: is there already" in capsys.readouterr().err and (tmp_path / "shop.yaml").read_text(encoding="utf-8") == whole

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    real = Path.open

    def full(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if mode.startswith("r"):
            return real(path, mode, *rest, **more)
        path.touch()
        return Full()

    monkeypatch.setattr(Path, "open", full)
    assert main(["import", "compose", "compose.yaml", "--no-runs", "-o", "full.yaml"]) == 2
    assert "full.yaml: cannot be written: No space left" in capsys.readouterr().err and not (tmp_path / "full.yaml").exists()
