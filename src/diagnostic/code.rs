//! The register of codes: every finding has one, every code has a page for `megax explain`.
//!
//! Codes are append-only: a number is never used for another meaning. The first digit names the stage that finds it.

use super::Severity;

macro_rules! codes {
    ($($variant:ident $id:literal $name:literal $severity:ident $title:literal;)+) => {
        /// The stable identity of a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $variant,)+ }

        impl Code {
            /// Every code, ascending.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable id, `MX` and three digits.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The id as words.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it means, in one line.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The severity unless a run changes it.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// The page of `megax explain`: meaning, an example, the mend (Markdown).
            #[must_use]
            pub fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("pages/", $id, ".md")),)+ }
            }
        }
    };
}

codes! {
    UnreadableInput "MX101" "unreadable-input" Error "a file cannot be read, or is not UTF-8 text";
    NoInput "MX102" "no-input" Error "a path, pattern or selector matches nothing";
    YamlSyntax "MX103" "yaml-syntax" Error "the text is not valid YAML";
    DuplicateKey "MX104" "duplicate-key" Error "a mapping has the same key twice";
    YamlFeature "MX105" "yaml-feature" Error "a YAML feature that mega-files do not use";
    YamlLimit "MX106" "yaml-limit" Error "the YAML is larger or deeper than a limit allows";
    MixedProjects "MX107" "mixed-projects" Error "mega-files of two projects in one run";
    BadSource "MX108" "bad-source" Error "a data file named under `sources` cannot be used";
    SourceSyntax "MX109" "source-syntax" Error "a data file is not valid JSON, TOML or CSV";

    UnknownKey "MX201" "unknown-key" Error "a key that the format does not know";
    WrongType "MX202" "wrong-type" Error "a value of the wrong type";
    MissingKey "MX203" "missing-key" Error "a required key is missing";
    BadValue "MX204" "bad-value" Error "a value that the format does not allow";
    NotYet "MX205" "not-yet" Error "a part of the format that this version cannot run yet";
    UnknownDialect "MX206" "unknown-dialect" Error "the document is neither mega-file dialect";
    BadCombination "MX207" "bad-combination" Error "keys that do not go together";

    DuplicateId "MX301" "duplicate-id" Error "two mega-files have one id";
    UnknownTemplate "MX302" "unknown-template" Error "a template that does not exist";
    UnknownPattern "MX303" "unknown-pattern" Error "a path pattern that does not exist";
    BadLoop "MX304" "bad-loop" Error "a loop or condition that cannot be evaluated";
    AmbiguousList "MX305" "ambiguous-list" Error "several lists could be the one to loop over";
    EmptyRule "MX306" "empty-rule" Warning "a rule yields no file";
    NoOutput "MX307" "no-output" Warning "a mega-file or a run yields no file";
    UnknownDependency "MX308" "unknown-dependency" Warning "a dependency that no mega-file has";
    UnusedTemplate "MX309" "unused-template" Warning "a template or factory that nothing uses";
    UnknownCheck "MX310" "unknown-check" Warning "a validation check that megax does not know";
    BadItem "MX311" "bad-item" Error "a loop item of the wrong shape";
    IgnoredKey "MX312" "ignored-key" Warning "a key that has no effect";
    CheckFailed "MX313" "check-failed" Error "a check that the mega-file asks for failed";
    CommandNotRun "MX314" "command-not-run" Warning "a command in a mega-file is never run";
    UnknownFactory "MX315" "unknown-factory" Error "a factory that does not exist";
    BadArgument "MX316" "bad-argument" Error "an argument that does not fit the factory's parameters";
    FactoryCycle "MX317" "factory-cycle" Error "factories call one another in a circle";
    DataSchema "MX318" "data-schema" Error "data does not satisfy the schema that the mega-file declares";
    BadSchema "MX319" "bad-schema" Error "a JSON Schema inside a mega-file cannot be used";
    UnreadSlot "MX320" "unread-slot" Warning "nobody reads the values that are contributed to a slot";
    SlotUnknown "MX321" "slot-unknown" Error "what is contributed to a slot cannot be told";
    BrokenBlock "MX322" "broken-block" Error "the block that megax keeps in a file of yours has lost a marker";
    OtherTeamsFolder "MX323" "other-teams-folder" Warning "a mega-file lies in the folder of another team than it names";

    TemplateSyntax "MX401" "template-syntax" Error "a template cannot be parsed";
    UnknownName "MX402" "unknown-name" Error "a template uses a name that does not exist";
    MissingField "MX403" "missing-field" Error "a template prints a field that is missing";
    NearMiss "MX404" "near-miss" Error "a word in braces that is almost a placeholder";
    UnknownPlaceholder "MX405" "unknown-placeholder" Error "a path holds a placeholder that is not known";
    BareField "MX406" "bare-field" Warning "a bare word in braces that names a field of the item";
    UnknownFilter "MX407" "unknown-filter" Error "a filter, test or function that does not exist";
    Unprintable "MX408" "unprintable" Error "a null, list or map is printed as text";
    TemplateFailed "MX409" "template-failed" Error "a template failed while it was rendered";
    TemplateLimit "MX410" "template-limit" Error "a template is over a limit";
    UnknownInclude "MX411" "unknown-include" Error "an included template does not exist";
    ReservedCharacter "MX412" "reserved-character" Error "a template holds a character that megax keeps for itself";
    UnknownForm "MX413" "unknown-form" Warning "a word in braces that looks like a form of a name that has none";

    PlaceholderKept "MX414" "placeholder-kept" Warning "a placeholder stands where nothing is replaced";
    BadSharedTemplate "MX415" "bad-shared-template" Error "a file of the folder `templates` cannot be used as a template";

    BadPath "MX501" "bad-path" Error "a rendered path is no valid output path";
    Collision "MX502" "collision" Error "two files are planned at one path";
    CaseCollision "MX503" "case-collision" Error "two planned paths are one place on some file systems";
    FolderCollision "MX504" "folder-collision" Error "a file is planned where another file needs a folder";
    OutsideBoundary "MX505" "outside-boundary" Error "a path is outside the team's write paths";
    ForbiddenPath "MX506" "forbidden-path" Error "a path is in the team's forbidden paths";
    NeighbourUnreadable "MX507" "neighbour-unreadable" Warning "a mega-file that was not selected cannot be read";
    BadCopy "MX508" "bad-copy" Error "a file to copy cannot be used";
    PlanLimit "MX509" "plan-limit" Error "the plan is over a limit";
    SensitivePath "MX510" "sensitive-path" Error "a path that other tools execute or obey, which the manifest does not grant";
    ReservedFolder "MX511" "reserved-folder" Error "a path below a folder that nobody writes, under another name";
    ReservedPath "MX512" "reserved-path" Error "a path that another mega-file has reserved";
    DamagedReservation "MX513" "damaged-reservation" Warning "a reservation cannot be read";
    IdleReservation "MX514" "idle-reservation" Note "a reservation that no mega-file needs, or that counts for nothing";

    UnknownTeam "MX601" "unknown-team" Error "a team that the manifest does not name";
    DependencyCycle "MX602" "dependency-cycle" Error "teams depend on one another in a circle";
    UnknownTeamDependency "MX603" "unknown-team-dependency" Error "a team that is depended on or named does not exist";
    BadGlob "MX604" "bad-glob" Error "a path pattern in the manifest cannot be read";
    DuplicateTeam "MX605" "duplicate-team" Error "two entries of the manifest are one team, or share a name";
    NoManifest "MX606" "no-manifest" Note "no manifest was found, so boundaries are off";
    MissingMegaFile "MX607" "missing-mega-file" Note "a team has not all of its mega-files yet";
    MissingArtifact "MX608" "missing-artifact" Note "an artefact between teams does not exist";
    ArtifactOwner "MX609" "artifact-owner" Warning "an artefact is made by a team that is not part of the agreement";
    UntypicalPath "MX610" "untypical-path" Warning "a path is outside the team's typical files";
    BadAmount "MX611" "bad-amount" Error "an amount in the manifest cannot be read";

    FileCount "MX701" "file-count" Warning "the declared files differ from what is generated";
    LineCount "MX702" "line-count" Warning "the declared lines differ from what is generated";
    TreeDiffers "MX703" "tree-differs" Error "the tree digest is not the demanded one";
    TestFailed "MX704" "test-failed" Error "a declared test of the generated files failed";
    OutputSyntax "MX705" "output-syntax" Error "a generated file does not parse";
    OverCapability "MX706" "over-capability" Error "a team makes more than it can";
    OffGoal "MX707" "off-goal" Warning "a team makes more or less than is expected of it";
    NotParsed "MX708" "not-parsed" Note "a `parses` test names files whose language this version cannot parse";
    HiddenCharacter "MX709" "hidden-character" Warning "generated text holds a character that hides what it says";

    EditedFile "MX801" "edited-file" Error "a generated file was edited by somebody else";
    ForeignFile "MX802" "foreign-file" Error "a file that megax did not write is in the way";
    NotAFile "MX803" "not-a-file" Error "a symlink, folder or device is in the way";
    GuardHeld "MX804" "guard-held" Error "another run holds the team";
    DiskFailed "MX805" "disk-failed" Error "the disk failed";
    DamagedLockfile "MX806" "damaged-lockfile" Error "a lockfile cannot be read";
    EditKept "MX807" "edit-kept" Warning "an edited file was left as it is";
    EditReplaced "MX808" "edit-replaced" Warning "an edited file was overwritten on request";
    OrphanEdited "MX809" "orphan-edited" Warning "a file that is no longer planned was left: it was edited, or lies where its team may not write";
    ChangedMeanwhile "MX810" "changed-meanwhile" Error "a file changed while megax was running";
    TeamBound "MX812" "team-bound" Error "a team takes over a path from a team that is held";
    OwnerOutdated "MX813" "owner-outdated" Warning "a file is made from contributions that changed, but was not selected";
    ContributorHeld "MX814" "contributor-held" Error "a team's files are made from contributions of a team that is held";
    InterruptedRun "MX815" "interrupted-run" Warning "a run was interrupted while it wrote";
    Recovered "MX816" "recovered" Note "an interrupted run was finished or taken back";
    BadLog "MX817" "bad-log" Error "an entry of the operation log cannot be read";
    CannotUndo "MX818" "cannot-undo" Error "operations cannot be undone without touching what came after them";
    NoOperation "MX819" "no-operation" Error "no such operation, checkpoint or team in the log";
    StalePlan "MX820" "stale-plan" Error "a saved plan is not what would happen now";
    BadPlan "MX821" "bad-plan" Error "a saved plan cannot be read, or not be saved at that place";
    Fuse "MX822" "fuse" Error "a run would delete more of a team's files than it may";
    CannotMerge "MX823" "cannot-merge" Error "an edited file cannot be merged with its new content";
    MergeConflict "MX824" "merge-conflict" Error "an edit and the new content of a file change the same lines";
    EditMerged "MX825" "edit-merged" Note "an edited file was merged with its new content";
    UnknownFile "MX826" "unknown-file" Error "a path that no mega-file makes and no lockfile records";
    CannotRestore "MX827" "cannot-restore" Error "a recorded file cannot be put back as it was";
    LockfileRebuilt "MX828" "lockfile-rebuilt" Note "a lockfile that could not be read, or was missing, was rebuilt";
    NoRoom "MX829" "no-room" Error "the output's file system has no room to publish";
    CannotPublish "MX830" "cannot-publish" Error "a folder may not be written, or is on another mount";
    NoWayBack "MX831" "no-way-back" Warning "what was written cannot be undone or merged later";
    GeneratedFile "MX832" "generated-file" Error "an edit by hand of what megax writes";
    NotTheTeams "MX833" "not-the-teams" Error "an edit by hand of what is not the team's to edit";
    ForeignHook "MX834" "foreign-hook" Error "a hook or a settings file of somebody else is in the way";
    NotReserved "MX835" "not-reserved" Warning "a mega-file whose paths could not be reserved";
    CannotSave "MX836" "cannot-save" Error "a document cannot be saved at that place";

    SnapshotDiffers "MX901" "snapshot-differs" Error "a mega-file expands to something else than its snapshot says";
    SnapshotUnreadable "MX902" "snapshot-unreadable" Error "a file where a snapshot belongs is none";
    SnapshotStale "MX903" "snapshot-stale" Error "a snapshot of a mega-file that is gone";
    AlreadyThere "MX904" "already-there" Error "a file or a project that would be made is there already";
    BadName "MX905" "bad-name" Error "a name that no mega-file can have";
}

impl Code {
    /// Finds a code by id (`MX101`, case ignored) or by name (`yaml-syntax`).
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.id().eq_ignore_ascii_case(text) || code.name() == text)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_every_page_says_meaning_example_and_mend() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].id() < pair[1].id(), "{} before {}", pair[0], pair[1]);
        }
        for code in Code::ALL {
            let page = code.page();
            assert!(page.starts_with(&format!("# {} {}\n", code.id(), code.name())), "{code}: title line");
            for heading in ["\n## Example\n", "\n## What to do\n"] {
                let body = page.split(heading).nth(1).unwrap_or("");
                assert!(body.trim().len() > 20, "{code}: {heading:?} is missing or empty");
            }
            let meaning = page.lines().skip(1).collect::<Vec<_>>().join("\n");
            assert!(meaning.split("\n## ").next().unwrap_or("").trim().len() > 40, "{code}: meaning");
            assert_eq!(Code::find(code.name()), Some(*code));
            assert_eq!(Code::find(&code.id().to_lowercase()), Some(*code));
        }
    }
}
