//! What starts a session: the brief of a team, or of whoever coordinates them. The same texts as `megax brief` prints.

use megax::pipeline::Which;
use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::Value;

use super::calls::Session;

const TEAM: &str = "team-start";
const ORCHESTRATOR: &str = "orchestrator-start";
const ARGUMENT: &str = "team";

/// The prompts. Where the server is for one team, its name may be left out.
pub fn list(own: Option<&str>) -> Vec<Prompt> {
    let team = PromptArgument::new(ARGUMENT)
        .with_description("The team, as the manifest names it")
        .with_required(own.is_none());
    let about = "Start as an agent of a team: its role, boundaries, goals, and how it works and checks";
    let all = "Start as whoever coordinates the teams";
    vec![Prompt::new(TEAM, Some(about), Some(vec![team])), Prompt::new(ORCHESTRATOR, Some(all), None)]
}

/// Whose brief a prompt is.
///
/// # Errors
/// There is no such prompt, or it needs another argument.
pub fn which(name: &str, arguments: &JsonObject, own: Option<&str>) -> Result<Which, String> {
    if let Some(other) = arguments.keys().find(|key| name == ORCHESTRATOR || *key != ARGUMENT) {
        return Err(format!("`{name}` has no argument `{other}`"));
    }
    match (name, arguments.get(ARGUMENT)) {
        (ORCHESTRATOR, _) => Ok(Which::Orchestrator),
        (TEAM, Some(Value::String(team))) => Ok(Which::Team(team.clone())),
        (TEAM, None) if own.is_some() => Ok(Which::Team(own.unwrap_or_default().to_owned())),
        (TEAM, _) => Err(format!("`{TEAM}` needs the argument `{ARGUMENT}`, a text")),
        _ => Err(format!("there is no prompt `{name}`; the prompts are {TEAM} and {ORCHESTRATOR}")),
    }
}

/// The text of a prompt, as somebody says it to the model.
///
/// # Errors
/// As [`Session::brief`].
pub fn get(session: &Session, which: Which) -> Result<GetPromptResult, String> {
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, session.brief(which)?)]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_prompt_says_whose_brief_it_is() {
        let which = |name: &str, arguments: Value, own| {
            let arguments = arguments.as_object().cloned().unwrap_or_default();
            which(name, &arguments, own)
        };
        assert_eq!(which(TEAM, json!({ "team": "web" }), Some("api")), Ok(Which::Team("web".to_owned())));
        assert_eq!(which(TEAM, json!({}), Some("api")), Ok(Which::Team("api".to_owned())));
        assert_eq!(which(ORCHESTRATOR, json!({}), None), Ok(Which::Orchestrator));
        for (name, arguments) in [
            (TEAM, json!({})),
            (TEAM, json!({ "team": 7 })),
            (TEAM, json!({ "team": "web", "x": "y" })),
            (ORCHESTRATOR, json!({ "team": "web" })),
            ("start", json!({})),
        ] {
            assert!(which(name, arguments, None).is_err());
        }
    }
}
