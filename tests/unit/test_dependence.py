"""Which tables depend on which fitted constants."""

from __future__ import annotations

from simvirt.catalog import Catalog
from simvirt.validation.dependence import dependences
from simvirt.validation.facts import chosen
from simvirt.validation.fitted import fitted


def test_cells_depend_on_the_constants_that_they_use_and_on_no_others() -> None:
    (table,) = chosen((), ("kvm-vmexit-skx",))
    wanted = {"families.skylake-sp.vm_exit", "techniques.nested-paging.costs.ipi.cpu", "families.zen2.vm_exit", "guests.linux.same"}
    found = dependences(table, [constant for constant in fitted(Catalog.load()) if constant.name in wanted])
    assert set(found["techniques.nested-paging.costs.ipi.cpu"]) == {("ipi", "kvm")}
    assert 0.9 < found["families.skylake-sp.vm_exit"]["vmcall", "kvm"] <= 1
    assert ("vmcall", "kvm") in found["families.skylake-sp.vm_exit"]
    assert set(found) == {"families.skylake-sp.vm_exit", "techniques.nested-paging.costs.ipi.cpu"}
