//! Names of teams and mega-files: how they are compared.

/// The one spelling of a team: `Beta`, `team-beta`, `Team Beta` and `beta` are one team.
#[must_use]
pub fn team_name(text: &str) -> String {
    let lower = crate::path::fold(text.trim());
    let rest = lower.strip_prefix("team").and_then(|rest| rest.strip_prefix(['-', '_', ' ']));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(&lower).to_owned()
}

/// The key under which ids of mega-files are unique in a project.
#[must_use]
pub fn id_key(id: &str) -> String {
    crate::path::fold(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_team_has_one_name() {
        for text in ["beta", "Beta", "team-beta", "TEAM_beta", "Team Beta", " beta "] {
            assert_eq!(team_name(text), "beta");
        }
        assert_eq!(team_name("alpha-1"), "alpha-1");
        assert_eq!(team_name("team"), "team");
        assert_eq!(team_name("teamwork"), "teamwork");
    }
}
