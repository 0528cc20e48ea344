//! `--only`: which planned files a run looks at, and what to say of a pattern that none of them matches.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::glob::PathPattern;
use crate::path::OutputPath;
use crate::plan;

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
            let help = plan::near(pattern, &planned.clone().map(OutputPath::as_str));
            Diagnostic::new(Code::NoInput, message).about(format!("{flag} {}", pattern.written())).help(help)
        });
    missed.collect()
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
