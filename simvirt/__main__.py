"""`python -m simvirt` is the command `simvirt`."""

import signal
import sys


def main() -> int:
    """Runs the command. Ctrl-C ends it without a traceback, while its parts are imported too; a request to terminate is taken as Ctrl-C."""
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        from simvirt.cli.app import main as command

        return command()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was kept\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
