//! `megax brief --templates`: the default templates as files of the project, so that they can be changed. Replaces
//! nothing.

use super::render::Kind;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::path::OutputPath;
use crate::report::made::{Made, Step};
use crate::source::load::display;
use crate::source::{self, TEMPLATES, outline};
use crate::start::{NewFile, write};

/// The project whose templates are to be written.
#[derive(Debug, Clone)]
pub struct Templates {
    /// The project: `manifest`, or the one around `current`.
    pub inputs: source::Request,
}

const HELP: &str = "they are yours already; remove or rename them to get the defaults again";

/// Writes the defaults below `templates/brief/`.
#[must_use]
pub fn templates(request: &Templates) -> Made {
    let mut made = Made::new("brief", ".".to_owned(), false);
    let outline = match outline::outline(&request.inputs) {
        Ok(outline) => outline,
        Err(findings) => {
            made.findings = findings;
            return made;
        }
    };
    made.root = display(&outline.root, &request.inputs.current);
    if outline.manifest.is_none() {
        made.findings = outline.findings;
        if made.findings.is_empty() {
            made.findings.push(no_manifest());
        }
        made.sources = outline.sources;
        return made;
    }
    let file = |kind: Kind, about| {
        let path = OutputPath::parse(&format!("{}/{}", TEMPLATES, kind.template())).ok()?;
        Some(NewFile { path, text: kind.default_text().to_owned(), about })
    };
    let files = [file(Kind::Team, "what a team is told"), file(Kind::Orchestrator, "what the orchestrator is told")];
    let files: Vec<NewFile> = files.into_iter().flatten().collect();
    match write::files(&outline.root, &files, false, HELP) {
        Ok(files) => {
            made.files = files;
            made.next.push(Step::new("megax brief TEAM", "what the template makes of a team"));
        }
        Err(finding) => made.findings.push(finding),
    }
    made
}

/// There are no teams without a manifest.
#[must_use]
pub fn no_manifest() -> Diagnostic {
    let message = "no manifest (megax.yaml) was found, so there are no teams to brief";
    let finding = Diagnostic::new(Code::NoManifest, message).severity(Severity::Error);
    finding.help("`megax init --teams ten` makes a project; `--manifest FILE` names one elsewhere")
}
