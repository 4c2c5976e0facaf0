"""A Compose project as an application: what a scenario says in the same words, and what is left out with its reason.

*Source*: compose-spec, 05-services.md, deploy.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence as Many
from difflib import get_close_matches
from typing import Any, Final

from simvirt.importers import values
from simvirt.importers.application import Application, Note, Service, image
from simvirt.importers.merging import formed
from simvirt.importers.projects import Options, Project, project, refuse
from simvirt.scenario.reading.files import NoText, read_text
from simvirt.scenario.reading.tree import Entry, Node, Scalar, Sequence, Table
from simvirt.units import shown

ROOT_KEYS: Final = ("version", "name", "services", "networks", "volumes", "configs", "secrets", "models", "include")
LEFT_OUT: Final = {
    "a request costs what the platform's network costs": (
        "networks", "ports", "expose", "dns", "dns_opt", "dns_search", "domainname", "hostname", "extra_hosts", "mac_address", "network_mode",
        "links", "external_links"),
    "files lie on the host's disk": ("volumes", "volumes_from", "configs", "secrets", "tmpfs", "storage_opt", "working_dir", "read_only", "shm_size"),
    "says what is built, not what it costs": ("build", "pull_policy", "platform", "develop"),
    "changes no performance that is simulated": (
        "container_name", "labels", "label_file", "annotations", "attach", "stdin_open", "tty", "user", "group_add", "cap_add", "cap_drop", "cgroup",
        "cgroup_parent", "credential_spec", "device_cgroup_rules", "devices", "gpus", "init", "ipc", "isolation", "pid", "privileged", "runtime",
        "security_opt", "stop_grace_period", "stop_signal", "sysctls", "ulimits", "userns_mode", "uts", "logging", "post_start", "pre_stop",
        "provider", "models", "use_api_socket", "blkio_config", "oom_kill_disable", "mem_swappiness", "pids_limit", "cpu_count", "cpu_percent",
        "cpu_rt_period", "cpu_rt_runtime"),
}
"""Why keys of a service are left out -> the keys."""
REASONS: Final = {key: reason for reason, keys in LEFT_OUT.items() for key in keys}
READ: Final = (
    "image", "deploy", "scale", "cpus", "cpu_quota", "cpu_period", "cpu_shares", "cpuset", "mem_limit", "mem_reservation", "memswap_limit",
    "oom_score_adj", "restart", "healthcheck", "depends_on", "environment", "env_file", "command", "entrypoint", "profiles", "extends",
)
"""Keys of a service that are heeded."""
SERVICE_KEYS: Final = frozenset((*REASONS, *READ))
CONDITIONS: Final = ("service_started", "service_healthy", "service_completed_successfully")


def load(files: Many[str], options: Options = Options()) -> Application:
    """The application in Compose files, the later ones over the earlier; ScenarioError where they are wrong."""
    found = project(files, options)
    reader = _Reader(found, os.path.basename(files[0]))
    return reader.application(tuple(files))


class _Reader:
    """Reads one project."""

    def __init__(self, found: Project, file: str) -> None:
        self.project = found
        self.file = file
        self.left_out: list[Note] = []

    def application(self, files: tuple[str, ...]) -> Application:
        """The whole of it."""
        root = self.project.root
        for key, entry in root.entries.items():
            if key not in ROOT_KEYS and not key.startswith("x-"):
                raise refuse(entry.place, key, _unknown(key, ROOT_KEYS, "services: {web: {image: nginx}}"))
        table = _table(root, "services")
        if table is None or not table.entries:
            raise refuse(root.place, "services", "expected services, for example services: {web: {image: nginx}}")
        services = {name: self.service(name, entry) for name, entry in table.entries.items()}
        name = _text(root, "name") or os.path.basename(self.project.folder) or "imported"
        self.check_dependencies(services)
        self.mark_ending(services)
        return Application(name, "Compose", files, services, self.left_out, self.project.unset)

    def service(self, name: str, entry: Entry) -> Service:
        """One service."""
        node = entry.node
        if not isinstance(node, Table):
            raise refuse(node.place, f"services.{name}", "expected a mapping, for example {image: nginx}")
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name):
            raise refuse(entry.place, f"services.{name}", "expected a name of letters, digits, ., - and _, for example web-1")
        self.note(name, node)
        service = Service(name, entry.place)
        service.image = image(_text(node, "image"))
        if service.image is None and _text(node, "image"):
            raise refuse(node.entries["image"].place, f"services.{name}.image", f"expected an image, for example nginx:1.27; got {shown(_text(node, 'image'))}")
        service.base = None if service.image else self.base_of(node)
        service.texts = tuple([*self.environment(node), *_words(node, "command"), *_words(node, "entrypoint")])
        service.others = tuple(word.partition(":")[0] for word in _words(node, "links"))
        depends = _table(node, "depends_on")
        service.after = tuple(depends.entries) if depends else ()
        service.names = tuple(self.names(name, node))
        service.published = bool(_words(node, "ports")) or _text(node, "network_mode") == "host"
        service.keys = dict(self.keys(name, node))
        return service

    def note(self, name: str, node: Table) -> None:
        """Notes what is left out of a service; a key that Compose does not have is a mistake."""
        for key, entry in node.entries.items():
            if key in REASONS:
                self.left_out.append(Note(entry.place, f"services.{name}.{key}", REASONS[key]))
            elif key not in SERVICE_KEYS and not key.startswith("x-"):
                raise refuse(entry.place, f"services.{name}.{key}", _unknown(key, SERVICE_KEYS, "image: nginx"))

    def environment(self, node: Table) -> Iterator[str]:
        """Values of the environment, those in files included; a name alone has the value that the project's variables give it."""
        table = _table(node, "environment")
        for key, entry in table.entries.items() if table else ():
            if isinstance(entry.node, Scalar):
                yield entry.node.text if entry.node.value is not None else self.project.variables.get(key, "")
        for word in [*_words(node, "env_file"), *(_text(item, "path") for item in _items(node, "env_file") if isinstance(item, Table))]:
            yield from self.file_of_variables(word, node)

    def file_of_variables(self, word: str, node: Table) -> Iterator[str]:
        """Values in a file that `env_file` names, if it is there and in the project's folder."""
        from simvirt.importers.dotenv import variables_of

        path = os.path.realpath(os.path.join(os.path.dirname(node.place.file), word))
        inside = os.path.commonpath([path, self.project.folder]) == self.project.folder
        if not inside or not os.path.isfile(path):
            why = "it is not there" if inside else "it lies outside the project's folder"
            self.left_out.append(Note(node.entries["env_file"].place, "env_file", f"{word} is not read: {why}; addresses in it are not known"))
            return
        try:
            yield from variables_of(read_text(path), self.project.variables).values()
        except NoText as error:
            self.left_out.append(Note(node.entries["env_file"].place, "env_file", f"{word} is not read: {error}"))

    def base_of(self, node: Table) -> str | None:
        """The image that a Dockerfile in the project's folder builds on; the last stage counts."""
        build = node.entries.get("build")
        if build is None:
            return None
        context = build.node.text if isinstance(build.node, Scalar) else _text(build.node, "context") or "."
        name = "Dockerfile" if isinstance(build.node, Scalar) else _text(build.node, "dockerfile") or "Dockerfile"
        path = os.path.realpath(os.path.join(os.path.dirname(build.place.file), context, name))
        if os.path.commonpath([path, self.project.folder]) != self.project.folder or not os.path.isfile(path):
            return None
        try:
            return _last_base(read_text(path))
        except NoText:
            return None

    def names(self, name: str, node: Table) -> Iterator[str]:
        """What others call a service."""
        yield name
        yield from (word for word in (_text(node, "container_name"), _text(node, "hostname")) if word)
        networks = _table(node, "networks")
        for entry in networks.entries.values() if networks else ():
            if isinstance(entry.node, Table):
                yield from _words(entry.node, "aliases")

    def keys(self, name: str, node: Table) -> Iterator[tuple[str, Any]]:
        """What a scenario says in the same words."""
        path = f"services.{name}"
        deploy = dict(self.deploy(path, node))
        replicas = _whole(node, "scale", path)
        if replicas is not None:
            deploy["replicas"] = max(replicas, 1)
        if deploy:
            yield "deploy", deploy
        limits = deploy.get("resources", {}).get("limits", {})
        if "cpus" not in limits and (cpus := _number(node, "cpus", path)):
            yield "cpus", cpus
        elif "cpus" not in limits and (quota := _number(node, "cpu_quota", path)):
            period = _number(node, "cpu_period", path) or 100_000
            yield from (("cpu_quota", values.said_time(quota * 1e-6)), ("cpu_period", values.said_time(period * 1e-6)))
        for key in ("mem_limit", "mem_reservation", "memswap_limit"):
            bytes_ = _size(node, key, path)
            if bytes_ and bytes_ > 0 and not (key == "mem_limit" and "memory" in limits):
                yield key, values.said_size(bytes_)
        if shares := _whole(node, "cpu_shares", path):
            yield "cpu_shares", shares
        if cpuset := _text(node, "cpuset"):
            yield "cpuset", cpuset
        if (adjust := _whole(node, "oom_score_adj", path)) is not None:
            yield "oom_score_adj", adjust
        yield from self.lives(path, node)

    def deploy(self, path: str, node: Table) -> Iterator[tuple[str, Any]]:
        """What `deploy` says of replicas and resources."""
        deploy = _table(node, "deploy")
        if deploy is None:
            return
        for key in deploy.entries:
            if key not in ("replicas", "mode", "resources"):
                why = "the scenario has one host" if key == "placement" else "it acts under an orchestrator, which the scenario does not name"
                self.left_out.append(Note(deploy.entries[key].place, f"{path}.deploy.{key}", why))
        mode = _text(deploy, "mode")
        if mode and mode not in ("replicated", "global", "replicated-job", "global-job"):
            raise refuse(deploy.entries["mode"].place, f"{path}.deploy.mode", f'expected replicated, global, replicated-job or global-job; got "{mode}"')
        replicas = _whole(deploy, "replicas", f"{path}.deploy")
        if replicas == 0:
            self.left_out.append(Note(deploy.entries["replicas"].place, f"{path}.deploy.replicas", "0 replicas are simulated as 1"))
        if replicas is not None and mode in ("", "replicated"):
            yield "replicas", max(replicas, 1)
        resources = _table(deploy, "resources")
        found = {kind: dict(self.bounds(f"{path}.deploy.resources.{kind}", _table(resources, kind))) for kind in ("limits", "reservations")} if resources else {}
        if found := {kind: bounds for kind, bounds in found.items() if bounds}:
            yield "resources", found

    def bounds(self, path: str, table: Table | None) -> Iterator[tuple[str, Any]]:
        """Limits or reservations."""
        if table is None:
            return
        if cpus := _number(table, "cpus", path):
            yield "cpus", cpus
        if bytes_ := _size(table, "memory", path):
            yield "memory", values.said_size(bytes_)

    def lives(self, path: str, node: Table) -> Iterator[tuple[str, Any]]:
        """How it is started, watched and started again."""
        restart = _text(node, "restart").partition(":")[0]
        if restart in ("always", "on-failure", "unless-stopped"):
            yield "restart", restart
        elif restart not in ("", "no", "False", "false"):
            raise refuse(node.entries["restart"].place, f"{path}.restart", f'expected no, always, on-failure or unless-stopped; got "{restart}"')
        health = _table(node, "healthcheck")
        if health is not None and _text(health, "disable").lower() != "true" and _words(health, "test")[:1] != ["NONE"]:
            yield "healthcheck", dict(_health(f"{path}.healthcheck", health))

    def check_dependencies(self, services: dict[str, Service]) -> None:
        """Services that are waited for are there, and none waits for itself, be it by way of others."""
        from graphlib import CycleError, TopologicalSorter

        graph = {name: set(service.after) & set(services) for name, service in services.items()}
        for service in services.values():
            for other in service.after:
                if other not in services:
                    self.left_out.append(Note(service.place, f"services.{service.name}.depends_on.{other}", "there is no such service with these profiles"))
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = list(reversed(error.args[1]))
            raise refuse(services[circle[0]].place, f"services.{circle[0]}.depends_on", f"services wait for each other: {' -> '.join(circle)}") from None

    def mark_ending(self, services: dict[str, Service]) -> None:
        """Marks services that others wait for to end, and keeps the other conditions where both stay."""
        tables = _table(self.project.root, "services")
        assert tables is not None
        waits: dict[str, dict[str, str]] = {}
        for name, entry in tables.entries.items():
            depends = _table(entry.node, "depends_on") if isinstance(entry.node, Table) else None
            for other, wish in depends.entries.items() if depends else ():
                condition = _text(wish.node, "condition") or CONDITIONS[0]
                if condition not in CONDITIONS:
                    said = f'expected one of {", ".join(CONDITIONS)}; got "{condition}"'
                    raise refuse(wish.place, f"services.{name}.depends_on.{other}.condition", said)
                if other in services:
                    waits.setdefault(name, {})[other] = condition
            deploy = _table(entry.node, "deploy") if isinstance(entry.node, Table) else None
            services[name].ends = bool(deploy and _text(deploy, "mode").endswith("-job"))
        for conditions in waits.values():
            for other, condition in conditions.items():
                services[other].ends |= condition == CONDITIONS[2]
        for name, conditions in waits.items():
            stay = {other: {"condition": condition} for other, condition in conditions.items() if not services[other].ends}
            if stay and not services[name].ends:
                services[name].keys["depends_on"] = stay


