//! The one example of a brief: a complete mega-file that a team of this project could save as it stands. Its paths are
//! free, inside the team's boundary and in a language of the team; that it expands without a warning is tested.

use std::fmt::Write as _;

use super::language::{self, Language};
use crate::model::manifest::Team;
use crate::path::OutputPath;
use crate::start::mega_file::scalar;
use crate::start::place::Place;

/// A mega-file to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its text.
    pub text: String,
    /// The files that it makes, sorted.
    pub files: Vec<String>,
}

/// What an example is made for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The team.
    pub team: &'a Team,
    /// The id that it is to have.
    pub id: &'a str,
    /// The languages of the team, the best first.
    pub languages: &'a [&'static Language],
    /// Whether somebody has a path already.
    pub is_taken: &'a dyn Fn(&OutputPath) -> bool,
}

/// The entities of every example: singular, plural, fields.
const ENTITIES: [(&str, &str, &str); 2] =
    [("customer", "customers", "[email, city]"), ("invoice", "invoices", "[number, total]")];

/// The example for a team; `None` if its write paths have no room for new files.
#[must_use]
pub fn example(wanted: &Wanted<'_>) -> Option<Example> {
    let typical: Vec<String> = wanted.team.typical_files.iter().map(|one| one.written().to_owned()).collect();
    let named = |topic: &str| {
        let mut places = Place::among(wanted.team, topic, &typical);
        places.extend(Place::all(wanted.team, topic));
        // A hidden folder is a place for other tools; where there is room elsewhere it is no example.
        places.sort_by_key(|place| (place.prefix.starts_with('.'), !place.prefix.ends_with('/')));
        places
    };
    let places: Vec<Place> = ["billing", "invoicing", wanted.id].into_iter().flat_map(named).collect();
    let languages = wanted.languages.iter().copied().chain([language::DEFAULT]);
    let made = languages.flat_map(|language| places.iter().map(move |place| (language, place))).find_map(
        |(language, place)| {
            // A write path such as `src/**/*.py` decides the ending, and with it the language.
            if place.end.ends_with(language.end) {
                Made::of(wanted, language, place, &place.end)
            } else if place.end == language::DEFAULT.end {
                Made::of(wanted, language, place, language.end)
            } else {
                let own = language::ending(&place.end).unwrap_or(language::DEFAULT);
                Made::of(wanted, own, place, &place.end)
            }
        },
    );
    made.map(|made| made.write(wanted))
}

/// An example whose paths are free.
struct Made {
    language: &'static Language,
    /// The path of one entity's file, with its placeholder.
    item: String,
    once: Option<String>,
    files: Vec<String>,
}

impl Made {
    fn of(wanted: &Wanted<'_>, language: &'static Language, place: &Place, end: &str) -> Option<Self> {
        let may = |path: &String| {
            let path = OutputPath::parse(path).ok();
            let (boundary, typical) = (&wanted.team.boundary, &wanted.team.typical_files);
            path.is_some_and(|path| {
                let is_typical = typical.is_empty() || typical.iter().any(|one| one.matches(path.as_str()));
                is_typical && boundary.allows(&path) && boundary.forbids(&path).is_none() && !(wanted.is_taken)(&path)
            })
        };
        let item = format!("{}{}{end}", place.prefix, language.item);
        let mut files: Vec<String> = ENTITIES
            .iter()
            .map(|(one, many, _)| {
                let pascal = one[..1].to_uppercase() + &one[1..];
                item.replace("{entity}", one).replace("{Entity}", &pascal).replace("{entities}", many)
            })
            .collect();
        if !files.iter().all(may) {
            return None;
        }
        let once = language.once.filter(|_| place.prefix.ends_with('/') && end == language.end);
        let once = once.map(|(name, _)| format!("{}{name}", place.prefix)).filter(may);
        files.extend(once.clone());
        files.sort();
        Some(Self { language, item, once, files })
    }

    fn write(self, wanted: &Wanted<'_>) -> Example {
        let mut text = format!("id: {}\nteam: {}\nversion: 1.0.0\n", scalar(wanted.id), scalar(&wanted.team.name));
        text.push_str("generator:\n  type: template\n  rules:\n");
        text.push_str("    - for_each: \"data.entities\" # one round per entity\n      as: entity\n      generate:\n");
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "        - item: \"{}\" # template: path", self.item);
        if let Some(path) = &self.once {
            let _ = writeln!(text, "    - generate:\n        - all: \"{path}\" # once");
        }
        text.push_str("data:\n  entities:\n");
        for (name, _, fields) in ENTITIES {
            let _ = writeln!(text, "    - {{ name: {name}, fields: {fields} }}");
        }
        let _ = writeln!(text, "expansion: {{ targetFiles: {} }}\ntemplates:", self.files.len());
        template(&mut text, "item", self.language.text);
        if let Some((_, template_text)) = self.language.once.filter(|_| self.once.is_some()) {
            template(&mut text, "all", template_text);
        }
        Example { text, files: self.files }
    }
}

fn template(text: &mut String, name: &str, body: &str) {
    let _ = writeln!(text, "  {name}: |");
    for line in body.lines() {
        let _ = writeln!(text, "{}", format!("    {line}").trim_end());
    }
}
