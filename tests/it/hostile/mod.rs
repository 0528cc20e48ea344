//! Hostile input: for every class of attack that is known of tools of this kind, its input, and what megax must answer:
//! the right exit code and the right finding, soon, in little memory, with nothing written outside and nothing of anybody
//! else touched.
//!
//! `MEGAX_BINARY` names another build of the command; `MEGAX_HOSTILE_SECONDS` how long one answer may take (a release build
//! is held to 1, of its own work).

mod inputs;
mod state;
mod texts;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder;
use crate::properties::temporary;

/// Most memory that an answer may take, whatever the build.
const MOST_BYTES: u64 = 256 << 20;
/// How long an answer may take in a build without optimisation, on a machine that does other things.
const SECONDS: u64 = 20;

/// What is expected of one attack.
#[derive(Debug)]
pub struct Row {
    pub name: String,
    /// The mega-file of team alpha; empty: none is written.
    pub mega_file: String,
    /// More to set up, in the project's folder; `outside` lies beside it.
    pub setup: Option<fn(&Path)>,
    /// What is typed.
    pub args: Vec<&'static str>,
    /// `None`: written or refused, whichever is right.
    pub exit: Option<i32>,
    /// Codes that must be among the findings.
    pub codes: Vec<&'static str>,
    /// What the finding must name: the limit, the path.
    pub says: Vec<String>,
    /// Files that must come out, with their text.
    pub makes: Vec<(&'static str, &'static str)>,
}

impl Row {
    pub fn new(name: impl Into<String>, mega_file: impl Into<String>, code: &'static str) -> Self {
        Self {
            name: name.into(),
            mega_file: mega_file.into(),
            setup: None,
            args: vec!["expand"],
            exit: Some(3),
            codes: vec![code],
            says: Vec::new(),
            makes: Vec::new(),
        }
    }

    /// An attack that has to come to nothing: the run succeeds.
    pub fn harmless(name: &str, mega_file: impl Into<String>) -> Self {
        Self { exit: Some(0), codes: Vec::new(), ..Self::new(name, mega_file, "") }
    }

    pub fn says(mut self, what: impl Into<String>) -> Self {
        self.says.push(what.into());
        self
    }

    pub fn setup(mut self, setup: fn(&Path)) -> Self {
        self.setup = Some(setup);
        self
    }

    pub fn exit(mut self, exit: i32) -> Self {
        self.exit = Some(exit);
        self
    }
}

const TOO_SLOW: &str = "it takes more than";

/// What an answer cost.
struct Cost {
    time: Duration,
    bytes: u64,
}

/// What stands in a file that nobody may touch.
const MINE: &str = "mine\n";
const MANIFEST: &str = "teams:\n  alpha: { output: [\"/\"] }\n";

/// A project with a file of a person, and a folder beside it. Returns the project's folder.
fn set_up(around: &Path, row: &Row) -> PathBuf {
    let project = around.join("project");
    for folder in ["project/megafiles", "project/src", "outside/folder"] {
        fs::create_dir_all(around.join(folder)).unwrap();
    }
    for file in ["project/src/user.rs", "outside/canary", "outside/folder/canary"] {
        fs::write(around.join(file), MINE).unwrap();
    }
    fs::write(project.join("megax.yaml"), MANIFEST).unwrap();
    if !row.mega_file.is_empty() {
        fs::write(project.join("megafiles/m.yaml"), &row.mega_file).unwrap();
    }
    if let Some(setup) = row.setup {
        setup(&project);
    }
    project
}

fn binary() -> PathBuf {
    std::env::var_os("MEGAX_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_megax")), PathBuf::from)
}

fn longest() -> Duration {
    let seconds = std::env::var("MEGAX_HOSTILE_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(SECONDS))
}

/// The most memory that a process has had, in bytes; `None` once it is gone.
fn high_water(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
}

/// The time that a process has worked, in ticks of which a second has a hundred; `None` once it is gone.
fn worked(child: &Child) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(10 * ticks))
}

