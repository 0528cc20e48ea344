#!/usr/bin/env python3
"""Proves that the fault rig bites: takes one sync or one check out of the product at a time, and the rig must fail.

    bite.py              from the top of a checkout; builds in a copy of it, into target/bite
    bite.py --only NAME  one of them

Each damage replaces a text that must stand exactly once in its file: when the code moves on, the damage moves with it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Name, file, the text, what stands there instead, and the part of the rig that must find it, with its options.
DAMAGES = (
    ("a run goes on beside one that died meanwhile", "src/pipeline/apply.rs",
     "        Ok(true) => return None,\n", "        Ok(true) => {}\n", "beside"),
    ("the staged bodies are not synced", "src/disk/stage.rs",
     "        barrier(&self.root, self.folder(), None, durability)?;\n        let shown", "        let shown", "order"),
    ("the journal is not synced", "src/disk/stage.rs",
     "            file.sync_data().map_err(failed)?;\n", "", "order"),
    ("the journal of what was taken back is not gone from the disk", "src/disk/stage.rs",
     "    if durability == Durability::Full { sys::sync_one(folder) } else { Ok(()) }\n",
     "    let _ = durability;\n    Ok(())\n", "order"),
    ("the journal does not get its name", "src/disk/stage.rs",
     "sys::move_over((self.folder(), UNFINISHED), (self.folder(), JOURNAL))", "Ok::<(), Errno>(())",
     "order"),
    ("recovery carries nothing out", "src/disk/recover.rs",
     "Steps::new(root, folder)?.resume(journal);", "Steps::new(root, folder)?.resume(&Journal::default());", "kills"),
    ("what cannot go on is not taken back", "src/disk/commit.rs",
     "        Err(cause) if staging.is_committed() => Err(take_back(staging, journal, durability, cause)),\n", "",
     "matrix --stage expand --every 23"),
    ("what an update displaced is not looked at", "src/disk/steps/mod.rs",
     "            return verify(Check::Exchanged, (self.folder, slot), before, path, &mut self.buffer);\n",
     "            return Ok(());\n", "saves --saves 1000"),
    ("what a delete displaced is not looked at", "src/disk/steps/mod.rs",
     "        verify(Check::Removed, displaced, before, path, &mut self.buffer)\n",
     "        let _ = before;\n        Ok(())\n", "saves --saves 1000"),
)
NEEDED = ("Cargo.toml", "Cargo.lock", "src", "schemas", "tests", "benches", "README.md", "CHANGELOG.md")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", metavar="NAME")
    chosen = arguments.parse_args()
    top = Path.cwd()
    target = Path(os.environ.get("CARGO_TARGET_DIR", top / "target")).resolve()
    borrow(target, target / "bite")
    target /= "bite"
    toothless = 0
    with tempfile.TemporaryDirectory(prefix="megax-bite-") as at:
        copy = Path(at) / "megax"
        copy.mkdir()
        for name in NEEDED:
            source = top / name
            if source.is_dir():
                shutil.copytree(source, copy / name)
            elif source.exists():
                shutil.copy2(source, copy / name)
        for name, file, text, instead, part in DAMAGES:
            if chosen.only in (None, name):
                toothless += not bites(copy, target, name, (copy / file, text, instead), part)
    return 1 if toothless else 0


def borrow(target, own):
    """Links what is built of the dependencies, so that it is not built once more."""
    for name in ("deps", "build", ".fingerprint"):
        from_here, to = target / "debug" / name, own / "debug" / name
        if from_here.is_dir() and not to.exists():
            skip = shutil.ignore_patterns("*megax*")
            shutil.copytree(from_here, to, symlinks=True, copy_function=os.link, ignore=skip)


def bites(copy, target, name, damage, part):
    """Whether a part of the rig finds a damage."""
    file, text, instead = damage
    whole = file.read_text()
    if whole.count(text) != 1:
        print(f"FAILED {name}: the text stands {whole.count(text)} times in {file.relative_to(copy)}", flush=True)
        return False
    file.write_text(whole.replace(text, instead))
    try:
        build = ["cargo", "build", "--quiet", "--locked"]
        env = {**os.environ, "CARGO_TARGET_DIR": str(target), "CARGO_INCREMENTAL": "0"}
        done = subprocess.run(build, cwd=copy, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"FAILED {name}: it does not build\n{done.stderr[-2000:]}", flush=True)
            return False
        rig = [sys.executable, str(copy / "tests/rigs/faults.py"), str(target / "debug/megax"), "--only", *part.split()]
        done = subprocess.run(rig, capture_output=True, text=True, check=False)
    finally:
        file.write_text(whole)
    found = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if done.returncode == 1 and found:
        print(f"found   {name}: {part}: {found[0][7:]}", flush=True)
        return True
    if done.returncode == 0 and "SKIPPED" in done.stdout + done.stderr:
        print(f"SKIPPED {name}: `{part}` cannot run here", flush=True)
        return True
    print(f"FAILED {name}: `{part}` passes without it\n{done.stdout[-2000:]}{done.stderr[-2000:]}", flush=True)
    return False


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
