//! Attacks that are texts: YAML, paths, loops and templates.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Row, hold, rule, rule_and, template};

/// A mega-file that makes a file at each of these paths, which are values of a loop.
fn at_paths(paths: &[&str]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| serde_json::to_string(path).unwrap()).collect();
    rule(&format!("for_each: [{}]\ngenerate: [{{ content: x, path: \"{{entity}}\" }}]", quoted.join(", ")))
}

#[test]
fn no_rendered_path_leaves_its_place() {
    let long = "n".repeat(256);
    let longer = vec!["p".repeat(200); 21].join("/");
    let deep = "d/".repeat(2_000) + "f";
    let paths = [
        "../../.bashrc",
        "a/../../b",
        "..",
        ".",
        "/etc/x",
        "//x",
        "C:\\x",
        "C:x",
        "\\\\host\\x",
        "a/./b",
        "a//b",
        "a/",
        ".git/hooks/x",
        ".GIT/config",
        ".git /x",
        ".git./x",
        "git~1/x",
        ".g\u{200c}it/x",
        "sub/.git/config",
        ".megax/x",
        "CON",
        "aux.ts",
        "COM1.txt",
        "com\u{b9}",
        "a.",
        "a ",
        "a:b",
        "a\nb",
        "a\u{0}b",
        "a\u{202e}b",
        "a\u{1b}[31mb",
        &long,
        &longer,
        &deep,
    ];
    let row = |path: &&str| {
        Row::new(format!("path {:?}", path.chars().take(24).collect::<String>()), at_paths(&[path]), "MX501")
    };
    hold(&paths.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn nothing_that_other_tools_obey_is_made_without_a_grant() {
    let paths = [
        ".github/workflows/ci.yml",
        ".GitHub/Workflows/ci.yml",
        ".gitlab-ci.yml",
        ".husky/pre-commit",
        "sub/.husky/pre-push",
        ".vscode/tasks.json",
        ".envrc",
        ".npmrc",
        "crate/build.rs",
        ".cargo/config.toml",
        "CLAUDE.md",
        ".mcp.json",
    ];
    hold(&paths.iter().map(|path| Row::new(*path, at_paths(&[path]), "MX510")).collect::<Vec<_>>());
}

#[test]
fn no_two_names_are_one_place() {
    let pairs =
        [["Readme.md", "README.md"], ["caf\u{e9}", "cafe\u{301}"], ["stra\u{df}e", "STRASSE"], ["\u{fb01}le", "file"]];
    let code = |pair: &[&str; 2]| if pair[0] == "caf\u{e9}" { "MX502" } else { "MX503" };
    let rows: Vec<Row> = pairs.iter().map(|pair| Row::new(pair.join(" and "), at_paths(pair), code(pair))).collect();
    hold(&rows);
}

#[test]
fn no_yaml_exhausts_anything() {
    let head = "id: m\nteam: alpha\ndata:\n";
    let level = |level: usize| {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("  a{level}: &a{level} [{items}]\n")
    };
    let bomb = format!("{head}  a0: &a0 [x, x, x, x, x, x, x, x, x]\n{}", (1..10).map(level).collect::<String>());
    let wide = format!("{head}  a: &a {}\n  b: [{}]\n", "x".repeat(50_000), vec!["*a"; 20_000].join(","));
    let rows = [
        Row::new("alias bomb", bomb, "MX106").says("alias_nodes"),
        Row::new("one long anchor 20,000 times", wide, "MX106").says("alias_bytes"),
        Row::new("[ x 100,000", format!("{head}  a: {}", "[".repeat(100_000)), "MX106").says("yaml_depth"),
        Row::new("- x 20,000", format!("{head}  a:\n    {}x", "- ".repeat(20_000)), "MX106").says("yaml_depth"),
        Row::new("{a: x 50,000", format!("{head}  a: {}", "{a: ".repeat(50_000)), "MX106").says("yaml_depth"),
        Row::new("a key twice", "id: m\nteam: alpha\nid: n\n", "MX104"),
        Row::new("a tag", format!("{head}  a: !!python/object:os.system x\n"), "MX105"),
        Row::new("a merge key", format!("{head}  a: &a {{b: c}}\n  d: {{<<: *a}}\n"), "MX105"),
        Row::new("two documents", "id: m\nteam: alpha\n---\nid: n\nteam: alpha\n", "MX105"),
        Row::new("2,000,000 nodes", format!("{head}  a: [{}]\n", "x,".repeat(2_000_000)), "MX106").says("yaml_nodes"),
        Row::new("20 MiB", format!("{head}  a: {}\n", "x".repeat(20 << 20)), "MX101"),
        Row::new(
            "a million keys",
            format!("{head}{}", (0..1_000_000).map(|n| format!("  k{n}: v\n")).collect::<String>()),
            "MX106",
        )
        .says("yaml_nodes"),
        Row::new("eight neighbours of 900,000 nodes", format!("{head}  a: []\n"), "MX106")
            .says("run_nodes")
            .setup(neighbours),
        Row::new("ten sources of 2 MB", ten_sources(), "MX106").says("run_nodes").setup(sources),
        Row::new("broken TOML of 6 MB", ten_sources(), "MX108").says("yaml_nodes").setup(broken_toml),
    ];
    hold(&rows);
}

fn neighbours(project: &Path) {
    let items = "x,".repeat(900_000);
    for number in 0..8 {
        let text = format!("id: n{number}\nteam: alpha\ndata:\n  a: [{items}]\n");
        fs::write(project.join(format!("megafiles/n{number}.yaml")), text).unwrap();
    }
}

fn ten_sources() -> String {
    let named: Vec<String> = (0..10).map(|number| format!("s{number}: s{number}.json")).collect();
    let named = format!("sources: {{ {}, t: t.toml }}\n", named.join(", "));
    rule("generate: [{ content: x, path: x.txt }]") + &named
}

fn sources(project: &Path) {
    fs::write(project.join("t.toml"), "").unwrap();
    for number in 0..10 {
        fs::write(project.join(format!("s{number}.json")), format!("[{}0]", "0,".repeat(990_000))).unwrap();
    }
}

fn broken_toml(project: &Path) {
    fs::write(project.join("t.toml"), "a = 1 1\n".repeat(750_000)).unwrap();
    for number in 0..10 {
        fs::write(project.join(format!("s{number}.json")), "[]").unwrap();
    }
}

/// The lines of a rule that plans so many files.
fn many(files: usize) -> String {
    format!("for_each: \"range({files})|list\"\ngenerate: [{{ content: x, path: \"{{entity}}.txt\" }}]")
}

fn two_rules() -> String {
    let second = many(30_001).replace("{entity}", "b/{entity}").replace('\n', "\n      ");
    rule(&many(30_000)).replacen("  rules:\n", &format!("  rules:\n    - {second}\n"), 1)
}

#[test]
fn no_loop_exhausts_anything() {
    let list = format!("[{}]", (0..1_000).map(|n| n.to_string()).collect::<Vec<_>>().join(", "));
    let cross = format!(
        "for_each: {{ a: {list}, b: {list}, c: {list}, d: {list} }}\ngenerate: [{{ content: x, path: \"{{a}}/{{b}}/{{c}}/{{d}}\" }}]"
    );
    let range = "id: m\nteam: alpha\nversion: 1.0.0\nexpansion_rules:\n  patterns:\n    - { type: range, prefix: x, start: 1, end: 9223372036854775807, templates: [t] }\ngeneration_templates:\n  t: { output_path: \"{name}\", template: x }\n";
    let call = |level: usize| {
        let next = level + 1;
        format!("  f{level}: {{ rules: [{{ factory: f{next} }}, {{ factory: f{next} }}] }}\n")
    };
    let calls = (0..40).map(call).collect::<String>();
    let calls = format!("factories:\n{calls}  f40: {{ generate: [{{ content: x, path: x, when: \"false\" }}] }}\n");
    let own = "factories:\n  f: { rules: [{ factory: f }] }\n";
    let rows = [
        Row::new("four nested lists of 1,000", rule(&cross), "MX509").says("files_per_rule"),
        Row::new("range of 2^63", range, "MX509").says("files_per_rule"),
        Row::new(
            "a list of a range",
            rule("for_each: \"range(0, 9223372036854775807)\"\ngenerate: [{ content: x, path: \"{entity}\" }]"),
            "MX410",
        ),
        Row::new("a factory that calls itself", rule_and("factory: f", own), "MX317"),
        Row::new("more files than a rule may plan", rule(&many(50_001)), "MX509").says("files_per_rule"),
        Row::new("more files than a run may plan", two_rules(), "MX509").says("files_per_run"),
        Row::new(
            "a condition that costs, many times",
            rule("for_each: \"range(40000)|list\"\nwhen: \"(range(100000)|list|unique|length) < 0\"\ngenerate: [{ content: x, path: \"{entity}\" }]"),
            "MX509",
        )
        .says("plan_steps"),
        Row::new("2^40 calls of factories", rule_and("factory: f0", &calls), "MX509"),
    ];
    hold(&rows);
}

#[test]
fn no_template_exhausts_anything() {
    let nested = "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}";
    let rows = [
        Row::new("nested loops, 10^15", template(nested), "MX410").says("render_steps"),
        Row::new(
            "doubling by ~",
            template(&format!(
                "{{% set a = 'xxxxxxxxxxxxxxxx' %}}\n{}{{{{ a|length }}}}",
                "{% set a = a ~ a %}\n".repeat(40)
            )),
            "MX410",
        ),
        Row::new(
            "doubling by + in a namespace",
            template(
                "{% set n = namespace(a='xxxxxxxxxxxxxxxx') %}{% for i in range(40) %}{% set n.a = n.a + n.a %}{% endfor %}{{ n.a|length }}",
            ),
            "MX410",
        ),
        Row::new(
            "doubling of lists",
            template(&format!("{{% set a = [1] %}}\n{}{{{{ a|length }}}}", "{% set a = a + a %}\n".repeat(60))),
            "MX410",
        ),
        Row::new(
            "a list within a list, twice, 40 times",
            template(&format!("{{% set a = [1] %}}\n{}{{{{ a|json }}}}", "{% set a = [a, a] %}\n".repeat(40))),
            "MX410",
        ),
        Row::new("a text times a billion", template("{{ ('x' * 1000000000)|length }}"), "MX410"),
        Row::new("indent(2000000000)", template("{{ 'a\\nb'|indent(2000000000) }}"), "MX410").says("call_bytes"),
        Row::new(
            "1,855 elif",
            template(&format!("{{% if 1 == 2 %}}{}{{% endif %}}", "{% elif 1 == 2 %}".repeat(1_855))),
            "MX410",
        )
        .says("branches"),
        Row::new("400,000 tags", template(&"{{ 1 }}".repeat(400_000)), "MX410").says("tags_per_template"),
        Row::new("1+1+...", template(&format!("{{{{ 1{} }}}}", "+1".repeat(8_000))), "MX410").says("tokens_per_tag"),
        Row::new("f()()()", template(&format!("{{{{ range{} }}}}", "()".repeat(8_000))), "MX410")
            .says("tokens_per_tag"),
        Row::new("not not not", template(&format!("{{{{ {} true }}}}", "not ".repeat(8_000))), "MX410")
            .says("tokens_per_tag"),
        Row::new("((((", template(&format!("{{{{ {}1{} }}}}", "(".repeat(200), ")".repeat(200))), "MX410")
            .says("nesting_per_tag"),
        Row::new(
            "blocks in blocks",
            template(&format!("{}{}", "{% if true %}".repeat(2_000), "{% endif %}".repeat(2_000))),
            "MX410",
        )
        .says("block_depth"),
        Row::new("a macro that calls itself", template("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), "MX410")
            .says("render_depth"),
        Row::new(
            "a file of a gigabyte",
            template("{% set a = 'x' * 1000000 %}{% for i in range(1000) %}{{ a }}{% endfor %}"),
            "MX410",
        )
        .says("file_bytes"),
        Row::new("a format of a gigabyte", template("{{ '%1000000000d'|format(1) }}"), "MX407"),
        Row::new(
            "replace makes a text longer and longer",
            template(
                "{% set n = namespace(a='xxxx') %}{% for i in range(100) %}{% set n.a = n.a|replace('x', 'xx') %}{% endfor %}{{ n.a|length }}",
            ),
            "MX410",
        ),
        Row::new(
            "a capture of a gigabyte",
            template(
                "{% set a = 'x' * 1000000 %}{% set b %}{% for i in range(1000) %}{{ a }}{% endfor %}{% endset %}{{ b|length }}",
            ),
            "MX410",
        ),
        Row::new(
            "a list within a list, 100,000 deep",
            template(
                "{% set n = namespace(a=[]) %}{% for i in range(100000) %}{% set n.a = [n.a] %}{% endfor %}{{ n.a|length }}",
            ),
            "MX410",
        ),
        Row::new("a power", template("{{ (9 ** 9 ** 9)|string|length }}"), "MX409"),
        Row::new(
            "a condition that loops",
            rule(
                "when: \"range(100000)|list|length > range(0)|length and (('x' * 100000000)|length) > 3\"\ngenerate: [{ content: x, path: x }]",
            ),
            "MX410",
        ),
    ];
    hold(&rows);
}

/// What the fuzzer starts from: whatever they do, megax answers.
#[test]
fn every_seed_of_the_template_fuzzer_is_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/template");
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() > 100, "{} seeds", seeds.len());
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).replace(['\0', '\r'], "");
    let row = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut row = Row { exit: None, codes: Vec::new(), ..Row::new(name, template(&text(path)), "") };
        // An unoptimised build would need minutes until it meets the limits.
        if std::env::var_os("MEGAX_BINARY").is_none() {
            row.args.extend(["--limit", "render_steps=1000000", "--limit", "render_bytes=12000000"]);
        }
        row
    };
    hold(&seeds.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn values_are_never_read_as_templates_and_commands_never_run() {
    let value = rule_and(
        "for_each: \"data.names\"\nas: name\ngenerate: [{ content: \"{name}\\n\", path: \"out/{name|length}.txt\" }]",
        "data: { names: [\"{{ 7*7 }}\", \"{% raw %}{{ 1 }}\", \"{entity}{name}\"] }\n",
    );
    let command = "id: m\nteam: alpha\nversion: 1.0.0\nexpansion_rules:\n  entities: [{ name: User, attributes: [{ name: id, type: uuid }] }]\ngeneration_templates:\n  t: { output_path: \"{entity}.ts\", template: x }\nvalidation:\n  post_generation:\n    - { check: files_compile, command: \"touch ../outside/canary2; touch src/user.rs\" }\n";
    let made =
        vec![("out/9.txt", "{{ 7*7 }}\n"), ("out/16.txt", "{% raw %}{{ 1 }}\n"), ("out/14.txt", "{entity}{name}\n")];
    hold(&[
        Row { makes: made, ..Row::harmless("a value with braces", value) },
        Row { codes: vec!["MX314"], ..Row::harmless("a command", command) },
    ]);
}
