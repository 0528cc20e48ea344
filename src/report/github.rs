//! Workflow commands that GitHub shows beside the changed lines. Must never let a text end a command or begin another.

use super::clean::clean;
use super::json::{Place, place};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::span::SourceMap;

/// One command per finding, each on its own line, and one more for those that are not shown.
#[must_use]
pub fn annotations(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let more = diagnostics.left_out().line().map(|line| format!("::notice title=megax::{}\n", data(&line)));
    diagnostics.iter().map(|one| annotation(one, sources)).chain(more).collect()
}

fn annotation(one: &Diagnostic, sources: &SourceMap) -> String {
    let word = match one.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties: Vec<String> = Vec::new();
    match one.span.and_then(|span| place(span, sources)) {
        Some(place) => properties.extend(of_place(&place)),
        None => properties.extend(one.subject.as_deref().map(|subject| format!("file={}", property(subject)))),
    }
    properties.push(format!("title={}", property(&format!("{} {}", one.code.id(), one.code.name()))));
    let mut text = one.message.clone();
    for related in &one.related {
        let place = related.span.and_then(|span| place(span, sources));
        let place = place.map(|place| format!(" ({}:{}:{})", place.file, place.line, place.column)).unwrap_or_default();
        text.extend(["\n", &related.message, &place]);
    }
    if let Some(help) = &one.help {
        text.extend(["\nhelp: ", help]);
    }
    format!("::{word} {}::{}\n", properties.join(","), data(&text))
}

/// GitHub takes columns only where the place is on one line.
fn of_place(place: &Place<'_>) -> Vec<String> {
    let mut properties = vec![format!("file={}", property(place.file)), format!("line={}", place.line)];
    if place.line == place.end_line {
        properties.push(format!("col={}", place.column));
        properties.push(format!("endLine={}", place.end_line));
        properties.push(format!("endColumn={}", place.end_column));
    } else {
        properties.push(format!("endLine={}", place.end_line));
    }
    properties
}

/// Text after `::`. Line feeds become `%0A`; other characters that hide are named.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| clean(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// The value of a property, which also ends at a comma and a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn a_finding_is_one_command() {
        let all = [sample::unknown_key()].into_iter().collect();
        let expected = "::error file=megafiles/api.yaml,line=9,col=1,endLine=9,endColumn=9,title=MX201 unknown-key\
                        ::unknown key `templats` in the mega-file%0Ahelp: did you mean `templates`?\n";
        assert_eq!(annotations(&all, &sample::sources()), expected);
    }

    #[test]
    fn nothing_in_a_text_ends_the_command() {
        let hostile = Diagnostic::new(Code::NoManifest, "100%\r\n::error::x").about("a,b:c%\n");
        let expected = "::notice file=a%2Cb%3Ac%25%0A,title=MX606 no-manifest::100%25<U+000D>%0A::error::x\n";
        assert_eq!(annotations(&[hostile].into_iter().collect(), &sample::sources()), expected);
    }
}
