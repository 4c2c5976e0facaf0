"""Demands from measurements: the utilisation law and regression, without what the platform adds, with intervals and a hold-out error."""

from simvirt.fit.answer import FitResult
from simvirt.fit.fitting import fit
from simvirt.runs.callable_module import callable_as_its_function

__all__ = ["FitResult", "fit"]

callable_as_its_function(__name__)
