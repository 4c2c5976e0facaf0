"""Charts of results as Vega-Lite specifications: plain dicts, pure functions of a result's document, in one theme.

`result.chart("latency")` in Python, and in a notebook as it is; `simvirt.charts.save(spec, "latency.svg")` draws it.
"""

from simvirt.charts.chart import Chart as Chart
from simvirt.charts.chart import can_draw as can_draw
from simvirt.charts.chart import save as save
from simvirt.charts.chart import sized as sized
from simvirt.charts.chart import svg as svg
from simvirt.charts.registry import chart_of as chart_of
from simvirt.charts.registry import charts_of as charts_of
from simvirt.charts.registry import names_of as names_of
