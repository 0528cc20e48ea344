"""A file system without space, or without inodes: exit code 5, and the old tree."""

import os
import shutil
import subprocess

from rig import run

BYTES, INODES = 2 << 20, 400


def space(rig, report):
    """Leaves less, then more; whether all is well."""
    at = rig.at / "small"
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={BYTES},nr_inodes={INODES}", "tmpfs", str(at)]
    done = run(mount) if shutil.which("mount") else None
    if done is None or done.returncode != 0:
        report.skip("space", "no tmpfs can be mounted here: " + (done.stderr.strip()[:200] if done else "no mount"))
        return True
    try:
        # A list, so that both run.
        return all([fill(rig, at, report, "space", fill_bytes, 4096), fill(rig, at, report, "inodes", fill_inodes, 1)])
    finally:
        subprocess.run(["umount", str(at)], check=True)


def fill(rig, at, report, name, filling, unit):
    """Leaves 0, 1, 2 ... units free, until a run comes through."""
    failed = 0
    for left in range(200):
        out, ballast = at / "tree", at / "ballast"
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(ballast, ignore_errors=True)
        shutil.copytree(rig.old, out, symlinks=True)
        ballast.mkdir()
        filling(at, ballast, left * unit)
        done = run(rig.expand(2, out, durability="full" if left % 2 else "process"))
        version = rig.which(out)
        if (done.returncode, version) not in ((5, 1), (0, 2)):
            report.fail(f"{name}, {left} units left", f"exit code {done.returncode}, the tree is {version}: {done.stderr[-300:]}")
            return False
        shutil.rmtree(ballast)
        _, wrong = rig.after(out)
        if wrong:
            report.fail(f"{name}, {left} units left", wrong)
            return False
        if done.returncode == 0:
            report.say(f"{name}: {failed} runs failed with 5 and the old tree, then one came through")
            if failed < 5:
                report.fail(name, "hardly a run failed: this proves nothing")
            report.total(name, failed + 1, failed, 1)
            return failed >= 5
        failed += 1
    report.fail(name, "no run ever came through")
    return False


def fill_bytes(at, ballast, left):
    """Takes all bytes but `left`."""
    free = os.statvfs(at).f_bavail * os.statvfs(at).f_frsize
    with open(ballast / "bytes", "wb") as file:
        file.write(b"x" * max(0, free - left))


def fill_inodes(at, ballast, left):
    """Takes all inodes but `left`."""
    for number in range(os.statvfs(at).f_favail - left):
        (ballast / str(number)).touch()
