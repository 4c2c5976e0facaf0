"""Builds the documentation site from the pages of the repository: `python docs/site/build.py [FOLDER] [--open]`.

The pages keep their places (README.md is the front page), so that their links hold in the repository and in the site. Formulas become
MathML, which browsers draw themselves; nothing is loaded from the network, and the search works on pages opened as files.
Needs the extra `docs`: `pip install 'simvirt[docs]'`.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
SHOWN: Final = (".md", ".svg", ".yaml", ".csv", ".json", ".png")
"""What pages show or link to, by the end of its name."""
FOLDERS: Final = ("docs", "experiments", "configs")
SECTIONS: Final = {
    "Learn": ("docs/tutorial/run-it.md", "docs/tutorial/believe-it.md", "docs/tutorial/compare.md", "docs/tutorial/size-a-host.md",
              "docs/tutorial/plan-a-cluster.md", "docs/tutorial/operate-a-cluster.md"),
    "Models": ("docs/models/*.md",),
    "Look up": ("docs/reference/*.md",),
    "Understand": ("docs/accuracy.md", "docs/field-cases.md", "docs/mechanisms.md", "docs/design.md"),
    "Course": ("experiments/README.md", "experiments/*/README.md", "experiments/*.md"),
    "Project": ("CONTRIBUTING.md", "CHANGELOG.md"),
}
"""Section -> its pages in order, as patterns. Pages of docs/ that none names are *How to*."""
FORMULA: Final = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def main() -> int:
    """The status of the build: 1 if a page, a link or a formula is at fault, and then there is no new site."""
    parser = argparse.ArgumentParser(description="Build the documentation site; it needs no network when read.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "site", help="where the site goes; what is there is replaced")
    parser.add_argument("--open", action="store_true", help="open the front page in the browser")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        faults = build(Path(work))
        if not faults:
            shutil.rmtree(asked.folder, ignore_errors=True)
            shutil.move(Path(work) / "site", asked.folder)
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{asked.folder / 'index.html'}: {len(list(asked.folder.rglob('*.html')))} pages")
        if asked.open:
            webbrowser.open((asked.folder / "index.html").resolve().as_uri())
    return 1 if faults else 0


def build(work: Path) -> list[str]:
    """Makes `work/site`; what is wrong in the pages, a line each."""
    staged = stage(work / "pages")
    (work / "mkdocs.yml").write_text(yaml.safe_dump(configuration(staged), sort_keys=False))
    command = [sys.executable, "-m", "zensical", "build"]
    ran = subprocess.run(command, cwd=work, capture_output=True, text=True)
    said = re.sub(r"\x1b\[[0-9;]*m", "", ran.stdout + ran.stderr)
    if ran.returncode or re.search(r"\d+ issues? found", said):
        return [said]
    return [fault for page in sorted((work / "site").rglob("*.html")) for fault in draw_formulas(page)]


def stage(pages: Path) -> Path:
    """Copies what the site shows to where the generator reads it, in the places that it has in the repository."""
    shown = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SHOWN)
    for path in [*ROOT.glob("*.md"), ROOT / "LICENSE", *shown]:
        target = pages / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    shutil.copy(HERE / "iframe-worker.js", pages)
    return pages


def configuration(pages: Path) -> dict[str, Any]:
    """The settings with what depends on the pages: where they are, and which section has which."""
    settings: dict[str, Any] = yaml.safe_load((HERE / "mkdocs.yml").read_text())
    return settings | {"docs_dir": pages.name, "site_dir": "site", "nav": [{"simvirt": "README.md"}, *navigation(pages)]}


def navigation(pages: Path) -> Iterator[dict[str, list[str]]]:
    """Sections with their pages; each page once."""
    named: set[str] = {"README.md", "docs/index.md"}
    sections = {}
    for section, patterns in SECTIONS.items():
        found = [path.relative_to(pages).as_posix() for pattern in patterns for path in sorted(pages.glob(pattern))]
        sections[section] = [page for page in dict.fromkeys(found) if page not in named]
        named.update(found)
    others = [page for page in sorted(path.relative_to(pages).as_posix() for path in (pages / "docs").glob("*.md")) if page not in named]
    yield {"Learn": sections.pop("Learn")}
    yield {"How to": others}
    yield from ({section: found} for section, found in sections.items())


def draw_formulas(page: Path) -> list[str]:
    """Writes the formulas of a page as MathML; those that cannot be read, a line each."""
    from latex2mathml.converter import convert

    faults = []

    def drawn(found: re.Match[str]) -> str:
        latex = html.unescape(found[3])
        try:
            return str(convert(latex, display="block" if found[2] == "[" else "inline"))
        except Exception as error:  # the converter has an exception for each kind of mistake
            faults.append(f"{page.name}: formula {latex!r} cannot be read: {error!r}")
            return found[0]

    text = page.read_text()
    page.write_text(FORMULA.sub(drawn, text))
    return faults


if __name__ == "__main__":
    sys.exit(main())
