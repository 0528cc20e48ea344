//! `megax explain`: what a code means, or which mega-file, rule, item and template make a file.

use std::sync::Arc;

use megax::diagnostic::{Code, Diagnostics, nearest};
use megax::limit::Limit;
use megax::pipeline::{self, gave_up};
use megax::report::explanation::{self, Answer};
use megax::report::{Outcome, explain as pages, human};
use megax::source;
use megax::span::SourceMap;

use crate::args::{Explain, Form};
use crate::progress::Progress;
use crate::{request, terminal, watchdog};

/// Runs `megax explain`.
pub fn explain(args: &Explain) -> Outcome {
    let colour = terminal::stdout_colour();
    if args.subject == "codes" {
        return register(args, Code::ALL, &[], || pages::code_list(colour));
    }
    if args.subject == "limits" {
        return register(args, &[], Limit::ALL, || pages::limit_list(Limit::ALL, colour));
    }
    if let Some(limit) = Limit::find(&args.subject) {
        return register(args, &[], &[limit], || pages::limit_list(&[limit], colour));
    }
    if let Some(code) = Code::find(&args.subject) {
        return register(args, &[code], &[], || pages::explain_code(code, colour));
    }
    if looks_like_code(&args.subject) {
        return unknown_code(&args.subject);
    }
    if let Some(name) = near_name(&args.subject) {
        terminal::say(&format!("error: there is no code `{}`; did you mean {name}?\n", args.subject));
        return Outcome::Usage;
    }
    if let Some(name) = nearest(&args.subject, Limit::ALL.iter().map(|limit| limit.name())) {
        terminal::say(&format!("error: there is no limit `{}`; did you mean {name}?\n", args.subject));
        return Outcome::Usage;
    }
    file(args)
}

/// A code or a limit, or all of them.
fn register(args: &Explain, codes: &[Code], limits: &[Limit], people: impl Fn() -> String) -> Outcome {
    if args.format == Form::Human {
        return terminal::judge(Outcome::Done, terminal::print(&people()));
    }
    let (findings, sources) = (Diagnostics::default(), SourceMap::default());
    let (subject, outcome) = (args.subject.as_str(), Outcome::Done);
    let answer =
        Answer { subject, outcome, file: None, codes, limits, note: None, findings: &findings, sources: &sources };
    terminal::print_document(outcome, explanation::document(&answer))
}

fn looks_like_code(text: &str) -> bool {
    let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("mx")).map(|_| &text[2..]);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unknown_code(text: &str) -> Outcome {
    let upper = text.to_uppercase();
    let near = nearest(&upper, Code::ALL.iter().map(|code| code.id()));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    terminal::say(&format!("error: there is no code {upper}{hint} (`megax explain codes` lists all)\n"));
    Outcome::Usage
}

/// The name of a code that a word is almost; what may be a path is none.
fn near_name(text: &str) -> Option<&'static str> {
    let is_word = !text.contains(['/', '.', ':']);
    nearest(text, Code::ALL.iter().map(|code| code.name())).filter(|_| is_word)
}

fn file(args: &Explain) -> Outcome {
    let current = match request::current() {
        Ok(current) => current,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    let (manifest, out, limits) = (args.manifest.clone(), args.out.clone(), request::limits(&args.bounds));
    let inputs = source::Request { paths: Vec::new(), current, manifest, out, limits };
    let (subject, strict) = (args.subject.clone(), args.strict);
    let explain = move |_: &Progress| pipeline::explain(&inputs, &subject, strict);
    let found = watchdog::watched(&Arc::new(Progress::new(false)), explain)
        .unwrap_or_else(|stuck| gave_up::explain(&args.subject, &stuck));
    let fine = found.file.is_some() && !found.findings.has_errors();
    let outcome = if fine { Outcome::Done } else { Outcome::Wrong };
    if args.format == Form::Json {
        let answer = Answer {
            subject: &args.subject,
            outcome,
            file: found.file.as_ref(),
            codes: &[],
            limits: &[],
            note: found.note.as_deref(),
            findings: &found.findings,
            sources: &found.sources,
        };
        return terminal::print_document(outcome, explanation::document(&answer));
    }
    let printed = match &found.file {
        Some(file) => terminal::print(&explanation::text(file)),
        // What is wrong with the inputs as a whole says why nothing is known.
        None if found.findings.has_errors() && found.unread => true,
        None => terminal::print(&explanation::unplanned(&found.named, found.note.as_deref())),
    };
    if !found.findings.is_empty() {
        terminal::say(&human::diagnostics(&found.findings, &found.sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(outcome, printed)
}