def _health(path: str, table: Table) -> Iterator[tuple[str, Any]]:
    """The times of a health check."""
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if text := _text(table, key):
            time = values.seconds(text)
            if time is None:
                raise refuse(table.entries[key].place, f"{path}.{key}", f'expected a time, for example 30s; got "{text}"')
            if time > 0 or key == "start_period":
                yield key, values.said_time(time) if time > 0 else "0s"
    if retries := _whole(table, "retries", path):
        yield "retries", retries


def _last_base(text: str) -> str | None:
    """The image that the last stage of a Dockerfile begins with; a stage of the same file stands for what it begins with."""
    stages: dict[str, str] = {}
    last = None
    for found in re.finditer(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", text, re.IGNORECASE | re.MULTILINE):
        last = stages.get(found.group(1).lower(), found.group(1))
        if found.group(2):
            stages[found.group(2).lower()] = last
    return last


def _unknown(key: str, known: Iterable[str], example: str) -> str:
    near = get_close_matches(key, list(known), 1)
    return f'unknown key; did you mean "{near[0]}"?' if near else f"unknown key; Compose has none of that name here; expected for example {example}"


def _table(node: Node | None, key: str) -> Table | None:
    """The mapping at a key, a list in its other form; a mistake where there is something else."""
    entry = node.entries.get(key) if isinstance(node, Table) else None
    if entry is None or (isinstance(entry.node, Scalar) and entry.node.value is None):
        return None
    found = formed(entry.node, key)
    if not isinstance(found, Table):
        raise refuse(entry.place, key, "expected a mapping")
    return found


def _text(node: Node, key: str) -> str:
    """The text at a key, empty where there is none."""
    inner = node.entries[key].node if isinstance(node, Table) and key in node.entries else None
    return inner.text if isinstance(inner, Scalar) and inner.value is not None else ""


def _items(node: Node, key: str) -> tuple[Node, ...]:
    inner = node.entries[key].node if isinstance(node, Table) and key in node.entries else None
    return inner.items if isinstance(inner, Sequence) else () if inner is None else (inner,)


def _words(node: Node, key: str) -> list[str]:
    """The texts at a key: of a list its items, of a mapping in it the field that says most."""
    return [
        item.text if isinstance(item, Scalar) else _text(item, "target") or _text(item, "path")
        for item in _items(node, key) if not isinstance(item, Scalar) or item.value is not None
    ]


def _read(node: Table, key: str, path: str, read: Callable[[str], float | None], example: str) -> float | None:
    """A quantity at a key; a mistake where it is none."""
    text = _text(node, key)
    if not text:
        return None
    value = read(text)
    if value is None:
        raise refuse(node.entries[key].node.place, f"{path}.{key}", f'expected {example}; got "{text[:60]}"')
    return value


def _number(node: Table, key: str, path: str) -> float | None:
    return _read(node, key, path, values.number, "a number, for example 0.5")


def _whole(node: Table, key: str, path: str) -> int | None:
    value = _read(node, key, path, lambda text: values.number(text) if re.fullmatch(r"[+-]?\d+", text) else None, "a whole number, for example 2")
    return None if value is None else int(value)


def _size(node: Table, key: str, path: str) -> float | None:
    return _read(node, key, path, lambda text: -1.0 if text == "-1" else values.size(text), "a size, for example 512m")
