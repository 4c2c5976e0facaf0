"""Kustomize's overlays: resources of folders, with prefixes, labels, other images and replicas, generated maps, and patches over them.

*Ignores*: generators and transformers that are programs, Helm charts, replacements, hashes at the ends of generated names.
*Source*: kubectl.docs.kubernetes.io/references/kustomize/kustomization; RFC 6902 (JSON patches); merge keys of lists:
    patchMergeKey in kubernetes/kubernetes staging/src/k8s.io/api/core/v1/types.go.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers.dotenv import variables_of
from simvirt.importers.manifests import KUSTOMIZATIONS, Object, at, objects
from simvirt.scenario.reading.files import NoText, read_text
from simvirt.scenario.reading.reader import read_documents
from simvirt.scenario.reading.tree import Node, Place, Table, plain

MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
"""Lists of a pod that a patch merges, and by what; others it replaces."""
REFERENCES: Final = {"scaleTargetRef", "configMapRef", "configMapKeyRef", "configMap", "secretRef", "secretKeyRef", "service", "claimRef"}
DEEPEST: Final = 20


def rendered(path: str) -> Iterator[Object]:
    """The objects of a file or folder; where that is a kustomization, as it makes them."""
    folder = os.path.dirname(path) if os.path.basename(path) in KUSTOMIZATIONS else path
    if _kustomization(folder) is None:
        yield from objects([path])
    else:
        yield from _built(os.path.normpath(folder), _root(folder), 0)


def _root(folder: str) -> str:
    """The folder out of which nothing is read: the repository that the kustomization lies in, else itself."""
    real = os.path.realpath(folder)
    above = real
    while True:
        if os.path.isdir(os.path.join(above, ".git")):
            return above
        if os.path.dirname(above) == above:
            return real
        above = os.path.dirname(above)


def _kustomization(folder: str) -> str | None:
    return next((file for name in KUSTOMIZATIONS if os.path.isfile(file := os.path.join(folder, name))), None)


def _wrong(place: Place, path: str, message: str) -> ScenarioError:
    return ScenarioError([Issue(place.file, place.line, place.column, path, message)])


def _read(file: str) -> tuple[Table, dict[str, Any]]:
    """The kustomization in a file."""
    try:
        documents, issues = read_documents(read_text(file), file)
    except NoText as error:
        raise ScenarioError([Issue(file, error.line, error.column, "", str(error))]) from None
    if issues:
        raise ScenarioError(issues)
    if len(documents) != 1 or not isinstance(documents[0], Table):
        raise _wrong(Place(file, 1, 1), "", "expected one mapping, for example resources: [deployment.yaml]")
    return documents[0], plain(documents[0], lambda path, scalar: scalar.value)


def _built(folder: str, root: str, depth: int) -> list[Object]:
    """The objects of a kustomization's folder."""
    file = _kustomization(folder)
    assert file is not None
    tree, data = _read(file)
    if depth > DEEPEST:
        raise _wrong(tree.place, "resources", f"expected at most {DEEPEST} folders beneath one another; perhaps one names itself")
    found: list[Object] = []
    for key in ("resources", "bases", "components"):
        for name in data.get(key) or ():
            found += _resource(folder, str(name), root, _at(tree, key), depth)
    found += _generated(folder, data, root, tree)
    return _transformed(_patched(found, folder, data, root, tree), data)


def _at(tree: Table, key: str) -> Place:
    return tree.entries[key].place if key in tree.entries else tree.place


def _resource(folder: str, name: str, root: str, place: Place, depth: int) -> list[Object]:
    """The objects of a resource that a kustomization names."""
    path = _inside(folder, name, root, place)
    if os.path.isdir(path):
        if _kustomization(path) is None:
            raise _wrong(place, "resources", f"there is no kustomization.yaml in {name}")
        return _built(path, root, depth + 1)
    return objects([path])


def _inside(folder: str, name: str, root: str, place: Place) -> str:
    """The path of what a kustomization names; a mistake where it is elsewhere, or not there."""
    path = os.path.normpath(os.path.join(folder, name))
    if "://" in name or os.path.commonpath([os.path.realpath(path), root]) != root:
        raise _wrong(place, "resources", f'expected a file or folder in {root}; got "{name}", which is not read')
    if not os.path.exists(path):
        raise _wrong(place, "resources", f'there is no "{name}"')
    return path


