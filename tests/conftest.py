"""What pytest itself is given: an option that writes the committed reports anew."""

import pytest

pytest.register_assert_rewrite("helpers")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the committed reports anew instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="write the committed reports in tests/golden and experiments anew")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether committed reports are to be written anew."""
    return bool(request.config.getoption("--update-golden"))
