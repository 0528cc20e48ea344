"""A run beside another one that died in its commit: it never goes on from the half-done tree."""

import fcntl
import os
import random
import shutil
import signal
import subprocess
import time

from kills import duration
from matrix import copy_tree, injecting, interrupted, works
from rig import TIMEOUT

# Seconds after which a run that does not end waits for the stopped one.
WAIT = 3


def beside(rig, count, seed, report):
    """Somebody who looks at what a dead run left, and runs that die while another one plans; whether all is well."""
    why = works()
    if why:
        report.skip("beside", why)
        return True
    # A list, so that both run.
    return all([looked_at(rig, report), died_meanwhile(rig, count, random.Random(seed), report)])


def looked_at(rig, report):
    """The guard of the dead run is held for a while, as by somebody who looks at it."""
    middle = interrupted(rig, 10, "beside-interrupted")
    out = rig.at / "beside"
    copy_tree(middle, out)
    guard = os.open(next(out.glob(".megax/txn/*/guard")), os.O_RDWR)
    fcntl.flock(guard, fcntl.LOCK_EX)
    child = subprocess.Popen(rig.expand(2, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    early = child.poll()
    os.close(guard)
    said = child.communicate(timeout=TIMEOUT)
    wrong = judge(rig, out, child.returncode, said[1])
    if wrong is None and early is not None:
        wrong = "it did not wait for who holds the dead run's guard"
    shutil.rmtree(out)
    if wrong:
        report.fail("beside somebody who looks", wrong)
    report.total("looked at", 1)
    return wrong is None


def died_meanwhile(rig, count, chance, report):
    """A run is stopped while it plans; another one dies in its commit; the first goes on."""
    usual = duration(rig, rig.copy("beside"))
    met = number = 0
    # On a busy machine a run takes longer than measured, and most are stopped too early: then more of them are tried.
    while number < count or (met < count // 10 and number < 4 * count):
        number += 1
        if number % count == 0:
            usual = duration(rig, rig.copy("beside"))
        out = rig.copy("beside")
        first = subprocess.Popen(rig.expand(2, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(usual * chance.random() * 0.6)
        first.send_signal(signal.SIGSTOP)
        # Dies in its commit, unless the first has its team already.
        dying = injecting("renameat2", "signal=KILL", chance.randrange(2, 14), "/dev/null") + rig.expand(2, out)
        second = subprocess.Popen(dying, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waited = False
        try:
            second.wait(WAIT)
        except subprocess.TimeoutExpired:
            # It waits for something that the stopped one holds for a moment.
            waited = True
        met += not waited and bool(list(out.glob(".megax/txn/*/journal")))
        first.send_signal(signal.SIGCONT)
        said = first.communicate(timeout=TIMEOUT)
        second.wait(TIMEOUT)
        # Which of two that run at once comes first is nobody's business; what they leave is.
        wrong = rig.after(out)[1] if waited else judge(rig, out, first.returncode, said[1])
        if wrong:
            report.fail(f"run {number} beside one that died", wrong)
            return False
    report.say(f"{number} runs, {met} of them beside one that died in its commit")
    if met < count // 10:
        report.fail("beside", "hardly a run died at a good moment: this proves nothing")
    report.total("beside", number)
    return met >= count // 10


def judge(rig, out, code, said):
    """The run that went on must have made version 2, and nothing may change it any more."""
    if code != 0:
        return f"exit code {code}: {said[-300:]}"
    wrong = rig.must(rig.recover(out), "")
    if wrong is None and rig.which(out) != 2:
        wrong = f"after it, and recovery: {rig.which(out)}"
    return wrong or rig.must(rig.expand(2, out), "nothing to do")
