//! Projects made from a fixed seed: a manifest with ten teams and any number of mega-files, the same bytes every time.
//!
//! Each mega-file holds thirty entities of six to ten fields, and makes a controller, a service, a DTO and a test of
//! each. The controller uses placeholders only (no engine), the others mix placeholders and Jinja.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// Entities of one mega-file.
const ENTITIES: usize = 30;
/// Templates, so files of one entity.
const TEMPLATES: usize = 4;
const SEED: u64 = 0x006d_6567_6178;

const TEAMS: [&str; 10] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"];

/// A project of some size.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// What it is called in tables.
    pub name: &'static str,
    /// How many mega-files it has.
    pub mega_files: usize,
}

/// One team's mega-file: 120 files.
pub const W1: Workload = Workload { name: "W1", mega_files: 1 };
/// A tenth of [`W2`], for quick runs.
pub const W2S: Workload = Workload { name: "W2s", mega_files: 10 };
/// A project: ten teams with ten mega-files each, 12,000 files.
pub const W2: Workload = Workload { name: "W2", mega_files: 100 };
/// Twice [`W2`].
pub const W2X2: Workload = Workload { name: "W2 x 2", mega_files: 200 };
/// Four times [`W2`].
pub const W2X4: Workload = Workload { name: "W2 x 4", mega_files: 400 };

impl Workload {
    /// How many files an expansion makes.
    pub fn files(self) -> usize {
        self.mega_files * ENTITIES * TEMPLATES
    }

    /// Writes manifest and mega-files into a folder that is there. How many bytes of YAML that were.
    pub fn write(self, folder: &Path) -> io::Result<usize> {
        let mut random = Random(SEED);
        let manifest = manifest();
        let mut bytes = manifest.len();
        fs::write(folder.join("megax.yaml"), manifest)?;
        for number in 0..self.mega_files {
            let team = TEAMS[number % TEAMS.len()];
            let below = folder.join("megafiles").join(format!("team-{team}"));
            fs::create_dir_all(&below)?;
            let text = mega_file(team, number / TEAMS.len(), &mut random);
            bytes += text.len();
            fs::write(below.join(format!("module-{:03}.yaml", number / TEAMS.len())), text)?;
        }
        Ok(bytes)
    }
}

/// The generator splitmix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or(0)
    }

    fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.below(words.len())]
    }
}

fn manifest() -> String {
    let mut text = "seed: benchmark\nteams:\n".to_owned();
    for (at, team) in TEAMS.iter().enumerate() {
        let other = TEAMS[(at + 1) % TEAMS.len()];
        let _ = write!(
            text,
            "  {team}:\n    name: Team {team}\n    priority: {priority}\n    boundaries:\n      \
             write_paths: [\"/src/{team}/\", \"/tests/{team}/\"]\n      forbidden_paths: [\"/src/{other}/\"]\n",
            priority = at / 3 + 1,
        );
    }
    text
}

const QUALITIES: [&str; 12] = [
    "active", "annual", "billing", "central", "customer", "daily", "external", "global", "internal", "partner",
    "retail", "shared",
];
const THINGS: [&str; 16] = [
    "account",
    "address",
    "basket",
    "category",
    "device",
    "invoice",
    "ledger",
    "message",
    "order",
    "payment",
    "policy",
    "product",
    "report",
    "shipment",
    "ticket",
    "warehouse",
];
const FIELDS: [&str; 20] = [
    "title",
    "summary",
    "status",
    "amount",
    "currency",
    "quantity",
    "reference",
    "notes",
    "priority",
    "country",
    "city",
    "street",
    "weight",
    "height",
    "colour",
    "label",
    "rating",
    "origin",
    "region",
    "contact",
];
const PURPOSES: [&str; 6] = [
    "Shown in every list and in the page's heading.",
    "Filled in by the importer, never by hand.",
    "Sent to the partner as it is: no blanks at its ends.",
    "Needed for the yearly statement {see the handbook}.",
    "Kept for seven years after the last change.",
    "Optional in the first version of the interface.",
];

fn mega_file(team: &str, number: usize, random: &mut Random) -> String {
    let mut text = String::with_capacity(40 << 10);
    let _ = write!(
        text,
        "id: {team}-{number:03}\nteam: {team}\nversion: 1.0.0\n\ngenerator:\n  type: factory\n  patterns:\n    \
         home: \"src/{team}/module-{number:03}/{{entity}}\"\n  rules:\n    - for_each: \"data.entities\"\n      \
         as: entity\n      generate:\n        - controller: \"{{@home}}/{{entity}}.controller.ts\"\n        \
         - service: \"{{@home}}/{{entity}}.service.ts\"\n        - dto: \"{{@home}}/dto/{{entity}}.dto.ts\"\n        \
         - test: \"tests/{team}/module-{number:03}/{{entity}}.test.ts\"\n\n\
         expansion:\n  targetFiles: {files}\n\ndata:\n  module: {team}-{number:03}\n  entities:\n",
        files = ENTITIES * TEMPLATES,
    );
    for entity in 0..ENTITIES {
        // The number makes the name unique in its mega-file.
        let (quality, thing) = (random.pick(&QUALITIES), random.pick(&THINGS));
        let _ = write!(
            text,
            "    - name: {quality}-{thing}-{entity:02}\n      table: {quality}_{thing}_{entity:02}\n      \
             summary: One {quality} {thing} of the module, as its owner sees it.\n      fields:\n"
        );
        let start = random.below(FIELDS.len());
        for field in 0..6 + random.below(5) {
            let name = FIELDS[(start + field) % FIELDS.len()];
            let kind = random.pick(&["string", "string", "number", "boolean"]);
            let _ = write!(
                text,
                "        - name: {name}\n          type: {kind}\n          required: {required}\n          \
                 maxLength: {length}\n          purpose: \"{purpose}\"\n",
                required = random.below(3) > 0,
                length = 20 + random.below(200),
                purpose = random.pick(&PURPOSES),
            );
        }
    }
    text.push_str(TEMPLATE_TEXTS);
    text
}

const TEMPLATE_TEXTS: &str = include_str!("templates.yaml");
