"""A run in a notebook: `marimo edit experiments/notebooks/platforms.py`, or `python experiments/notebooks/platforms.py`."""

import marimo

app = marimo.App(app_title="What does each platform cost?")


@app.cell
def _():
    from pathlib import Path

    import marimo as mo

    import simvirt

    shop = Path(__file__).parents[2] / "configs" / "web.yaml"
    return mo, shop, simvirt


@app.cell
def _(mo):
    mo.md("""
    # What does each platform cost?

    The web shop of `configs/web.yaml`, with the same requests on every platform. First a guess: which platform is slowest, and by how much?
    """)
    return


@app.cell
def _(mo):
    rate = mo.ui.slider(200, 1600, 200, value=800, label="requests/s", show_value=True)
    mo.hstack([rate])
    return (rate,)


@app.cell
def _(rate, shop, simvirt):
    scenario = simvirt.load(shop, sets=[f"workload.open.rate={rate.value}/s", "run.duration=20s", "run.replications=3"])
    result = simvirt.run(scenario, jobs=2, maximum=False)
    return (result,)


@app.cell
def _(mo, result):
    mo.md(result.typed().answer)
    return


@app.cell
def _(mo, result):
    frame = result.frame()
    columns = ("platform", "latency_mean_s", "latency_mean_s_low", "latency_mean_s_high", "latency_p99_s")
    mo.ui.table({name: frame[name] for name in columns}, selection=None)
    return


@app.cell
def _(result):
    result.chart("latency")
    return


@app.cell
def _(result):
    result.chart("breakdown")
    return


if __name__ == "__main__":
    app.run()