def _generated(folder: str, data: Mapping[str, Any], root: str, tree: Table) -> Iterator[Object]:
    """Maps of configuration from literals and files."""
    for one in data.get("configMapGenerator") or ():
        values = dict(str(text).split("=", 1) for text in at(one, "literals") or () if "=" in str(text))
        for name in at(one, "files") or ():
            key, _, file = str(name).rpartition("=")
            values[key or os.path.basename(file)] = _text(folder, file, root, _at(tree, "configMapGenerator"))
        for name in [*(at(one, "envs") or ()), *([at(one, "env")] if at(one, "env") else [])]:
            values |= variables_of(_text(folder, str(name), root, _at(tree, "configMapGenerator")), {})
        yield Object(
            tree, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": at(one, "name")}, "data": values}, tree.place.file
        )


def _text(folder: str, name: str, root: str, place: Place) -> str:
    path = _inside(folder, name, root, place)
    try:
        return read_text(path)
    except NoText as error:
        raise _wrong(place, "", f"{name}: {error}") from None


def _patched(found: list[Object], folder: str, data: Mapping[str, Any], root: str, tree: Table) -> list[Object]:
    """Objects with the patches over them."""
    for key in ("patchesStrategicMerge", "patches", "patchesJson6902"):
        for one in data.get(key) or ():
            place = _at(tree, key)
            inline = one if isinstance(one, str) and "\n" in one else at(one, "patch")
            named = one if isinstance(one, str) and "\n" not in one else at(one, "path")
            text = str(inline) if inline else _text(folder, str(named), root, place)
            documents, issues = read_documents(text, str(named or place.file))
            if issues:
                raise ScenarioError(issues)
            for document in documents:
                found = _over(found, plain(document, lambda path, scalar: scalar.value), at(one, "target"), document, place)
    return found


def _over(found: list[Object], patch: Any, target: Any, tree: Node, place: Place) -> list[Object]:
    """Objects with one patch over those that it is for."""
    wanted = target if isinstance(target, Mapping) else {"kind": at(patch, "kind"), "name": at(patch, "metadata", "name")}
    apply: Callable[[Any], Any] = (
        (lambda data: _operated(data, patch, place)) if isinstance(patch, list) else (lambda data: _merged(data, patch))
    )
    hit = [_is_for(one, wanted) for one in found]
    if not any(hit):
        said = " ".join(str(wanted.get(key)) for key in ("kind", "name") if wanted.get(key))
        raise _wrong(place, "patches", f"there is no object {said} to patch")
    patched = [replace(one, data=apply(copy.deepcopy(one.data))) if is_hit else one for one, is_hit in zip(found, hit, strict=True)]
    return [one for one in patched if one.data.get("$patch") != "delete"]


def _is_for(one: Object, wanted: Mapping[str, Any]) -> bool:
    import re

    def fits(value: str, pattern: Any) -> bool:
        try:
            return pattern is None or re.fullmatch(str(pattern), value) is not None
        except re.error:
            return str(pattern) == value

    return fits(one.kind, wanted.get("kind")) and fits(one.name, wanted.get("name"))


def _merged(base: Any, patch: Any, key: str = "") -> Any:
    """A strategic merge."""
    if isinstance(base, dict) and isinstance(patch, Mapping):
        if patch.get("$patch") == "replace":
            return {name: value for name, value in patch.items() if name != "$patch"}
        for name, value in patch.items():
            if value is None:
                base.pop(name, None)
            else:
                base[name] = _merged(base[name], value, name) if name in base else value
        return base
    if isinstance(base, list) and isinstance(patch, list) and key in MERGE_KEYS:
        return _merged_list(base, patch, MERGE_KEYS[key])
    return patch


def _merged_list(base: list[Any], patch: list[Any], key: str) -> list[Any]:
    """Lists whose items are known by a key."""
    found = list(base)
    for item in patch:
        where = next((n for n, one in enumerate(found) if at(one, key) == at(item, key)), None)
        if at(item, "$patch") == "delete":
            found = [one for n, one in enumerate(found) if n != where]
        elif where is None:
            found.append(item)
        else:
            found[where] = _merged(found[where], item)
    return found


