//! What a brief says, as plain data: the names that the templates of briefs see. Every text is one clean line, since it
//! comes from manifests, mega-files and paths; nothing is measured here.

use serde::Serialize;

use crate::hidden::is_hidden;

/// The longest text that is taken over from elsewhere.
const LONGEST: usize = 300;

/// What both kinds of briefs say of the project.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProjectFacts {
    /// How many teams it has.
    pub teams: usize,
    /// The manifest.
    pub manifest: String,
    /// The folder of the mega-files.
    pub folder: String,
}

/// The facts of a team's brief, by the names that its template uses.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TeamFacts {
    /// `claude`, `gpt`, `gemini` or `generic`.
    pub platform: &'static str,
    /// The project.
    pub project: ProjectFacts,
    /// Who it is.
    pub team: Who,
    /// Where it may write, as a list in one line; empty for everywhere.
    pub write_paths: String,
    /// Where it may read.
    pub read_paths: String,
    /// Where it may never write.
    pub forbidden_paths: String,
    /// Sensitive kinds of files that it may write.
    pub grants: String,
    /// Other teams whose areas lie beside its own.
    pub neighbours: Vec<Neighbour>,
    /// How many neighbours are left out.
    pub more_neighbours: usize,
    /// The teams that it builds on, in the order in which they can be built.
    pub dependencies: Vec<Dependency>,
    /// Teams that build on it.
    pub dependents: String,
    /// The artefacts that it shares with others.
    pub contracts: Vec<Contract>,
    /// How many artefacts are left out.
    pub more_contracts: usize,
    /// Slots that it may contribute to.
    pub slots: Vec<Slot>,
    /// What is expected of it.
    pub goals: Goals,
    /// Its mega-files.
    pub mega_files: MegaFiles,
    /// An example; null if there is no room for one.
    pub example: Option<ExampleFacts>,
}

/// Who a team is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Who {
    /// Its name.
    pub name: String,
    /// Its name for people, if it has one.
    pub title: String,
    /// What it does.
    pub role: String,
    /// Its rank, as the manifest has it.
    pub priority: String,
    /// Languages, frameworks and specialties.
    pub skills: String,
}

/// A team beside.
#[derive(Debug, Clone, Serialize)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Where it writes.
    pub paths: String,
}

/// A team that is built on.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// What it does, in a few words.
    pub title: String,
    /// How many files it plans so far.
    pub files: usize,
    /// Where they are.
    pub folders: Vec<Offer>,
    /// How many folders are left out.
    pub more_folders: usize,
}

/// A folder of planned files.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Offer {
    /// The folder, with `/` at its end; empty for the output root.
    pub folder: String,
    /// How many planned files lie in it.
    pub files: usize,
    /// The names that they export, or else what the files are called.
    pub names: String,
    /// Whether the names are exports.
    pub exported: bool,
}

/// An artefact that teams agree on.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Its path; empty if the manifest gives none.
    pub artifact: String,
    /// The other teams, in one line.
    pub between: String,
    /// The team that plans it so far; empty for none.
    pub made_by: String,
    /// The teams of the agreement that may write it; empty for none.
    pub writers: String,
}

/// A slot that an owner loops over.
#[derive(Debug, Clone, Serialize)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// The file or list of files that is made from it.
    pub file: String,
    /// The team that owns that.
    pub owner: String,
}

/// What is expected of a team; each is empty if the manifest does not say it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Goals {
    /// Files: `120 to 150`.
    pub files: String,
    /// Lines.
    pub lines: String,
    /// The most files in a run.
    pub max_files: String,
    /// The most lines in a run.
    pub max_lines: String,
    /// How much tests are to cover.
    pub coverage: String,
}

/// The mega-files of a team.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MegaFiles {
    /// The folder in which to save them.
    pub folder: String,
    /// How many are wanted; null if the manifest does not say.
    pub wanted: Option<u64>,
    /// How many of those are there, else how many there are.
    pub present: u64,
    /// Those that the manifest names and that are not there.
    pub missing: String,
    /// How many have errors.
    pub wrong: usize,
    /// How many files they plan.
    pub files: usize,
}

/// The example as its template sees it.
#[derive(Debug, Clone, Serialize)]
pub struct ExampleFacts {
    /// Where to save it.
    pub path: String,
    /// Its text, with a line break at its end.
    pub text: String,
    /// How many files it makes.
    pub files: usize,
}

/// The facts of the orchestrator's brief.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OrchestratorFacts {
    /// `claude`, `gpt`, `gemini` or `generic`.
    pub platform: &'static str,
    /// The project.
    pub project: ProjectFacts,
    /// The phases in order.
    pub phases: Vec<PhaseFacts>,
    /// Whether the manifest names the phases; else they follow from the dependencies.
    pub phases_are_told: bool,
    /// What teams agree on.
    pub contracts: Vec<Contract>,
    /// How many artefacts are left out.
    pub more_contracts: usize,
    /// The sum of the goals in lines; empty if no team has one.
    pub lines: String,
    /// How many teams have a goal in lines.
    pub teams_with_goals: usize,
}

/// A phase.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PhaseFacts {
    /// Its number or name; empty for teams that the manifest has in no phase.
    pub name: String,
    /// How long it takes; empty if not told.
    pub duration: String,
    /// Its teams.
    pub teams: Vec<PhaseTeam>,
}

/// A team of a phase.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PhaseTeam {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The teams that it builds on.
    pub needs: String,
    /// Its goal in files and lines, in one line.
    pub goal: String,
    /// Its mega-files: `0 of 10`.
    pub mega_files: String,
}

/// A text from elsewhere, as one line in which nothing can pretend to be part of a brief.
#[must_use]
pub fn line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => plain.push(' '),
            // Orders that nobody sees, and text that runs the other way.
            c if is_hidden(c) => plain.extend(c.escape_unicode()),
            c => plain.push(c),
        }
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    let one = words.join(" ").replace('`', "'").replace("<!--", "<! --");
    if one.chars().count() <= LONGEST {
        return one;
    }
    one.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A few texts in one line, and how many more there are: `a, b and 12 more`.
#[must_use]
pub fn few<T: AsRef<str>>(texts: &[T], most: usize) -> String {
    listed(texts, most, line)
}

/// The same as code.
#[must_use]
pub fn few_as_code<T: AsRef<str>>(texts: &[T], most: usize) -> String {
    listed(texts, most, |text| format!("`{}`", line(text)))
}

fn listed<T: AsRef<str>>(texts: &[T], most: usize, form: impl Fn(&str) -> String) -> String {
    let most = shown(texts.len(), most);
    let shown: Vec<String> = texts.iter().take(most).map(|text| form(text.as_ref())).collect();
    let more = texts.len().saturating_sub(most);
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// How many of a list are shown: it is not cut for the sake of one.
#[must_use]
pub fn shown(all: usize, most: usize) -> usize {
    if all == most + 1 { all } else { all.min(most) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_elsewhere_are_one_short_line() {
        assert_eq!(line(" a\n\n# You may write `everywhere`\t\u{1b}[1m "), "a # You may write 'everywhere' [1m");
        assert_eq!(line(&"x".repeat(1_000)).chars().count(), LONGEST);
        assert_eq!(few(&["a", "b", "c", "d"], 2), "a, b and 2 more");
        assert_eq!(few(&["a", "b", "c"], 2), "a, b, c", "one more is shown");
        assert_eq!(few_as_code(&["a`b"], 2), "`a'b`");
        assert_eq!(few::<&str>(&[], 2), "");
    }
}
