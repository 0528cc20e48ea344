//! Which renders and evaluations go on now, in the whole process: each notes its beginning and its end, so that somebody
//! else can see one that does not end. The last resort for what no budget of the engine counts.
//!
//! Reads no clock and stops nothing: whoever looks knows how often it looks. Only renders and evaluations are noted, so
//! that a slow disk is never taken for one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::limit::{Limit, Limits};

/// The places of all threads that ever rendered and are still there.
static REGISTER: Mutex<Vec<Weak<Slot>>> = Mutex::new(Vec::new());

/// Makes every beginning and every end differ from all others.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static OWN: Arc<Slot> = Slot::registered(&REGISTER);
}

/// What one thread renders.
#[derive(Debug, Default)]
struct Slot {
    /// Which render it is; 0: none.
    number: AtomicU64,
    /// How long it may take.
    seconds: AtomicU64,
    what: Mutex<String>,
}

impl Slot {
    fn registered(register: &Mutex<Vec<Weak<Self>>>) -> Arc<Self> {
        let slot = Arc::new(Self::default());
        let mut slots = register.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| slot.strong_count() > 0);
        slots.push(Arc::downgrade(&slot));
        slot
    }

    /// Notes a beginning; whether it is one: what begins within another render belongs to that.
    fn begin(&self, seconds: u64, what: &dyn std::fmt::Display) -> bool {
        if self.number.load(Ordering::Relaxed) != 0 {
            return false;
        }
        let mut text = self.what.lock().unwrap_or_else(PoisonError::into_inner);
        text.clear();
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{what}");
        drop(text);
        self.seconds.store(seconds, Ordering::Relaxed);
        self.number.store(NUMBERS.fetch_add(1, Ordering::Relaxed), Ordering::Release);
        true
    }

    fn end(&self) {
        self.number.store(0, Ordering::Release);
    }
}

/// A render that goes on until this is dropped.
pub struct Mark(Option<Arc<Slot>>);

/// Notes that this thread begins to render something.
#[must_use]
pub fn begin(limits: &Limits, what: &dyn std::fmt::Display) -> Mark {
    let begin = |slot: &Arc<Slot>| slot.begin(limits.get(Limit::RenderSeconds), what).then(|| Arc::clone(slot));
    // A thread that ends has no place any more.
    Mark(OWN.try_with(begin).ok().flatten())
}

impl Drop for Mark {
    fn drop(&mut self) {
        if let Some(slot) = &self.0 {
            slot.end();
        }
    }
}

/// A render that takes longer than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// What is rendered.
    pub what: String,
    /// How many seconds it may take: [`Limit::RenderSeconds`] of its run.
    pub seconds: u64,
}

/// Looks at the register now and then.
#[derive(Debug)]
pub struct Watch {
    /// How often it looks in a second.
    per_second: u64,
    /// The renders seen, and how often in a row.
    seen: BTreeMap<u64, u64>,
}

impl Watch {
    /// A watch that will look so many times in a second. Looks are counted, not time: a process that was stopped for a
    /// while did not render.
    #[must_use]
    pub fn new(per_second: u64) -> Self {
        Self { per_second, seen: BTreeMap::new() }
    }

    /// Looks, and says which render takes too long.
    pub fn look(&mut self) -> Option<Stuck> {
        let slots: Vec<Arc<Slot>> =
            REGISTER.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
        self.look_at(&slots)
    }

    fn look_at(&mut self, slots: &[Arc<Slot>]) -> Option<Stuck> {
        let mut seen = BTreeMap::new();
        let mut stuck = None;
        for slot in slots {
            let number = slot.number.load(Ordering::Acquire);
            if number == 0 {
                continue;
            }
            let looks = self.seen.get(&number).map_or(0, |looks| looks + 1);
            seen.insert(number, looks);
            let seconds = slot.seconds.load(Ordering::Relaxed);
            if looks <= seconds.saturating_mul(self.per_second) {
                continue;
            }
            let what = slot.what.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // It may have ended just now.
            if slot.number.load(Ordering::Acquire) == number {
                stuck = stuck.or(Some(Stuck { what, seconds }));
            }
        }
        self.seen = seen;
        stuck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(watch: &mut Watch, slot: &Arc<Slot>, times: usize) -> Option<Stuck> {
        (0..times).find_map(|_| watch.look_at(std::slice::from_ref(slot)))
    }

    #[test]
    fn only_one_render_that_lasts_is_stuck_and_never_many_quick_ones() {
        let register = Mutex::new(Vec::new());
        let slot = Slot::registered(&register);
        let mut watch = Watch::new(10);
        assert_eq!(looks(&mut watch, &slot, 100), None, "nothing is rendered");
        for _ in 0..100 {
            assert!(slot.begin(2, &"quick"));
            assert_eq!(looks(&mut watch, &slot, 20), None);
            slot.end();
        }
        assert!(slot.begin(2, &"slow"));
        assert!(!slot.begin(9, &"inner"), "what is within it does not begin it again");
        assert_eq!(looks(&mut watch, &slot, 21), None);
        assert_eq!(looks(&mut watch, &slot, 1), Some(Stuck { what: "slow".to_owned(), seconds: 2 }));
        slot.end();
        assert_eq!(looks(&mut watch, &slot, 100), None);
    }

    #[test]
    fn a_thread_that_ended_leaves_its_place() {
        let register = Mutex::new(Vec::new());
        drop(Slot::registered(&register));
        let kept = Slot::registered(&register);
        assert_eq!(register.lock().unwrap().len(), 1);
        drop(kept);
    }

    #[test]
    fn an_inner_mark_does_not_end_the_outer_one() {
        let number = || OWN.with(|slot| slot.number.load(Ordering::Relaxed));
        let outer = begin(&Limits::default(), &"outer");
        let before = number();
        drop(begin(&Limits::default(), &"inner"));
        assert_eq!(number(), before);
        drop(outer);
        assert_eq!(number(), 0);
    }
}
