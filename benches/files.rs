//! Staging and commit alone, without templates: what one file costs, beside the plain calls that nothing can undercut.
//!
//! All on one thread and in this process. Every way of a round writes into a fresh folder, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use megax::change::{Desired, Inputs, MegaFile, Policies, Policy, compare};
use megax::digest::Digest;
use megax::disk::{Durability, Root, Staged, Staging, survey};
use megax::event::Silent;
use megax::path::{FileMode, OutputPath};

use super::median;

const FILES: usize = 10_000;
const BYTES: usize = 2_000;
const IN_A_FOLDER: usize = 50;

type Files = Vec<(OutputPath, Vec<u8>)>;

/// A way to make all files; each says how long it took, in microseconds a file.
type Way = fn(&Path, &Files) -> f64;

const WAYS: [(&str, Way); 7] = [
    ("mkdir, open, write, close", |out, files| timed(|| plain(out, files))),
    ("the same and one syncfs", |out, files| timed(|| synced(out, files))),
    ("written flat elsewhere, then one rename for each file", |out, files| timed(|| renamed(out, files))),
    ("written in folders elsewhere, then one rename of the whole", |out, files| timed(|| moved(out, files))),
    ("staging and commit, durability process", |out, files| megax(out, files, Durability::Process)),
    ("staging and commit, durability full", |out, files| megax(out, files, Durability::Full)),
    ("of it: staging", |out, files| stage(out, files).1),
];

pub fn table(rounds: usize) {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let files: Files = (0..FILES)
        .map(|number| {
            let path = format!("src/part-{:03}/file-{number:05}.ts", number / IN_A_FOLDER);
            let line = format!("export const value{number} = {number};\n");
            let body = line.repeat(BYTES / line.len() + 1);
            (OutputPath::parse(&path).expect("a path"), body.into_bytes()[..BYTES].to_vec())
        })
        .collect();
    let mut walls = vec![Vec::new(); WAYS.len()];
    for round in 0..rounds {
        for (at, ((_, way), walls)) in WAYS.iter().zip(&mut walls).enumerate() {
            walls.push(way(&temp.path().join(format!("{round}-{at}")), &files));
        }
    }
    println!("\n{FILES} files of {BYTES} bytes, {IN_A_FOLDER} in a folder; median of {rounds} rounds");
    println!("| way | us/file | to the first line |\n|---|--:|--:|");
    for ((name, _), own) in WAYS.iter().zip(&walls) {
        let ratios = own.iter().zip(&walls[0]).map(|(own, floor)| own / floor).collect();
        println!("| {name} | {:.1} | {:.2} |", median(own.clone()), median(ratios));
    }
}

fn timed(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    per_file(begun)
}

#[expect(clippy::cast_precision_loss, reason = "a count of files is small")]
fn per_file(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6 / FILES as f64
}

fn write(path: &Path, body: &[u8]) {
    fs::File::create_new(path).and_then(|mut file| file.write_all(body)).expect("a file");
}

fn folders(out: &Path, files: &Files) {
    let folders: BTreeSet<&str> = files.iter().map(|(path, _)| path.folder()).collect();
    for folder in folders {
        fs::create_dir_all(out.join(folder)).expect("a folder");
    }
}

fn plain(out: &Path, files: &Files) {
    folders(out, files);
    for (path, body) in files {
        write(&out.join(path.as_str()), body);
    }
}

fn synced(out: &Path, files: &Files) {
    plain(out, files);
    rustix::fs::syncfs(fs::File::open(out).expect("the folder")).expect("the file system can be synced");
}

fn renamed(out: &Path, files: &Files) {
    let stage = out.join("stage");
    fs::create_dir_all(&stage).expect("a folder");
    for (number, (_, body)) in files.iter().enumerate() {
        write(&stage.join(number.to_string()), body);
    }
    folders(out, files);
    for (number, (path, _)) in files.iter().enumerate() {
        fs::rename(stage.join(number.to_string()), out.join(path.as_str())).expect("a rename");
    }
}

fn moved(out: &Path, files: &Files) {
    let stage = out.join("stage");
    plain(&stage, files);
    fs::rename(stage.join("src"), out.join("src")).expect("a rename");
}

fn stage(out: &Path, files: &Files) -> (Staging, f64) {
    let root = Root::open(out).expect("a root");
    let begun = Instant::now();
    let staging = Staging::begin(&root).expect("a transaction");
    for (path, body) in files {
        staging.put(path, FileMode::Regular, body).expect("a staged file");
    }
    (staging, per_file(begun))
}

fn megax(out: &Path, files: &Files, durability: Durability) -> f64 {
    let root = Root::open(out).expect("a root");
    let (staging, staged) = stage(out, files);
    let desired: Vec<Desired> = files.iter().map(|(path, body)| desired(path, body)).collect();
    let paths: Vec<OutputPath> = files.iter().map(|(path, _)| path.clone()).collect();
    let changes = compare(&Inputs {
        desired: &desired,
        mega_files: &[MegaFile { team: "t".into(), id: "m".into(), inputs: None, source: None, whole: true }],
        shards: &[],
        orphan_scope: &BTreeSet::new(),
        planned_elsewhere: &BTreeSet::new(),
        off_limits: &BTreeSet::new(),
        survey: &survey(&root, &paths).expect("a survey").into_iter().collect::<BTreeMap<_, _>>(),
        policies: &Policies::all(Policy::Fail),
        merges: &BTreeMap::new(),
        engine: "benchmark",
    });
    let begun = Instant::now();
    let applied = Staged::new(staging, changes).and_then(|staged| staged.commit(durability, &Silent));
    assert_eq!(applied.expect("a commit").counts.created, FILES);
    staged + per_file(begun)
}

fn desired(path: &OutputPath, body: &[u8]) -> Desired {
    Desired {
        path: path.clone(),
        mode: FileMode::Regular,
        once: false,
        digest: Digest::of(body),
        lf_digest: None,
        lines: 1,
        bytes: body.len() as u64,
        team: "t".into(),
        mega_file: "m".into(),
        template: "x".into(),
    }
}
