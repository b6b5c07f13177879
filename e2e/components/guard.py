"""Runs a command and ends it, and all that it started, when standard input ends: when who started it is gone.

Run as a script, the leader of its own process group. A pipe and not PR_SET_PDEATHSIG (prctl(2)): that
signal comes when the starting *thread* ends, which kills servers started from a thread pool.
"""

import os
import select
import signal
import subprocess
import sys

if __name__ == "__main__":
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    ended = os.pidfd_open(child.pid)
    ready, _, _ = select.select([sys.stdin, ended], [], [])
    if sys.stdin in ready:
        child.kill()
        child.wait()  # its port is free again when this ends
        os.killpg(0, signal.SIGKILL)
    sys.exit(child.wait())
