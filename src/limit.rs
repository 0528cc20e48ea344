//! The register of limits: every budget of a run has a name, a default, a ceiling and one line that says what it bounds.
//!
//! A run starts from the defaults; `limits:` in the manifest and `--limit NAME=N` change single ones, the command line
//! wins, and nothing goes over a ceiling: that is where memory or the stack of a thread would end. A limit that is met is
//! an error, never a crash. This module knows no stage and finds nothing itself.

use std::collections::BTreeMap;
use std::fmt;

macro_rules! limits {
    ($($variant:ident $name:literal $default:expr, $most:expr, $what:literal;)+) => {
        /// A limit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Limit { $(#[doc = $what] $variant,)+ }

        impl Limit {
            /// Every limit, in the order of the stages that look at them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name, as it is written in the manifest and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is unless a run changes it.
            #[must_use]
            pub const fn default(self) -> u64 {
                match self { $(Self::$variant => $default,)+ }
            }

            /// The most that a run may raise it to.
            #[must_use]
            pub const fn most(self) -> u64 {
                match self { $(Self::$variant => $most,)+ }
            }

            /// What it bounds, in one line.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $what,)+ }
            }
        }
    };
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

limits! {
    InputBytes "input_bytes" 16 * MIB, GIB, "bytes of one mega-file, manifest or data file";
    InputNames "input_names" 100_000, 10_000_000, "names below the folder of mega-files, or `templates/`, that are looked at";
    InputDepth "input_depth" 64, 64, "folders inside one another below these";
    YamlNodes "yaml_nodes" 1_000_000, 16_000_000, "scalars, lists, mappings, keys and aliases written in one file";
    RunNodes "run_nodes" 1_500_000, 64_000_000, "the same in all mega-files and data files of the project together";
    YamlDepth "yaml_depth" 128, 128, "lists and mappings inside one another, aliases followed";
    AliasNodes "alias_nodes" 2_000_000, 64_000_000, "nodes of one file if every alias were what it stands for";
    AliasBytes "alias_bytes" 64 * MIB, GIB, "bytes of text of one file if every alias were what it stands for";
    AssetBytes "asset_bytes" 64 * MIB, GIB, "bytes of one file that is copied";
    SharedBytes "shared_bytes" 64 * MIB, GIB, "bytes of all shared templates together";
    Templates "templates" 10_000, 1_000_000, "templates of one mega-file";
    TagsPerTemplate "tags_per_template" 100_000, 2_000_000, "tags and placeholders of one template";
    TokensPerTag "tokens_per_tag" 512, 512, "words and signs in one template tag or expression";
    NestingPerTag "nesting_per_tag" 64, 64, "parentheses, brackets and conditions inside one another in one tag";
    OperatorsPerTag "operators_per_tag" 256, 256, "filters, fields, calls and operators in one tag";
    BlockDepth "block_depth" 64, 64, "template blocks inside one another";
    Branches "branches" 128, 128, "`elif` branches of one condition";
    FilesPerRule "files_per_rule" 50_000, 2_000_000, "files that one rule plans, counted before a cross product is made";
    FilesPerRun "files_per_run" 60_000, 5_000_000, "files that all mega-files of the project plan";
    PathBytes "path_bytes" 8 * MIB, 64 * MIB, "bytes of the paths of all files that one mega-file plans";
    RuleRuns "rule_runs" 10_000, 1_000_000, "times that the rules of one mega-file are run; calls of a loop count once";
    Rounds "rounds" 500_000, 50_000_000, "rounds of all loops of one mega-file, and items that the loops look at";
    CompiledBytes "compiled_bytes" 64 * MIB, 4 * GIB, "bytes of template text that the rules of one mega-file compile";
    FactoryDepth "factory_depth" 32, 64, "factories that call one another";
    CheckedValues "checked_values" 2_000_000, 100_000_000, "values of one mega-file that the parameters of factories are held against";
    PlanSteps "plan_steps" 120_000_000, 1 << 40, "steps of the template engine in the paths, conditions and values of one mega-file";
    ValueBytes "value_bytes" 64 * MIB, GIB, "bytes of the values that one mega-file makes for `with` and `contributes`";
    ContributedValues "contributed_values" 500_000, 5_000_000, "values that all mega-files contribute";
    RenderSteps "render_steps" 10_000_000, 2_000_000_000, "steps of the template engine in one render";
    RenderDepth "render_depth" 400, 400, "macros, includes and loops inside one another while a template is rendered";
    RenderBytes "render_bytes" 96 * MIB, 4 * GIB, "bytes that the filters and operators of one render make together";
    RenderSeconds "render_seconds" 60, 3_600, "seconds that one render may take; the one limit that depends on the machine";
    CallBytes "call_bytes" 4 * MIB, 64 * MIB, "bytes that one filter, operator or call in a template makes";
    CallItems "call_items" 100_000, 1_000_000, "items of a list that one filter, operator or call in a template makes";
    FileBytes "file_bytes" 16 * MIB, GIB, "bytes of one generated file";
    RunBytes "run_bytes" 4 * GIB, 1 << 40, "bytes of all generated files of a run";
    RunSteps "run_steps" 400_000_000, 1 << 40, "steps of the template engine in all renders of a run together";
    FindingsShown "findings_shown" 200, 100_000, "findings that a report shows; the rest is counted";
}

