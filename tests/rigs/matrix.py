"""Every system call that touches the output root fails, or kills, once and from then on.

Of five runs: `expand` on a whole tree, `recover` on one whose commit was killed in the middle, `resume`, an `expand` that
finds such a tree, `undo` of an `expand`, and `plain`, an `expand` where the file system knows no `renameat2`.
"""

import collections
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from rig import GRACEFUL, TIMEOUT, run

ERRORS = ("ENOSPC", "EIO", "EROFS", "EACCES", "EMFILE")
KINDS = (*(f"error={name}" for name in ERRORS), "signal=KILL")
# No call of these is a fault that a disk can have: the first only sets a flag of a handle, the others map code.
IGNORED = ("fcntl", "mmap", "execve", "readlink")
# strace leaves out the call that it lets fail; the system closes a file even where it reports an error.
ONLY_KILLS = ("close",)
WORKERS = 2
# The version of a tree before a run of these.
BEFORE = {"expand": 1, "plain": 1, "undo": 2}
STAGES = ("expand", "recover", "resume", "undo", "plain")
# What a stage suffers all the time.
ALWAYS = {"plain": ("renameat2", "error=EINVAL")}


def works():
    """Whether strace can be used here; else why not."""
    if shutil.which("strace") is None:
        return "there is no strace"
    done = subprocess.run(["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return None if done.returncode == 0 else "strace may not trace here: " + done.stderr.decode().strip()[:200]


def calls(log, out):
    """Of a clean run: each call that touches `out`, as its name and its number within its thread (strace counts so); and
    how many were left out, because another thread makes a call of that number as well."""
    counts = collections.defaultdict(collections.Counter)
    found = []
    for line in log.read_text(errors="replace").splitlines():
        begins = re.match(r"(\d+) +(\w+)\(", line)
        if begins is None:
            continue
        thread, name = begins.groups()
        counts[thread][name] += 1
        if str(out) in line and name not in IGNORED:
            found.append((thread, name, counts[thread][name], what(line, out)))
    free = lambda thread, name, number: all(
        other == thread or count[name] < number for other, count in counts.items())
    clear = [(name, number, text) for thread, name, number, text in found if free(thread, name, number)]
    return clear, len(found) - len(clear)


def what(line, out):
    """A traced call, short enough for a table."""
    text = re.sub(r"^\d+ +", "", line).replace(str(out), "")
    return text.split(" = ")[0][:110]


class Case:
    """One run with one fault, and what came of it."""

    def __init__(self, stage, durability, call, number, text, kind, lasting):
        self.stage, self.durability, self.call, self.number, self.text = stage, durability, call, number, text
        self.kind, self.lasting = kind, lasting
        self.version, self.wrong, self.hit, self.code = None, None, False, None

    def __str__(self):
        lasting = "+" if self.lasting else ""
        return f"{self.stage} {self.durability} {self.call}:{self.kind}:when={self.number}{lasting}  {self.text}"


def copy_tree(prepared, out):
    """Copies a tree. megax follows no journal from elsewhere, so the copies of one are told that they were made here."""
    shutil.copytree(prepared, out, symlinks=True)
    for guard in out.glob(".megax/txn/*/guard"):
        guard.write_text(str(guard.parent.stat().st_ino))


def attempt(rig, case, prepared, number):
    """Runs a case in a folder of its own."""
    out = rig.at / f"case-{number}"
    log = rig.at / f"case-{number}.log"
    copy_tree(prepared, out)
    try:
        trace(rig, case, out, log)
        if case.wrong is None:
            case.version, case.wrong = rig.after(out)
    except subprocess.TimeoutExpired as error:
        case.wrong = f"hangs: {error.cmd}"
    if case.wrong is None:
        shutil.rmtree(out)
        log.unlink(missing_ok=True)


def trace(rig, case, out, log):
    when = f"{case.number}{'+' if case.lasting else ''}"
    command = command_of(rig, case.stage, case.durability, out)
    done = run(injecting(case.call, case.kind, when, log, ALWAYS.get(case.stage)) + command)
    case.code = done.returncode
    seen = log.read_text(errors="replace")
    others = (line for line in seen.splitlines() if f"{case.call}(" in line or "killed by" in line or f"{case.call} resumed" in line)
    case.hit = any("(INJECTED)" in line or "killed by SIGKILL" in line for line in others)
    # A killed strace ends like its child: by the same signal.
    killed = case.kind == "signal=KILL" and case.code in (-9, 137)
    if not killed and case.code not in GRACEFUL:
        case.wrong = f"exit code {case.code}: {done.stderr.strip()[-300:]}"
    # What exit code 5 promises, before any recovery.
    before = BEFORE.get(case.stage)
    if case.wrong is None and case.code == 5 and before is not None and rig.which(out) != before:
        case.wrong = f"exit code 5, but the tree is not as before: {rig.which(out)}"


def injecting(call, kind, when, log, always=None):
    """The prefix of a command that lets a call fail, or kill, and another one fail all the time. strace 6.1 sends no signal
    under its faster filter."""
    faster = ["--seccomp-bpf"] if kind.startswith("error=") else []
    more = suffering(always)
    traced = ",".join([call, *(always or ())[:1]])
    return ["strace", "-f", *faster, "-o", str(log), "-e", f"trace={traced}", *more,
            "-e", f"inject={call}:{kind}:when={when}"]


def suffering(always):
    """The part of a trace that lets a call fail all the time."""
    return ["-e", f"inject={always[0]}:{always[1]}"] if always else []


def command_of(rig, stage, durability, out):
    if stage not in ("recover", "undo"):
        return rig.expand(2, out, durability=durability)
    command = rig.recover(out) if stage == "recover" else rig.undo(out)
    return ["env", f"MEGAX_DURABILITY={durability}", *command]


def clean_calls(rig, stage, durability, prepared):
    """The calls of a run without faults, from a copy of `prepared`."""
    out, log = rig.at / "clean", rig.at / "clean.log"
    copy_tree(prepared, out)
    command = command_of(rig, stage, durability, out)
    always = ALWAYS.get(stage)
    subprocess.run(["strace", "-f", "-y", "-s", "40", "-o", str(log), *suffering(always), *command],
                   capture_output=True, timeout=TIMEOUT, check=True)
    found, shadowed = calls(log, out)
    # That call has its fault already.
    found = [one for one in found if always is None or one[0] != always[0]], shadowed
    shutil.rmtree(out)
    return found


def interrupted(rig, number, name):
    """A tree whose commit was killed at its `number`-th `renameat2`."""
    out = rig.copy(name)
    run(injecting("renameat2", "signal=KILL", number, "/dev/null") + rig.expand(2, out))
    assert list(out.glob(".megax/txn/*/journal")) and rig.which(out) not in (1, 2), "the kill came at no good moment"
    return out


def cases_of(stage, durability, found, every, start):
    """Every `every`-th case of all calls."""
    made = []
    at = start
    for call, number, text in found:
        for kind in KINDS:
            for lasting in (False, True):
                if kind == "signal=KILL" and lasting or kind != "signal=KILL" and call in ONLY_KILLS:
                    continue
                at += 1
                if at % every == 0:
                    made.append(Case(stage, durability, call, number, text, kind, lasting))
    return made


def matrix(rig, every, report, only=None):
    """Runs the matrix, or one stage of it; whether all is well."""
    why = works()
    if why:
        report.skip("fault matrix", why)
        return True
    middle = interrupted(rig, 5, "interrupted")
    plans = [("expand", "full", rig.old, every), ("expand", "process", rig.old, every * 2),
             ("recover", "full", middle, every), ("resume", "process", middle, every),
             ("undo", "process", rig.applied(), every), ("plain", "process", rig.old, every * 2)]
    plans = [plan for plan in plans if only in (None, plan[0])]
    work = []
    for start, (stage, durability, prepared, each) in enumerate(plans):
        found, shadowed = clean_calls(rig, stage, durability, prepared)
        if len(found) < 60:
            report.fail("fault matrix", f"only {len(found)} calls of {stage} touch the output root")
        made = cases_of(stage, durability, found, each, start)
        report.say(f"{stage} {durability}: {len(found)} calls touch the output root ({shadowed} more cannot be told "
                   f"from another thread's), {len(made)} cases")
        work += [(case, prepared) for case in made]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda item: attempt(rig, item[1][0], item[1][1], item[0]), enumerate(work)))
    return table(report, [case for case, _ in work])


def table(report, cases):
    rows = collections.defaultdict(collections.Counter)
    for case in cases:
        row = rows[(case.stage, case.durability, case.kind)]
        row["cases"] += 1
        row["not reached"] += not case.hit
        row["failed" if case.wrong else "old" if case.version == 1 else "new"] += 1
    report.say(f"{'stage':8} {'durability':10} {'fault':13} {'cases':>6} {'old':>6} {'new':>6} {'failed':>6} {'not reached':>11}")
    for key, row in sorted(rows.items()):
        numbers = f"{row['cases']:6} {row['old']:6} {row['new']:6} {row['failed']:6} {row['not reached']:11}"
        report.say(f"{key[0]:8} {key[1]:10} {key[2]:13} {numbers}")
    missed = sum(not case.hit for case in cases)
    if missed > len(cases) // 20:
        report.fail("fault matrix", f"{missed} of {len(cases)} faults were never reached: the calls are not the same twice")
    for case in (case for case in cases if case.wrong):
        report.fail(str(case), case.wrong)
    old, new = (sum(not case.wrong and case.version == version for case in cases) for version in (1, 2))
    report.total("fault matrix", len(cases), old, new)
    return not any(case.wrong for case in cases)
