//! New mega-files, one kind per part of the format. Pure data.

use super::NewFile;
use super::place::Place;
use crate::path::OutputPath;

/// What a new mega-file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Templates over data.
    Template,
    /// A literal tree.
    Scaffold,
    /// A named group of files with parameters.
    Factory,
    /// The LBOF dialect.
    Lbof,
    /// Values for a shared file that another mega-file owns.
    Contributor,
    /// A shared file made from contributions.
    Owner,
    /// Data from a CSV file.
    Source,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Template, Self::Scaffold, Self::Factory, Self::Lbof, Self::Contributor, Self::Owner, Self::Source];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Scaffold => "scaffold",
            Self::Factory => "factory",
            Self::Lbof => "lbof",
            Self::Contributor => "contributor",
            Self::Owner => "owner",
            Self::Source => "source",
        }
    }

    /// What it shows, in one line.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Template => "Templates over data: one file per item",
            Self::Scaffold => "A literal tree of folders and files",
            Self::Factory => "A named group of files with parameters, called per item",
            Self::Lbof => "The LBOF dialect: every template once per entity",
            Self::Contributor => "Values for a shared file that another mega-file owns",
            Self::Owner => "A shared file made from what others contribute",
            Self::Source => "Data from a CSV file",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it puts a tree of folders somewhere, so that single files are not enough.
    #[must_use]
    pub fn needs_folder(self) -> bool {
        self == Self::Scaffold
    }

    /// The schema that an editor needs, below `schemas/`.
    #[must_use]
    pub fn schema(self) -> &'static str {
        if self == Self::Lbof { "mega-file-lbof.schema.json" } else { "mega-file.schema.json" }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Template => include_str!("assets/template.yaml"),
            Self::Scaffold => include_str!("assets/scaffold.yaml"),
            Self::Factory => include_str!("assets/factory.yaml"),
            Self::Lbof => include_str!("assets/lbof.yaml"),
            Self::Contributor => include_str!("assets/contributor.yaml"),
            Self::Owner => include_str!("assets/owner.yaml"),
            Self::Source => include_str!("assets/source.yaml"),
        }
    }
}

/// What fills the marks of a text.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The id.
    pub id: &'a str,
    /// The team.
    pub team: &'a str,
    /// Where its files go.
    pub place: &'a Place,
    /// The path of the schema, relative to the mega-file, if the project has the schemas.
    pub schema: Option<String>,
}

/// The files of a new mega-file: itself at `path`, and its data if that lies in a file of its own.
#[must_use]
pub fn files(kind: Kind, path: OutputPath, facts: &Facts<'_>) -> Vec<NewFile> {
    let data = format!("data/{}.csv", facts.id);
    let editor = facts.schema.as_ref().map_or_else(String::new, |schema| {
        // The line for editors must come first; an empty comment parts it from the text.
        format!("# yaml-language-server: $schema={schema}\n#\n")
    });
    let marks = [
        ("@EDITOR@", editor),
        ("@ID@", scalar(facts.id)),
        ("@TEAM@", scalar(facts.team)),
        ("@FOLDER@", facts.place.folder.clone().unwrap_or_default()),
        ("@PLACE@", facts.place.prefix.clone()),
        ("@END@", facts.place.end.clone()),
        ("@DATA@", data.clone()),
        ("@C@", facts.place.comment().to_owned()),
    ];
    let text = marks.iter().fold(kind.text().to_owned(), |text, (mark, value)| text.replace(mark, value));
    let text = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    let mut files = vec![NewFile { path, text, about: "the mega-file" }];
    if kind == Kind::Source
        && let Ok(path) = OutputPath::parse(&data)
    {
        files.push(NewFile { path, text: include_str!("assets/source.csv").to_owned(), about: "its data" });
    }
    files
}

/// A name as YAML text: quoted where it would be a number, a truth or null.
pub(crate) fn scalar(name: &str) -> String {
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !words.contains(&&*name.to_ascii_lowercase());
    if plain { name.to_owned() } else { format!("\"{name}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_filled_and_no_blank_ends_a_line() {
        for (end, schema) in [(".md", None), (".py", Some("../../schemas/x.json".to_owned()))] {
            let place = Place { prefix: "a/b/".into(), end: end.into(), folder: Some("a/b".into()) };
            for kind in Kind::ALL {
                let path = OutputPath::parse("megafiles/x.yaml").unwrap();
                let facts = Facts { id: "m-1", team: "alpha", place: &place, schema: schema.clone() };
                for file in files(kind, path, &facts) {
                    let marks = ["@EDITOR@", "@ID@", "@TEAM@", "@FOLDER@", "@PLACE@", "@END@", "@DATA@", "@C@"];
                    assert!(!marks.iter().any(|mark| file.text.contains(mark)), "{}", file.text);
                    assert!(
                        file.text.lines().all(|line| line.trim_end() == line && line.len() <= 130),
                        "{}",
                        file.text
                    );
                    assert!(file.text.ends_with('\n'));
                }
            }
        }
    }

    #[test]
    fn names_that_yaml_reads_otherwise_are_quoted() {
        assert_eq!(["alpha", "007", "No", "1e3"].map(scalar), ["alpha", "\"007\"", "\"No\"", "\"1e3\""]);
    }
}
