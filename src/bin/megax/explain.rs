//! `megax explain`: what a code means, or which mega-file, rule, item and template make a file.

use megax::diagnostic::{Code, nearest};
use megax::pipeline;
use megax::report::{Outcome, explain as pages, human};
use megax::source;

use crate::args::Explain;
use crate::{request, terminal};

/// Runs `megax explain`.
pub fn explain(args: &Explain) -> Outcome {
    let colour = terminal::stdout_colour();
    if args.subject == "codes" {
        return terminal::judge(Outcome::Done, terminal::print(&pages::code_list(colour)));
    }
    if let Some(code) = Code::find(&args.subject) {
        return terminal::judge(Outcome::Done, terminal::print(&pages::explain_code(code, colour)));
    }
    if looks_like_code(&args.subject) {
        return unknown_code(&args.subject);
    }
    if let Some(name) = near_name(&args.subject) {
        terminal::say(&format!("error: there is no code `{}`; did you mean {name}?\n", args.subject));
        return Outcome::Usage;
    }
    file(args)
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
    let inputs = source::Request { paths: Vec::new(), current, manifest: args.manifest.clone(), out: args.out.clone() };
    let explanation = pipeline::explain(&inputs, &args.subject);
    let printed = terminal::print(&explanation.text);
    if !explanation.findings.is_empty() {
        terminal::say(&human::diagnostics(&explanation.findings, &explanation.sources, terminal::stderr_colour()));
        terminal::say("\n");
    }
    terminal::judge(if explanation.found { Outcome::Done } else { Outcome::Wrong }, printed)
}
