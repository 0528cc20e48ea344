//! `--limit NAME=N`: what a run may cost, as it is typed.

use clap::Args;
use megax::diagnostic::nearest;
use megax::limit::{Limit, Limits};

/// What a run may cost.
#[derive(Debug, Args)]
pub struct Bounds {
    /// Change a limit, such as `files_per_rule=80000`; `megax explain limits` lists them (may be given several times)
    #[arg(long = "limit", value_name = "NAME=N", value_parser = limit)]
    pub limits: Vec<(Limit, u64)>,
}

/// `NAME=N`.
fn limit(text: &str) -> Result<(Limit, u64), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("write NAME=N, such as files_per_rule=80000".to_owned());
    };
    let Some(limit) = Limit::find(name) else {
        let near = nearest(name, Limit::ALL.iter().map(|limit| limit.name()));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no limit `{name}`{hint} (`megax explain limits` lists all)"));
    };
    let value = value.parse().map_err(|_| format!("`{value}` is no whole number"))?;
    Limits::default().set(limit, value).map_err(|why| why.to_string())?;
    Ok((limit, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_known_name_and_a_number_within_its_ceiling() {
        assert_eq!(limit("files_per_rule=7"), Ok((Limit::FilesPerRule, 7)));
        for (text, why) in [
            ("files_per_rule", "write NAME=N"),
            ("files_per_rul=7", "did you mean `files_per_rule`?"),
            ("files_per_rule=many", "`many` is no whole number"),
            ("files_per_rule=-1", "`-1` is no whole number"),
            ("files_per_rule=0", "is at least 1"),
            ("yaml_depth=129", "can be lowered but not raised"),
        ] {
            let found = limit(text).unwrap_err();
            assert!(found.contains(why), "{text}: {found}");
        }
    }
}