/// The limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits([u64; Limit::ALL.len()]);

impl Default for Limits {
    fn default() -> Self {
        let mut values = [0; Limit::ALL.len()];
        for (value, limit) in values.iter_mut().zip(Limit::ALL) {
            *value = limit.default();
        }
        Self(values)
    }
}

/// A limit was asked to be over its ceiling, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange(pub Limit);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.name(), self.0.most()) {
            (name, most) if most == self.0.default() => {
                write!(f, "the limit `{name}` can be lowered but not raised; it is at least 1 and at most {most}")
            }
            (name, most) => write!(f, "the limit `{name}` is at least 1 and at most {most}"),
        }
    }
}

impl std::error::Error for OutOfRange {}

impl Limits {
    /// Every limit at its ceiling.
    #[must_use]
    pub fn highest() -> Self {
        let mut values = [0; Limit::ALL.len()];
        for (value, limit) in values.iter_mut().zip(Limit::ALL) {
            *value = limit.most();
        }
        Self(values)
    }

    /// What a limit is.
    #[must_use]
    pub fn get(&self, limit: Limit) -> u64 {
        self.0.get(limit as usize).copied().unwrap_or_else(|| limit.default())
    }

    /// What a limit is, as a size in memory.
    #[must_use]
    pub fn size(&self, limit: Limit) -> usize {
        usize::try_from(self.get(limit)).unwrap_or(usize::MAX)
    }

    /// Changes a limit.
    ///
    /// # Errors
    /// The value is 0 or over the ceiling.
    pub fn set(&mut self, limit: Limit, value: u64) -> Result<(), OutOfRange> {
        if value == 0 || value > limit.most() {
            return Err(OutOfRange(limit));
        }
        if let Some(place) = self.0.get_mut(limit as usize) {
            *place = value;
        }
        Ok(())
    }

    /// The same limits with some changed; a value that is out of range changes nothing.
    #[must_use]
    pub fn with(mut self, changed: &BTreeMap<Limit, u64>) -> Self {
        for (limit, value) in changed {
            self.set(*limit, *value).unwrap_or_default();
        }
        self
    }

    /// The clause of a message that names a limit that was met: "the limit `files_per_rule` is 200000".
    #[must_use]
    pub fn says(&self, limit: Limit) -> String {
        format!("the limit `{}` is {}", limit.name(), self.get(limit))
    }
}

impl Limit {
    /// Finds a limit by its name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|limit| limit.name() == name)
    }

    /// The help of a finding: what to change in the input, and else how to raise the limit.
    #[must_use]
    pub fn help(self, mend: &str) -> String {
        let (name, most) = (self.name(), self.most());
        if most == self.default() {
            return format!("{mend}; `{name}` cannot be raised");
        }
        format!(
            "{mend}; or raise it, with `--limit {name}=N` or `limits: {{{name}: N}}` in the manifest (at most {most})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_defaults_are_in_range() {
        for limit in Limit::ALL {
            assert_eq!(Limit::find(limit.name()), Some(*limit));
            assert!((1..=limit.most()).contains(&limit.default()), "{}", limit.name());
            assert_eq!(Limits::default().get(*limit), limit.default());
        }
        assert_eq!(Limit::find("files"), None);
    }

    #[test]
    fn a_limit_stays_within_its_ceiling_and_says_how_to_raise_it() {
        let mut limits = Limits::default();
        limits.set(Limit::FilesPerRule, 7).unwrap();
        assert_eq!(limits.says(Limit::FilesPerRule), "the limit `files_per_rule` is 7");
        assert_eq!(limits.get(Limit::FilesPerRun), Limit::FilesPerRun.default(), "no other one changed");
        for value in [0, Limit::FilesPerRule.most() + 1, u64::MAX] {
            assert_eq!(limits.set(Limit::FilesPerRule, value), Err(OutOfRange(Limit::FilesPerRule)));
        }
        assert!(Limit::FilesPerRule.help("plan less").contains("--limit files_per_rule=N"));
        assert!(Limit::TokensPerTag.help("split the tag").ends_with("`tokens_per_tag` cannot be raised"));
    }
}
