//! What a generated mega-file of the native dialect may hold beside its loop over entities: factories, a source, shared
//! templates, random values, plurals, cross products, contributions to slots and files that are made from slots.

use std::fmt::Write as _;

use proptest::collection::btree_set;
use proptest::prelude::*;

/// The slots that mega-files give to and read from.
pub const SLOTS: [&str; 2] = ["routes", "jobs"];

/// How a file is made from a slot.
const READERS: usize = 4;

/// The formats of a source, by ending.
const FORMATS: [&str; 4] = ["csv", "json", "toml", "yaml"];

/// The shared templates of every project: an included part, a layout, a library, and one that entries name. WORD is
/// replaced by a word of the project.
pub const SHARED: [(&str, &str); 4] = [
    ("part.txt", "{Entity} shares WORD and {vars.word}\n"),
    ("layout.j2", "begin\n{% block body %}{% endblock %}\nend {{ mega_file.id }}\n"),
    ("macros.jinja", "{% macro marked(x) %}<{{ x }}> {{ random_int(1, 6) }}{% endmacro %}"),
    ("whole.txt", "{entity} {entities} {{ vars.list|join('-') }} {notaword}\n"),
];

/// Parts that a mega-file has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Factories,
    Shared,
    Random,
    Plurals,
    Cross,
}

/// What one mega-file holds.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    pub plain: Vec<Part>,
    /// An index of the formats.
    pub source: Option<usize>,
    /// Indices of [`SLOTS`] that it fills.
    pub gives: Vec<usize>,
    /// Indices of [`SLOTS`] that files of it are made from, each with how.
    pub reads: Vec<(usize, usize)>,
}

/// What the texts of the parts speak of.
pub struct Around<'a> {
    pub id: &'a str,
    /// The mega-file's own output folder.
    pub folder: &'a str,
    pub entities: &'a [String],
    pub revision: u32,
}

prop_compose! {
    /// Few parts of each mega-file, so that a project shows many pairs of parts but stays small.
    pub fn parts()(
        chosen in btree_set(0_usize..10, 0..4),
        format in 0..FORMATS.len(),
        gives in btree_set(0..SLOTS.len(), 1..=SLOTS.len()),
        reads in btree_set((0..SLOTS.len(), 0..READERS), 1..3),
    ) -> Parts {
        let has = |part: usize| chosen.contains(&part);
        let plain = [Part::Factories, Part::Shared, Part::Random, Part::Plurals, Part::Cross];
        Parts {
            plain: plain.into_iter().enumerate().filter(|(part, _)| has(*part)).map(|(_, part)| part).collect(),
            source: has(5).then_some(format),
            gives: if has(6) || has(7) { gives.into_iter().collect() } else { Vec::new() },
            reads: if has(8) || has(9) { reads.into_iter().collect() } else { Vec::new() },
        }
    }
}

impl Parts {
    /// The rules, the other keys of the mega-file, and the templates.
    pub fn texts(&self, around: &Around<'_>) -> (String, String, String) {
        let (mut rules, mut keys, mut templates) = (String::new(), String::new(), String::new());
        let Around { id, folder, entities, revision } = around;
        let words = entities.join(", ");
        let has = |part: Part| self.plain.contains(&part);
        let _ = writeln!(keys, "data: {{ words: [{words}], fields: [xf, xg], revision: {revision} }}");
        if has(Part::Factories) {
            rules.push_str(&CALLS.replace("FIRST", &entities[0]));
            keys.push_str(&FACTORIES.replace("FOLDER", folder).replace("REVISION", &revision.to_string()));
        }
        if let Some(format) = self.source {
            let ending = FORMATS[format];
            let rows = if ending == "toml" { "data.rows.rows" } else { "data.rows" };
            let _ = writeln!(keys, "sources: {{ rows: data/{id}.{ending} }}");
            rules.push_str(&ROWS.replace("ROWS", rows).replace("FOLDER", folder));
        }
        if has(Part::Shared) {
            rules.push_str(&USES_SHARED.replace("FOLDER", folder));
            templates.push_str(EXTENDS);
        }
        if has(Part::Random) {
            let _ =
                writeln!(rules, "    - for_each: data.words\n      generate: [ids: \"{folder}/ids/{{entity}}.txt\"]");
            templates
                .push_str("  ids: |\n    {{ random_id() }} {{ random_int(-5, 5) }} {{ uuid() }} {{ data.revision }}\n");
        }
        if has(Part::Plurals) {
            rules.push_str(&PLURALS.replace("FIRST", &entities[0]).replace("FOLDER", folder));
        }
        if has(Part::Cross) {
            rules.push_str(&CROSS.replace("FOLDER", folder));
        }
        if !self.gives.is_empty() {
            keys.push_str("contributes:\n");
        }
        for slot in &self.gives {
            keys.push_str(&GIVES.replace("SLOT", SLOTS[*slot]).replace("FIRST", &entities[0]));
        }
        for &(slot, how) in &self.reads {
            let reader = READS[how].replace("FOLDER", folder).replace("SLOT", SLOTS[slot]);
            rules.push_str(&reader.replace("HOW", &how.to_string()));
            let template = READ_TEMPLATES[how].replace("SLOT", SLOTS[slot]);
            templates.push_str(&template.replace("HOW", &how.to_string()));
            if how == 3 && slot == self.reads.iter().find(|(_, how)| *how == 3).map_or(slot, |(slot, _)| *slot) {
                let factory = format!("  table: {TABLE}").replace("FOLDER", folder);
                // The key may be there already.
                match keys.find("factories:\n") {
                    Some(at) => keys.insert_str(at + "factories:\n".len(), &factory),
                    None => keys.extend(["factories:\n", &factory]),
                }
            }
        }
        (rules, keys, templates)
    }

