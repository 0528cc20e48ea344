//! Random small projects: a few teams, each with mega-files of either dialect, entities, and templates that mix Jinja and
//! placeholders. Every project is valid; [`Project::break_team`] makes one team invalid in one of several ways.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// A project that can be written to disk.
#[derive(Debug, Clone)]
pub struct Project {
    pub teams: Vec<Team>,
}

#[derive(Debug, Clone)]
pub struct Team {
    pub name: &'static str,
    pub mega_files: Vec<MegaFile>,
    /// The text of one more mega-file, which is wrong.
    pub broken: Option<String>,
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

/// Ways to be wrong. `TEAM` and `AREA` are replaced by the team and a folder that it may write.
const MISTAKES: [&str; 7] = [
    "id: zz-TEAM\nteam: TEAM\ngenerator:\n  rules: [\n",
    "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ generate: [{ none: AREA/zz }] }] }\n",
    "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ generate: [{ content: 'x', path: elsewhere/zz }] }] }\n",
    "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ generate: [{ page: AREA/zz }] }] }\ntemplates: { page: '{{ data.none.field }}' }\n",
    "id: zz-TEAM\nteam: TEAM\nsurprise: 1\ngenerator: { rules: [{ generate: [{ content: 'x', path: AREA/zz }] }] }\n",
    "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ for_each: [a, b], generate: [{ content: 'x', path: AREA/zz }] }] }\n",
    "id: zz-TEAM\nteam: TEAM\ngenerator: { rules: [{ for_each: [1, 0], generate: [{ page: 'AREA/{entity}' }] }] }\ntemplates: { page: '{{ 1 // entity }}' }\n",
];

/// The teams that a project may have.
const TEAMS: [&str; 4] = ["alpha", "beta", "gamma-1", "Delta"];

prop_compose! {
    fn mega_file()(
        is_lbof in any::<bool>(),
        // An `x` in front: no name is a device of Windows then.
        entities in btree_set("x[a-z]{1,5}(_[a-z]{1,4})?", 1..5),
        bodies in vec(0..BODIES.len(), 1..4),
        executable in any::<bool>(),
    ) -> MegaFile {
        MegaFile { is_lbof, entities: entities.into_iter().collect(), bodies, executable, revision: 1 }
    }
}

prop_compose! {
    /// A valid project.
    pub fn project()(teams in vec(vec(mega_file(), 1..4), 2..=TEAMS.len())) -> Project {
        let teams = TEAMS.into_iter().zip(teams);
        let teams = teams.map(|(name, mega_files)| Team { name, mega_files, broken: None }).collect();
        Project { teams }
    }
}

/// Which teams are wrong, and how: for each of the possible teams maybe a mistake.
pub fn mistakes() -> impl Strategy<Value = Vec<Option<usize>>> {
    vec(proptest::option::of(0..MISTAKES.len()), TEAMS.len())
}

impl Project {
    /// Writes the manifest and the mega-files below `root`; what lay below `megafiles/` before is gone.
    pub fn write(&self, root: &Path) {
        let _ = fs::remove_dir_all(root.join("megafiles"));
        let mut manifest = "seed: 7\nteams:\n".to_owned();
        for team in &self.teams {
            let _ = writeln!(manifest, "  {}: {{ boundaries: {{ write_paths: [\"/{}/\"] }} }}", team.name, team.area());
            let folder = root.join("megafiles").join(team.name);
            fs::create_dir_all(&folder).unwrap();
            for (index, mega_file) in team.mega_files.iter().enumerate() {
                let id = format!("{}-{index}", team.name);
                fs::write(folder.join(format!("{index}.yaml")), mega_file.text(&id, team)).unwrap();
            }
            if let Some(broken) = &team.broken {
                fs::write(folder.join("zz.yaml"), broken).unwrap();
            }
        }
        fs::write(root.join("megax.yaml"), manifest).unwrap();
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

    /// Gives a team one more mega-file, which is wrong.
    pub fn break_team(&mut self, index: usize, mistake: usize) {
        if let Some(team) = self.teams.get_mut(index) {
            let text = MISTAKES[mistake].replace("TEAM", team.name).replace("AREA", &team.area());
            team.broken = Some(text);
        }
    }
}

impl Team {
    /// The folder that the team may write.
    pub fn area(&self) -> String {
        format!("out/{}", self.name.to_lowercase())
    }
}

impl MegaFile {
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
        text.push_str("templates:\n");
        for (index, &body) in self.bodies.iter().enumerate() {
            let _ = write!(text, "  t{index}: |\n{}", block(body, "    "));
        }
        text
    }
}
