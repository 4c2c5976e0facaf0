"""The report of a document, whatever the command that it is of."""

from simvirt.report import (
    compare_report,
    density_report,
    deploy_report,
    fit_report,
    knee_report,
    plan_report,
    rules_report,
    run_report,
    sweep_report,
    validation_report,
)
from simvirt.report.blocks import Report
from simvirt.report.formats import rendered
from simvirt.result.compare_document import CompareDocument
from simvirt.result.density_document import DensityDocument
from simvirt.result.deploy_document import DeployDocument
from simvirt.result.document import Document
from simvirt.result.fit_document import FitDocument
from simvirt.result.knee_document import KneeDocument
from simvirt.result.plan_document import PlanDocument
from simvirt.result.rules_document import RulesDocument
from simvirt.result.run_document import RunDocument
from simvirt.result.sweep_document import SweepDocument
from simvirt.result.validation_document import ValidationDocument


def report_of(document: Document) -> Report:
    """What is said of a document; TypeError of one that no report is made of."""
    match document:
        case RunDocument():
            return run_report.report(document)
        case CompareDocument():
            return compare_report.report(document)
        case DensityDocument():
            return density_report.report(document)
        case DeployDocument():
            return deploy_report.report(document)
        case FitDocument():
            return fit_report.report(document)
        case KneeDocument():
            return knee_report.report(document)
        case PlanDocument():
            return plan_report.report(document)
        case RulesDocument():
            return rules_report.report(document)
        case SweepDocument():
            return sweep_report.report(document)
        case ValidationDocument():
            return validation_report.report(document)
    raise TypeError(f"there is no report of a {type(document).__name__}")


def html(document: Document) -> str:
    """The report of a document as HTML."""
    return rendered(report_of(document), "html")