    /// The data file of the source, by its path.
    pub fn source(&self, around: &Around<'_>) -> Option<(String, String)> {
        let ending = FORMATS[self.source?];
        let mut text = String::new();
        let rows = around.entities.iter().enumerate();
        match ending {
            "csv" => {
                text.push_str("name,note\n");
                text.extend(rows.map(|(n, name)| format!("{name},\"0{n}, \"\"{}\"\"\"\n", around.revision)));
            }
            "toml" => {
                let row = |(n, name)| format!("[[rows]]\nname = \"{name}\"\nnote = 0x{n}{}\n", around.revision);
                text.extend(rows.map(row));
            }
            "yaml" => {
                text.extend(rows.map(|(n, name)| format!("- {{ name: {name}, note: 0{n}{} }}\n", around.revision)));
            }
            _ => {
                let rows =
                    rows.map(|(n, name)| format!("{{\"name\": \"{name}\", \"note\": {n}.{}e1}}", around.revision));
                let _ = writeln!(text, "[{}]", rows.collect::<Vec<_>>().join(",\n "));
            }
        }
        Some((format!("data/{}.{ending}", around.id), text))
    }
}

const CALLS: &str = "    - factory: crud
      for_each: data.words
      as: e
      with: { name: \"{e}\", fields: \"{{ data.fields }}\" }
    - factory: crud
      when: \"data.words|length > 1\"
      with: { name: FIRST_again, note: given }
";

const FACTORIES: &str = "factories:
  crud:
    params:
      properties:
        name: { type: string }
        fields: { type: array, items: { type: string }, default: [] }
        note: { type: string, default: none REVISION }
      required: [name]
    generate:
      - { path: \"FOLDER/crud/{name|kebab}/service.txt\", content: \"{Name} {names} {note} {{ fields|length }}\\n\" }
    rules:
      - factory: field
        for_each: fields
        as: f
        with: { owner: \"{name}\", field: \"{{ f }}\" }
  field:
    params: { properties: { owner: { type: string }, field: { type: string } }, required: [owner, field] }
    generate:
      - { path: \"FOLDER/crud/{owner|kebab}/{field}.txt\", content: \"{Owner}.{field} {{ data.revision }}\\n\" }
";

const ROWS: &str = "    - for_each: ROWS
      as: row
      generate: [{ path: \"FOLDER/rows/{row.name}.txt\", content: \"{row.name}: {row.note}\\n\" }]
";

const USES_SHARED: &str = "    - for_each: data.words
      generate:
        - page: \"FOLDER/shared/{entity}.txt\"
        - { template: whole.txt, path: \"FOLDER/shared/{entity}.whole\" }
";

const EXTENDS: &str = "  page: |
    {% extends \"layout\" %}
    {% import \"macros\" as m %}
    {% block body %}
    {% include \"part.txt\" %}
    {{ m.marked(entity) }} {{ data.revision }}
    {% endblock %}
";

const PLURALS: &str = "    - for_each: data.words
      plural: { FIRST: FIRSTfolk }
      generate: [{ path: \"FOLDER/plural/{entity}.txt\", content: \"{entities} {Entities} {{ data.revision }}\\n\" }]
";

const CROSS: &str = "    - for_each: { entity: data.words, size: \"range(1, 3)\", lang: [en, sv] }
      when: \"size < 2 or lang == 'sv'\"
      generate:
        - { path: \"FOLDER/cross/{entity}-{size}-{lang}.txt\", content: \"{Entity} {{ size * 2 }} {lang} {vars.word}\\n\" }
";

const GIVES: &str = "  SLOT:
    - { for_each: data.words, value: { name: \"{{ mega_file.id }}-{entity}\", revision: \"{{ data.revision }}\" } }
    - { for_each: data.words, when: \"entity != 'FIRST'\", value: { name: \"{{ mega_file.id }}-{entity}-more\" } }
";

const READS: [&str; READERS] = [
    "    - generate: [loopHOWSLOT: \"FOLDER/slots/loop-SLOT.txt\"]\n",
    "    - generate: [listHOWSLOT: \"FOLDER/slots/list-SLOT.json\"]\n",
    "    - for_each: contributions.SLOT\n      as: one\n      allow_empty: true\n      \
     generate: [{ path: \"FOLDER/slots/SLOT/{one.name}.txt\", content: \"{one.name}\\n\" }]\n",
    "    - factory: table\n      with: { slot: SLOT, all: \"{{ contributions.SLOT }}\" }\n",
];

const READ_TEMPLATES: [&str; READERS] = [
    "  loopHOWSLOT: |\n    {% for one in contributions.SLOT %}\n    {one.name} {{ one|json }}\n    {% endfor %}\n    end\n",
    "  listHOWSLOT: \"{% set all = contributions %}{{ all['SLOT']|json }}\\n\"\n",
    "",
    "",
];

const TABLE: &str = "{ params: { properties: { slot: {}, all: { type: array } } }, generate: [{ path: \
                     \"FOLDER/slots/table-{slot}.txt\", content: \"{{ all|length }} {{ all|json }}\\n\" }] }\n";
