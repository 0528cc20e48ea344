//! A progress bar on long runs, on a terminal only.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use megax::event::{Event, Watcher};

/// Runs shorter than this show nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Shows rendered and published files.
pub struct Progress {
    started: Instant,
    bar: ProgressBar,
    phase: Mutex<&'static str>,
}

impl Progress {
    /// A bar that appears once a run takes longer than half a second; hidden where nobody watches.
    pub fn new(watched: bool) -> Self {
        let target = if watched { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if watched {
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.set_draw_target(target);
        }
        Self { started: Instant::now(), bar, phase: Mutex::new("rendering") }
    }

    /// Clears the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn begin(&self, phase: &'static str, files: usize) {
        if let Ok(mut held) = self.phase.lock() {
            *held = phase;
        }
        self.bar.set_length(files as u64);
        self.bar.reset();
    }
}

impl Watcher for Progress {
    fn on_event(&self, event: Event) {
        match event {
            Event::Loaded { .. } => {}
            Event::Planned { files } => self.begin("rendering", files),
            Event::Writing { files } => self.begin("writing", files),
            Event::Rendered | Event::Published => {
                if self.started.elapsed() > PATIENCE {
                    if let Ok(phase) = self.phase.try_lock() {
                        self.bar.set_message(*phase);
                    }
                    self.bar.inc(1);
                } else {
                    self.bar.inc_length(0);
                }
            }
        }
    }
}
