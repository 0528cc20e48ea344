//! The files of a new project. Pure data.

use super::NewFile;
use crate::model::schema::{self, SchemaName};
use crate::path::OutputPath;

/// Which teams a new project has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teams {
    /// Ten, alpha to kappa: each with folders, goals and dependencies of its own.
    Ten,
    /// Two, api and web.
    Small,
}

/// The files of a new project: manifest, a first mega-file, the schemas that editors read, and `.gitattributes` if asked
/// for.
#[must_use]
pub fn files(teams: Teams, gitattributes: bool) -> Vec<NewFile> {
    let (manifest, first, first_path, about, attributes) = match teams {
        Teams::Ten => (
            include_str!("assets/ten.yaml"),
            include_str!("assets/ten-first.yaml"),
            "megafiles/team-alpha/mega-alpha-001.yaml",
            "a first mega-file, for team alpha",
            include_str!("assets/ten.gitattributes"),
        ),
        Teams::Small => (
            include_str!("assets/small.yaml"),
            include_str!("assets/small-first.yaml"),
            "megafiles/team-api/mega-api-001.yaml",
            "a first mega-file, for team api",
            include_str!("assets/small.gitattributes"),
        ),
    };
    let mut files = vec![
        ("megax.yaml", manifest.to_owned(), "the manifest: who may write where"),
        (first_path, first.to_owned(), about),
    ];
    let names = [SchemaName::MegaFile, SchemaName::Lbof, SchemaName::Manifest];
    let schemas = names.map(|name| (name.file_name(), schema::to_text(&schema::schema(name))));
    let schemas: Vec<(String, String)> =
        schemas.into_iter().map(|(name, text)| (format!("schemas/{name}"), text)).collect();
    files
        .extend(schemas.iter().map(|(path, text)| (path.as_str(), text.clone(), "for editors: completion and checks")));
    if gitattributes {
        files.push((".gitattributes", attributes.to_owned(), "which files are generated"));
    }
    // The paths are constants; a test holds that all of them are paths.
    let parsed = files.into_iter().filter_map(|(path, text, about)| {
        let path = OutputPath::parse(path).ok()?;
        Some(NewFile { path, text, about })
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_a_manifest_a_mega_file_schemas_and_attributes_on_request() {
        for teams in [Teams::Ten, Teams::Small] {
            assert_eq!(files(teams, false).len(), 5);
            let all = files(teams, true);
            assert_eq!(all.len(), 6);
            assert!(all.iter().all(|file| file.text.ends_with('\n') && !file.text.contains('\r')));
        }
    }
}
