"""The shipped scenario of a density: more of what ends each of its six platforms raises the answer, more of something else does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from simvirt import kernel, load
from simvirt.density import density

pytestmark = [pytest.mark.slow, pytest.mark.verification, pytest.mark.skipif(kernel.MODE == "plain", reason="many simulations")]
SHIPPED = Path(__file__).parents[2] / "configs" / "density.yaml"
BINDING = {
    "bare-metal": "host.cpu", "docker": "bridge.ports", "kvm": "memory", "firecracker": "bridge.ports", "docker-on-kvm": "host.cpu",
    "virtualbox": "memory",
}
PORTS = "{value: 4000, source: several bridges}"
MORE = {
    "host.cpu": "host.cores=28", "memory": "host.memory=384GiB",
    "bridge.ports": f"catalog.limits={{bridge-ports: {{resource: bridge.ports, of: [container, vm], capacity: {PORTS}, "
                    "per_instance: {value: 1, source: as shipped}, title: ports of several bridges, source: as shipped}}",
}


@pytest.fixture(scope="module")
def written() -> dict[str, tuple[int, str]]:
    """n and what binds, as the file has it."""
    return found()


def found(*sets: str) -> dict[str, tuple[int, str]]:
    """n and what binds on each platform."""
    answers = density(load(SHIPPED, sets=["run.replications=2", *sets]), jobs=2).answers
    return {name: (answer.n, answer.binding.resource) for name, answer in answers.items()}


def test_each_platform_names_what_ends_it(written: dict[str, tuple[int, str]]) -> None:
    assert {name: resource for name, (_, resource) in written.items()} == BINDING


@pytest.mark.parametrize("resource", MORE)
def test_more_of_what_binds_helps_and_more_of_something_else_does_not(written: dict[str, tuple[int, str]], resource: str) -> None:
    """As many as fit, up to where the search ends; without what binds the same n but for the luck of an edge."""
    after = found(MORE[resource])
    for name, (n, binding) in written.items():
        if binding == resource:
            assert after[name][0] >= min(1.1 * n, 2000), (name, n, after[name])
        else:
            assert abs(after[name][0] - n) <= 0.03 * n, (name, n, after[name])
            assert after[name][1] == binding
