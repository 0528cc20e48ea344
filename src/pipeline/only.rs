//! `--only`: which planned files a run looks at, and what to say of a pattern that none of them matches.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::glob::PathPattern;
use crate::path::OutputPath;

/// So many names are listed in a help.
const SHOWN: usize = 6;

/// The patterns; `None` when every file is wanted.
///
/// # Errors
/// MX102 for every pattern that cannot be read.
pub fn parse(patterns: &[String]) -> Result<Option<Vec<PathPattern>>, Diagnostics> {
    let mut findings = Diagnostics::default();
    let mut parsed = Vec::new();
    for written in patterns {
        match PathPattern::parse(written, false) {
            Ok(pattern) => parsed.push(pattern),
            Err(why) => {
                let message = format!("`{written}` is no valid pattern: {why}");
                findings.push(Diagnostic::new(Code::NoInput, message).about(format!("--only {written}")));
            }
        }
    }
    if findings.is_empty() { Ok((!parsed.is_empty()).then_some(parsed)) } else { Err(findings) }
}

/// MX102 for every pattern that matches no planned path.
pub fn unmatched<'p>(
    flag: &str,
    patterns: &[PathPattern],
    planned: &(impl Iterator<Item = &'p OutputPath> + Clone),
) -> Diagnostics {
    let missed =
        patterns.iter().filter(|pattern| !planned.clone().any(|path| pattern.matches(path.as_str()))).map(|pattern| {
            let message = format!("`{}` matches no planned file", pattern.written());
            let help = help(pattern, &planned.clone().map(OutputPath::as_str));
            Diagnostic::new(Code::NoInput, message).about(format!("{flag} {}", pattern.written())).help(help)
        });
    missed.collect()
}

fn help<'p>(pattern: &PathPattern, planned: &(impl Iterator<Item = &'p str> + Clone)) -> String {
    let text = pattern.text();
    if !text.contains('/')
        && let Ok(deep) = PathPattern::parse(&format!("**/{text}"), false)
        && planned.clone().any(|path| deep.matches(path))
    {
        return format!("did you mean `**/{text}`? patterns are relative to the output root");
    }
    // Follow the folders that exist; the first name that does not is the one that is wrong.
    let mut folder = String::new();
    for name in text.split('/') {
        let below: BTreeSet<&str> =
            planned.clone().filter_map(|path| first_name(path.strip_prefix(folder.as_str())?)).collect();
        let inside = format!("{name}/");
        if below.contains(inside.as_str()) {
            folder.push_str(&inside);
            continue;
        }
        let near = nearest(name, below.iter().map(|name| name.trim_end_matches('/')));
        if let Some(near) = near.filter(|_| !name.contains(['*', '?', '[', '{'])) {
            let rest = text.get(folder.len() + name.len()..).unwrap_or_default();
            return format!("did you mean `{folder}{near}{rest}`?");
        }
        return listed(&folder, &below);
    }
    listed(&folder, &BTreeSet::new())
}

/// The first name of a path; a folder keeps its `/`.
fn first_name(path: &str) -> Option<&str> {
    let end = path.find('/').map_or(path.len(), |at| at + 1);
    path.get(..end).filter(|name| !name.is_empty())
}

fn listed(folder: &str, names: &BTreeSet<&str>) -> String {
    let rule = "patterns are relative to the output root, `*` is one name, `**` any number of folders";
    if names.is_empty() {
        return rule.to_owned();
    }
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{folder}{name}`")).collect();
    let more = if names.len() > SHOWN { " and more" } else { "" };
    format!("{rule}; planned are {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_nothing_is_told_with_a_way_out() {
        let planned: Vec<OutputPath> = ["README.md", "src/api/a.ts", "src/api/b.ts", "web/x.css"]
            .iter()
            .map(|text| OutputPath::parse(text).unwrap())
            .collect();
        for (pattern, help) in [
            ("a.ts", "did you mean `**/a.ts`?"),
            ("*.css", "did you mean `**/*.css`?"),
            ("scr/api/a.ts", "did you mean `src/api/a.ts`?"),
            ("/src/apo/**", "did you mean `src/api/**`?"),
            ("src/api/zzzzzz.ts", "planned are `src/api/a.ts`, `src/api/b.ts`"),
            ("nope", "planned are `README.md`, `src/`, `web/`"),
        ] {
            let patterns = parse(&[pattern.to_owned()]).unwrap().unwrap();
            let found = unmatched("--only", &patterns, &planned.iter());
            let finding = found.iter().next().unwrap();
            assert_eq!(finding.message, format!("`{pattern}` matches no planned file"));
            assert_eq!(finding.subject.as_deref(), Some(format!("--only {pattern}").as_str()));
            assert!(finding.help.as_ref().unwrap().contains(help), "{pattern}: {:?}", finding.help);
        }
        for pattern in ["/src", "./src/", "src/api/*.ts", "**", "/"] {
            let patterns = parse(&[pattern.to_owned()]).unwrap().unwrap();
            assert!(unmatched("--only", &patterns, &planned.iter()).is_empty(), "{pattern}");
        }
        assert!(parse(&[]).unwrap().is_none());
        assert!(parse(&["a[".to_owned()]).is_err());
    }
}
