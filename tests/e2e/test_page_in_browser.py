"""The page in headless Chromium: no error, nothing loaded, charts that wake, no overflow at 400 px, nothing serious in axe's eyes."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import simvirt
from simvirt.report.page.page import page

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
WATCH = """<script>
window.seen = [];
addEventListener("error", e => seen.push("error " + e.message));
addEventListener("unhandledrejection", e => seen.push("rejection " + e.reason));
["error", "warn"].forEach(k => { console[k] = (...said) => seen.push(k + " " + said.join(" ")); });
</script>"""
ASK = """<script>
addEventListener("load", async () => {
  const found = {
    resources: performance.getEntriesByType("resource").length, drawn: document.querySelectorAll(".chart > .wide > svg").length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
  document.querySelectorAll(".chart").forEach(chart => chart.dispatchEvent(new Event("pointerenter")));
  for (let i = 0; i < 100 && document.querySelectorAll(".vega-embed svg").length < found.drawn; i++) await new Promise(r => setTimeout(r, 100));
  found.awake = document.querySelectorAll(".vega-embed svg").length;
  document.querySelectorAll("details").forEach(one => { one.open = true; });
  found.axe = window.axe ? (await axe.run()).violations.map(v => [v.impact, v.id, v.nodes[0].html]) : null;
  found.errors = seen;
  const out = document.createElement("pre");
  out.id = "found";
  out.textContent = JSON.stringify(found);
  document.body.appendChild(out);
});
</script>"""
pytestmark = [
    pytest.mark.browser, pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.skipif(find_spec("vl_convert") is None, reason="vl-convert-python is not installed"),
]


def axe() -> str:
    """axe-core, where SIMVIRT_AXE names its file, or a package has it."""
    places = [Path(os.environ["SIMVIRT_AXE"])] if "SIMVIRT_AXE" in os.environ else []
    for name in ("axe_playwright_python", "axe_core_python"):
        spec = find_spec(name)
        places += [Path(place) / "axe.min.js" for place in (spec.submodule_search_locations or ())] if spec else []
    return next((path.read_text(encoding="utf-8").replace("</script", "<\\/script") for path in places if path.is_file()), "")


@pytest.fixture(scope="module")
def text() -> str:
    scenario = simvirt.load(CONFIGS / "web.yaml", sets=["run.duration=5s", "run.replications=2"])
    return page([simvirt.run(scenario, maximum=False).typed()])


def looked_at(text: str, folder: Path, width: int, dark: bool = False) -> Any:
    """What the browser finds on the page."""
    before, after = text.replace("<head>", f"<head>{WATCH}", 1).rsplit("</body>", 1)
    (folder / "page.html").write_text(f"{before}<script>{axe()}</script>{ASK}</body>{after}", encoding="utf-8")
    # a window is at least 500 px wide: the page is shown in a frame
    (folder / "frame.html").write_text(f'<iframe id="frame" src="page.html" style="width:{width}px;height:900px"></iframe><script>setInterval(() => {{'
        'const found = frame.contentDocument.getElementById("found"); if (found) document.body.appendChild(found); }, 100)</script>')
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--window-size=1500,1000", "--virtual-time-budget=60000"]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    assert CHROMIUM is not None
    run = subprocess.run([CHROMIUM, *options, "--dump-dom", (folder / "frame.html").as_uri()], capture_output=True, text=True, timeout=300, check=True)
    found = re.search(r'<pre id="found">(.*?)</pre>', run.stdout, re.S)
    assert found is not None, run.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, False), (1000, True)])
def test_the_page_works_and_is_accessible(text: str, tmp_path: Path, width: int, dark: bool) -> None:
    assert len(text.encode()) < 2_500_000
    found = looked_at(text, tmp_path, width, dark)
    assert found["errors"] == [] and found["resources"] == 0 and found["overflow"] <= 0
    assert found["drawn"] == found["awake"] >= 8
    assert not [one for one in found["axe"] or () if one[0] in ("serious", "critical")]
