"""The Spark job as it is submitted, once killed at work and once to the end; see `against.py`."""

import os
import signal
import subprocess
from pathlib import Path

import against
from against import DUMP, SCRATCH, TRAILFOLD, check_same, report, wait_until

INTO = f"{SCRATCH}/rollup"


def submit(program: str) -> subprocess.Popen:
    conf = [word for name, value in against.CONF.items() for word in ("--conf", f"{name}={value}")]
    command = [str(against.SPARK_HOME / "bin/spark-submit"), "--master", "local[2]", *conf]
    command += [str(against.JOB), "--trailfold", program, "--input", DUMP, "--into", INTO]
    command += ["--batch-files", "20", "--memory", "256MB"]
    # A session of its own, to be killed whole.
    return subprocess.Popen(command, start_new_session=True)


half = sorted(str(path) for path in Path(DUMP).rglob("*") if path.is_file())[::2]
subprocess.run([TRAILFOLD, "rollup", "--quiet", "--into", INTO, *half])
before = report(INTO)
check_same(before, report(*half))

held, go, marks = against.held("held")
job = submit(held)
wait_until(lambda: os.listdir(marks))
os.killpg(job.pid, signal.SIGKILL)
job.wait()
# What it started lives on no longer than it takes to see this.
go.touch()
check_same(report(INTO), before)

assert submit(TRAILFOLD).wait() == 0
check_same(report(INTO), report(DUMP))
print("OK")
