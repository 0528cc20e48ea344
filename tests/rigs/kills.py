"""Processes that are killed at any time."""

import os
import random
import shutil
import subprocess
import time


def kills(rig, count, seed, report):
    """Applies that alternate between the versions, each killed at a random time; whether all is well."""
    chance = random.Random(seed)
    out = rig.copy("kills")
    usual = duration(rig, out)
    killed = interrupted = 0
    found = {1: 0, 2: 0}
    version = 2
    for number in range(count):
        durability = chance.choice(("full", "process"))
        child = subprocess.Popen(rig.expand(version, out, durability=durability), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        wait(child, out, usual, chance)
        child.kill()
        code = child.wait()
        killed += code == -9
        interrupted += begun(out)
        wrong = rig.must(rig.recover(out), "")
        is_now = rig.which(out)
        if wrong is None and is_now not in (1, 2):
            wrong = is_now
        if wrong:
            report.fail(f"kill {number} of version {version}, {durability}", wrong)
            return False
        found[is_now] += 1
        version = 3 - is_now
    return clean(rig, out, version, report, (killed, interrupted, found, count))


def clean(rig, out, version, report, numbers):
    """The last run, undisturbed."""
    killed, interrupted, found, count = numbers
    wrong = rig.must(rig.expand(version, out), "") or rig.must(rig.expand(version, out), "nothing to do")
    left = list((out / ".megax/txn").iterdir())
    if wrong is None and (rig.which(out) != version or left):
        wrong = f"after the last run: {rig.which(out)}, left in .megax/txn: {left}"
    if wrong:
        report.fail("kill loop", wrong)
    report.say(f"{count} runs, {killed} died, {interrupted} of them with their commit begun")
    report.total("kill loop", count, found[1], found[2])
    shutil.rmtree(out)
    return wrong is None


def wait(child, out, usual, chance):
    """Until a random time: of the whole run, or, every other time, shortly after its commit point."""
    if chance.random() < 0.5:
        # Most of the time before the end of a run; some come through.
        time.sleep(usual * chance.random() * 1.1)
        return
    while child.poll() is None and not begun(out):
        pass
    time.sleep(usual * chance.random() ** 2 / 4)


def begun(out):
    """Whether a journal lies there."""
    try:
        return any(os.path.exists(f"{one.path}/journal") for one in os.scandir(out / ".megax/txn"))
    except FileNotFoundError:
        return False


def duration(rig, out):
    """How long an apply takes, in seconds: the middle of some."""
    times = []
    for version in (2, 1, 2, 1, 2, 1):
        begun = time.monotonic()
        rig.must(rig.expand(version, out, durability="full"))
        times.append(time.monotonic() - begun)
    return sorted(times)[len(times) // 2]
