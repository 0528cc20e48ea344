//! The plans of a session, by digest: what `plan` answered, and what `expand` may write. The oldest is forgotten when there
//! are many. It must never hold a plan to anything: that is done by the run that writes.

use std::collections::VecDeque;
use std::sync::Arc;

use megax::digest::Digest;
use megax::pipeline::Request;
use megax::saved::SavedPlan;

/// So many plans are kept. A plan is as long as its list of files, and an agent writes one soon after it saw it.
const KEPT: usize = 8;

/// A plan, and the request that it answers.
#[derive(Debug, Clone)]
pub struct Planned {
    pub request: Request,
    pub plan: Arc<SavedPlan>,
}

/// Plans, oldest first.
#[derive(Debug, Default)]
pub struct Plans(VecDeque<(Digest, Planned)>);

impl Plans {
    /// Keeps a plan, and gives its digest: that of the text which `megax plan` would save.
    pub fn keep(&mut self, request: Request, plan: SavedPlan) -> Digest {
        let digest = Digest::of(plan.to_text().as_bytes());
        self.0.retain(|(known, _)| *known != digest);
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((digest, Planned { request, plan: Arc::new(plan) }));
        digest
    }

    /// The plan of a digest.
    pub fn get(&self, digest: Digest) -> Option<&Planned> {
        self.0.iter().find(|(known, _)| *known == digest).map(|(_, planned)| planned)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use megax::report::{Command, Mode};
    use megax::saved::Asked;
    use megax::source;

    use super::*;

    fn keep(plans: &mut Plans, engine: usize) -> Digest {
        let request = Request::new(Command::Plan, Mode::DryRun, source::Request::default());
        let plan = SavedPlan {
            engine: engine.to_string(),
            root: ".".to_owned(),
            out: ".".to_owned(),
            tree: None,
            asked: Asked::default(),
            mega_files: BTreeMap::new(),
            inputs: BTreeMap::new(),
            files: BTreeMap::new(),
            shards: BTreeMap::new(),
        };
        plans.keep(request, plan)
    }

    #[test]
    fn the_newest_plans_are_kept_and_one_asked_for_again_is_new() {
        let mut plans = Plans::default();
        let first = keep(&mut plans, 0);
        let second = keep(&mut plans, 1);
        for engine in 2..KEPT {
            keep(&mut plans, engine);
        }
        assert_eq!(keep(&mut plans, 0), first);
        assert_eq!(plans.0.len(), KEPT);
        keep(&mut plans, KEPT);
        assert!(plans.get(first).is_some() && plans.get(second).is_none());
        assert_eq!(plans.get(first).map(|planned| planned.plan.engine.as_str()), Some("0"));
    }
}
