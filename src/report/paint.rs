//! The few styles of text that is not drawn by `annotate-snippets`. Must never look at a terminal: colour is asked for.

use annotate_snippets::renderer::{AnsiColor, Effects, Style};

/// Headings.
pub(super) const BOLD: Style = Style::new().effects(Effects::BOLD);
/// What need not be read.
pub(super) const DIM: Style = Style::new().effects(Effects::DIMMED);
/// What is new.
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
/// What changes.
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// What goes, or is wrong.
pub(super) const RED: Style = AnsiColor::Red.on_default();
/// What must be read.
pub(super) const ALARM: Style = AnsiColor::BrightRed.on_default().effects(Effects::BOLD);
/// Places in a diff.
pub(super) const CYAN: Style = AnsiColor::Cyan.on_default();

/// `text` in `style` if there is colour.
pub(super) fn paint(colour: bool, style: Style, text: &str) -> String {
    if !colour || text.is_empty() {
        return text.to_owned();
    }
    format!("{}{text}{}", style.render(), style.render_reset())
}
