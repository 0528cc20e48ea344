//! Templates that were written to exhaust the machine: each is an answer within seconds, and no crash.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::tests::{scope, source};
use super::*;
use crate::limit::{Limit, Limits};

/// A tenth of the defaults, since what is not optimised is ten times as slow.
fn limits() -> Limits {
    let mut limits = Limits::default();
    for limit in [Limit::RenderSteps, Limit::RenderBytes] {
        limits.set(limit, limit.default() / 10).unwrap();
    }
    limits
}

/// The issue of a template that is refused or fails, or what it prints.
fn outcome(text: &str) -> Result<String, Issue> {
    let scope = scope();
    let mut unit = Unit::new(std::sync::Arc::clone(&scope.words), &limits());
    let none = std::collections::BTreeSet::new();
    let (_, issues) = unit.add(&source("t", text, Syntax::Both, &none));
    if let Some(issue) = issues.into_iter().find(Issue::is_error) {
        return Err(issue);
    }
    unit.render_text("t", &scope).map_err(|failure| failure.issue)
}

/// What comes of a template, in one line: the code and the limit, or the beginning of what it prints.
fn told(text: &str) -> String {
    match outcome(text) {
        Ok(printed) => format!("prints {:?}", printed.chars().take(20).collect::<String>()),
        Err(issue) => {
            let limit = issue.message.split("the limit `").nth(1).and_then(|rest| rest.split('`').next());
            format!(
                "{} {}",
                issue.code.id(),
                limit.map_or_else(|| issue.message.chars().take(70).collect(), str::to_owned)
            )
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the templates are data of the test")]
fn hostile_templates_meet_a_limit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/template");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let mut told_of_all = String::new();
    for path in names {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (send, receive) = std::sync::mpsc::channel();
        // The stack of the threads that render.
        let work = move || send.send(told(&text));
        let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(work).unwrap();
        let said = receive.recv_timeout(Duration::from_secs(60));
        let _ = writeln!(told_of_all, "{name}: {}", said.unwrap_or_else(|error| panic!("{name}: {error}")));
        thread.join().unwrap().unwrap();
    }
    insta::assert_snapshot!(told_of_all);
}
