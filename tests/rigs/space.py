"""A file system without space, or without inodes; other mounts below the output; folders that may not be written. Always
exit code 5, and the old tree; where megax can know it before it publishes, with the code that says so."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

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
        return all([
            fill(rig, at, report, "space", fill_bytes, 4096),
            fill(rig, at, report, "inodes", fill_inodes, 1),
            mounts(rig, report),
            shut(rig, report),
        ])
    finally:
        subprocess.run(["umount", str(at)], check=True)


def mounts(rig, report):
    """Mounts at, below and beside what is published."""
    def bind(out, path):
        copy = Path(tempfile.mkdtemp(dir=rig.at)) / "copy"
        (shutil.copytree if (out / path).is_dir() else shutil.copy2)(out / path, copy)
        subprocess.run(["mount", "--bind", str(copy), str(out / path)], check=True)

    def itself(out, path):
        subprocess.run(["mount", "--bind", str(out / path), str(out / path)], check=True)

    def read_only(out, path):
        itself(out, path)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(out / path)], check=True)

    def memory(out, path):
        copy = Path(tempfile.mkdtemp(dir=rig.at)) / "copy"
        shutil.copytree(out / path, copy)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(out / path)], check=True)
        shutil.copytree(copy, out / path, dirs_exist_ok=True)

    cases = [("a copy", bind, "src"), ("the folder itself", itself, "src"), ("read-only", read_only, "gone/deep"),
             ("another file system", memory, "src"), ("a single file", bind, "src/one.txt"), ("megax's own", bind, ".megax")]
    good = True
    for name, mount, path in cases:
        out = rig.copy("mounted")
        mount(out, path)
        try:
            done = run(rig.expand(2, out))
            good &= refused(rig, out, report, f"a mount, {name}", done, f"`{path}`")
        finally:
            subprocess.run(["umount", str(out / path)], check=True)
        good &= goes_on(rig, out, report, f"a mount, {name}")
    report.total("mounts", len(cases), len(cases), 0)
    return good


def shut(rig, report):
    """A folder without the right to write, as somebody to whom that matters."""
    out, user = rig.copy("shut"), []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            report.skip("shut", "there is no setpriv to be an ordinary user with")
            return True
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for folder, _, files in os.walk(out):
            for at in [folder, *(os.path.join(folder, name) for name in files)]:
                os.chown(at, 65534, 65534)
        os.chmod(rig.at, 0o755)
    good = True
    for path in ("src", "gone/deep", "only"):
        os.chmod(out / path, 0o555)
        done = run(user + rig.expand(2, out))
        os.chmod(out / path, 0o755)
        good &= refused(rig, out, report, f"shut {path}", done, f"`{path}`")
    report.total("shut", 3, 3, 0)
    return good and goes_on(rig, out, report, "shut")


def refused(rig, out, report, name, done, named):
    """Whether a run ended before it published, and named the place."""
    version = rig.which(out)
    said = done.stdout + done.stderr
    if done.returncode == 5 and version == 1 and "MX830" in said and named in said:
        return True
    report.fail(name, f"exit code {done.returncode}, the tree is {version}: {said[-300:]}")
    return False


def goes_on(rig, out, report, name):
    version, wrong = rig.after(out)
    if wrong or version != 1:
        report.fail(name, f"afterwards the tree was {version}: {wrong}")
    return version == 1 and not wrong


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
