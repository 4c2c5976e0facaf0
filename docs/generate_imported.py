"""Writes docs/imported.md: what becomes of each public file that imports are tried on. `python docs/generate_imported.py FOLDER`.

The folder has `compose` and `k8s`, below them one folder for each project, with files named as in the project's repository.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from simvirt.errors import ScenarioError
from simvirt.importers.importing import imported
from simvirt.importers.kinds import kind_of
from simvirt.runs.admission import catalog_of
from simvirt.runs.run import run
from simvirt.scenario import loads

PAGE: Final = Path(__file__).with_name("imported.md")
KINDS: Final = {"compose": "compose", "k8s": "kubernetes"}
TOGETHER: Final = (
    ("compose/robot-shop", ("docker-compose.yaml", "docker-compose-load.yaml")),
    ("compose/opentelemetry-demo", ("compose.yaml", "compose.observability.yaml", "compose.agent.yaml")),
    ("compose/opentelemetry-demo", ("compose.yaml", "compose.observability.yaml", "compose.profiling.yaml")),
    ("compose/opentelemetry-demo", ("compose.yaml", "compose.observability.yaml", "compose.tests.yaml")),
    ("compose/frappe-docker", ("compose.yaml", "overrides/compose.mariadb.yaml", "overrides/compose.redis.yaml")),
    ("compose/kompose-fixtures/multiple-files", ("first.yaml", "second.yaml")),
    ("k8s/sock-shop", ()),
    ("k8s/deathstarbench/hotelReservation/kubernetes", ()),
    ("k8s/kubernetes-website-hpa", ()),
)
"""Files that belong together: a folder, and those in it, all where none is named."""
SHORT: Final = ("run.duration=1s", "run.replications=1", "run.warmup=0s")
HEAD: Final = """# Imported files

Made by `docs/generate_imported.py` from files of public projects; do not edit. Each file is imported by itself, as it is: what becomes
of it, how many values are assumed, how many keys are left out with their reasons. *Runs*: one second of it was simulated, on its first
platform. What is refused is no application by itself (a file that goes over another one, a part of a set of manifests, a case that the
reference tools refuse too), with the line and the reason.
"""


def outcome(kind: str, folder: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """What becomes of files: services, assumed values, keys left out, and whether they run, or why they are refused."""
    try:
        found = imported(kind, [str(file) for file in files], ordered=False)
        scenario = loads(found.text, sets=SHORT)
        catalog_of(scenario)
    except ScenarioError as error:
        issue = error.issues[0]
        where = f"line {issue.line}: " if issue.line else ""
        said = f"{where}{issue.path + ': ' if issue.path else ''}{issue.message}".replace("|", r"\|").replace(str(folder) + os.sep, "")
        return "", "", "", f"refused, {said[:160]}"
    first = scenario.model_copy(update={"platforms": scenario.platforms[:1]})
    ran = run(first, maximum=False, jobs=1).document()["platforms"]
    counted = (found.guesses.demand, found.guesses.assumed, found.application.left_out)
    return *(str(len(one)) for one in counted), "runs" if ran else "does not run"


def rows(folder: Path) -> Iterator[str]:
    """The table of each kind of files, and that of files that belong together."""
    files = sorted(path for below in KINDS for path in folder.glob(f"{below}/**/*.y*ml"))
    each = [(kind_of(path) or KINDS[path.relative_to(folder).parts[0]], (path,)) for path in files]
    several = [(KINDS[text.partition("/")[0]], tuple(folder / text / name for name in names or ("",))) for text, names in TOGETHER]
    for title, found in (("Files", each), ("Files together", several)):
        told = [(names, outcome(kind, folder, names)) for kind, names in found]
        runs = sum(one[3] == "runs" for _, one in told)
        yield f"\n## {title}\n\n{runs} of {len(told)} run; the others are refused.\n"
        yield "| file | services | assumed | left out | |\n|---|---:|---:|---:|---|"
        for names, (services, assumed, left, said) in told:
            name = ", ".join(str(path.relative_to(folder)) for path in names)
            yield f"| {name} | {services} | {assumed} | {left} | {said} |"


def page(folder: Path) -> str:
    """The whole page."""
    return HEAD + "\n".join(rows(folder)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
