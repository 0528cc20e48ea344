//! Checks over meaning: the ones that a mega-file asks for, and those over all mega-files of the project.

use std::collections::{BTreeMap, BTreeSet};

use super::lower_lbof::is_text;
use super::wire::LbofWire;
use super::wire::lbof::LbofCheckWire;
use super::{Manifest, MegaFile};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Fix, Severity, nearest};
use crate::name::id_key;
use crate::source::decode::{Raw, Spanned};
use crate::source::{NodeId, SourceSet, Tree};
use crate::span::SourceMap;

/// Unknown teams, ids that are not unique, dependencies that nobody has.
pub fn project(mega_files: &[MegaFile], manifest: Option<&Manifest>, sources: &SourceMap) -> Vec<Diagnostic> {
    let mut findings = duplicate_ids(mega_files, sources);
    for mega in mega_files.iter().filter(|mega| mega.selected) {
        if let Some(manifest) = manifest {
            findings.extend(unknown_team(mega, manifest));
            findings.extend(in_folder_of_other(mega, manifest, sources));
        }
        findings.extend(unknown_dependencies(mega, mega_files, manifest));
    }
    findings
}

fn duplicate_ids(mega_files: &[MegaFile], sources: &SourceMap) -> Vec<Diagnostic> {
    let mut first: BTreeMap<String, &MegaFile> = BTreeMap::new();
    let mut findings = Vec::new();
    for mega in mega_files {
        let Some(other) = first.get(&id_key(&mega.id)) else {
            first.insert(id_key(&mega.id), mega);
            continue;
        };
        if !mega.selected && !other.selected {
            continue;
        }
        // Which of the two is the copy, only people know.
        let (name, other_name) = (sources.name(mega.file()), sources.name(other.file()));
        let message = format!(
            "`{name}` and `{other_name}` both have the id `{}`: ids are unique in a project, without regard to case",
            mega.id
        );
        let finding = Diagnostic::new(Code::DuplicateId, message)
            .at(mega.id_span)
            .related(other.id_span, format!("team {} has it here", other.team))
            .help(format!("give the newer one of the two another id, such as `{}`", free_id(&mega.id, mega_files)));
        findings.push(finding.team(mega.team.clone()).team(other.team.clone()));
    }
    findings
}

/// The id with the next number that nobody has.
fn free_id(id: &str, mega_files: &[MegaFile]) -> String {
    let name = id.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &id[name.len()..];
    // A number that is too long to count on is part of the name.
    let (name, digits, first) = match digits.parse::<u32>() {
        Ok(number) => (name.to_owned(), digits.len(), u64::from(number) + 1),
        Err(_) => (format!("{id}-"), 1, 2),
    };
    let taken: BTreeSet<String> = mega_files.iter().map(|mega| id_key(&mega.id)).collect();
    let mut numbered = (first..).map(|number| format!("{name}{number:0digits$}"));
    numbered.find(|id| !taken.contains(&id_key(id))).unwrap_or_default()
}

fn unknown_team(mega: &MegaFile, manifest: &Manifest) -> Option<Diagnostic> {
    if manifest.teams.is_empty() || manifest.team(&mega.team).is_some() {
        return None;
    }
    let names: Vec<&str> = manifest.teams.iter().map(|team| team.name.as_str()).collect();
    let finding = Diagnostic::new(Code::UnknownTeam, format!("the manifest names no team `{}`", mega.team))
        .at(mega.team_span)
        .team(mega.team.clone());
    Some(match nearest(&mega.team, names.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")).fix(mega.team_span, near),
        None => finding
            .help(format!("the teams are {}; add the team to the manifest, or write one of them", names.join(", "))),
    })
}

/// Names the team that is meant by a value of `team` that is no name.
pub fn name_team(finding: &mut Diagnostic, set: &SourceSet, manifest: &Manifest) {
    let Some(span) = finding.span.filter(|_| finding.code == Code::BadValue && finding.fix.is_none()) else { return };
    let input = set.mega_files.iter().find(|input| input.file == span.file);
    let Some(tree) = input.and_then(|input| input.tree.as_ref()) else { return };
    let Some(node) = tree.get(tree.root(), "team").filter(|&node| tree.span(node) == span) else { return };
    if let Some(team) = tree.text(node).and_then(|text| manifest.team(text)) {
        finding.help = Some(format!("did you mean `{}`?", team.name));
        finding.fix = Some(Fix { span, replacement: team.name.clone() });
    }
}

