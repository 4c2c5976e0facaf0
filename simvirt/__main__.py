"""`python -m simvirt` is the command `simvirt`."""

import sys

from simvirt.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
