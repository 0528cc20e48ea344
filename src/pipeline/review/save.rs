//! `--integration-manifest`: the document is written as a saved plan is, all of it or nothing, and over nothing but an
//! older one. A file that holds it already is not touched.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};
use crate::disk;
use crate::pipeline::State;
use crate::pipeline::apply::disk_finding;
use crate::pipeline::saved::{Document, place};
use crate::report::review::{ReviewReport, is_integration_manifest, to_json, to_yaml};
use crate::source::load::{display, normal};
use crate::source::read;

/// Far more than a document has.
const MAX_BYTES: usize = 64 << 20;

/// Writes the integration manifest; where, for display. What keeps it from that is a finding.
pub fn save(state: &mut State<'_>, report: &ReviewReport, file: &Path) -> Option<String> {
    let shown = display(&normal(&state.request.inputs.current.join(file)), &state.request.inputs.current);
    match try_save(state, report, file) {
        Ok(()) => Some(shown),
        Err(finding) => {
            state.findings.push(finding);
            None
        }
    }
}

fn try_save(state: &State<'_>, report: &ReviewReport, file: &Path) -> Result<(), Diagnostic> {
    let path = normal(&state.request.inputs.current.join(file));
    let refused = |why: String, help: &str| {
        let message = format!("the integration manifest cannot be saved as `{}`: {why}", file.display());
        Diagnostic::new(Code::CannotSave, message).help(help.to_owned())
    };
    let ending = file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let text = match ending.as_deref() {
        Some("yaml" | "yml") => to_yaml(report),
        Some("json") => to_json(report),
        _ => {
            let why = "its ending says neither YAML nor JSON".to_owned();
            return Err(refused(why, "name it `integration-manifest.yaml`, or with `.json`"));
        }
    };
    let text = text.map_err(|error| refused(error.to_string(), "this is a bug in megax"))?;
    let (folder, name) = place(state, Document::IntegrationManifest, file, &path)?;
    if read::bytes(&path, MAX_BYTES).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(());
    }
    let other = "there already, and no integration manifest";
    disk::write_document(&folder, &name, &text, &is_integration_manifest, other).map_err(|error| {
        disk_finding(&error).help("nothing was written; choose another FILE with `--integration-manifest`")
    })
}