/// A mega-file that lies in the folder of another team.
fn in_folder_of_other(mega: &MegaFile, manifest: &Manifest, sources: &SourceMap) -> Option<Diagnostic> {
    let own = manifest.team(&mega.team)?;
    let mut above = sources.name(mega.file()).rsplit_once('/')?.0;
    let (folder, other) = loop {
        let (rest, name) = above.rsplit_once('/').unwrap_or(("", above));
        let named = name.strip_prefix("team-").and_then(|name| manifest.team(name));
        match named {
            Some(team) => break (above, team),
            None if rest.is_empty() => return None,
            None => above = rest,
        }
    };
    if other.name == own.name {
        return None;
    }
    let message = format!("the mega-file lies in `{folder}/`, but says team {}", own.name);
    let home = folder.rsplit_once('/').map_or_else(String::new, |(parent, _)| format!("{parent}/"));
    let help = format!(
        "write `team: {}` if it is that team's, or move the file to `{home}team-{}/`: `--team` goes by what the file says",
        other.name, own.name
    );
    let finding = Diagnostic::new(Code::OtherTeamsFolder, message).at(mega.team_span).help(help);
    Some(finding.team(own.name.clone()))
}

/// `ID` or `TEAM/ID`.
fn unknown_dependencies(mega: &MegaFile, all: &[MegaFile], manifest: Option<&Manifest>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (text, span) in &mega.dependencies {
        let (team, id) = text
            .rsplit_once('/')
            .map_or((None, text.as_str()), |(team, id)| (Some(super::one_team_name(manifest, team)), id));
        let has =
            |other: &MegaFile| id_key(&other.id) == id_key(id) && team.as_ref().is_none_or(|team| *team == other.team);
        if all.iter().any(has) {
            continue;
        }
        let finding = Diagnostic::new(Code::UnknownDependency, format!("no mega-file of the project is `{text}`"));
        let finding = finding.at(*span).team(mega.team.clone());
        if let Some(other) = all.iter().find(|other| id_key(&other.id) == id_key(id)) {
            findings.push(finding.help(format!("did you mean `{}/{}`?", other.team, other.id)));
            continue;
        }
        findings.push(match nearest(id, all.iter().map(|other| other.id.as_str()).filter(|other| *other != mega.id)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("it may come later; remove the entry if not"),
        });
    }
    findings
}

/// The checks of an LBOF mega-file. `pre_generation` runs here; `post_generation` belongs to checks of the output.
pub fn lbof(tree: &Tree, wire: &LbofWire, findings: &mut Diagnostics) {
    let Some(validation) = &wire.validation else { return };
    for (key, _) in &validation.value.rest.0 {
        let message = format!("the key `{}` of `validation` has no effect", key.value);
        let finding = Diagnostic::new(Code::IgnoredKey, message).at(tree.span(key.node));
        findings.push(finding.help("the keys are `pre_generation` and `post_generation`"));
    }
    for check in validation.value.pre_generation.iter().flatten() {
        command(tree, check, findings);
        let known = ["entity_names_unique", "attributes_valid", "references_exist"];
        match check.value.check.value.as_str() {
            "entity_names_unique" => names_unique(tree, wire, check, findings),
            "attributes_valid" => attributes_valid(tree, wire, check, findings),
            "references_exist" => references_exist(tree, wire, check, findings),
            _ => unknown(tree, check, &known, findings),
        }
    }
    for check in validation.value.post_generation.iter().flatten() {
        command(tree, check, findings);
        let known = ["files_compile", "tests_valid", "imports_resolve"];
        if known.contains(&check.value.check.value.as_str()) {
            let message = format!("the check `{}` of the output is not run by this version", check.value.check.value);
            let finding = Diagnostic::new(Code::NotYet, message).at(tree.span(check.value.check.node));
            findings.push(
                finding.severity(Severity::Note).help("run the project's own compiler or tests after `megax expand`"),
            );
        } else {
            unknown(tree, check, &known, findings);
        }
    }
}

