//! Random small projects: a few teams, each with mega-files of either dialect, entities, templates that mix Jinja and
//! placeholders, and in the native dialect more parts. Every project is valid; [`Project::break_team`] makes one team
//! invalid in one of several ways.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use crate::parts::{self, Around, Parts, SHARED, SLOTS};

/// A project that can be written to disk.
#[derive(Debug, Clone)]
pub struct Project {
    pub teams: Vec<Team>,
    /// The manifest's seed.
    pub seed: u32,
    /// Goes into the manifest's `vars` and the shared templates.
    pub word: String,
}

#[derive(Debug, Clone)]
pub struct Team {
    pub name: &'static str,
    pub mega_files: Vec<MegaFile>,
    pub broken: Option<Broken>,
}

/// How a team is wrong.
#[derive(Debug, Clone)]
pub enum Broken {
    /// The text of one more mega-file, which is wrong, and the slots that it fills.
    More(String, &'static [usize]),
    /// The first mega-file ends in what is no YAML.
    Spoiled,
}

#[derive(Debug, Clone)]
pub struct MegaFile {
    pub is_lbof: bool,
    pub entities: Vec<String>,
    /// Indices into [`BODIES`].
    pub bodies: Vec<usize>,
    pub executable: bool,
    /// Goes into every template: another number is another content of every file.
    pub revision: u32,
    /// Of the native dialect only.
    pub parts: Parts,
}

/// Templates that both dialects understand.
const BODIES: [&str; 6] = [
    "export class {Entity} {\n  private id = '${id}';\n}\n",
    "{% for word in ['a', 'b'] %}\n{word} of {entity}\n{% endfor %}\nuntil {{ 2 + 3 }}\n",
    "# {Entity}\n\n{{ entity | upper }} and {ENTITY}, f'{path}' { id }\n",
    "{% if entity == 'xa' %}\nfirst\n{% else %}\nother {entity}\n{% endif %}\n",
    "{% set label = '<' ~ entity ~ '>' %}\n{label} {{ label | length }}\n",
    "",
];

/// Ways to be wrong. `TEAM` and `AREA` are replaced by the team and a folder that it may
/// write. Beside each are the slots that it fills, as far as anybody can tell.
const MISTAKES: [(&str, &[usize]); 10] = [
    ("id: zz-TEAM\nteam: TEAM\ngenerator:\n  rules: [\n", &[]),
    ("id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ generate: [{ none: AREA/zz }] }] }\n", &[]),
    ("id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ generate: [{ content: 'x', path: elsewhere/zz }] }] }\n", &[]),
    (
        "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ generate: [{ page: AREA/zz }] }] }\ntemplates: { page: '{{ data.none.field }}' }\n",
        &[],
    ),
    (
        "id: zz-TEAM\nteam: TEAM\nsurprise: 1\ngenerator: { rules: [{ generate: [{ content: 'x', path: AREA/zz }] }] }\n",
        &[],
    ),
    (
        "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ for_each: [a, b], generate: [{ content: 'x', path: AREA/zz }] }] }\n",
        &[],
    ),
    (
        "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ for_each: [1, 0], generate: [{ page: 'AREA/{entity}' }] }] }\ntemplates: { page: '{{ 1 // entity }}' }\n",
        &[],
    ),
    ("id: zz-TEAM\nteam: TEAM\ncontributes: { jobs: [\n", &[0, 1]),
    ("id: zz-TEAM\nteam: TEAM\ngenerator: {}\ncontributes: { routes: [{ value: '{{ data.none.field }}' }] }\n", &[0]),
    (
        "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ generate: [{ none: AREA/zz }] }] }\ncontributes: { jobs: [{ value: { name: zz } }] }\n",
        &[1],
    ),
];

/// The teams that a project may have.
const TEAMS: [&str; 4] = ["alpha", "beta", "gamma-1", "Delta"];

prop_compose! {
    fn mega_file()(
        is_lbof in prop::bool::weighted(0.3),
        // An `x` in front: no name is a device of Windows then.
        entities in btree_set("x[a-z]{1,5}(_[a-z]{1,4})?", 1..5),
        bodies in vec(0..BODIES.len(), 1..4),
        executable in any::<bool>(),
        parts in parts::parts(),
    ) -> MegaFile {
        let parts = if is_lbof { Parts::default() } else { parts };
        MegaFile { is_lbof, entities: entities.into_iter().collect(), bodies, executable, revision: 1, parts }
    }
}

prop_compose! {
    /// A valid project.
    pub fn project()(teams in vec(vec(mega_file(), 1..4), 2..=TEAMS.len()), seed in 0_u32..9) -> Project {
        let teams = TEAMS.into_iter().zip(teams);
        let teams = teams.map(|(name, mega_files)| Team { name, mega_files, broken: None }).collect();
        Project { teams, seed, word: "first".to_owned() }
    }
}

/// Which teams are wrong, and how: for each of the possible teams maybe a mistake.
pub fn mistakes() -> impl Strategy<Value = Vec<Option<usize>>> {
    vec(proptest::option::of(0..=MISTAKES.len()), TEAMS.len())
}

impl Project {
    /// Writes all inputs below `root`; what lay in their folders before is gone.
    pub fn write(&self, root: &Path) {
        self.write_shared(root);
        self.teams.iter().for_each(|team| team.write(root));
    }

