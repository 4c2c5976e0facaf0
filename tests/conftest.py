"""What every test folder needs: the helpers in this folder (`support`) and in `unit` can be imported from any test."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE / "unit"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
