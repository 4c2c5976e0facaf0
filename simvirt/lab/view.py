"""What a lab's page shows, in marimo's elements."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from threading import Event
from typing import Any, Final

import marimo as mo

from simvirt.charts.chart import MIME, sized
from simvirt.errors import SimvirtError
from simvirt.lab.answers import Answer
from simvirt.lab.lab import Lab, charts, opened, rows
from simvirt.lab.sliders import Slider
from simvirt.report.page.page import page
from simvirt.sweep.axes import NUMBER

WIDTH: Final = 480
"""Of a chart [px]."""
STYLE: Final = (
    "<style>.platforms th, .platforms td {padding: 0.2em 1.2em 0.2em 0; text-align: left; white-space: nowrap}"
    ".platforms thead tr {border-bottom: 1px solid currentColor} :has(> .platforms) {overflow-x: auto}</style>"
)
JOBS: Final = os.cpu_count() or 1
STANDS_S: Final = 0.05
"""How long a slider stands before a run begins: one that is on its way asks for nothing."""


class Left(Event):
    """An event that is set once the page has moved on from what a thread was started for."""

    def __init__(self, thread: Any) -> None:
        super().__init__()
        self.thread = thread

    def is_set(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return super().is_set() or bool(self.thread.should_exit)


class Drawn:
    """A chart as marimo draws it."""

    def __init__(self, chart: Mapping[str, Any]) -> None:
        self.chart = sized(chart, WIDTH)

    def _mime_(self) -> tuple[str, str]:
        return MIME[0], json.dumps(self.chart)


def lab_of(arguments: Any) -> Lab:
    """The lab that the command line asks for."""
    return opened(str(arguments.get("file")), _many(arguments.get("vary")), _many(arguments.get("set")))


def _many(given: Any) -> list[str]:
    """The values of an option that may be repeated."""
    return [] if given is None else [str(one) for one in given] if isinstance(given, list | tuple) else [str(given)]


def controls(lab: Lab, query: Mapping[str, Any]) -> Any:
    """The sliders, where the link says."""
    return mo.ui.dictionary({slider.name: _control(slider, query.get(slider.name)) for slider in lab.sliders})


def beside(controls: Any) -> Any:
    """The sliders, two in a line."""
    found = list(controls.elements.values())
    pairs = [found[n : n + 2] for n in range(0, len(found), 2)]
    return mo.vstack([mo.hstack([*pair, *[""] * (2 - len(pair))], widths="equal", gap=3) for pair in pairs])


def _control(slider: Slider, asked: Any) -> Any:
    """A slider over numbers of one unit; a list to choose from over anything else."""
    position = slider.position(None if asked is None else str(asked))
    found = [NUMBER.match(text) for text in slider.texts]
    units = {None if one is None else one["unit"] for one in found}
    if None in units or len(units) > 1:
        return mo.ui.dropdown(list(slider.texts), value=slider.texts[position], label=slider.label)
    steps = [float(one["number"]) for one in found if one is not None]
    unit = next(iter(units))
    label = f"{slider.label} [{unit}]" if unit else slider.label
    return mo.ui.slider(steps=steps, value=steps[position], label=label, show_value=True, full_width=True)


def positions(lab: Lab, values: Mapping[str, Any]) -> dict[str, str]:
    """What the positions of the sliders are called."""
    return {slider.name: _text(slider, values[slider.name]) for slider in lab.sliders}


def _text(slider: Slider, value: Any) -> str:
    """What the position with a value is called."""
    if isinstance(value, str):
        return value
    numbers = [match and float(match["number"]) for match in map(NUMBER.match, slider.texts)]
    return slider.texts[numbers.index(value)]


def answer(lab: Lab, at: Mapping[str, str]) -> None:
    """Shows the answers for these positions where the cell is, each in the place of the one before, until the sliders move on."""

    def found() -> None:
        left = Left(mo.current_thread())
        time.sleep(STANDS_S)
        try:
            for one in lab.answers(at, JOBS, left):
                mo.output.replace(shown(one))
        except SimvirtError as error:
            mo.output.replace(mo.callout(mo.md(f"```text\n{error}\n```"), kind="danger"))

    mo.Thread(target=found).start()


def shown(one: Answer) -> Any:
    """An answer: its sentence, the table, the charts."""
    state = "precise" if one.last else "a first answer; a more precise one is being computed"
    about = f"{state} · {one.document.replications} replications · after {one.after_s:.1f} s"
    drawn = [Drawn(chart) for chart in charts(one.document)]
    return mo.vstack([
        mo.callout(mo.md(_plain(one.document.answer)), kind="success" if one.last else "neutral"),
        mo.Html(f'<p role="status" data-answer="{"precise" if one.last else "first"}">{about}</p>'),
        mo.Html(_table(rows(one.document))),
        mo.hstack(drawn, wrap=True, justify="start"),
    ])


def _table(found: Sequence[Mapping[str, str]]) -> str:
    """Rows of texts as a table."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in found[0]) if found else ""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row.values()) + "</tr>" for row in found)
    return f"{STYLE}<table class='platforms'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plain(text: str) -> str:
    """A sentence without what Markdown would take for its own."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|$~" else letter for letter in text)


def kept(lab: Lab, at: Mapping[str, str]) -> Any:
    """What can be taken away: the link, the scenario, and the page of a precise answer."""
    link = f"?{lab.query(at)}"
    return mo.hstack([
        mo.md(f"[Link to these positions]({link})"),
        mo.download(lambda: lab.yaml(at).encode(), f"{lab.name}.yaml", "text/yaml", label="Scenario"),
        mo.download(lambda: _report(lab, at), f"{lab.name}.html", "text/html", label="Report"),
    ], justify="start", gap=1.5)


def _report(lab: Lab, at: Mapping[str, str]) -> bytes:
    """The page of the precise answer."""
    last: Iterable[Answer] = lab.answers(at, JOBS, Event())
    return page([list(last)[-1].document]).encode()
