"""The front door: a module for each command, and what they print. Imported by no other room."""

import os
import signal
import sys

if sys.orig_argv[1:3] == ["-m", "agentaskit_sim"]:
    # While the program is still being imported, Ctrl-C ends it as it does later: `main` takes over.
    signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))
