"""Files of other tools, changed at random: what people type wrong, and what nobody would."""

from __future__ import annotations

import copy
import random
from typing import Any

import yaml

WORDS = (
    "",
    "~",
    "-1",
    "1e999",
    "true",
    "[{}]",
    "*nowhere",
    "&x y",
    "!!python/object:os.system x",
    "!reset null",
    "!override {a: 1}",
    "${A",
    "${A:-${B:-${C}}}",
    "$1",
    "${HOME}",
    "../../../etc/passwd",
    "/etc/shadow",
    "'",
    "512mb",
    "1h-3",
    "é漢字\u202e",
    "{service: web, file: ../../secret.yml}",
)
VALUES: tuple[Any, ...] = (
    None,
    "",
    -1,
    0,
    2,
    0.5,
    1e300,
    float("inf"),
    99999999999999999999,
    True,
    False,
    [],
    {},
    [[]],
    [{}],
    [None],
    {"a": {"b": "c"}},
    {"": ""},
    "x" * 5000,
    "web",
    "${A",
    "${A:-b}",
    "${A:?no}",
    "$$",
    "$1",
    "../../etc/passwd",
    "/etc/shadow",
    "512m",
    "-5m",
    "200m",
    "1Gi",
    "1e3",
    "10s",
    "1h-3",
    "\x07",
    "a\nb",
    "service_completed_successfully",
    {"condition": "service_healthy"},
    {"file": "/etc/hosts", "service": "x"},
    ["/etc/hosts"],
    [1, 2.5, None, "x"],
)
KEYS = (
    "extends",
    "include",
    "depends_on",
    "deploy",
    "healthcheck",
    "environment",
    "env_file",
    "image",
    "replicas",
    "resources",
    "limits",
    "requests",
    "ports",
    "networks",
    "kind",
    "metadata",
    "spec",
    "name",
    "data",
    "containers",
    "selector",
    "template",
    "command",
    "profiles",
    "x-thing",
    "cpus",
    "mem_limit",
)


def mutated(text: str, seed: int) -> str:
    """A text with one to three changes: of its letters and lines, or, three times as often, of the values and keys in it."""
    draw = random.Random(seed)
    if draw.random() < 0.75:
        try:
            documents = list(yaml.safe_load_all(text))
        except yaml.YAMLError:
            documents = []
        if any(isinstance(one, dict) for one in documents):
            for _ in range(draw.randint(1, 3)):
                _change(documents, draw)
            return yaml.safe_dump_all(documents, allow_unicode=True)
    return _lines(text, draw)


def _change(tree: Any, draw: random.Random) -> None:
    """One change somewhere in a tree."""
    places = list(_places(tree))[1:]
    if not places:
        return
    inside, key = draw.choice(places)
    kind = draw.randrange(6)
    if kind == 0:
        del inside[key]
    elif kind == 1 and isinstance(inside, dict):
        inside[draw.choice(KEYS)] = inside.pop(key)
    elif kind == 2:
        other, name = draw.choice(places)
        if name in other if isinstance(other, dict) else name < len(other):
            inside[key] = yaml.safe_load(yaml.safe_dump(other[name]))
    else:
        inside[key] = copy.deepcopy(draw.choice(VALUES))


def _places(tree: Any) -> Any:
    """Every value's list or mapping, and its key there."""
    items = enumerate(tree) if isinstance(tree, list) else list(tree.items()) if isinstance(tree, dict) else ()
    for key, value in items:
        yield tree, key
        yield from _places(value)


def _lines(text: str, draw: random.Random) -> str:
    """A text with lines lost, doubled, indented otherwise, and other words in them."""
    lines = text.splitlines() or [""]
    at = draw.randrange(len(lines))
    kind = draw.randrange(6)
    if kind == 0:
        del lines[at : at + draw.randint(1, 5)]
    elif kind == 1:
        lines.insert(draw.randrange(len(lines) + 1), lines[at])
    elif kind == 2:
        lines[at] = " " * draw.randint(0, 6) + lines[at].lstrip()
    elif kind == 3 and ":" in lines[at]:
        lines[at] = lines[at].split(":", 1)[0] + ": " + draw.choice(WORDS)
    elif kind == 4:
        cut = draw.randrange(len(lines[at]) + 1)
        lines[at] = lines[at][:cut] + lines[at][cut + draw.randint(1, 3) :]
    else:
        lines[at] = lines[at] + draw.choice((" ", "\t", " #", ":", ",", "\x07", "\u2028"))
    return "\n".join(lines) + "\n"
