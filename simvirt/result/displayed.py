"""How results show themselves in an interpreter and in a notebook."""

from importlib import import_module
from typing import Any

from simvirt.result.document import Document


class Displayed:
    """A result with a typed document: short as `repr`, its report as HTML in a notebook, which finds that form by its name."""

    def typed(self) -> Any:
        """The result as a typed document."""
        raise NotImplementedError

    def summary(self) -> str:
        """What came, in a few words."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.summary()}>"

    def chart(self, name: str) -> Any:
        """A chart of the result by its name, such as `latency` (docs/report.md has all): a Vega-Lite specification, which notebooks draw.

        UsageError where there is no such chart, or nothing to draw.
        """
        return import_module("simvirt.charts").chart_of(self.typed(), name)

    def _repr_html_(self) -> str:
        document: Document = self.typed()
        return str(import_module("simvirt.report.of_document").html(document))
