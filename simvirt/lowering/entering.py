"""Where requests of a class enter, and what of them a trace brings."""

from simvirt.kernel import constants as k
from simvirt.lowering.guards import Guard, guarding_client, sending
from simvirt.lowering.instructions import Instruction
from simvirt.lowering.program import Writer
from simvirt.lowering.traffic import Entry, RequestClass
from simvirt.scenario.spec.models import Constant
from simvirt.workload.draws import Variables


def entry_of(writer: Writer, of: RequestClass, variables: Variables, hop: int) -> Entry:
    """Service row, first instruction and balancing column of a request class; the first instruction of its client, where that guards it."""
    service, _, operation = of.operation.partition(".")
    guard = of.guard

    def write(one: Writer) -> int:
        return one.entry(service, operation, variables, None if of.local else one.paths, of.connects)

    columns = [writer.balance_column(service, variables) for _ in range(guard.tries if guard is not None else 1)]
    bodies = [writer.everywhere(write, variables) for _ in columns]
    row, client = writer.services[service], k.NONE
    if guard is not None:
        sends = [sending(row, body, column, hop) for body, column in zip(bodies, columns, strict=True)]
        client = guarding_client(writer.program, writer.text.guards, Guard(of.caller, service, guard, client=True), sends, variables)
    return row, bodies[0], columns[0], client


def trace_column(writer: Writer, of: RequestClass, entry: Entry, variables: Variables) -> int | None:
    """Column of the first CPU step of a class, which a trace's own demand replaces; made where the step is a constant.

    None where no trace brings demands, or the operation has no CPU step of its own.
    """
    workload = of.view.workload
    if workload is None or workload.trace is None or workload.trace.cpu is None:
        return None
    rows = [_first_demand(writer, first) for first in writer.program.everywhere(entry[1])]
    if rows[0] is None:
        return None
    column = rows[0].column
    if column == k.NONE:
        column = variables.column(Constant.model_construct(kind="constant", mean=rows[0].amount))
    for row in rows:
        assert row is not None
        row.column = column
    return column


def _first_demand(writer: Writer, at: int) -> Instruction | None:
    """The first CPU step of an operation's own in the body at a row; None without one."""
    while not (row := writer.program.rows[at]).demand and row.op != k.OP_RETURN:
        at += 1
    return None if row.op == k.OP_RETURN else row
