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
    let colours = Colours { text: terminal::stdout_colour(), findings: terminal::stderr_colour() };
    let inputs = || Ok(source::Request { limits: request::limits(&args.bounds), ..request::inputs(&args.roots)? });
    let known = match answer(&args.subject, inputs, args.strict, colours) {
        Ok(known) => known,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    if args.format == Form::Json {
        return terminal::print_document(known.outcome, known.document);
    }
    let printed = known.text.is_none_or(|text| terminal::print(&text));
    if let Some(findings) = known.findings {
        terminal::say(&findings);
        terminal::say("\n");
    }
    terminal::judge(known.outcome, printed)
}

/// What is coloured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Colours {
    /// The answer.
    pub text: bool,
    /// The findings.
    pub findings: bool,
}

/// An answer in every form.
pub struct Known {
    pub outcome: Outcome,
    /// As JSON.
    pub document: Result<String, serde_json::Error>,
    /// For people; none if only the findings say something.
    pub text: Option<String>,
    pub findings: Option<String>,
}

/// Answers for a subject, wherever the answer goes. The inputs are asked for only if it may be a file.
///
/// # Errors
/// What is wrong with the subject, or why there are no inputs.
pub fn answer(
    subject: &str,
    inputs: impl FnOnce() -> Result<source::Request, String>,
    strict: bool,
    colours: Colours,
) -> Result<Known, String> {
    let colour = colours.text;
    if subject == "codes" {
        return Ok(register(subject, Code::ALL, &[], pages::code_list(colour)));
    }
    if subject == "limits" {
        return Ok(register(subject, &[], Limit::ALL, pages::limit_list(Limit::ALL, colour)));
    }
    if let Some(limit) = Limit::find(subject) {
        return Ok(register(subject, &[], &[limit], pages::limit_list(&[limit], colour)));
    }
    if let Some(code) = Code::find(subject) {
        return Ok(register(subject, &[code], &[], pages::explain_code(code, colour)));
    }
    if looks_like_code(subject) {
        return Err(unknown_code(subject));
    }
    if let Some(name) = near_name(subject) {
        return Err(format!("there is no code `{subject}`; did you mean {name}?"));
    }
    if let Some(name) = nearest(subject, Limit::ALL.iter().map(|limit| limit.name())) {
        return Err(format!("there is no limit `{subject}`; did you mean {name}?"));
    }
    Ok(file(subject, inputs()?, strict, colours))
}

/// A code or a limit, or all of them.
fn register(subject: &str, codes: &[Code], limits: &[Limit], text: String) -> Known {
    let (findings, sources) = (Diagnostics::default(), SourceMap::default());
    let outcome = Outcome::Done;
    let answer =
        Answer { subject, outcome, file: None, codes, limits, note: None, findings: &findings, sources: &sources };
    Known { outcome, document: explanation::document(&answer), text: Some(text), findings: None }
}

fn looks_like_code(text: &str) -> bool {
    let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("mx")).map(|_| &text[2..]);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What is said of a code that does not exist.
pub fn unknown_code(text: &str) -> String {
    let upper = text.to_uppercase();
    let near = nearest(&upper, Code::ALL.iter().map(|code| code.id()));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("there is no code {upper}{hint} (`megax explain codes` lists all)")
}

/// The name of a code that a word is almost; what may be a path is none.
fn near_name(text: &str) -> Option<&'static str> {
    let is_word = !text.contains(['/', '.', ':']);
    nearest(text, Code::ALL.iter().map(|code| code.name())).filter(|_| is_word)
}

fn file(subject: &str, inputs: source::Request, strict: bool, colours: Colours) -> Known {
    let named = subject.to_owned();
    let explain = move |_: &Progress| pipeline::explain(&inputs, &named, strict);
    let found = watchdog::watched(&Arc::new(Progress::new(false)), explain)
        .unwrap_or_else(|stuck| gave_up::explain(subject, &stuck));
    let fine = found.file.is_some() && !found.findings.has_errors();
    let outcome = if fine { Outcome::Done } else { Outcome::Wrong };
    let document = explanation::document(&Answer {
        subject,
        outcome,
        file: found.file.as_ref(),
        codes: &[],
        limits: &[],
        note: found.note.as_deref(),
        findings: &found.findings,
        sources: &found.sources,
    });
    let text = match &found.file {
        Some(file) => Some(explanation::text(file)),
        // What is wrong with the inputs as a whole says why nothing is known.
        None if found.findings.has_errors() && found.unread => None,
        None => Some(explanation::unplanned(&found.named, found.note.as_deref())),
    };
    let findings =
        (!found.findings.is_empty()).then(|| human::diagnostics(&found.findings, &found.sources, colours.findings));
    Known { outcome, document, text, findings }
}
