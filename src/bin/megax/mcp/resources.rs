//! What can be read: the format, its schemas, examples, the page of every code, and the briefs of the project. The same
//! texts as the commands `schema`, `new`, `explain` and `brief` give.

use std::fmt::Write as _;

use clap::ValueEnum as _;
use megax::diagnostic::Code;
use megax::model::schema;
use megax::path::OutputPath;
use megax::pipeline::Which;
use megax::report::explain as pages;
use megax::start::mega_file::{self, Facts, Kind};
use megax::start::place::Place;
use rmcp::model::{Resource, ResourceContents, ResourceTemplate};

use super::calls::Session;
use crate::schema::Named as SchemaName;
use crate::{explain, schema as schemas};

const FORMAT: &str = "megax://format";
const SCHEMA: &str = "megax://schema/";
const EXAMPLES: &str = "megax://examples/";
const CODES: &str = "megax://codes/";
const BRIEF: &str = "megax://brief/";
/// Whose brief is no team's; a team of this name has none here.
const ORCHESTRATOR: &str = "orchestrator";

const MARKDOWN: &str = "text/markdown";
const YAML: &str = "application/yaml";
const JSON_SCHEMA: &str = "application/schema+json";

/// A resource that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    kind: &'static str,
    text: String,
}

impl Text {
    /// As the protocol sends it.
    pub fn into_contents(self, uri: &str) -> ResourceContents {
        ResourceContents::text(self.text, uri).with_mime_type(self.kind)
    }
}

/// The resources.
pub fn list() -> Vec<Resource> {
    let format = Resource::new(FORMAT, "format")
        .with_description("How mega-files are written, in one page; read it first")
        .with_mime_type(MARKDOWN);
    let examples = Kind::ALL.into_iter().map(|kind| {
        Resource::new(format!("{EXAMPLES}{}", kind.as_str()), format!("example-{}", kind.as_str()))
            .with_description(kind.about())
            .with_mime_type(YAML)
    });
    let schemas = SchemaName::value_variants().iter().filter_map(|name| {
        let value = name.to_possible_value()?;
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        let resource = Resource::new(format!("{SCHEMA}{}", value.get_name()), format!("schema-{}", value.get_name()));
        Some(resource.with_description(format!("JSON Schema: {help}")).with_mime_type(JSON_SCHEMA))
    });
    let brief = Resource::new(format!("{BRIEF}{ORCHESTRATOR}"), "brief-orchestrator")
        .with_description(
            "The brief of whoever coordinates the teams, made from the manifest and the project as it is now",
        )
        .with_mime_type(MARKDOWN);
    [format, brief].into_iter().chain(examples).chain(schemas).collect()
}

/// The resources that are too many to list.
pub fn templates() -> Vec<ResourceTemplate> {
    let codes = ResourceTemplate::new(format!("{CODES}{{code}}"), "code")
        .with_description("What a code of a finding means, such as MX404, with an example and what to do")
        .with_mime_type(MARKDOWN);
    let briefs = ResourceTemplate::new(format!("{BRIEF}{{team}}"), "brief")
        .with_description("What an agent of a team is told: its role, boundaries, goals, and how it works and checks")
        .with_mime_type(MARKDOWN);
    vec![codes, briefs]
}

/// Reads a resource.
///
/// # Errors
/// There is none at this place.
pub fn read(session: &Session, uri: &str) -> Result<Text, String> {
    if uri == FORMAT {
        return Ok(Text { kind: MARKDOWN, text: include_str!("format.md").to_owned() });
    }
    if let Some(name) = uri.strip_prefix(SCHEMA) {
        let names = || SchemaName::value_variants().iter().filter_map(SchemaName::to_possible_value);
        let Ok(name) = SchemaName::from_str(name, false) else {
            return Err(none(uri, "the schemas", names().map(|value| value.get_name().to_owned())));
        };
        return Ok(Text { kind: JSON_SCHEMA, text: schema::to_text(&schemas::named(name)) });
    }
    if let Some(word) = uri.strip_prefix(EXAMPLES) {
        let Some(kind) = Kind::find(word) else {
            return Err(none(uri, "the kinds", Kind::ALL.map(|kind| kind.as_str().to_owned()).into_iter()));
        };
        return Ok(Text { kind: YAML, text: example(kind) });
    }
    if let Some(word) = uri.strip_prefix(CODES) {
        let Some(code) = Code::find(word) else { return Err(explain::unknown_code(word)) };
        return Ok(Text { kind: MARKDOWN, text: pages::explain_code(code, false) });
    }
    if let Some(name) = uri.strip_prefix(BRIEF) {
        let which = if name == ORCHESTRATOR { Which::Orchestrator } else { Which::Team(name.to_owned()) };
        return Ok(Text { kind: MARKDOWN, text: session.brief(which)? });
    }
    let places = [
        FORMAT.to_owned(),
        format!("{SCHEMA}NAME"),
        format!("{EXAMPLES}KIND"),
        format!("{CODES}CODE"),
        format!("{BRIEF}TEAM"),
    ];
    Err(none(uri, "the places", places.into_iter()))
}

fn none(uri: &str, what: &str, names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    format!("there is nothing at `{uri}`; {what} are {}", names.join(", "))
}

/// A mega-file of a kind, of a team called api that writes into `src/api/`.
fn example(kind: Kind) -> String {
    let id = format!("mega-api-{}-001", kind.as_str());
    let folder = format!("src/api/{id}");
    let place = Place { prefix: format!("{folder}/"), end: ".md".to_owned(), folder: Some(folder) };
    let facts = Facts { id: &id, team: "api", place: &place, schema: None };
    let Ok(path) = OutputPath::parse(&format!("megafiles/{id}.yaml")) else { return String::new() };
    let files = mega_file::files(kind, path, &facts);
    let Some((own, data)) = files.split_first() else { return String::new() };
    // One text; what lies in a file of its own is shown as a comment.
    data.iter().fold(own.text.clone(), |mut text, file| {
        let _ = writeln!(text, "\n# {}:", file.path);
        for line in file.text.lines() {
            let _ = writeln!(text, "# {line}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use megax::disk::Durability;

    use super::super::calls::Project;
    use super::*;

    #[test]
    fn what_is_listed_can_be_read_and_nothing_else() {
        let session = Session::new(Project {
            current: std::path::PathBuf::from("."),
            manifest: None,
            out: None,
            team: None,
            durability: Durability::Process,
        });
        let read = |uri: &str| read(&session, uri);
        let listed = list();
        assert!(listed.len() > 15);
        for resource in listed.iter().filter(|resource| !resource.uri.starts_with(BRIEF)) {
            let text = read(&resource.uri).unwrap_or_else(|why| panic!("{why}"));
            assert!(text.text.len() > 100, "{}", resource.uri);
            assert_eq!(Some(text.kind), resource.mime_type.as_deref());
        }
        for code in Code::ALL {
            assert!(read(&format!("{CODES}{}", code.id())).is_ok_and(|page| page.text.contains(code.id())));
        }
        for (uri, why) in [
            ("megax://codes/MX999", "there is no code MX999"),
            ("megax://examples/crud", "the kinds are template, scaffold,"),
            ("megax://schema/../x", "the schemas are mega-file,"),
            ("megax://brief/nobody", "error["),
            ("file:///etc/passwd", "the places are megax://format,"),
        ] {
            let found = read(uri).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
    }
}
