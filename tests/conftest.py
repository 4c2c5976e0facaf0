"""What pytest itself is given: options that write the committed reports anew and say how many random scenarios are tried."""

import gc
from collections.abc import Generator

import pytest
import yaml

from simvirt import kernel

pytest.register_assert_rewrite("helpers")

yaml.SafeDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # type: ignore[misc]  # tests write and read thousands of scenarios
yaml.SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # type: ignore[misc]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the committed reports anew; `--random-scenarios` says how many are tried."""
    parser.addoption("--random-scenarios", type=int, default=40, help="how many random scenarios are held against the laws")
    parser.addoption("--update-golden", action="store_true", help="write the committed reports in tests/golden and experiments anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether committed reports are to be written anew."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def few(request: pytest.FixtureRequest) -> int:
    """How many random scenarios are tried without being asked for more; in plain Python as many as take as long."""
    return int(request.config.getoption("--random-scenarios")) if kernel.MODE == "compiled" else 6


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing of modules and tests is garbage: neither while they are collected nor later are they looked through for any."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