    /// Writes the manifest and the shared templates; mega-files that were there are gone.
    pub fn write_shared(&self, root: &Path) {
        for folder in ["megafiles", "data", "templates"] {
            let _ = fs::remove_dir_all(root.join(folder));
            fs::create_dir(root.join(folder)).unwrap();
        }
        let mut manifest = format!("seed: {}\nvars: {{ word: {}, list: [xl, xm] }}\nteams:\n", self.seed, self.word);
        for team in &self.teams {
            let _ = writeln!(manifest, "  {}: {{ boundaries: {{ write_paths: [\"/{}/\"] }} }}", team.name, team.area());
        }
        fs::write(root.join("megax.yaml"), manifest).unwrap();
        for (name, text) in SHARED {
            fs::write(root.join("templates").join(name), text.replace("WORD", &self.word)).unwrap();
        }
    }

    /// The teams that write nothing: the wrong ones, and those with a file that is made from what a held one gives.
    pub fn held(&self) -> BTreeSet<&'static str> {
        let wrong = self.teams.iter().filter(|team| team.broken.is_some());
        let mut held: BTreeSet<&str> = wrong.map(|team| team.name).collect();
        loop {
            let given: BTreeSet<usize> =
                self.teams.iter().filter(|team| held.contains(team.name)).flat_map(Team::gives).collect();
            let reads = |team: &&Team| team.reads().iter().any(|slot| given.contains(slot));
            let more: Vec<&str> = self.teams.iter().filter(reads).map(|team| team.name).collect();
            let before = held.len();
            held.extend(more);
            if held.len() == before {
                return held;
            }
        }
    }

    /// The mega-files by path relative to the root, in the order in which they were thought of.
    pub fn paths(&self) -> Vec<String> {
        let of_team = |team: &Team| {
            let name = team.name;
            (0..team.mega_files.len()).map(move |index| format!("megafiles/{name}/{index}.yaml")).collect::<Vec<_>>()
        };
        self.teams.iter().flat_map(of_team).collect()
    }

    /// Another version: other contents, and one entity less or more. The first mega-file of every other team stays as
    /// it is, so that a run always meets files that do not change.
    pub fn next(&self) -> Self {
        let mut next = self.clone();
        "second".clone_into(&mut next.word);
        for (number, team) in next.teams.iter_mut().enumerate() {
            let kept = number % 2;
            for mega_file in team.mega_files.iter_mut().skip(kept) {
                mega_file.revision += 1;
                if mega_file.entities.len() > 1 {
                    mega_file.entities.pop();
                }
                mega_file.entities.push("xnew".to_owned());
                mega_file.entities.dedup();
            }
        }
        next
    }

    /// Makes a team wrong.
    pub fn break_team(&mut self, index: usize, mistake: usize) {
        if let Some(team) = self.teams.get_mut(index) {
            team.broken = Some(match MISTAKES.get(mistake) {
                Some((text, slots)) => {
                    Broken::More(text.replace("TEAM", team.name).replace("AREA", &team.area()), slots)
                }
                None => Broken::Spoiled,
            });
        }
    }
}

