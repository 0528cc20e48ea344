//! `megax brief --templates`: the default templates as files of the project, so that they can be changed. Replaces
//! nothing.

use super::render::Kind;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::path::OutputPath;
use crate::report::made::{Made, Step};
use crate::source::outline::Outline;
use crate::source::{self, TEMPLATES};
use crate::start::{self, NewFile, in_project};

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
    in_project("brief", &request.inputs, write)
}

fn write(outline: &Outline, made: &mut Made) -> Result<(), Diagnostics> {
    if outline.manifest.is_none() {
        let is_wrong = outline.findings.has_errors();
        return Err(if is_wrong { outline.findings.clone() } else { std::iter::once(no_manifest()).collect() });
    }
    let file = |kind: Kind, about| {
        let path = OutputPath::parse(&format!("{}/{}", TEMPLATES, kind.template())).ok()?;
        Some(NewFile { path, text: kind.default_text().to_owned(), about })
    };
    let files = [file(Kind::Team, "what a team is told"), file(Kind::Orchestrator, "what the orchestrator is told")];
    let files: Vec<NewFile> = files.into_iter().flatten().collect();
    made.files = start::write::files(&outline.root, &files, false, HELP)
        .map_err(|finding| std::iter::once(finding).collect())?;
    made.next.push(Step::new("megax brief TEAM", "what the template makes of a team"));
    Ok(())
}

/// There are no teams without a manifest.
#[must_use]
pub fn no_manifest() -> Diagnostic {
    let message = "no manifest (megax.yaml) was found, so there are no teams to brief";
    let finding = Diagnostic::new(Code::NoManifest, message).severity(Severity::Error);
    finding.help("`megax init --teams ten` makes a project; `--manifest FILE` names one elsewhere")
}
