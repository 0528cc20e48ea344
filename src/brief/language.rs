//! The languages in which the example of a brief is written: the same few entities in each. Pure data; whether what it
//! makes is good code is seen by those who read it, whether it expands is tested.

/// A language of examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// Its names in manifests, in lower case; the first is shown.
    pub names: &'static [&'static str],
    /// What its files end in.
    pub end: &'static str,
    /// How the file of one entity is called, without the end.
    pub item: &'static str,
    /// The template of one entity.
    pub text: &'static str,
    /// The whole name of the file that is made once, and its template; a language without a habit has none.
    pub once: Option<(&'static str, &'static str)>,
}

/// Every language; the last is what no manifest and no file demands otherwise.
pub const ALL: [Language; 16] = [
    Language {
        names: &["typescript", "ts", "tsx", "react", "angular", "vue"],
        end: ".ts",
        item: "{entity}",
        text: "export interface {Entity} {\n{% for field in entity.fields %}\n  {field}: string;\n{% endfor %}\n}\n",
        once: Some(("index.ts", "{% for entity in data.entities %}\nexport * from './{entity}';\n{% endfor %}\n")),
    },
    Language {
        names: &["javascript", "js", "node", "nodejs", "node.js"],
        end: ".js",
        item: "{entity}",
        text: "export class {Entity} {\n{% for field in entity.fields %}\n  {field} = '';\n{% endfor %}\n}\n",
        once: Some(("index.js", "{% for entity in data.entities %}\nexport * from './{entity}.js';\n{% endfor %}\n")),
    },
    Language {
        names: &["python", "py", "django", "fastapi"],
        end: ".py",
        item: "{entity}",
        text: "class {Entity}:\n{% for field in entity.fields %}\n    {field}: str\n{% endfor %}\n",
        once: Some((
            "__init__.py",
            "{% for entity in data.entities %}\nfrom .{entity} import {{ entity.name | pascal }}\n{% endfor %}\n",
        )),
    },
    Language {
        names: &["rust", "rs"],
        end: ".rs",
        item: "{entity}",
        text: "pub struct {Entity} {\n{% for field in entity.fields %}\n    pub {field}: String,\n{% endfor %}\n}\n",
        once: Some(("mod.rs", "{% for entity in data.entities %}\npub mod {entity};\n{% endfor %}\n")),
    },
    Language {
        names: &["go", "golang"],
        end: ".go",
        item: "{entity}",
        text: "package billing\n\ntype {Entity} struct {\n{% for field in entity.fields %}\n\t{{ field | pascal }} string\n{% endfor %}\n}\n",
        once: Some(("doc.go", "// Package billing holds {{ data.entities | length }} types.\npackage billing\n")),
    },
    Language {
        names: &["java", "spring"],
        end: ".java",
        item: "{Entity}",
        text: "public class {Entity} {\n{% for field in entity.fields %}\n    public String {field};\n{% endfor %}\n}\n",
        once: None,
    },
    Language {
        names: &["kotlin", "kt"],
        end: ".kt",
        item: "{Entity}",
        text: "class {Entity} {\n{% for field in entity.fields %}\n    var {field}: String = \"\"\n{% endfor %}\n}\n",
        once: None,
    },
    Language {
        names: &["c#", "csharp", "cs", ".net", "dotnet"],
        end: ".cs",
        item: "{Entity}",
        text: "public class {Entity}\n{\n{% for field in entity.fields %}\n    public string {{ field | pascal }} { get; set; } = \"\";\n{% endfor %}\n}\n",
        once: None,
    },
    Language {
        names: &["sql", "postgres", "postgresql", "mysql", "sqlite"],
        end: ".sql",
        item: "{entities}",
        text: "create table {entities} (\n{% for field in entity.fields %}\n  {field} text not null{{ \",\" if not loop.last else \"\" }}\n{% endfor %}\n);\n",
        once: None,
    },
    Language {
        names: &["hcl", "terraform"],
        end: ".tf",
        item: "{entity}",
        text: "locals {\n{% for field in entity.fields %}\n  {entity}_{field} = \"\"\n{% endfor %}\n}\n",
        once: None,
    },
    Language {
        names: &["rego", "opa"],
        end: ".rego",
        item: "{entity}",
        text: "package billing.{entity}\n\nfields := {{ entity.fields | json }}\n",
        once: None,
    },
    Language {
        names: &["css", "scss", "sass", "html"],
        end: ".css",
        item: "{entity}",
        text: "{% for field in entity.fields %}\n.{entity}-{field} { display: block; }\n{% endfor %}\n",
        once: None,
    },
    Language {
        names: &["json"],
        end: ".json",
        item: "{entity}",
        text: "{ \"name\": \"{entity}\", \"fields\": {{ entity.fields | json }} }\n",
        once: None,
    },
    Language {
        names: &["yaml", "yml", "kubernetes", "docker", "ansible"],
        end: ".yaml",
        item: "{entity}",
        text: "name: {entity}\nfields:\n{% for field in entity.fields %}\n  - {field}\n{% endfor %}\n",
        once: None,
    },
    Language {
        names: &["shell", "bash", "sh"],
        end: ".sh",
        item: "{entity}",
        text: "{% for field in entity.fields %}\n{ENTITY}_{{ field | upper }}=''\n{% endfor %}\n",
        once: None,
    },
    Language {
        names: &["markdown", "md", "text", "documentation"],
        end: ".md",
        item: "{entity}",
        text: "# {Entity}\n\n{% for field in entity.fields %}\n- {field}\n{% endfor %}\n",
        once: Some((
            "index.md",
            "{% for entity in data.entities %}\n- [{{ entity.name | pascal }}]({entity}.md)\n{% endfor %}\n",
        )),
    },
];

/// What no manifest and no file demands otherwise.
pub const DEFAULT: &Language = &ALL[ALL.len() - 1];

/// The language of a name in a manifest: `TypeScript`, `python 3`.
#[must_use]
pub fn named(text: &str) -> Option<&'static Language> {
    let lower = text.trim().to_lowercase();
    let is = |word: &str| ALL.iter().find(|language| language.names.contains(&word));
    is(&lower).or_else(|| is(lower.split([' ', '/', '-']).next()?))
}

/// The language of files that end so.
#[must_use]
pub fn ending(path: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let end = &name[name.rfind('.')?..];
    let other = match end {
        ".tsx" | ".mts" => ".ts",
        ".jsx" | ".mjs" | ".cjs" => ".js",
        ".yml" => ".yaml",
        end => end,
    };
    ALL.iter().find(|language| language.end == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_name_and_by_ending() {
        for (text, end) in [("TypeScript", ".ts"), ("Python 3", ".py"), ("golang", ".go"), (" hcl ", ".tf")] {
            assert_eq!(named(text).map(|one| one.end), Some(end), "{text}");
        }
        assert_eq!(named("cobol"), None);
        assert_eq!(ending("src/a.test.tsx").map(|one| one.end), Some(".ts"));
        assert_eq!(ending("Makefile"), None);
        assert_eq!(ending("a/b.c/x"), None);
        assert_eq!(DEFAULT.end, ".md");
    }
}
