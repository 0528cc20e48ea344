//! `megax new`: one more mega-file.

use super::init::quoted;
use super::mega_file::{self, Facts, Kind};
use super::place::Place;
use super::write;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity, nearest};
use crate::model::Present;
use crate::model::manifest::{self, Manifest, Team};
use crate::name::{id_key, team_name};
use crate::path::OutputPath;
use crate::report::made::{Made, Step};
use crate::source;
use crate::source::load::display;
use crate::source::outline::{self, Outline};

/// What mega-file is to be added.
#[derive(Debug, Clone)]
pub struct Add {
    /// The project: `manifest`, or the one around `current`.
    pub inputs: source::Request,
    /// The team.
    pub team: String,
    /// What it shows.
    pub kind: Kind,
    /// Its id; by default the first that the manifest waits for, else one made of team, kind and the next free number.
    pub id: Option<String>,
}

/// Adds a mega-file that is valid at once. Nothing is replaced.
#[must_use]
pub fn add(request: &Add) -> Made {
    in_project("new", &request.inputs, |outline, made| write(request, outline, made))
}

/// Adds to a project that is there. What goes wrong is a finding.
#[must_use]
pub fn in_project(
    command: &'static str,
    inputs: &source::Request,
    work: impl FnOnce(&Outline, &mut Made) -> Result<(), Diagnostics>,
) -> Made {
    let mut made = Made::new(command, ".".to_owned(), false);
    let outline = match outline::outline(inputs) {
        Ok(outline) => outline,
        Err(findings) => {
            made.findings = findings;
            return made;
        }
    };
    made.root = display(&outline.root, &inputs.current);
    if let Err(findings) = work(&outline, &mut made) {
        made.findings = findings;
    }
    made.sources = outline.sources;
    made
}

fn one(finding: Diagnostic) -> Diagnostics {
    std::iter::once(finding).collect()
}

fn write(request: &Add, outline: &Outline, made: &mut Made) -> Result<(), Diagnostics> {
    if outline.findings.has_errors() {
        return Err(outline.findings.clone());
    }
    let tree = outline.manifest.as_ref().ok_or_else(|| one(no_manifest()))?;
    let (manifest, _) = manifest::build(tree)?;
    let team = find(&manifest, &request.team).map_err(one)?;
    let id = id(request, outline, team).map_err(one)?;
    let path = path(outline, &team.name, &id).map_err(one)?;
    let place = Place::of(team, &id).filter(|place| place.folder.is_some() || !request.kind.needs_folder());
    let place = place.ok_or_else(|| one(no_room(team, request.kind)))?;
    let schema = format!("schemas/{}", request.kind.schema());
    let up = "../".repeat(path.parts().count().saturating_sub(1));
    let schema = outline.root.join(&schema).is_file().then(|| format!("{up}{schema}"));
    let facts = Facts { id: &id, team: &team.name, place: &place, schema };
    let files = mega_file::files(request.kind, path.clone(), &facts);
    made.files = write::files(&outline.root, &files, false, "choose another `--id`").map_err(one)?;
    let shown = display(&outline.root.join(path.as_str()), &request.inputs.current);
    let manifest = request.inputs.manifest.as_ref();
    let manifest = manifest.map_or_else(String::new, |path| format!(" --manifest {}", quoted(&path.to_string_lossy())));
    let command = format!("megax expand --dry-run {}{manifest}", quoted(&shown));
    made.next.push(Step::new(command, "see what it would make"));
    Ok(())
}

fn no_manifest() -> Diagnostic {
    let message = "no manifest (megax.yaml) was found, so there is no project to add to";
    let finding = Diagnostic::new(Code::NoManifest, message).severity(Severity::Error);
    finding.help("`megax init` makes a project; `--manifest FILE` names one elsewhere")
}