fn command(tree: &Tree, check: &Spanned<LbofCheckWire>, findings: &mut Diagnostics) {
    if let Some(command) = &check.value.command {
        let message = "a command in a mega-file is never run";
        let finding = Diagnostic::new(Code::CommandNotRun, message).at(tree.span(command.node));
        findings.push(finding.help("mega-files are data; run the command yourself, or in CI"));
    }
}

fn unknown(tree: &Tree, check: &Spanned<LbofCheckWire>, known: &[&str], findings: &mut Diagnostics) {
    let name = &check.value.check;
    let finding = Diagnostic::new(Code::UnknownCheck, format!("megax knows no check `{}` here", name.value))
        .at(tree.span(name.node));
    findings.push(match nearest(&name.value, known.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")).fix(tree.span(name.node), near),
        None => finding.help(format!("the checks here are {}", known.join(", "))),
    });
}

fn failed(tree: &Tree, node: NodeId, check: &Spanned<LbofCheckWire>, message: &str) -> Diagnostic {
    let own = check.value.error.as_ref().map_or_else(String::new, |error| format!(" ({})", error.value));
    Diagnostic::new(Code::CheckFailed, format!("{message}{own}"))
        .at(tree.span(node))
        .related(tree.span(check.node), format!("the check `{}` asks for it", check.value.check.value))
}

fn entities(wire: &LbofWire) -> impl Iterator<Item = NodeId> {
    wire.expansion_rules.value.entities.iter().flatten().map(|&Raw(node)| node)
}

fn name_of(tree: &Tree, node: NodeId) -> Option<(&str, NodeId)> {
    let name = tree.get(node, "name")?;
    Some((tree.text(name)?, name))
}

fn names_unique(tree: &Tree, wire: &LbofWire, check: &Spanned<LbofCheckWire>, findings: &mut Diagnostics) {
    let mut first: BTreeMap<String, NodeId> = BTreeMap::new();
    for (name, node) in entities(wire).filter_map(|entity| name_of(tree, entity)) {
        if let Some(earlier) = first.insert(crate::path::fold(name), node) {
            let finding = failed(tree, node, check, &format!("the entity name `{name}` is not unique"));
            findings.push(finding.related(tree.span(earlier), "first here").help("rename one of the two"));
        }
    }
}

fn attributes_valid(tree: &Tree, wire: &LbofWire, check: &Spanned<LbofCheckWire>, findings: &mut Diagnostics) {
    for entity in entities(wire) {
        let Some(attributes) = tree.get(entity, "attributes") else { continue };
        let Some(list) = tree.list(attributes) else {
            let message = "`attributes` is not a list";
            findings.push(failed(tree, attributes, check, message).help("write `- {name: id, type: uuid}` for each"));
            continue;
        };
        let mut seen = BTreeSet::new();
        for &attribute in list {
            match name_of(tree, attribute) {
                Some((name, node)) if !seen.insert(name.to_owned()) => {
                    let message = format!("the attribute `{name}` stands twice");
                    findings.push(failed(tree, node, check, &message).help("remove one of the two"));
                }
                Some(_) if tree.get(attribute, "type").is_some_and(|kind| is_text(tree, kind)) => {}
                _ => {
                    let message = if name_of(tree, attribute).is_some() {
                        "this attribute has no `type`"
                    } else {
                        "this attribute has no `name`"
                    };
                    findings.push(failed(tree, attribute, check, message).help("write `{name: id, type: uuid}`"));
                }
            }
        }
    }
}

fn references_exist(tree: &Tree, wire: &LbofWire, check: &Spanned<LbofCheckWire>, findings: &mut Diagnostics) {
    let names: BTreeSet<&str> =
        entities(wire).filter_map(|entity| name_of(tree, entity)).map(|(name, _)| name).collect();
    for entity in entities(wire) {
        for &attribute in tree.get(entity, "attributes").and_then(|list| tree.list(list)).unwrap_or_default() {
            let Some(reference) = tree.get(attribute, "ref") else { continue };
            let Some(text) = tree.text(reference) else { continue };
            // `ref: Customer` or `ref: Customer.id`.
            let target = text.split('.').next().unwrap_or(text);
            if names.contains(target) {
                continue;
            }
            let finding = failed(tree, reference, check, &format!("`{target}` is no entity of this mega-file"));
            findings.push(match nearest(target, names.iter().copied()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help("add the entity, or remove the reference"),
            });
        }
    }
}
