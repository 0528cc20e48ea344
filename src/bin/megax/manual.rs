//! `megax completions` and `megax man`: what shells and `man` read, made from the command line itself.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man as Page;
use megax::report::Outcome;

use crate::args::{Completions, Man, Megax};
use crate::terminal;

/// Prints the completions of a shell.
pub fn completions(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Megax::command(), "megax", &mut script);
    terminal::judge(Outcome::Done, terminal::print(&String::from_utf8_lossy(&script)))
}

/// Prints one page with all commands, or writes one page per command.
pub fn man(args: &Man) -> Outcome {
    let mut command = Megax::command().disable_help_subcommand(true);
    command.build();
    match &args.dir {
        None => match page(&command) {
            Ok(text) => terminal::judge(Outcome::Done, terminal::print(&text)),
            Err(error) => failed("the page", &error),
        },
        Some(dir) => match pages(&command, dir) {
            Ok(count) => {
                terminal::say(&format!("wrote {count} pages to {}\n", dir.display()));
                Outcome::Done
            }
            Err((what, error)) => failed(&what, &error),
        },
    }
}

fn failed(what: &str, error: &std::io::Error) -> Outcome {
    terminal::say(&format!("error: {what} cannot be written: {error}\n"));
    Outcome::DiskFailed
}

/// The page of megax, with the options of every command in a section of its own.
fn page(command: &Command) -> std::io::Result<String> {
    let main = Page::new(command.clone());
    let mut text = Vec::new();
    main.render_title(&mut text)?;
    main.render_name_section(&mut text)?;
    main.render_synopsis_section(&mut text)?;
    main.render_description_section(&mut text)?;
    main.render_subcommands_section(&mut text)?;
    for sub in command.get_subcommands() {
        let page = Page::new(sub.clone());
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        text.extend(format!(".SH \"MEGAX {}\"\n{about}\n", sub.get_name().to_uppercase()).into_bytes());
        let mut part = Vec::new();
        page.render_synopsis_section(&mut part)?;
        page.render_options_section(&mut part)?;
        // Sections of the part are subsections of the whole.
        text.extend(String::from_utf8_lossy(&part).replace("\n.SH ", "\n.SS ").into_bytes());
    }
    main.render_extra_section(&mut text)?;
    main.render_version_section(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// `megax.1` and `megax-COMMAND.1`; how many. Pages that are there are replaced: they are made from nothing else.
#[expect(clippy::disallowed_methods, reason = "the folder is the user's own choice, and no output root")]
fn pages(command: &Command, dir: &Path) -> Result<usize, (String, std::io::Error)> {
    let about = |path: &Path| format!("`{}`", path.display());
    std::fs::create_dir_all(dir).map_err(|error| (about(dir), error))?;
    let subs = command.get_subcommands().map(|sub| (format!("megax-{}", sub.get_name()), sub));
    let all: Vec<(String, &Command)> = [("megax".to_owned(), command)].into_iter().chain(subs).collect();
    for (name, command) in &all {
        let path = dir.join(format!("{name}.1"));
        let mut text = Vec::new();
        let page = Page::new((*command).clone().display_name(name));
        page.render(&mut text).and_then(|()| std::fs::write(&path, text)).map_err(|error| (about(&path), error))?;
    }
    Ok(all.len())
}
