//! How far whole processes of the release binary are from the floor of the machine.
//!
//! ```text
//! cargo bench --bench expand                    W1 and W2, seven rounds
//! cargo bench --bench expand -- --quick         W1 and W2s, five rounds, a few seconds
//! cargo bench --bench expand -- --scale         W2 once, twice and four times as large: time and memory for each file
//! cargo bench --bench expand -- --files         staging and commit alone, 10,000 files of 2 KB, beside plain calls
//! cargo bench --bench expand -- --rounds 11     more rounds
//! cargo bench --bench expand -- --make W2 DIR   only writes a project into DIR, for a profiler
//! ```
//!
//! Only ratios mean something: each round makes its floors beside its runs, so that both see the same machine, and the
//! tables show the median of the rounds' ratios. A floor holds all bytes in memory, uses one thread of this process and
//! only calls mkdir, open (`O_EXCL`), write and close, or lstat. Every run writes to a fresh folder and nothing is
//! deleted before the end: some file systems create much slower just after a tree was deleted.

#![expect(
    clippy::cast_precision_loss,
    clippy::naive_bytecount,
    reason = "counts of files are small; a benchmark may count as it likes"
)]
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark writes files, prints its table, and stops at the first surprise"
)]

mod files;
mod workload;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use workload::{W1, W2, W2S, W2X2, W2X4, Workload};

const MEGAX: &str = env!("CARGO_BIN_EXE_megax");

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let after = |name: &'static str| arguments.iter().skip_while(move |argument| *argument != name).skip(1);
    if has("--make") {
        let [name, folder] = after("--make").take(2).collect::<Vec<_>>()[..] else { panic!("--make NAME FOLDER") };
        let named = [W1, W2S, W2, W2X2, W2X4].into_iter().find(|one| one.name.replace(' ', "") == *name);
        fs::create_dir_all(folder).expect("the folder can be made");
        named.expect("W1, W2s, W2, W2x2 or W2x4").write(Path::new(folder)).expect("the project can be written");
        return;
    }
    let asked = after("--rounds").next().map(|rounds| rounds.parse().expect("--rounds takes a number"));
    if has("--scale") {
        return scale(asked.unwrap_or(3));
    }
    if has("--files") {
        return files::table(asked.unwrap_or(7));
    }
    let (workloads, rounds): (&[Workload], usize) = match (has("--bench"), has("--quick")) {
        // `cargo test --benches`: only to see that it still works.
        (false, false) => (&[W1], 1),
        (_, true) => (&[W1, W2S], 5),
        (true, false) => (&[W1, W2], 7),
    };
    // All of them live until the end, so that nothing is deleted between two measurements.
    let benches: Vec<Bench> = workloads.iter().copied().map(Bench::new).collect();
    for bench in &benches {
        table(bench, asked.unwrap_or(rounds));
    }
}

/// Wall time and CPU time (user and system) of one step.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

