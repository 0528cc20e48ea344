"""An editor that saves while megax writes: what it saved is never lost."""

import os
import random
import shutil
import subprocess

from kills import duration, wait

# Files that an apply of version 2 updates, deletes, creates and makes executable.
TARGETS = ("src/one.txt", "src/two.txt", "gone/y.txt", "fresh/b.txt", "bin/run.sh", "only/1.txt")


def saves(rig, count, seed, report):
    """Saves at random times during applies; whether all is well."""
    chance = random.Random(seed)
    usual = duration(rig, rig.copy("saves"))
    kept = stayed = skipped = 0
    for number in range(count):
        out = rig.copy("saves")
        target, how = out / chance.choice(TARGETS), chance.choice((in_place, by_rename))
        text = f"edit {number}\n"
        child = subprocess.Popen(rig.expand(2, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait(child, out, usual, chance)
        try:
            how(target, text, rig.at / "editor")
        except FileNotFoundError:
            # Its folder is gone, or not there yet.
            skipped += 1
            child.communicate()
            continue
        said = child.communicate()
        where = find(out, text)
        if where is None or child.returncode not in (0, 4, 6):
            report.fail(f"save {number} of {target.relative_to(out)} {how.__name__}",
                        f"exit code {child.returncode}, text {'found' if where else 'lost'}: {said[1][-300:]}")
            return False
        kept += where == "kept"
        stayed += where == "tree"
        wrong = again(rig, out, text)
        if wrong:
            report.fail(f"save {number} of {target.relative_to(out)} {how.__name__}", wrong)
            return False
    report.say(f"{count} saves: {stayed} in the tree, {kept} in .megax/kept, {skipped} had no folder to save into")
    report.total("saves", count - skipped)
    shutil.rmtree(rig.at / "saves")
    return True


def again(rig, out, text):
    """The next run overwrites the edit on request, and keeps it."""
    wrong = rig.must(rig.recover(out), "") or rig.must(rig.expand(2, out, "--on-edit", "overwrite"), "")
    if wrong is None and find(out, text) is None:
        wrong = "the next run lost it"
    return wrong


def in_place(target, text, _scratch):
    """As `cat > file` saves; at once, because a file that is open while megax looks at it may be written later."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(handle, text.encode())
    os.close(handle)


def by_rename(target, text, scratch):
    """As most editors save."""
    scratch.write_text(text)
    os.rename(scratch, target)


def find(out, text):
    """Where a text lies: in the tree, among what is kept, or nowhere."""
    for folder, folders, files in os.walk(out):
        inside = os.path.relpath(folder, out)
        if inside == ".megax":
            folders[:] = ["kept"] if "kept" in folders else []
        for name in files:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                if file.read() == text:
                    return "kept" if inside.startswith(".megax") else "tree"
    return None
