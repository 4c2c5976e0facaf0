"""What every test folder needs: the helpers in this folder (`support`), in `unit` and in `golden` can be imported from any test."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE / "unit", HERE / "golden", HERE / "contract", HERE / "kernel"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the committed reports anew instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="write the committed reports in tests/golden and experiments anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether committed reports are to be written anew."""
    return bool(request.config.getoption("--update-golden"))
