"""`python -m namewarden`: the command line. A supervised child leaves Ctrl-C to its supervisor from its first line."""

import signal
import sys

if "--link" in sys.argv:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

from namewarden.cli import main

if __name__ == "__main__":
    main()
