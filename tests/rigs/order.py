"""The order of the calls that a loss of power makes important.

No rig without a block device of its own can take the power away, but what a crash may leave follows from the order of the
calls: nothing is renamed into the tree before the journal is on the disk, the journal not before all that it names, and
nobody is told of an apply whose renames are not there yet. So a traced run becomes one letter per call that changes
something or syncs, and the text must have the right form.
"""

import re
import shutil
import subprocess

from matrix import command_of, copy_tree, interrupted, works
from rig import TIMEOUT

CHANGING = ("write", "pwrite64", "writev", "mkdirat", "unlinkat", "linkat", "symlinkat", "renameat", "renameat2", "fchmod",
            "fchmodat", "?fchmodat2", "ftruncate")
SYNCING = ("syncfs", "fsync", "fdatasync")
# s: syncfs, b: anything else below `.megax` that is not the lockfile, J: the journal is written, j: it is synced,
# C: it gets its name, U: it is removed, f: its folder is synced, T: the tree or the lockfile changes, L: the transaction becomes an
# operation of the log.
FORMS = {
    ("expand", "full"): "b+sb*J+jCf[Tb]*T[Tb]*sb*Lb*",
    ("undo", "full"): "b+sb*J+jCf[Tb]*T[Tb]*sb*Lb*",
    ("recover", "full"): "b*[Tb]*T[Tb]*sb*Lb*",
    # What was taken back must not be gone on with: the journal is gone from the disk as well.
    ("fails", "full"): "b+sb*J+jCf[Tb]*T[Tb]*sb*Ufb*",
    ("blocked", "full"): "b*[Tb]*T[Tb]*sb*Ufb*",
    ("expand", "process"): "b+J+C[Tb]*T[Tb]*Lb*",
}


def order(rig, report):
    """Traces a run of each kind; whether all is well."""
    why = works()
    if why:
        report.skip("order", why)
        return True
    blocked = interrupted(rig, 5, "order-blocked")
    # What an edit keeps from being gone on with; a file that was not reached yet.
    (blocked / "src/two.txt").write_text("edited\n")
    trees = {"fails": rig.old, "blocked": blocked, "expand": rig.old, "undo": rig.applied(), "recover": interrupted(rig, 5, "order-interrupted")}
    wrong = 0
    for (stage, durability), form in FORMS.items():
        found = letters(rig, stage, durability, trees[stage])
        report.say(f"{stage} {durability}: {shorten(found)}")
        if not re.fullmatch(form, found):
            report.fail(f"order of {stage} {durability}", f"{found} is not of the form {form}")
            wrong += 1
        # The check must be able to fail: each sync counts.
        for at in (at for at, letter in enumerate(found) if letter in "sjf"):
            without = found[:at] + found[at + 1:]
            if re.fullmatch(form, without):
                report.fail(f"order of {stage} {durability}", f"without its call {at} ({found[at]}) it passes as well")
                wrong += 1
    report.total("order", len(FORMS))
    return wrong == 0


def letters(rig, stage, durability, prepared):
    """One letter per call of a run that changes something below the output root, or syncs."""
    out, log = rig.at / "order", rig.at / "order.log"
    copy_tree(prepared, out)
    failing = ["-e", "inject=renameat2:error=EIO:when=8"] if stage == "fails" else []
    traced = ["strace", "-f", "-y", "-s", "4096", "-o", str(log), "-e",
              "trace=openat," + ",".join((*CHANGING, *SYNCING)), *failing,
              *command_of(rig, {"blocked": "recover"}.get(stage, stage), durability, out)]
    subprocess.run(traced, capture_output=True, timeout=TIMEOUT, check=stage != "fails")
    found = "".join(letter(line, str(out)) for line in log.read_text(errors="replace").splitlines())
    shutil.rmtree(out)
    return found


def letter(line, out):
    """The letter of a traced call; nothing for one that failed, only looks, or happens elsewhere."""
    call = re.match(r"\d+ +(\w+)\((.*)\) += (\d+)", line)
    if call is None or f"<{out}" not in call[2]:
        return ""
    name, text = call[1], call[2]
    if name == "openat" and "O_CREAT" not in text:
        return ""
    # A call whose name holds `at` takes a folder and a name in it; any other an open file.
    folders = re.findall(r'\d+<([^>]*)>(?:, "([^"]*)")?' if "at" in name else r"^\d+<([^>]*)>()", text)
    paths = [f"{folder}/{file}"[len(out) + 1:].rstrip("/") for folder, file in folders]
    if name == "syncfs":
        return "s"
    in_txn = re.match(r"\.megax/txn/[^/]+(/|$)", paths[0])
    inside = paths[0][in_txn.end():] if in_txn else None
    if name in SYNCING:
        return {"journal.new": "j", "": "f"}.get(inside, "b")
    if name.startswith("rename") and inside == "journal.new":
        return "C"
    if name == "unlinkat" and inside == "journal":
        return "U"
    if inside == "journal.new":
        return "J"
    if name.startswith("rename") and inside == "" and paths[1].startswith(".megax/log/"):
        return "L"
    is_tree = (not path.startswith(".megax") or path.startswith(".megax/lock") for path in paths)
    return "T" if any(is_tree) else "b"


def shorten(found):
    """Runs of one letter as the letter and their length."""
    return re.sub(r"(.)\1+", lambda run: f"{run[1]}{len(run[0])} ", found)
