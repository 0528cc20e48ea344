//! The names of teams: which team a text means, lists of teams, and the findings about names that mean none or two.

use std::collections::BTreeMap;

use super::Team;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::model::wire::shape::StringsWire;
use crate::name::team_name;
use crate::path::fold;
use crate::source::{NodeId, Tree};
use crate::span::Span;

/// The team that a text means: by its name, else by an alias, else without a trailing `team` (`Alpha Team`).
pub(super) fn find<'t>(teams: &'t [Team], text: &str) -> Option<&'t Team> {
    // The one spelling is by far the most common.
    if let Some(team) = teams.iter().find(|team| team.name == text) {
        return Some(team);
    }
    let name = team_name(text);
    let of = |name: &str| {
        let own = teams.iter().find(|team| team.name == name);
        own.or_else(|| teams.iter().find(|team| team.aliases.iter().any(|alias| alias == name)))
    };
    of(&name).or_else(|| of(without_team(&name)?))
}

/// `alpha` of `alpha team`.
pub(super) fn without_team(name: &str) -> Option<&str> {
    let rest = name.strip_suffix("team")?.strip_suffix([' ', '-', '_'])?;
    Some(rest.trim_end()).filter(|rest| !rest.is_empty())
}

/// A name in a list of teams.
pub(super) struct Asked {
    text: String,
    node: NodeId,
    /// Whether the name is all that its node holds.
    whole: bool,
}

impl Asked {
    /// The team that is meant, if it is one.
    pub fn means<'t>(&self, teams: &'t [Team]) -> Option<&'t Team> {
        find(teams, &self.text)
    }

    /// Whether every team is meant.
    pub fn is_all(&self) -> bool {
        matches!(fold(&self.text).as_str(), "all" | "all teams" | "all other teams" | "every team")
    }
}

/// The names in a list of teams. One text may hold several (`alpha, beta`) and remarks in brackets; `none` is no team.
pub(super) fn asked(list: Option<&StringsWire>) -> Vec<Asked> {
    let mut names = Vec::new();
    for entry in list.map_or(&[][..], StringsWire::as_slice) {
        let plain = without_remarks(&entry.value);
        for text in plain.split(',').map(str::trim) {
            if !matches!(fold(text).as_str(), "none" | "") {
                names.push(Asked { text: text.to_owned(), node: entry.node, whole: text == entry.value });
            }
        }
    }
    names
}

/// The text without what stands in brackets.
pub(super) fn without_remarks(text: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// The team that a name in a list means; one that means none becomes a finding. `who` says where the name stands.
pub(super) fn resolve<'t>(
    tree: &Tree,
    teams: &'t [Team],
    asked: &Asked,
    who: &str,
    findings: &mut Diagnostics,
) -> Option<&'t Team> {
    let found = find(teams, &asked.text);
    if found.is_none() {
        let span = tree.span(asked.node);
        let message = format!("{who} `{}`, which is no team", asked.text);
        let finding = Diagnostic::new(Code::UnknownTeamDependency, message).at(span);
        let names = || teams.iter().map(|team| team.name.as_str());
        findings.push(match nearest(&team_name(&asked.text), names()) {
            Some(near) if asked.whole => finding.help(format!("did you mean `{near}`?")).fix(span, near),
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None if teams.is_empty() => finding.help("the manifest names no team; add `teams:`"),
            None => {
                let known = names().collect::<Vec<_>>().join(", ");
                finding.help(format!("the teams are {known}; `all` names every one"))
            }
        });
    }
    found
}

/// Two entries that are one team, and aliases that two teams share.
pub(super) fn duplicates(teams: &[Team], findings: &mut Diagnostics) {
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for team in teams {
        if let Some(earlier) = first.insert(&team.name, team.span) {
            let message =
                format!("team {} has two entries (`alpha`, `Alpha` and `team-alpha` are one team)", team.name);
            let finding = Diagnostic::new(Code::DuplicateTeam, message).at(team.span);
            findings.push(finding.related(earlier, "first here").help("join the two entries, or rename one"));
        }
    }
    let mut owners: BTreeMap<&str, &Team> = teams.iter().map(|team| (team.name.as_str(), team)).collect();
    for team in teams {
        for alias in &team.aliases {
            let owner = *owners.entry(alias).or_insert(team);
            if owner.name != team.name {
                let message = format!("`{alias}` means team {} and team {}", owner.name, team.name);
                let finding = Diagnostic::new(Code::DuplicateTeam, message).at(team.span);
                let help = "the names, ids and codes of two teams differ: change the one of either";
                findings.push(finding.related(owner.span, format!("team {}", owner.name)).help(help));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_and_a_trailing_team_are_left_out() {
        assert_eq!(without_remarks("Alpha, Beta (with, auth)"), "Alpha, Beta ");
        assert_eq!(without_remarks("a)b"), "ab");
        assert_eq!(without_team("alpha team"), Some("alpha"));
        assert_eq!(without_team("data-team"), Some("data"));
        assert_eq!(without_team("team"), None);
        assert_eq!(without_team("steam"), None);
    }
}
