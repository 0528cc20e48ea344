//! What a client asks for in a session, and that the answers are those of the commands.

use std::fs;
use std::path::Path;

use megax::digest::Digest;
use serde_json::{Value, json};

use super::{RIGHT, Session, command, project, text_of, write};
use crate::folder;
use crate::properties::temporary;
use crate::steps::megax;

/// The document of a plan, but for the name of the plan.
fn but_plan(mut document: Value) -> Value {
    document["plan"].take();
    document
}

/// The digest of the plan that `megax plan` saves, and its document.
fn planned_by_command(root: &Path, more: &[&str]) -> (String, Value) {
    let (_keep, elsewhere) = temporary();
    let file = elsewhere.join("next.plan");
    let args = [&["plan", "-o", file.to_str().unwrap()], more].concat();
    let document = command(root, &args);
    (Digest::of(&fs::read(&file).unwrap()).to_string(), document)
}

#[test]
fn tools_are_listed_with_schemas_and_hints() {
    let (_keep, root) = project(RIGHT);
    let mut session = Session::begin(&root, &[]);
    let listed = session.ask("tools/list", &json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap().clone();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    let arguments = |name: &str| match name {
        "expand" => json!({ "digest": "0".repeat(64) }),
        "explain" => json!({ "subject": "MX404" }),
        "check_path" => json!({ "paths": ["api/one.txt"] }),
        _ => json!({}),
    };
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(name != "expand"), "{name}");
        let input = jsonschema::validator_for(&tool["inputSchema"]).unwrap();
        assert!(input.is_valid(&arguments(name)), "{name}");
        assert!(!input.is_valid(&json!({ "other": 1 })), "{name}");
        let output = jsonschema::validator_for(&tool["outputSchema"]).unwrap();
        let result = session.call(name, &arguments(name));
        if let Some(document) = result.get("structuredContent") {
            let errors: Vec<String> = output.iter_errors(document).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0], "{name}");
            assert!(!output.is_valid(&json!({ "outcome": "fine" })), "{name}");
        } else {
            assert_eq!(name, "expand", "only an unknown plan has no document");
        }
    }
    assert!(session.end().status.success());
}

/// The tools, in the order in which they are used.
const NAMES: [&str; 7] = ["validate", "plan", "expand", "status", "check_path", "explain", "review"];

