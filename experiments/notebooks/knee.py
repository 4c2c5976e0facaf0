"""A sweep in a notebook: `marimo edit experiments/notebooks/knee.py`, or `python experiments/notebooks/knee.py`."""

import marimo

app = marimo.App(app_title="Where does the curve bend?")


@app.cell
def _():
    import tempfile
    from pathlib import Path

    import marimo as mo

    import simvirt
    from simvirt.sweep import load

    queue = Path(__file__).parents[2] / "configs" / "mm1.yaml"
    return load, mo, queue, simvirt, tempfile


@app.cell
def _(mo):
    mo.md(r"""
    # Where does the curve bend?

    One server, requests at random: the mean time in the system is $S / (1 - \rho)$ with the mean demand $S$ and the utilisation $\rho$.
    It doubles from an idle server to one that is half busy, and doubles again at three quarters.
    """)
    return


@app.cell
def _(load, queue, simvirt, tempfile):
    asked = load(queue, ["workload.open.rate=10/s..90/s:5"], ["run.duration=60s", "run.replications=3", "platforms=[bare-metal]"])
    with tempfile.TemporaryDirectory() as folder:
        swept = simvirt.sweep(asked, folder)
    return (swept,)


@app.cell
def _(mo, swept):
    mo.md(swept.summary())
    return


@app.cell
def _(swept):
    swept.chart("lines-mean")
    return


if __name__ == "__main__":
    app.run()