def _operated(data: Any, operations: list[Any], place: Place) -> Any:
    """The operations of a JSON patch."""
    for one in operations:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in str(at(one, "path") or "").split("/")[1:]]
        try:
            _operate(data, str(at(one, "op")), parts, copy.deepcopy(at(one, "value")))
        except (KeyError, IndexError, ValueError, TypeError):
            raise _wrong(place, "patches", f"the patch {at(one, 'op')} {at(one, 'path')} does not fit the object") from None
    return data


def _operate(data: Any, operation: str, parts: list[str], value: Any) -> None:
    """One operation: add, replace, remove; a test or copy is not known."""
    *way, last = parts
    for part in way:
        data = data[int(part)] if isinstance(data, list) else data[part]
    if operation not in ("add", "replace", "remove"):
        raise ValueError(operation)
    if isinstance(data, list):
        where = len(data) if last == "-" else int(last)
        data[where : where + (0 if operation == "add" else 1)] = [] if operation == "remove" else [value]
    elif operation == "remove":
        del data[last]
    else:
        data[last] = value


def _transformed(found: list[Object], data: Mapping[str, Any]) -> list[Object]:
    """Objects with the names, namespace, labels, images and replicas that a kustomization gives them."""
    changed = []
    for one in found:
        body = copy.deepcopy(dict(one.data))
        _label(body, data)
        for image in data.get("images") or ():
            _image(body, image)
        for wish in data.get("replicas") or ():
            if at(wish, "name") == one.name and "replicas" in (at(body, "spec") or {}):
                body["spec"]["replicas"] = at(wish, "count")
        changed.append(replace(one, data=body))
    return _named(changed, data)


def _named(found: list[Object], data: Mapping[str, Any]) -> list[Object]:
    """Objects under their names with prefix and suffix, also where others refer to them, in a namespace."""
    before, after = str(data.get("namePrefix") or ""), str(data.get("nameSuffix") or "")
    names = {one.name: f"{before}{one.name}{after}" for one in found} if before or after else {}
    for one in found:
        metadata = one.data["metadata"] if isinstance(at(one.data, "metadata"), dict) else {}
        if one.name in names:
            metadata["name"] = names[one.name]
            _refer(one.data, names)
        if data.get("namespace"):
            metadata["namespace"] = data["namespace"]
    return found


def _refer(data: Any, names: Mapping[str, str]) -> None:
    """Other names where an object refers to another one."""
    for key, value in data.items() if isinstance(data, dict) else ():
        if key in REFERENCES and isinstance(value, dict) and value.get("name") in names:
            value["name"] = names[value["name"]]
        elif key == "serviceName" and value in names:
            data[key] = names[value]
        else:
            _refer(value, names)
    for inner in data if isinstance(data, list) else ():
        _refer(inner, names)


def _label(body: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Labels of an object; the common ones also at its selector and its pods."""
    common = dict(data.get("commonLabels") or {})
    for one in data.get("labels") or ():
        (common if at(one, "includeSelectors") else body.setdefault("metadata", {}).setdefault("labels", {})).update(at(one, "pairs") or {})
    if not common:
        return
    body.setdefault("metadata", {}).setdefault("labels", {}).update(common)
    for place in (
        at(body, "spec", "selector"),
        at(body, "spec", "selector", "matchLabels"),
        at(body, "spec", "template", "metadata", "labels"),
    ):
        if isinstance(place, dict) and "matchLabels" not in place:
            place.update(common)


def _image(data: Any, image: Mapping[str, Any]) -> None:
    """Another name or tag for an image, wherever it is used."""
    for key, value in list(data.items()) if isinstance(data, dict) else ():
        if key == "image" and isinstance(value, str) and _repository(value) == at(image, "name"):
            name = at(image, "newName") or _repository(value)
            data[key] = (
                f"{name}@{image['digest']}"
                if at(image, "digest")
                else f"{name}:{at(image, 'newTag') or value[len(_repository(value)) + 1 :] or 'latest'}"
            )
        else:
            _image(value, image)
    for inner in data if isinstance(data, list) else ():
        _image(inner, image)


def _repository(image: str) -> str:
    """An image's name without tag and digest."""
    head, slash, last = image.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
