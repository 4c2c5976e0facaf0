"""The documentation site: every page is in it, it asks the network for nothing, and formulas are drawn by the browser itself."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("zensical") is None, reason="needs the extra `docs`"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "site"
    ran = subprocess.run([sys.executable, str(ROOT / "docs/site/build.py"), str(folder)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return folder


def test_every_page_of_the_repository_is_in_the_site_and_in_its_navigation(site: Path) -> None:
    front = (site / "index.html").read_text()
    for page in [*ROOT.glob("docs/**/*.md"), *ROOT.glob("experiments/**/*.md")]:
        built = page.relative_to(ROOT).with_suffix(".html").as_posix().replace("README.html", "index.html")
        assert (site / built).is_file()
        assert built in front


def test_a_reader_without_network_misses_nothing(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.search(r'(?:<script|<img|<iframe)[^>]*src="?(?:https?:)?//', text := page.read_text()), page
        assert not re.search(r'<link[^>]*rel="?(?:stylesheet|preload)[^>]*href="?(?:https?:)?//', text), page


def test_formulas_are_mathml(site: Path) -> None:
    assert "arithmatex" not in "".join(page.read_text() for page in site.rglob("*.html"))
    assert (site / "docs/models/statistics.html").read_text().count("<math") >= 10


def test_the_search_of_files_knows_all_pages(site: Path) -> None:
    known = (site / "search.js").read_text()
    assert known.startswith("var __index")
    assert all(f'"{page.relative_to(site).as_posix()}"' in known for page in site.glob("docs/models/*.html"))
