//! Confinement: before anything hostile is read, the process gives up what the command does not need.
//!
//! By Landlock, where the kernel has it: files are read only in the places that the command concerns and written only
//! below the output root (or the folder of what else it writes); nothing makes a symlink, a device, a socket or a pipe,
//! nothing is executed, no TCP connection is made, and no other process gets a signal. That is a second wall: nothing
//! of it is needed as long as megax has no bug. Where a kernel knows a part of it only, that part holds; where it knows
//! nothing, nothing is said: `megax doctor` says it. What is open already (the terminal, a pipe) is not concerned.
//!
//! It must run before any thread is made, since a thread takes over what it is made with.

use std::path::{Path, PathBuf};

/// What a command needs of the file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Folders below which it reads.
    pub reads: Vec<PathBuf>,
    /// Folders below which it reads and writes; of one that does not exist, the next one above it that does.
    pub writes: Vec<PathBuf>,
}

impl Needs {
    /// Of a command of which more cannot be told.
    pub fn everywhere() -> Self {
        Self { reads: Vec::new(), writes: vec![PathBuf::from("/")] }
    }
}

/// What the kernel enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// It was switched off.
    Off,
    /// The kernel has no Landlock, or not enough of it for a command that writes.
    None,
    /// Some of it; the kernel's ABI.
    Some(i32),
    /// All of it.
    All(i32),
}

/// Confines the calling thread, and those that it makes.
pub fn confine(needs: &Needs) -> Confinement {
    imp::confine(needs)
}

/// The nearest folder that exists.
fn standing(path: &Path) -> Option<&Path> {
    path.ancestors().find(|above| above.exists())
}

#[cfg(target_os = "linux")]
mod imp {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus, PathBeneath,
        PathFd, RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError,
        RulesetStatus, Scope, make_bitflags,
    };

    use super::{Confinement, Needs, Path, standing};

    /// The newest that this was tried with.
    const KNOWN: ABI = ABI::V7;

    pub fn confine(needs: &Needs) -> Confinement {
        restrict(needs).map_or(Confinement::None, |status| judge(&status))
    }

    fn restrict(needs: &Needs) -> Result<RestrictionStatus, RulesetError> {
        let ruleset = Ruleset::default();
        // The first ABI forbids every move from folder to folder: no file could be published.
        let ruleset = if needs.writes.is_empty() {
            ruleset
        } else {
            ruleset.set_compatibility(CompatLevel::SoftRequirement).handle_access(AccessFs::Refer)?
        };
        let mut ruleset = ruleset
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(KNOWN))?
            .handle_access(AccessNet::from_all(KNOWN))?
            .scope(Scope::from_all(KNOWN))?
            .create()?;
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        for path in &needs.reads {
            ruleset = allow(ruleset, path, read)?;
        }
        for path in needs.writes.iter().filter_map(|path| standing(path)) {
            ruleset = allow(ruleset, path, read | writing())?;
        }
        // Its own file tells where a bug is.
        if let Ok(own) = std::env::current_exe() {
            ruleset = allow(ruleset, &own, AccessFs::ReadFile.into())?;
        }
        ruleset.restrict_self()
    }

    /// Files and folders come, change and go; nothing else does.
    fn writing() -> BitFlags<AccessFs> {
        make_bitflags!(AccessFs::{ WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer })
    }

    /// A place that cannot be opened cannot be used either.
    fn allow(ruleset: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
        match PathFd::new(path) {
            Ok(place) => ruleset.add_rule(PathBeneath::new(place, access)),
            Err(_) => Ok(ruleset),
        }
    }

    fn judge(status: &RestrictionStatus) -> Confinement {
        let abi = match status.landlock {
            LandlockStatus::Available { effective_abi, kernel_abi } => kernel_abi.unwrap_or(effective_abi as i32),
            LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => return Confinement::None,
        };
        match status.ruleset {
            RulesetStatus::FullyEnforced => Confinement::All(abi),
            RulesetStatus::PartiallyEnforced => Confinement::Some(abi),
            RulesetStatus::NotEnforced => Confinement::None,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::{Confinement, Needs};

    pub fn confine(_needs: &Needs) -> Confinement {
        Confinement::None
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