fn find<'m>(manifest: &'m Manifest, named: &str) -> Result<&'m Team, Diagnostic> {
    let name = team_name(named);
    let known = manifest.team(&name).or_else(|| manifest.teams.iter().find(|team| team.aliases.contains(&name)));
    known.ok_or_else(|| {
        let names: Vec<&str> = manifest.teams.iter().map(|team| team.name.as_str()).collect();
        let finding = Diagnostic::new(Code::UnknownTeam, format!("the manifest names no team `{named}`"));
        let list = format!("the teams are {}", names.join(", "));
        finding.help(match nearest(&name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? {list}"),
            None if names.is_empty() => "the manifest has no teams; add one below `teams:`".to_owned(),
            None => list,
        })
    })
}

/// The id that was asked for, or the next free one.
fn id(request: &Add, outline: &Outline, team: &Team) -> Result<String, Diagnostic> {
    let holder = |id: &str| outline.ids.iter().find(|(taken, _)| id_key(taken) == id_key(id));
    if let Some(id) = &request.id {
        return match holder(id) {
            Some((_, path)) => {
                let message = format!("the id `{id}` is taken by `{path}`");
                Err(Diagnostic::new(Code::DuplicateId, message).help("an id is unique in the project; choose another"))
            }
            None if is_name(id) => Ok(id.clone()),
            None => Err(bad_name(id)),
        };
    }
    let present: Vec<Present> =
        outline.ids.iter().map(|(id, file)| Present { team: None, id: Some(id.clone()), file: file.clone() }).collect();
    // What the manifest waits for is written first.
    let progress = team.progress(&present);
    let waited = progress.iter().flat_map(|progress| &progress.deliverables).filter(|one| !one.present);
    let mut waited = waited.map(|one| {
        let name = one.name.trim().rsplit('/').next().unwrap_or(one.name);
        name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name)
    });
    // A draft that says no id yet may lie there.
    let is_there = |id: &str| path(outline, &team.name, id).is_ok_and(|path| outline.root.join(path.as_str()).exists());
    if let Some(id) = waited.find(|id| is_name(id) && holder(id).is_none() && !is_there(id)) {
        return Ok(id.to_owned());
    }
    let team = &team.name;
    let numbered = |number: usize| format!("mega-{team}-{}-{number:03}", request.kind.as_str());
    // One more number than there are mega-files: at least one of them is free.
    let free = (1..=outline.ids.len() + 1).map(numbered).find(|id| holder(id).is_none()).unwrap_or_default();
    if is_name(&free) { Ok(free) } else { Err(bad_name(&free)) }
}

/// Whether a text can be an id: what the schema of mega-files demands.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 100
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

fn bad_name(id: &str) -> Diagnostic {
    let help = "letters, digits, `.`, `_` and `-`, at most 100, the first a letter or digit: `--id mega-api-001`";
    Diagnostic::new(Code::BadName, format!("`{id}` is no id")).help(help)
}

/// The path of the mega-file below the project root.
fn path(outline: &Outline, team: &str, id: &str) -> Result<OutputPath, Diagnostic> {
    let folder = outline.folder.strip_prefix(&outline.root).map(|folder| display(folder, std::path::Path::new("")));
    let folder = folder.map_err(|_| {
        let message = format!("the folder of mega-files `{}` is outside the project", outline.folder.display());
        Diagnostic::new(Code::NoInput, message).help("change `megafiles:` in the manifest")
    })?;
    let folder = if folder == "." { String::new() } else { format!("{folder}/") };
    let path = OutputPath::parse(&format!("{folder}team-{team}/{id}.yaml"));
    path.map_err(|why| {
        Diagnostic::new(Code::BadName, format!("`{id}` cannot name a file: {why}")).help("choose another `--id`")
    })
}

fn no_room(team: &Team, kind: Kind) -> Diagnostic {
    let paths: Vec<String> = team.boundary.write_paths().map(|path| format!("`{path}`")).collect();
    let what = if kind.needs_folder() { "a tree of folders" } else { "new files" };
    let message = format!("team {} has no place for {what}: it may write {}", team.name, paths.join(", "));
    let finding = Diagnostic::new(Code::OutsideBoundary, message);
    finding.help("give the team a folder in the manifest: `write_paths: [\"/src/api/\"]`")
}
