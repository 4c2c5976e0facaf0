"""The page of `simvirt lab`, as marimo runs it: `marimo run notebook.py -- --file SCENARIO`."""

import marimo

app = marimo.App(width="full", app_title="simvirt lab")


@app.cell
def _():  # type: ignore[no-untyped-def]
    import marimo as mo

    from simvirt.lab import view

    lab = view.lab_of(mo.cli_args())
    mo.md(f"# {lab.name}")
    return lab, mo, view


@app.cell
def _(lab, mo, view):  # type: ignore[no-untyped-def]
    sliders = view.controls(lab, mo.query_params())
    view.beside(sliders)
    return (sliders,)


@app.cell
def _(lab, sliders, view):  # type: ignore[no-untyped-def]
    at = view.positions(lab, sliders.value)
    view.answer(lab, at)
    return (at,)


@app.cell
def _(at, lab, view):  # type: ignore[no-untyped-def]
    view.kept(lab, at)
    return


if __name__ == "__main__":
    app.run()
