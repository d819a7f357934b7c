"""Runs one command and prints its wall time, CPU time and peak memory as JSON.

    python3 -I -S stopwatch.py STDOUT COMMAND [ARGUMENT…]

It is a process of its own because Linux counts what the parent held at the time of
the fork into the peak of the child: a benchmark that has read a gigabyte of JSON
would lend its size to everything it starts. This one imports next to nothing, so
the smallest peak it can tell is its own, about 9 MB.

The command's standard output goes to the file STDOUT, and what its children use
counts once it has waited for them; the peak is that of the largest process.
"""

import os
import sys
import time

stdout, command = sys.argv[1], sys.argv[2:]
redirect = (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)

start = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[redirect])
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - start

cpu = usage.ru_utime + usage.ru_stime
print(f'{{"wall": {wall}, "cpu": {cpu}, "peak": {usage.ru_maxrss * 1024}}}')
sys.exit(os.waitstatus_to_exitcode(status) != 0)