#[test]
fn from_a_wrong_mega_file_to_a_written_tree() {
    let (_keep, root) = project(&RIGHT.replace("{item}.txt", "{itme}.txt"));
    let mut session = Session::begin(&root, &[]);
    let wrong = session.call("validate", &json!({}));
    assert_eq!(wrong["isError"], true);
    assert_eq!(wrong["structuredContent"], command(&root, &["validate"]));
    let finding = &wrong["structuredContent"]["diagnostics"][0];
    assert_eq!((finding["file"].as_str(), finding["line"].as_u64()), (Some("megafiles/api.yaml"), Some(8)));
    let (code, place) = (finding["code"].as_str().unwrap(), "megafiles/api.yaml:8");
    assert!(text_of(&wrong).contains(&format!("error[{code}]")) && text_of(&wrong).contains(place), "{wrong}");
    let page = session.call("explain", &json!({ "subject": code }));
    assert_eq!(page["structuredContent"], command(&root, &["explain", code]));
    let none = session.call("plan", &json!({}));
    assert_eq!((&none["isError"], &none["structuredContent"]["plan"]), (&json!(true), &Value::Null));

    write(&root, RIGHT);
    let right = session.call("validate", &json!({ "strict": true }));
    assert_eq!(right["isError"], false, "{right}");
    assert_eq!(right["structuredContent"], command(&root, &["validate", "--strict"]));

    let before = folder::entries(&root);
    let plan = session.call("plan", &json!({}));
    let (digest, document) = planned_by_command(&root, &[]);
    assert_eq!(plan["structuredContent"]["plan"], json!(digest));
    assert_eq!(but_plan(plan["structuredContent"].clone()), but_plan(document));
    assert!(text_of(&plan).starts_with(&format!("plan {digest}: ")) && text_of(&plan).contains("+ create"));
    assert_eq!(folder::entries(&root), before, "nothing is written without a digest");
    assert_eq!(session.call("status", &json!({}))["structuredContent"], command(&root, &["status"]));

    // What `megax apply` would say is said of a copy.
    let (_keep_twin, twin) = temporary();
    folder::copy(&root, &twin);
    assert!(megax(&twin, &twin).args(["plan", "-o", "next.plan"]).output().unwrap().status.success());
    let applied = command(&twin, &["apply", "next.plan"]);
    fs::remove_file(twin.join("next.plan")).unwrap();
    let done = session.call("expand", &json!({ "digest": digest }));
    assert_eq!(done["isError"], false, "{done}");
    assert_eq!(but_plan(done["structuredContent"].clone()), but_plan(applied));
    assert_eq!(folder::outputs(&root), folder::outputs(&twin));
    assert_eq!(fs::read_to_string(root.join("api/two.txt")).unwrap(), "This is two.\n");

    let line = session.call("explain", &json!({ "subject": "api/two.txt:1" }));
    assert_eq!(line["structuredContent"], command(&root, &["explain", "api/two.txt:1"]));
    assert!(text_of(&line).contains("megafiles/api.yaml:13"), "{line}");
    assert_eq!(
        session.call("status", &json!({ "team": "api" }))["structuredContent"],
        command(&root, &["status", "api"])
    );
    let again = session.call("expand", &json!({ "digest": digest }));
    assert_eq!(again["structuredContent"]["outcome"], "nothing-to-do", "the same plan once more");
    let output = session.end();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_plan_that_is_stale_or_unknown_writes_nothing() {
    let (_keep, root) = project(RIGHT);
    let mut session = Session::begin(&root, &[]);
    let plan = session.call("plan", &json!({}));
    let digest = plan["structuredContent"]["plan"].clone();
    write(&root, &RIGHT.replace("This is", "That is"));
    let before = folder::outputs(&root);
    let stale = session.call("expand", &json!({ "digest": digest }));
    assert_eq!(stale["isError"], true);
    let codes: Vec<&Value> =
        stale["structuredContent"]["diagnostics"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert!(codes.contains(&&json!("MX820")), "{stale}");
    assert!(text_of(&stale).starts_with("call `plan` again"), "{stale}");
    assert_eq!(folder::outputs(&root), before);
    // A plan of another session, one of nobody, and no digest at all.
    let mut other = Session::begin(&root, &[]);
    let foreign = other.call("plan", &json!({}))["structuredContent"]["plan"].clone();
    for digest in [foreign.clone(), json!("0".repeat(64)), json!("x"), json!("")] {
        let unknown = session.call("expand", &json!({ "digest": digest }));
        assert_eq!((&unknown["isError"], unknown.get("structuredContent")), (&json!(true), None));
        assert!(text_of(&unknown).contains("call `plan`"), "{unknown}");
    }
    assert_eq!(folder::outputs(&root), before);
    assert!(before.is_empty());
    let written = other.call("expand", &json!({ "digest": foreign }));
    assert_eq!(written["isError"], false, "{written}");
    assert_eq!(fs::read_to_string(root.join("api/one.txt")).unwrap(), "That is one.\n");
}

#[test]
fn a_server_for_one_team_plans_for_no_other() {
    let (_keep, root) = project(RIGHT);
    let web = RIGHT.replace("mega-api", "mega-web").replace("team: api", "team: web").replace("api/", "web/");
    fs::write(root.join("megafiles/web.yaml"), web).unwrap();
    let mut session = Session::begin(&root, &["--team", "api"]);
    let own = session.call("validate", &json!({}));
    assert_eq!(own["structuredContent"], command(&root, &["validate", "--team", "api"]));
    let other = session.call("validate", &json!({ "team": "web" }));
    assert_eq!(other["structuredContent"], command(&root, &["validate", "--team", "web"]));
    let refused = session.call("plan", &json!({ "team": "web" }));
    assert_eq!((&refused["isError"], refused.get("structuredContent")), (&json!(true), None));
    let refused = session.call("plan", &json!({ "paths": ["megafiles/web.yaml"] }));
    assert_eq!((&refused["isError"], &refused["structuredContent"]["plan"]), (&json!(true), &Value::Null));
    let plan = session.call("plan", &json!({ "team": "team-API" }));
    let (digest, _) = planned_by_command(&root, &["--team", "team-API"]);
    assert_eq!(plan["structuredContent"]["plan"], json!(digest));
    session.call("expand", &json!({ "digest": digest }));
    assert!(root.join("api/one.txt").exists() && !root.join("web").exists());
    let unknown = Session::begin(&root, &["--team", "nobody"]).call("validate", &json!({}));
    assert_eq!(unknown["structuredContent"], command(&root, &["validate", "--team", "nobody"]));
}

#[test]
fn a_path_is_checked_for_the_team_that_asks() {
    let (_keep, root) = project(RIGHT);
    assert!(megax(&root, &root).args(["expand"]).output().unwrap().status.success());
    let mut session = Session::begin(&root, &["--team", "web"]);
    let free = session.call("check_path", &json!({ "paths": ["web/mine.txt"] }));
    assert_eq!((&free["isError"], &free["structuredContent"]["outcome"]), (&json!(false), &json!("done")));
    assert_eq!(free["structuredContent"], command(&root, &["guard", "--team", "web", "web/mine.txt"]));
    for (arguments, args) in [
        (json!({ "paths": ["api/one.txt:1"], "team": "api" }), ["guard", "--team", "api", "api/one.txt:1"]),
        (json!({ "paths": ["api/mine.txt"] }), ["guard", "--team", "web", "api/mine.txt"]),
        (json!({ "paths": ["megafiles/api.yaml"] }), ["guard", "--team", "web", "megafiles/api.yaml"]),
    ] {
        let blocked = session.call("check_path", &arguments);
        assert_eq!((&blocked["isError"], &blocked["structuredContent"]["outcome"]), (&json!(true), &json!("blocked")));
        let mut expected = command(&root, &args);
        // No tool detaches a file, and a model is not told of it.
        let help = expected["diagnostics"][0]["help"].as_str().unwrap().split("; `megax detach`").next().unwrap();
        expected["diagnostics"][0]["help"] = json!(help);
        assert_eq!(blocked["structuredContent"], expected);
        assert!(text_of(&blocked).contains("blocked  "), "{blocked}");
    }
    let line = session.call("check_path", &json!({ "paths": ["api/one.txt:1"], "team": "api" }));
    assert!(text_of(&line).contains("megafiles/api.yaml:13"), "{line}");
}

#[test]
fn a_plan_says_when_nothing_is_to_be_written_and_who_decides_about_edits() {
    let (_keep, root) = project(RIGHT);
    assert!(megax(&root, &root).args(["expand"]).output().unwrap().status.success());
    let mut session = Session::begin(&root, &[]);
    let planned = session.call("plan", &json!({}));
    assert!(text_of(&planned).starts_with("nothing is to be written"), "{planned}");
    fs::write(root.join("api/one.txt"), "mine\n").unwrap();
    let planned = session.call("plan", &json!({}));
    let text = text_of(&planned);
    assert!(text.contains("ask the person who runs megax") && !text.contains("detach"), "{text}");
}

#[test]
fn briefs_are_prompts_and_resources_and_the_review_is_that_of_the_command() {
    let (_keep, root) = project(RIGHT);
    let mut session = Session::begin(&root, &[]);
    let reviewed = session.call("review", &json!({}));
    assert_eq!(reviewed["structuredContent"], command(&root, &["review"]));
    assert!(text_of(&reviewed).contains("api") && text_of(&reviewed).contains("web"));
    let listed = session.ask("prompts/list", &json!({}));
    let names: Vec<&Value> = listed["result"]["prompts"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, [&json!("team-start"), &json!("orchestrator-start")]);
    for (prompt, arguments, uri, args) in [
        ("team-start", json!({ "team": "Web" }), "megax://brief/web", ["brief", "web"]),
        ("orchestrator-start", json!({}), "megax://brief/orchestrator", ["brief", "--orchestrator"]),
    ] {
        let printed = String::from_utf8(megax(&root, &root).args(args).output().unwrap().stdout).unwrap();
        assert!(printed.len() > 500);
        let answer = session.ask("prompts/get", &json!({ "name": prompt, "arguments": arguments }));
        assert_eq!(answer["result"]["messages"][0]["content"]["text"], printed, "{answer}");
        assert_eq!(answer["result"]["messages"][0]["role"], "user");
        let answer = session.ask("resources/read", &json!({ "uri": uri }));
        assert_eq!(answer["result"]["contents"][0]["text"], printed);
    }
    for (method, params) in [
        ("prompts/get", json!({ "name": "team-start" })),
        ("prompts/get", json!({ "name": "team-start", "arguments": { "team": "wep" } })),
        ("prompts/get", json!({ "name": "start" })),
        ("resources/read", json!({ "uri": "megax://brief/wep" })),
    ] {
        let answer = session.ask(method, &params);
        assert!(answer.get("error").is_some(), "{method} {params}: {answer}");
        assert!(!params.to_string().contains("wep") || answer.to_string().contains("web"), "{answer}");
    }
    let mut own = Session::begin(&root, &["--team", "web"]);
    let answer = own.ask("prompts/get", &json!({ "name": "team-start" }));
    assert!(answer["result"]["messages"][0]["content"]["text"].as_str().unwrap().contains("web"), "{answer}");
}

#[test]
fn manifest_and_output_root_are_those_of_the_command() {
    let (_keep, root) = project(RIGHT);
    let (_keep_out, out) = temporary();
    let (manifest, out) = (root.join("megax.yaml"), out.join("tree"));
    let args = ["--manifest", manifest.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let mut session = Session::begin(&root, &args);
    let plan = session.call("plan", &json!({ "paths": ["megafiles/api.yaml"] }));
    let (digest, _) = planned_by_command(&root, &[&["megafiles/api.yaml"], &args[..]].concat());
    assert_eq!(plan["structuredContent"]["plan"], json!(digest));
    session.call("expand", &json!({ "digest": digest }));
    assert!(out.join("api/one.txt").exists() && !root.join("api").exists());
}

#[test]
fn what_is_read_is_right() {
    let (_keep, root) = project(RIGHT);
    let mut session = Session::begin(&root, &[]);
    let read = |session: &mut Session, uri: &str| {
        let answer = session.ask("resources/read", &json!({ "uri": uri }));
        answer["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let listed = session.ask("resources/list", &json!({}));
    let uris: Vec<&str> =
        listed["result"]["resources"].as_array().unwrap().iter().map(|one| one["uri"].as_str().unwrap()).collect();
    for uri in &uris {
        assert!(!read(&mut session, uri).is_empty(), "{uri}");
    }
    let schema = megax(&root, &root).args(["schema", "mega-file"]).output().unwrap();
    assert_eq!(read(&mut session, "megax://schema/mega-file").as_bytes(), schema.stdout);
    let page = megax(&root, &root).args(["explain", "MX820"]).output().unwrap();
    assert_eq!(read(&mut session, "megax://codes/MX820").as_bytes(), page.stdout);
    let templates = session.ask("resources/templates/list", &json!({}));
    assert_eq!(templates["result"]["resourceTemplates"][0]["uriTemplate"], "megax://codes/{code}");
    let none = session.ask("resources/read", &json!({ "uri": "megax://codes/MX999" }));
    assert!(none["error"]["message"].as_str().unwrap().contains("there is no code MX999"), "{none}");
    // Every example is a mega-file that works as it stands, and so is the one of the format.
    let format = read(&mut session, "megax://format");
    let example = format.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut examples = vec![("format".to_owned(), example.to_owned())];
    for uri in uris.iter().filter(|uri| uri.starts_with("megax://examples/")) {
        examples.push(((*uri).to_owned(), read(&mut session, uri)));
    }
    assert_eq!(examples.len(), 8);
    for (name, text) in examples {
        let (_keep, root) = temporary();
        fs::create_dir_all(root.join("megafiles")).unwrap();
        fs::write(root.join("megax.yaml"), "teams: { api: { output: [\"src/api/\"] } }\n").unwrap();
        fs::write(root.join("megafiles/x.yaml"), &text).unwrap();
        if let Some((_, data)) = text.split_once("\n# data/") {
            let (file, lines) = data.split_once(":\n").unwrap();
            fs::create_dir_all(root.join("data")).unwrap();
            let lines: String = lines.lines().map(|line| line.trim_start_matches("# ").to_owned() + "\n").collect();
            fs::write(root.join("data").join(file), lines).unwrap();
        }
        if name.ends_with("/contributor") {
            // It gives to a file that another mega-file owns.
            let owner = read(&mut session, "megax://examples/owner");
            fs::write(root.join("megafiles/owner.yaml"), owner).unwrap();
        }
        let output = megax(&root, &root).args(["expand", "--strict"]).output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(folder::outputs(&root).len() > 1, "{name}");
    }
}