impl Team {
    /// The folder that the team may write.
    pub fn area(&self) -> String {
        format!("out/{}", self.name.to_lowercase())
    }

    /// Writes the mega-files and their sources.
    pub fn write(&self, root: &Path) {
        let folder = root.join("megafiles").join(self.name);
        fs::create_dir_all(&folder).unwrap();
        for (index, mega_file) in self.mega_files.iter().enumerate() {
            let id = format!("{}-{index}", self.name);
            let mut text = mega_file.text(&id, self);
            if index == 0 && matches!(self.broken, Some(Broken::Spoiled)) {
                text.push_str("spoiled: [\n");
            }
            fs::write(folder.join(format!("{index}.yaml")), text).unwrap();
            if let Some((path, text)) = mega_file.parts.source(&mega_file.around(&id, "")) {
                fs::write(root.join(path), text).unwrap();
            }
        }
        if let Some(Broken::More(text, _)) = &self.broken {
            fs::write(folder.join("zz.yaml"), text).unwrap();
        }
    }

    /// The slots that it fills, as far as anybody can tell.
    fn gives(&self) -> Vec<usize> {
        let mut gives: Vec<usize> = self.mega_files.iter().flat_map(|one| one.parts.gives.clone()).collect();
        match self.broken {
            Some(Broken::More(_, slots)) => gives.extend(slots),
            // What was to be given cannot be read.
            Some(Broken::Spoiled) if !self.mega_files[0].parts.gives.is_empty() => gives.extend(0..SLOTS.len()),
            _ => {}
        }
        gives
    }

    /// The slots that files of it are made from, as far as megax can tell.
    fn reads(&self) -> BTreeSet<usize> {
        let readers = self.mega_files.iter().flat_map(|one| &one.parts.reads);
        // A text that hands all slots on at once counts as a reader of all.
        readers.flat_map(|&(slot, how)| if how == 1 { 0..SLOTS.len() } else { slot..slot + 1 }).collect()
    }
}

impl MegaFile {
    fn around<'a>(&'a self, id: &'a str, folder: &'a str) -> Around<'a> {
        Around { id, folder, entities: &self.entities, revision: self.revision }
    }

    fn text(&self, id: &str, team: &Team) -> String {
        let (name, area) = (team.name, team.area());
        let path = |index: usize| format!("{area}/{id}/{{entity}}/{index}.txt");
        let block = |body: usize, indent: &str| {
            let text = format!("{}end {}\n", BODIES[body], self.revision);
            text.lines().fold(String::new(), |text, line| text + indent + line + "\n")
        };
        let mut text = format!("id: {id}\nteam: {name}\n");
        if self.is_lbof {
            text.push_str("expansion_rules:\n  entities:\n");
            for entity in &self.entities {
                let _ = writeln!(text, "    - name: {entity}");
            }
            text.push_str("generation_templates:\n");
            for (index, &body) in self.bodies.iter().enumerate() {
                // In this dialect the whole item is called `entity` in Jinja.
                let body = block(body, "      ").replace("entity |", "entity.name |");
                let body = body.replace("entity ~", "entity.name ~").replace("entity ==", "entity.name ==");
                let _ = write!(text, "  t{index}:\n    output_path: \"{}\"\n    template: |\n{body}", path(index));
            }
            return text;
        }
        let _ = write!(text, "generator:\n  rules:\n    - for_each: [{}]\n      generate:\n", self.entities.join(", "));
        for index in 0..self.bodies.len() {
            let mode = if self.executable { ", mode: executable" } else { "" };
            let _ = writeln!(text, "        - {{ template: t{index}, path: \"{}\"{mode} }}", path(index));
        }
        let folder = format!("{area}/{id}/more");
        let (rules, keys, templates) = self.parts.texts(&self.around(id, &folder));
        text.extend([&rules, &keys, "templates:\n", &templates]);
        for (index, &body) in self.bodies.iter().enumerate() {
            let _ = write!(text, "  t{index}: |\n{}", block(body, "    "));
        }
        text
    }
}
