"""The lab's page: it is served on this machine alone, answers in a browser while a slider moves, and asks the network for nothing."""

import importlib.util
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("marimo") is None, reason="needs the extra `lab`"),
]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "simvirt", "lab", "configs/web.yaml", "--no-open", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as served:
        try:
            yield wait_for(f"http://127.0.0.1:{port}/")
        finally:
            served.send_signal(signal.SIGINT)
            assert served.wait(30) == 0


def wait_for(address: str) -> str:
    """The address, once somebody answers there."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(address) as answer:
                assert answer.status == 200
                return address
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError(f"nobody answers at {address}")


def test_the_page_is_served_on_this_machine_alone(page: str) -> None:
    port = int(page.rstrip("/").rpartition(":")[2])
    with urllib.request.urlopen(page) as answer:
        assert "simvirt lab" in answer.read().decode()
    outside = [address[4][0] for address in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET) if address[4][0] != "127.0.0.1"]
    for address in outside:
        with pytest.raises(OSError, match="refused"), socket.create_connection((str(address), port), timeout=2):
            pass


@pytest.mark.parametrize("name", ["platforms", "knee"])
def test_the_notebooks_run_as_they_are(name: str) -> None:
    ran = subprocess.run([sys.executable, f"experiments/notebooks/{name}.py"], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.verification
@pytest.mark.skipif(CHROMIUM is None or importlib.util.find_spec("playwright") is None, reason="needs Chromium and the package playwright")
def test_a_slider_that_moves_is_answered_at_once_and_then_precisely(page: str) -> None:
    from playwright.sync_api import sync_playwright

    faults: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab: Any = browser.new_page()
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith((page, "ws:", "data:", "blob:")) else None)
        tab.goto(f"{page}?workload.open.rate=1600%2Fs")
        tab.wait_for_selector("[data-answer=precise]", timeout=120_000)
        assert tab.locator("table.platforms tr").count() == 5
        tab.locator("[role=slider]").first.focus()
        for _ in range(8):
            tab.keyboard.press("ArrowLeft")
        started = time.perf_counter()
        tab.wait_for_selector("[data-answer=first]", timeout=60_000)
        first = time.perf_counter() - started
        tab.wait_for_selector("[data-answer=precise]", timeout=60_000)
        print(f"first answer after {first:.2f} s, the precise one after {time.perf_counter() - started:.2f} s")
        answered = [float(rate.replace(",", "")) for rate in re.findall(r"([\d,.]+) ± [\d.]+/s", tab.locator("table.platforms").inner_text())]
        assert answered == pytest.approx([960] * 4, rel=0.03)
        browser.close()
    assert faults == []
