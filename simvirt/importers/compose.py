"""A Compose project as an application: what a scenario says in the same words, and what is left out with its reason.

*Source*: compose-spec, 05-services.md, deploy.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from collections.abc import Sequence as Many
from typing import Any, Final

from simvirt.importers import values
from simvirt.importers.application import Application, Note, Service, image
from simvirt.importers.dependencies import check_circles, mark_ending, missing
from simvirt.importers.deploying import deployed, restart_of, wants_swarm
from simvirt.importers.dotenv import variables_of
from simvirt.importers.nodes import known, number_at, refuse, size_at, table_at, text_at, unknown, whole_at, words_at
from simvirt.importers.projects import NO_OPTIONS, Options, Project, project
from simvirt.importers.schema import validated
from simvirt.scenario.reading.files import NoText, read_text
from simvirt.scenario.reading.tree import Entry, Scalar, Table
from simvirt.units import shown

ROOT_KEYS: Final = ("version", "name", "services", "networks", "volumes", "configs", "secrets", "models", "include")
LEFT_OUT: Final = {
    "a request costs what the platform's network costs": (
        "networks",
        "ports",
        "expose",
        "dns",
        "dns_opt",
        "dns_search",
        "domainname",
        "hostname",
        "extra_hosts",
        "mac_address",
        "network_mode",
        "links",
        "external_links",
    ),
    "files lie on the host's disk": (
        "volumes",
        "volumes_from",
        "configs",
        "secrets",
        "tmpfs",
        "storage_opt",
        "working_dir",
        "read_only",
        "shm_size",
    ),
    "says what is built, not what it costs": ("build", "pull_policy", "platform", "develop"),
    "changes no performance that is simulated": (
        "container_name",
        "labels",
        "label_file",
        "annotations",
        "attach",
        "stdin_open",
        "tty",
        "user",
        "group_add",
        "cap_add",
        "cap_drop",
        "cgroup",
        "cgroup_parent",
        "credential_spec",
        "device_cgroup_rules",
        "devices",
        "gpus",
        "init",
        "ipc",
        "isolation",
        "pid",
        "privileged",
        "runtime",
        "security_opt",
        "stop_grace_period",
        "stop_signal",
        "sysctls",
        "ulimits",
        "userns_mode",
        "uts",
        "logging",
        "post_start",
        "pre_stop",
        "provider",
        "models",
        "use_api_socket",
        "blkio_config",
        "oom_kill_disable",
        "mem_swappiness",
        "pids_limit",
        "cpu_count",
        "cpu_percent",
        "cpu_rt_period",
        "cpu_rt_runtime",
    ),
}
"""Why keys of a service are left out -> the keys."""
REASONS: Final = {key: reason for reason, keys in LEFT_OUT.items() for key in keys}
READ: Final = (
    "image",
    "deploy",
    "scale",
    "cpus",
    "cpu_quota",
    "cpu_period",
    "cpu_shares",
    "cpuset",
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "oom_score_adj",
    "restart",
    "healthcheck",
    "depends_on",
    "environment",
    "env_file",
    "command",
    "entrypoint",
    "profiles",
    "extends",
)
"""Keys of a service that are heeded."""
SWARM: Final = ("{name: docker, orchestrator: swarm}", "{name: kvm, orchestrator: swarm}")
"""The platforms where something acts only under an orchestrator."""
HEALTH_KEYS: Final = frozenset(("disable", "interval", "retries", "test", "timeout", "start_period", "start_interval"))
SERVICE_KEYS: Final = frozenset((*REASONS, *READ))


def load(files: Many[str], options: Options = NO_OPTIONS) -> Application:
    """The application in Compose files, the later ones over the earlier; ScenarioError where they are wrong."""
    found = project(files, options)
    reader = _Reader(found, os.path.basename(files[0]))
    application = reader.application(tuple(files))
    application.unvalidated = validated(found.whole)
    return application


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
                raise refuse(entry.place, key, unknown(key, ROOT_KEYS, "services: {web: {image: nginx}}"))
        table = table_at(root, "services")
        if table is None or not table.entries:
            raise refuse(root.place, "services", "expected services, for example services: {web: {image: nginx}}")
        services = {name: self.service(name, entry) for name, entry in table.entries.items()}
        name = text_at(root, "name") or os.path.basename(self.project.folder) or "imported"
        self.left_out += missing(services, self.project.defined)
        check_circles(services)
        mark_ending(services, table)
        found = Application(name, "Compose", files, services, self.left_out, self.project.unset)
        if wants_swarm(services.values(), self.left_out):
            found.platforms = SWARM
        return found

    def service(self, name: str, entry: Entry) -> Service:
        """One service."""
        node = entry.node
        if not isinstance(node, Table):
            raise refuse(node.place, f"services.{name}", "expected a mapping, for example {image: nginx}")
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name):
            raise refuse(entry.place, f"services.{name}", "expected a name of letters, digits, ., - and _, for example web-1")
        self.note(name, node)
        service = Service(name, entry.place)
        service.image = image(text_at(node, "image"))
        if service.image is None and text_at(node, "image"):
            raise refuse(
                node.entries["image"].place,
                f"services.{name}.image",
                f"expected an image, for example nginx:1.27; got {shown(text_at(node, 'image'))}",
            )
        service.base = None if service.image else self.base_of(node)
        service.texts = (*self.environment(name, node), *words_at(node, "command"), *words_at(node, "entrypoint"))
        service.others = tuple(word.partition(":")[0] for word in words_at(node, "links"))
        depends = table_at(node, "depends_on", f"services.{name}")
        service.after = tuple(depends.entries) if depends else ()
        service.names = tuple(self.names(name, node))
        service.published = bool(words_at(node, "ports")) or text_at(node, "network_mode") == "host"
        service.keys = dict(self.keys(name, node))
        return service

    def note(self, name: str, node: Table) -> None:
        """Notes what is left out of a service; a key that Compose does not have is a mistake."""
        for key, entry in node.entries.items():
            if key in REASONS:
                self.left_out.append(Note(entry.place, f"services.{name}.{key}", REASONS[key]))
            elif key not in SERVICE_KEYS and not key.startswith("x-"):
                raise refuse(entry.place, f"services.{name}.{key}", unknown(key, SERVICE_KEYS, "image: nginx"))

    def environment(self, name: str, node: Table) -> Iterator[str]:
        """Values of the environment, those in files included; a name alone has the value that the project's variables give it."""
        table = table_at(node, "environment", f"services.{name}")
        for key, entry in table.entries.items() if table else ():
            if isinstance(entry.node, Scalar):
                yield entry.node.text if entry.node.value is not None else self.project.variables.get(key, "")
        for word in words_at(node, "env_file"):
            yield from self.file_of_variables(word, node)

    def file_of_variables(self, word: str, node: Table) -> Iterator[str]:
        """Values in a file that `env_file` names, if it is there and in the project's folder."""
        path = os.path.realpath(os.path.join(os.path.dirname(node.place.file), word))
        inside = os.path.commonpath([path, self.project.folder]) == self.project.folder
        if not inside or not os.path.isfile(path):
            why = "it is not there" if inside else "it lies outside the project's folder"
            self.left_out.append(
                Note(node.entries["env_file"].place, "env_file", f"{word} is not read: {why}; addresses in it are not known")
            )
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
        context = build.node.text if isinstance(build.node, Scalar) else text_at(build.node, "context") or "."
        name = "Dockerfile" if isinstance(build.node, Scalar) else text_at(build.node, "dockerfile") or "Dockerfile"
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
        yield from (word for word in (text_at(node, "container_name"), text_at(node, "hostname")) if word)
        networks = table_at(node, "networks", f"services.{name}")
        for entry in networks.entries.values() if networks else ():
            if isinstance(entry.node, Table):
                yield from words_at(entry.node, "aliases")

    def keys(self, name: str, node: Table) -> Iterator[tuple[str, Any]]:
        """What a scenario says in the same words."""
        path = f"services.{name}"
        deploy = dict(deployed(path, node, self.left_out))
        replicas = whole_at(node, "scale", path)
        if replicas is not None:
            deploy["replicas"] = max(replicas, 1)
        if deploy:
            yield "deploy", deploy
        limits = deploy.get("resources", {}).get("limits", {})
        if "cpus" not in limits and (cpus := number_at(node, "cpus", path)):
            yield "cpus", cpus
        elif "cpus" not in limits and (quota := number_at(node, "cpu_quota", path)):
            period = number_at(node, "cpu_period", path) or 100_000
            yield from (("cpu_quota", values.said_time(quota * 1e-6)), ("cpu_period", values.said_time(period * 1e-6)))
        for key in ("mem_limit", "mem_reservation", "memswap_limit"):
            bytes_ = size_at(node, key, path)
            if bytes_ and bytes_ > 0 and not (key == "mem_limit" and "memory" in limits):
                yield key, values.said_size(bytes_)
        if shares := whole_at(node, "cpu_shares", path):
            yield "cpu_shares", shares
        if cpuset := text_at(node, "cpuset"):
            yield "cpuset", cpuset
        if (adjust := whole_at(node, "oom_score_adj", path)) is not None:
            yield "oom_score_adj", adjust
        yield from self.lives(path, node)

    def lives(self, path: str, node: Table) -> Iterator[tuple[str, Any]]:
        """How it is started, watched and started again."""
        restart = text_at(node, "restart").partition(":")[0]
        if restart in ("always", "on-failure", "unless-stopped"):
            yield "restart", restart
        elif restart not in ("", "no", "False", "false"):
            raise refuse(
                node.entries["restart"].place, f"{path}.restart", f'expected no, always, on-failure or unless-stopped; got "{restart}"'
            )
        elif not restart and (otherwise := restart_of(node)):
            yield "restart", otherwise
        health = table_at(node, "healthcheck", path)
        known(f"{path}.healthcheck", health, HEALTH_KEYS)
        if health is not None and text_at(health, "disable").lower() != "true" and words_at(health, "test")[:1] != ["NONE"]:
            yield "healthcheck", dict(_health(f"{path}.healthcheck", health))


def _health(path: str, table: Table) -> Iterator[tuple[str, Any]]:
    """The times of a health check."""
    for key in ("interval", "timeout", "start_period", "start_interval"):
        if text := text_at(table, key):
            time = values.seconds(text)
            if time is None:
                raise refuse(table.entries[key].place, f"{path}.{key}", f'expected a time, for example 30s; got "{text}"')
            if time > 0 or key == "start_period":
                yield key, values.said_time(time) if time > 0 else "0s"
    if retries := whole_at(table, "retries", path):
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