/// A project on disk, and what its expansion makes.
struct Bench {
    workload: Workload,
    /// Holds everything; removed at the end.
    temp: tempfile::TempDir,
    yaml: usize,
    /// Sorted, so that a folder stands before what lies in it.
    folders: Vec<PathBuf>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Bench {
    /// Writes the project and expands it once, for the bytes of the floor and a warm cache.
    fn new(workload: Workload) -> Self {
        let temp = tempfile::tempdir().expect("a temporary folder");
        let project = temp.path().join("project");
        fs::create_dir(&project).expect("a folder for the project");
        let yaml = workload.write(&project).expect("the project can be written");
        let mut bench = Self { workload, temp, yaml, folders: Vec::new(), files: Vec::new() };
        let out = bench.fresh("expected");
        bench.megax(&["expand", "--out"], Some(&out));
        read(&out, Path::new(""), &mut bench.folders, &mut bench.files);
        assert_eq!(bench.files.len(), workload.files(), "the expansion makes what the workload plans");
        bench
    }

    fn fresh(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// One run of the binary in the project; any exit code but 0 stops the benchmark.
    fn megax(&self, arguments: &[&str], out: Option<&Path>) -> Cost {
        let mut command = Command::new(MEGAX);
        command.args(arguments).args(out).current_dir(self.temp.path().join("project"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let (cpu, start) = (children_cpu(), Instant::now());
        let done = command.spawn().and_then(std::process::Child::wait_with_output).expect("megax can be started");
        let cost = Cost { wall: start.elapsed(), cpu: children_cpu().saturating_sub(cpu) };
        assert!(done.status.success(), "megax {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        cost
    }

    /// mkdir, open, write, close; one thread.
    fn write_floor(&self, out: &Path) -> Cost {
        floor(|| self.write(out))
    }

    /// The same, and everything brought to the disk.
    fn synced_floor(&self, out: &Path) -> Cost {
        floor(|| {
            self.write(out);
            let folder = fs::File::open(out).expect("the folder can be opened");
            rustix::fs::syncfs(&folder).expect("the file system can be synced");
        })
    }

    fn write(&self, out: &Path) {
        fs::create_dir(out).expect("a folder");
        for folder in &self.folders {
            fs::create_dir(out.join(folder)).expect("a folder");
        }
        for (path, body) in &self.files {
            let mut file = fs::File::create_new(out.join(path)).expect("a file");
            file.write_all(body).expect("its bytes");
        }
    }

    /// lstat of every file; one thread.
    fn lstat_floor(&self, out: &Path) -> Cost {
        floor(|| {
            for (path, _) in &self.files {
                fs::symlink_metadata(out.join(path)).expect("the file is there");
            }
        })
    }
}

fn floor(work: impl FnOnce()) -> Cost {
    let (cpu, start) = (own_cpu(), Instant::now());
    work();
    Cost { wall: start.elapsed(), cpu: own_cpu().saturating_sub(cpu) }
}

/// Everything below `out`, without megax's own folder.
fn read(out: &Path, below: &Path, folders: &mut Vec<PathBuf>, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let entries = fs::read_dir(out.join(below)).expect("the output can be read");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    for name in names.into_iter().filter(|name| name != ".megax") {
        let path = below.join(name);
        if out.join(&path).is_dir() {
            folders.push(path.clone());
            read(out, &path, folders, files);
        } else {
            let body = fs::read(out.join(&path)).expect("a file can be read");
            files.push((path, body));
        }
    }
}

/// What is measured, in the order of a round, and which of them is its floor.
const STEPS: [(&str, Option<usize>); 9] = [
    ("floor: mkdir, open, write, close", None),
    ("cold expand, durability process", Some(0)),
    ("floor: lstat", None),
    ("no-op", Some(2)),
    ("dry-run", Some(0)),
    ("validate", Some(0)),
    ("start (--version)", Some(0)),
    ("floor: the same and one syncfs", None),
    ("cold expand, durability full", Some(7)),
];

impl Bench {
    fn round(&self, round: usize) -> [Cost; STEPS.len()] {
        let (floor, out) = (self.fresh(&format!("floor-{round}")), self.fresh(&format!("out-{round}")));
        let (synced, full) = (self.fresh(&format!("synced-{round}")), self.fresh(&format!("full-{round}")));
        // Arrays are made from left to right.
        [
            self.write_floor(&floor),
            self.megax(&["expand", "--durability", "process", "--out"], Some(&out)),
            self.lstat_floor(&out),
            self.megax(&["expand", "--out"], Some(&out)),
            self.megax(&["expand", "--dry-run", "--out"], Some(&self.fresh("never"))),
            self.megax(&["validate", "--out"], Some(&self.fresh("never"))),
            self.megax(&["--version"], None),
            self.synced_floor(&synced),
            self.megax(&["expand", "--durability", "full", "--out"], Some(&full)),
        ]
    }

    /// Lines and bytes that an expansion makes.
    fn amounts(&self) -> (usize, usize) {
        let lines = |body: &[u8]| body.iter().filter(|&&byte| byte == b'\n').count();
        let sums = self.files.iter().map(|(_, body)| (lines(body), body.len()));
        sums.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    }
}

fn table(bench: &Bench, rounds: usize) {
    let all: Vec<[Cost; STEPS.len()]> = (0..rounds).map(|round| bench.round(round)).collect();
    let (lines, bytes) = bench.amounts();
    println!(
        "\n{}: {} mega-files ({} kB), {} files, {} folders, {lines} lines, {} kB; median of {rounds} rounds",
        bench.workload.name,
        bench.workload.mega_files,
        bench.yaml / 1_000,
        bench.files.len(),
        bench.folders.len(),
        bytes / 1_000,
    );
    println!("| step | wall / floor | CPU / floor | wall ms | CPU ms (user + sys) |");
    println!("|---|--:|--:|--:|--:|");
    for (step, (name, floor)) in STEPS.iter().enumerate() {
        let of = |value: &dyn Fn(&Cost) -> Duration, at: usize| -> Vec<f64> {
            all.iter().map(|round| value(&round[at]).as_secs_f64() * 1e3).collect()
        };
        let (wall, cpu) = (of(&|cost| cost.wall, step), of(&|cost| cost.cpu, step));
        let ratios = floor.map(|floor| {
            let walls = of(&|cost| cost.wall, floor);
            // The system counts the CPU time of processes in hundredths of a second: too coarse for one round.
            let ratio = mean(&cpu) / mean(&of(&|cost| cost.cpu, floor));
            (median(wall.iter().zip(walls).map(|(own, floor)| own / floor).collect()), ratio)
        });
        let (wall_ratio, cpu_ratio) = ratios.map_or_else(
            || ("1".to_owned(), "1".to_owned()),
            |(wall, cpu)| (format!("{wall:.2}"), format!("{cpu:.2}")),
        );
        println!("| {name} | {wall_ratio} | {cpu_ratio} | {:.1} | {:.1} |", median(wall), mean(&cpu));
    }
}

/// Time and memory for each file, at three sizes.
fn scale(rounds: usize) {
    let benches = [W2, W2X2, W2X4].map(Bench::new);
    println!("\nwhole processes, median of {rounds} rounds; linear where a column stays the same");
    println!("| size | files | cold us/file | no-op us/file | dry-run us/file | cold KiB/file | no-op KiB/file |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let mut walls: Vec<[Vec<f64>; 3]> = benches.iter().map(|_| Default::default()).collect();
    for round in 0..rounds {
        for (bench, walls) in benches.iter().zip(&mut walls) {
            let out = bench.fresh(&format!("out-{round}"));
            let never = bench.fresh("never");
            let runs: [(&[&str], &Path); 3] = [
                (&["expand", "--out"], &out),
                (&["expand", "--out"], &out),
                (&["expand", "--dry-run", "--out"], &never),
            ];
            for ((arguments, out), walls) in runs.into_iter().zip(walls) {
                walls.push(bench.megax(arguments, Some(out)).wall.as_secs_f64() * 1e6);
            }
        }
    }
    for (bench, walls) in benches.iter().zip(walls) {
        // Watching costs time, so memory has runs of its own.
        let out = bench.fresh("watched");
        let [cold, again] = [(), ()].map(|()| bench.peak_kib(&out));
        let files = bench.files.len() as f64;
        let [wall, no_op, dry] = walls.map(|walls| median(walls) / files);
        let memory = |peak: Option<f64>| peak.map_or_else(|| "-".to_owned(), |peak| format!("{:.2}", peak / files));
        println!(
            "| {} | {files} | {wall:.1} | {no_op:.1} | {dry:.1} | {} | {} |",
            bench.workload.name,
            memory(cold),
            memory(again)
        );
    }
}

impl Bench {
    /// The most memory that an expansion into `out` holds, as far as looking every millisecond tells; Linux only.
    fn peak_kib(&self, out: &Path) -> Option<f64> {
        let mut command = Command::new(MEGAX);
        command.args(["expand", "--out"]).arg(out).current_dir(self.temp.path().join("project"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("megax can be started");
        let status = format!("/proc/{}/status", child.id());
        let mut peak = None;
        while child.try_wait().expect("megax can be waited for").is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).or(peak);
            std::thread::sleep(Duration::from_millis(1));
        }
        peak
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// CPU time of this thread; nothing where the system does not say.
fn own_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).map_or(Duration::ZERO, Duration::from_nanos)
}

/// CPU time of all children that have ended, in steps of 10 ms; nothing where the system does not say.
fn children_cpu() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in parentheses and may hold blanks. After it, fields 16 and 17 of
    // proc(5) are the user and system time of the children.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = rest.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