/// Runs megax in a project; what it said, its exit code (`None`: it crashed or hung) and what that cost.
fn run(project: &Path, args: &[&str], longest: Duration) -> (String, Option<i32>, Cost) {
    let said = project.with_file_name("said.json");
    let start = Instant::now();
    let mut child = Command::new(binary())
        .args(args)
        .args(["--format", "json", "--jobs", "2"])
        .env_clear()
        .env("MEGAX_DURABILITY", "process")
        .current_dir(project)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&said).unwrap())
        .stderr(fs::File::create(project.with_file_name("stderr")).unwrap())
        .spawn()
        .unwrap();
    let (mut bytes, mut exit, mut time) = (0, None, Duration::ZERO);
    // What counts is its own work, as far as that is known: the machine may do other things.
    while start.elapsed() <= 20 * longest {
        time = worked(&child).filter(|worked| !worked.is_zero()).unwrap_or(time);
        bytes = bytes.max(high_water(&child).unwrap_or_default());
        if let Some(status) = child.try_wait().unwrap() {
            exit = status.code();
            break;
        }
        // What would take the whole machine is stopped at once.
        if bytes > 8 * MOST_BYTES {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if !cfg!(target_os = "linux") {
        time = start.elapsed();
    }
    let _ = child.kill();
    let _ = child.wait();
    (String::from_utf8_lossy(&fs::read(&said).unwrap()).into_owned(), exit, Cost { time, bytes })
}

/// What is wrong with the answer to one attack; nothing if all is well.
#[expect(clippy::print_stdout, reason = "with `--nocapture` it is a table")]
fn attack(row: &Row, longest: Duration) -> Vec<String> {
    let (_keep, around) = temporary();
    let project = set_up(&around, row);
    let outside = folder::entries(&around.join("outside"));
    let before = folder::entries(&project);
    let (said, exit, cost) = run(&project, &row.args, longest);
    let mut wrong = Vec::new();
    let is_right = row.exit.map_or(matches!(exit, Some(0 | 3)), |wanted| exit == Some(wanted));
    if !is_right {
        let shown: String = said.chars().take(300).collect();
        wrong.push(format!("exit {exit:?} instead of {:?}: {shown}", row.exit));
    }
    let document: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    let none = Vec::new();
    let findings = document["diagnostics"].as_array().unwrap_or(&none);
    let codes: BTreeSet<&str> = findings.iter().filter_map(|finding| finding["code"].as_str()).collect();
    wrong.extend(row.codes.iter().filter(|code| !codes.contains(*code)).map(|code| format!("no {code} in {codes:?}")));
    let text = |finding: &serde_json::Value| format!("{} {}", finding["message"], finding["help"]);
    let all: String = findings.iter().map(text).collect();
    wrong.extend(row.says.iter().filter(|what| !all.contains(*what)).map(|what| format!("no `{what}` in {all}")));
    if cost.time > longest {
        wrong.push(format!("{TOO_SLOW} {longest:?}"));
    }
    if cost.bytes > MOST_BYTES {
        wrong.push(format!("it takes {} MiB", cost.bytes >> 20));
    }
    if folder::entries(&around.join("outside")) != outside {
        wrong.push("something outside changed".to_owned());
    }
    for (path, text) in &row.makes {
        let made = fs::read_to_string(project.join(path)).unwrap_or_default();
        if made != *text {
            wrong.push(format!("`{path}` is {made:?}"));
        }
    }
    let mut after = folder::entries(&project);
    if exit == Some(0) {
        after.retain(|path, _| before.contains_key(path));
    } else {
        // A run that writes nothing may leave its own folder behind.
        after.retain(|path, _| before.contains_key(path) || !path.starts_with(".megax/"));
    }
    if after != before {
        let differs = after.iter().filter(|(path, entry)| before.get(*path) != Some(entry)).map(|(path, _)| path);
        let gone = before.keys().filter(|path| !after.contains_key(*path));
        wrong.push(format!("the project changed: {:?}", differs.chain(gone).collect::<Vec<_>>()));
    }
    println!("{:44} exit {exit:?} {:5} ms {:4} MiB {codes:?}", row.name, cost.time.as_millis(), cost.bytes >> 20);
    wrong
}

fn hold(rows: &[Row]) {
    let mut wrong = Vec::new();
    for row in rows {
        // The machine may do other things: the best of three counts.
        let mut found = attack(row, longest());
        for _ in 0..2 {
            if found.is_empty() || found.iter().any(|what| !what.contains(TOO_SLOW) && !what.contains("exit None")) {
                break;
            }
            found = attack(row, longest());
        }
        wrong.extend(found.into_iter().map(|what| format!("{}: {what}", row.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn vandal(project: &Path) {
    fs::create_dir(project.join("src/folder")).unwrap();
}

#[test]
fn an_answer_that_is_wrong_is_noticed() {
    let row = || {
        Row::new(
            "a file that is written",
            rule("for_each: [a]\ngenerate: [{ content: x, path: \"{entity}\" }]"),
            "MX501",
        )
    };
    let wrong = attack(&row(), longest()).join("\n");
    for what in ["exit Some(0) instead of Some(3)", "no MX501"] {
        assert!(wrong.contains(what), "{wrong}");
    }
    let slow = attack(&row(), Duration::ZERO).join("\n");
    assert!(slow.contains("exit None"), "{slow}");
    let writes =
        Row::harmless("a template that writes", rule("generate: [{ content: x, path: src/folder }]")).setup(vandal);
    assert!(!attack(&writes, longest()).is_empty());
}

/// A mega-file with one rule, written as the lines of a mapping.
pub fn rule(lines: &str) -> String {
    rule_and(lines, "")
}

/// The same with more top-level keys.
pub fn rule_and(lines: &str, more: &str) -> String {
    let lines = lines.replace('\n', "\n      ");
    format!("id: m\nteam: alpha\ngenerator:\n  rules:\n    - {lines}\n{more}")
}

/// A mega-file that renders one template into `out.txt`.
pub fn template(text: &str) -> String {
    // A tag, so that nothing in braces is taken for another language's.
    let text = format!("{{% if true %}}x{{% endif %}}\n{text}");
    let text = text.replace('\n', "\n    ");
    rule_and("generate: [{ template: t, path: out.txt }]", &format!("templates:\n  t: |\n    {text}\n"))
}
