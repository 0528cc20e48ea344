//! Judges what the scanner found: near misses, bare fields, unknown names, limits. Pure.

use std::collections::BTreeSet;

use super::bounds;
use super::compile::{Choice, Source};
use super::dashes;
use super::forms::Form;
use super::issue::Issue;
use super::lexer::{self, TokenKind};
use super::mends;
use super::scan::{Piece, Scan, Syntax, Tag, TagKind, Unknown};
use super::tags;
use super::unit::FUNCTIONS;
use super::vocabulary::{Change, Origin, Vocabulary, Word};
use crate::diagnostic::{Code, nearest};
use crate::limit::Limits;

/// Why an `auto` template is taken for Jinja; `None` if it is not.
pub(super) fn speaks_jinja(source: &Source<'_>, words: &Vocabulary, read: &Scan) -> Option<String> {
    let text = source.text;
    if let Some(tag) = read.tags().find(|tag| tag.kind == TagKind::Block) {
        let keyword = tags::keyword(&text[tag.body.clone()]).unwrap_or("");
        return Some(format!("it has the tag `{{% {keyword} %}}`"));
    }
    if !read.bad.is_empty() {
        return Some("it has a tag".to_owned());
    }
    let uses = read.roots(text);
    let known = uses.iter().find(|name| {
        let word = &text[name.range.clone()];
        if name.called { FUNCTIONS.contains(&word) } else { knows(source, words, word) }
    });
    if let Some(name) = known {
        return Some(format!("a `{{{{ }}}}` in it uses `{}`", &text[name.range.clone()]));
    }
    // A variable of another rule, unless the text has the word elsewhere: `v-for="item in items"`.
    let is_use = |at: usize| uses.iter().any(|name| name.range.start == at);
    let far = |word: &str| words.far(word).is_some() && !stands_outside(text, word, &is_use);
    if let Some(name) = uses.iter().find(|name| !name.called && far(&text[name.range.clone()])) {
        return Some(format!("a `{{{{ }}}}` in it uses `{}`", &text[name.range.clone()]));
    }
    // An expression without any name (`{{0}}` in C, `{{"a"}}` in Go) says nothing; a comment does.
    let comment = read.tags().any(|tag| tag.kind == TagKind::Comment);
    comment.then(|| "it has a Jinja comment".to_owned())
}

fn knows(source: &Source<'_>, words: &Vocabulary, name: &str) -> bool {
    words.jinja_knows(name) || source.also_bound.contains(name)
}

/// All findings of a template.
pub(super) fn judge(
    source: &Source<'_>,
    words: &Vocabulary,
    choice: &Choice,
    read: &Scan,
    limits: &Limits,
) -> Vec<Issue> {
    let mut issues = Vec::new();
    let bound = read.bound(source.text);
    for bad in &read.bad {
        let hint = tags::operator_hint(&source.text[bad.range.clone()]).unwrap_or("mend it");
        let help = format!(
            "{hint}; or put the text into {{% raw %}} ... {{% endraw %}}, or give the template `syntax: placeholder`"
        );
        let issue = Issue::new(Code::TemplateSyntax, bad.range.clone(), bad.message.clone()).help(help);
        issues.push(mends::in_tag(issue, source.text));
    }
    let speaks = matches!(choice.syntax, Syntax::Both | Syntax::Jinja | Syntax::Brackets);
    let statements = read.statements.iter().filter_map(|word| unknown_statement(source.text, read, word, speaks));
    issues.extend(statements);
    // What an unknown statement would bind, open or close is not known.
    let is_clear = issues.is_empty();
    for kept in &read.kept {
        let message =
            format!("`{}` stays as it is, because `${{{{ }}}}` belongs to another tool", &source.text[kept.clone()]);
        let help = "build the whole expression in a value, or close the braces before it";
        issues.push(Issue::new(Code::PlaceholderKept, kept.clone(), message).help(help));
    }
    for unknown in &read.unknown {
        issues.extend(unknown_word(source, words, &bound, read, unknown));
    }
    if source.is_path {
        issues.extend(stray_braces(source, words, read));
    }
    for piece in &read.pieces {
        let Piece::Placeholder(placeholder) = piece else { continue };
        if let Ok(tokens) = lexer::lex(source.text, placeholder.range.start + 1..placeholder.range.end - 1) {
            issues.extend(bounds::tag_limits(source.text, &tokens, placeholder.range.clone(), limits));
        }
    }
    if speaks {
        for tag in read.tags().filter(|_| is_clear) {
            issues.extend(mends::else_if(source.text, tag));
            issues.extend(unknown_names(source, words, &bound, tag));
            issues.extend(comparisons(source.text, words, &bound, tag));
            issues.extend(bounds::tag_limits(source.text, &tag.tokens, tag.range.clone(), limits));
        }
        issues.extend(bounds::block_limits(source.text, read, limits));
        issues.extend(unclosed_block(source.text, read).filter(|_| is_clear));
    } else {
        issues.extend(tag_near_misses(source, words, read));
    }
    issues
}

fn unknown_word(
    source: &Source<'_>,
    words: &Vocabulary,
    bound: &BTreeSet<String>,
    read: &Scan,
    unknown: &Unknown,
) -> Option<Issue> {
    let name = &source.text[unknown.root.clone()];
    let shown = &source.text[unknown.range.clone()];
    if words.is_literal(name) {
        return None;
    }
    if source.is_path {
        let issue =
            Issue::new(Code::UnknownPlaceholder, unknown.range.clone(), format!("`{shown}` is not known in this path"));
        if words.is_field(name)
            && let Some(variable) = words.words().find_map(|(word, kind)| is_loop(kind).then_some(word))
        {
            let dotted = format!("{{{variable}.{name}}}");
            let help = format!("`{name}` is a field of the item: write `{dotted}`");
            return Some(issue.help(help).fix(unknown.range.clone(), dotted));
        }
        if let Some(help) = words.far(name) {
            return Some(issue.help(help));
        }
        let whole = words.words().filter(|(_, kind)| !matches!(kind, Word::Dotted)).map(|(word, _)| word);
        let known: Vec<&str> = whole.chain(bound.iter().map(String::as_str)).collect();
        return Some(match nearest(name, known.iter().copied()) {
            Some(near) => issue.help(format!("did you mean `{{{near}}}`?")).fix(unknown.root.clone(), near),
            None if known.is_empty() => issue.help("no placeholder exists here: the rule has no `for_each`"),
            None => issue.help(format!("the placeholders here are {}", list(known.iter().copied()))),
        });
    }
    if !unknown.dotted && words.is_field(name) {
        let help = bare_field_help(words, name);
        let message = format!("`{{{name}}}` stays as it is, although `{name}` is a field of the item");
        return Some(Issue::new(Code::BareField, unknown.range.clone(), message).help(help));
    }
    if let Some(issue) = cased_form(words, bound, name, shown, unknown) {
        return Some(issue);
    }
    if let Some(help) = words.far(name).filter(|_| !stands_elsewhere(source.text, name, read)) {
        let message = format!("`{shown}` stays as it is: there is no `{name}` here");
        let help = format!("{help}; or list `{name}` under the template's `literal:` if the text is meant");
        return Some(Issue::new(Code::PlaceholderKept, unknown.range.clone(), message).help(help));
    }
    let near = words.near_miss(name).or_else(|| {
        bound.iter().map(String::as_str).find(|word| name.len() >= 5 && strsim::damerau_levenshtein(word, name) == 1)
    });
    if let Some(near) = near
        && !stands_elsewhere(source.text, name, read)
    {
        let message = format!("`{shown}` is almost the placeholder `{{{near}}}`");
        let help = format!("write `{{{near}}}`, or list `{name}` under the template's `literal:` if the text is meant");
        return Some(
            Issue::new(Code::NearMiss, unknown.range.clone(), message).help(help).fix(unknown.root.clone(), near),
        );
    }
    composed(words, name).map(|meant| {
        let message = format!("`{shown}` stays as it is, but looks like `{meant}`");
        let help = format!("write `{meant}`, or list `{name}` under the template's `literal:` if the text is meant");
        Issue::new(Code::UnknownForm, unknown.range.clone(), message).help(help)
    })
}

/// `{Field}` where `field` is bound by a tag or by `with`, or is a field of the item: a form of a name that has none. It
/// is a near miss, too, where only the case of the first letter differs; then it is an error, but with this help.
fn cased_form(
    words: &Vocabulary,
    bound: &BTreeSet<String>,
    name: &str,
    shown: &str,
    unknown: &Unknown,
) -> Option<Issue> {
    let (of, filter) = form_without_meaning(words, bound, name)?;
    let help =
        format!("write `{{{of}|{filter}}}`, or list `{name}` under the template's `literal:` if the text is meant");
    if bound.contains(&of) && name.len() >= 5 && strsim::damerau_levenshtein(&of, name) == 1 {
        let message =
            format!("`{shown}` is almost `{{{of}}}`, which has no forms: only loop variables of the rule have");
        return Some(Issue::new(Code::NearMiss, unknown.range.clone(), message).help(help));
    }
    let message = format!("`{shown}` stays as it is: only loop variables have forms, and `{of}` is none");
    Some(Issue::new(Code::UnknownForm, unknown.range.clone(), message).help(help))
}

/// `{entity_name}`, `{EntityName}`, `{entityId}`: a loop variable and a field in one word; or a word that differs from
/// one of the vocabulary in case only. Returns what was meant.
fn composed(words: &Vocabulary, name: &str) -> Option<String> {
    let flat = |text: &str| text.to_lowercase().replace('_', "");
    let wanted = flat(name);
    if let Some((word, _)) = words.words().find(|(word, _)| flat(word) == wanted) {
        return Some(format!("{{{word}}}"));
    }
    let variables = words.words().filter(|(_, kind)| is_loop(kind)).map(|(word, _)| word);
    for variable in variables {
        let Some(rest) = wanted.strip_prefix(&flat(variable)).filter(|rest| !rest.is_empty()) else { continue };
        if rest == "name" && name.starts_with(char::is_uppercase) {
            return Some(format!("{{{}}}", Form::Pascal.spelling(variable)));
        }
        if let Some(field) = words.fields().find(|field| flat(field) == rest) {
            return Some(format!("{{{variable}.{field}}}"));
        }
        if rest == "name" {
            return Some(format!("{{{variable}}}"));
        }
    }
    None
}

/// `{% elsif %}`, `{% foreach %}`: no statement of Jinja. In a template that speaks Jinja every unknown one is a slip,
/// elsewhere only what is nearly a keyword.
fn unknown_statement(text: &str, read: &Scan, word: &std::ops::Range<usize>, speaks: bool) -> Option<Issue> {
    let name = &text[word.clone()];
    let meant = tags::meant(name);
    if !speaks && meant.is_none() {
        return None;
    }
    // `{% end for %}`: both words.
    let is_end = name.eq_ignore_ascii_case("end");
    let near: String = text[word.end..].chars().take(if is_end { 40 } else { 0 }).collect();
    let second = near.split_once("%}").map_or("", |(rest, _)| rest.trim_end_matches([' ', '-', '+']));
    let second = if second.trim().chars().all(lexer::is_name_part) { second } else { "" };
    let issue = Issue::new(Code::TemplateSyntax, word.clone(), format!("`{{% {name}{second} %}}` is no tag"));
    let escape = "or put the text into {% raw %} ... {% endraw %} (or `syntax: placeholder`) if another tool reads it";
    let fix = meant.and_then(|meant| mends::statement(text, read, word, meant));
    if let Some((range, fix)) = fix {
        return Some(issue.help(format!("did you mean `{fix}`? {escape}")).fix(range, fix));
    }
    Some(match meant {
        Some(meant) => issue.help(format!("did you mean `{meant}`? {escape}")),
        None => issue
            .help(format!("the tags are if, for, set, with, macro, include, extends, block, filter, raw; {escape}")),
    })
}

/// A block that is never closed, at its opening tag; or a closing tag that closes nothing, or the wrong block.
fn unclosed_block(text: &str, read: &Scan) -> Option<Issue> {
    let mut open: Vec<(&str, &Tag)> = Vec::new();
    for tag in read.tags().filter(|tag| tag.kind == TagKind::Block) {
        let Some(word) = tags::keyword(&text[tag.body.clone()]) else { continue };
        match word {
            "for" | "if" | "with" | "block" | "macro" | "call" | "filter" | "autoescape" => open.push((word, tag)),
            "set" if tags::captures_text(text, &tag.tokens) => open.push((word, tag)),
            _ if word.starts_with("end") && word != "endraw" => {
                match open.last() {
                    None => {
                        let message = format!("`{{% {word} %}}` closes nothing");
                        return Some(Issue::new(Code::TemplateSyntax, tag.range.clone(), message).help("remove it"));
                    }
                    Some((opened, _)) if word[3..] != **opened => {
                        let message =
                            format!("`{{% {word} %}}` stands here, but the `{opened}` before it is still open");
                        let help = format!("add `{{% end{opened} %}}` before it");
                        return Some(Issue::new(Code::TemplateSyntax, tag.range.clone(), message).help(help));
                    }
                    Some(_) => {}
                }
                open.pop();
            }
            _ => {}
        }
    }
    let (word, tag) = open.pop()?;
    let message = format!("this `{word}` is never closed");
    Some(
        Issue::new(Code::TemplateSyntax, tag.range.clone(), message)
            .help(format!("add `{{% end{word} %}}` after its last line")),
    )
}

fn is_loop(word: &Word) -> bool {
    matches!(word, Word::Value(Origin::Loop(_), Change::None))
}

fn bare_field_help(words: &Vocabulary, name: &str) -> String {
    let variable = words.words().find_map(|(word, kind)| is_loop(kind).then_some(word)).unwrap_or("entity");
    format!(
        "write `{{{variable}.{name}}}` for the field, or list `{name}` under the template's `literal:` to keep the text"
    )
}

/// Whether the word stands in the text outside of `{word}` shapes: then it is a name of the target language.
fn stands_elsewhere(text: &str, word: &str, read: &Scan) -> bool {
    stands_outside(text, word, &|at| read.unknown.iter().any(|unknown| unknown.root.start == at))
}

fn stands_outside(text: &str, word: &str, inside: &dyn Fn(usize) -> bool) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), word).any(|at| {
        let before = text[..at].chars().next_back().is_some_and(lexer::is_name_part);
        let after = text[at + word.len()..].chars().next().is_some_and(lexer::is_name_part);
        !before && !after && !inside(at)
    })
}

/// The name of which `word` would be a form, if that name had forms, and the filter that makes it.
fn form_without_meaning(words: &Vocabulary, bound: &BTreeSet<String>, word: &str) -> Option<(String, &'static str)> {
    let plain = words.words().filter(|(_, kind)| matches!(kind, Word::Value(Origin::With(_), _) | Word::Bound));
    let names = plain.map(|(name, _)| name).chain(bound.iter().map(String::as_str));
    let filters = [(Form::Pascal, "pascal"), (Form::Screaming, "screaming_snake"), (Form::Plural, "plural")];
    let form_of = |name: &str| filters.iter().find(|(form, _)| name != word && form.spelling(name) == word);
    let mut names = names;
    let named = names.find_map(|name| Some((name.to_owned(), form_of(name)?.1)));
    // A field of the item: `{Title}` where `{entity.title|pascal}` is meant. Plurals of fields are too common as words.
    named.or_else(|| {
        let variable = words.words().find_map(|(word, kind)| is_loop(kind).then_some(word))?;
        let field = words.fields().find(|field| form_of(field).is_some_and(|(form, _)| *form != Form::Plural))?;
        Some((format!("{variable}.{field}"), form_of(field)?.1))
    })
}

/// A path holds no braces besides placeholders and tags.
fn stray_braces(source: &Source<'_>, words: &Vocabulary, read: &Scan) -> Vec<Issue> {
    let mut issues = Vec::new();
    for piece in &read.pieces {
        let Piece::Text(range) = piece else { continue };
        let text = &source.text[range.clone()];
        let reported = |at: usize| read.unknown.iter().any(|unknown| unknown.range.contains(&at));
        if let Some(found) = text.find(['{', '}']).filter(|found| !reported(range.start + found)) {
            let at = range.start + found;
            let end = source.text[at..].find('}').map_or(at + 1, |close| at + close + 1);
            let message = format!("`{}` is left in the path", &source.text[at..end]);
            let help = "a placeholder is a brace, a name, a brace, without blanks: `{entity}`";
            let issue = Issue::new(Code::UnknownPlaceholder, at..end, message).help(help);
            issues.push(mends::placeholder(issue, source.text, |name| words.words().any(|(word, _)| word == name)));
        }
    }
    issues
}

fn unknown_names(source: &Source<'_>, words: &Vocabulary, bound: &BTreeSet<String>, tag: &Tag) -> Vec<Issue> {
    let mut issues = Vec::new();
    for name in tags::read_names(source.text, tag) {
        let word = &source.text[name.range.clone()];
        let exists = bound.contains(word)
            || knows(source, words, word)
            || if name.called { FUNCTIONS.contains(&word) } else { false };
        if exists {
            continue;
        }
        if let Some((range, filter)) = dashes::filter(source.text, &name.range) {
            let message = format!("there is no filter `{}`", &source.text[range.clone()]);
            let help = format!("did you mean `{filter}`?");
            issues.push(Issue::new(Code::UnknownFilter, range.clone(), message).help(help).fix(range, filter));
            continue;
        }
        let issue = Issue::new(
            if name.called { Code::UnknownFilter } else { Code::UnknownName },
            name.range.clone(),
            if name.called {
                format!("there is no function `{word}`")
            } else {
                format!("the name `{word}` does not exist here")
            },
        );
        issues.push(suggest(source, words, bound, word, issue, &name));
    }
    issues
}

fn suggest(
    source: &Source<'_>,
    words: &Vocabulary,
    bound: &BTreeSet<String>,
    word: &str,
    issue: Issue,
    name: &lexer::NameUse,
) -> Issue {
    if let Some(hint) = words.hint(word) {
        return issue.help(format!("did you mean `{hint}`?")).fix(name.range.clone(), hint);
    }
    // A condition or a loop has no braces that could belong to another tool.
    let escape = if source.text.contains(['{', '}']) {
        "; or put the text into {% raw %} ... {% endraw %} if another tool reads these braces"
    } else {
        ""
    };
    if let Some(help) = words.far(word) {
        return issue.help(format!("{help}{escape}"));
    }
    if let Some(key) = dashes::key(source.text, &name.range) {
        let message = "a key with a dash is read in brackets: `-` means minus";
        return issue.help(format!("{message}; write {key}"));
    }
    if name.called {
        let issue = issue.help(format!("the functions are {}", list(FUNCTIONS.into_iter())));
        return mends::call(issue, source.text);
    }
    let names = words.jinja_names().chain(source.also_bound.iter().map(String::as_str));
    let names: Vec<&str> =
        names.chain(bound.iter().map(String::as_str).filter(|own| !looped_here(source, own, name))).collect();
    if let Some(near) = nearest(word, names.iter().copied()) {
        return issue.help(format!("did you mean `{near}`?")).fix(name.range.clone(), near);
    }
    issue.help(format!("the names here are {}{escape}", list(names.into_iter())))
}

/// At most twelve names, for messages.
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(12);
    names.truncate(12);
    let shown = names.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// `entity == 'users'` with a mapping item is always false: an error.
fn comparisons(text: &str, words: &Vocabulary, bound: &BTreeSet<String>, tag: &Tag) -> Vec<Issue> {
    compared_mappings(text, &tag.tokens, words)
        .into_iter()
        .filter(|(_, name)| !bound.contains(name))
        .map(|(range, name)| {
            let message = format!("`{name}` is a mapping; comparing it with text is always false");
            let help = format!("compare a field, for example `{name}.name`");
            Issue::new(Code::TemplateFailed, range.clone(), message).help(help).fix(range, format!("{name}.name"))
        })
        .collect()
}

/// The loop variables that hold mappings and are compared with a text in these tokens.
pub(super) fn compared_mappings(
    text: &str,
    tokens: &[lexer::Token],
    words: &Vocabulary,
) -> Vec<(std::ops::Range<usize>, String)> {
    let word = |index: usize| tokens.get(index).map_or("", |token| &text[token.range.clone()]);
    let is_text = |index: usize| tokens.get(index).is_some_and(|token| token.kind == TokenKind::Text);
    let compares = |word: &str| matches!(word, "==" | "!=" | "<" | ">" | "<=" | ">=");
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let name = &text[token.range.clone()];
        if token.kind != TokenKind::Name
            || !words.is_mapping(name)
            || (index > 0 && matches!(word(index - 1), "." | "|"))
        {
            continue;
        }
        let after = (compares(word(index + 1)) && is_text(index + 2))
            || (word(index + 1) == "in" && (word(index + 2) == "[" || is_text(index + 2)))
            || (word(index + 1) == "not" && word(index + 2) == "in");
        let before =
            index >= 2 && compares(word(index - 1)) && is_text(index - 2) && !matches!(word(index + 1), "." | "[");
        if after || before {
            found.push((token.range.clone(), name.to_owned()));
        }
    }
    found
}

/// In a template that passes untouched, `{{ enttiy }}` is still a slip.
fn tag_near_misses(source: &Source<'_>, words: &Vocabulary, read: &Scan) -> Vec<Issue> {
    if source.syntax != Syntax::Auto {
        return Vec::new();
    }
    let mut issues = Vec::new();
    for range in &read.passed {
        let inner = range.start + 2..range.end.saturating_sub(2).max(range.start + 2);
        let Ok(tokens) = lexer::lex(source.text, inner) else { continue };
        for name in lexer::roots(source.text, &tokens) {
            let word = &source.text[name.range.clone()];
            let close = |candidate: &&str| strsim::damerau_levenshtein(candidate, word) == 1;
            let once = memchr::memmem::find_iter(source.text.as_bytes(), word).count() == 1;
            if word.len() >= 5
                && once
                && let Some(near) = words.jinja_names().find(close)
            {
                let message = format!("`{word}` is almost the name `{near}`");
                let help = format!(
                    "write `{near}`, or give the template `syntax: placeholder` if another tool reads `{{{{ }}}}`"
                );
                issues.push(Issue::new(Code::NearMiss, name.range.clone(), message).help(help).fix(name.range, near));
            }
        }
    }
    issues
}

/// Unknown names and comparisons of one expression.
pub(super) fn names_of_expression(source: &Source<'_>, words: &Vocabulary, tag: &Tag) -> Vec<Issue> {
    let bound = BTreeSet::new();
    let mut issues = unknown_names(source, words, &bound, tag);
    issues.extend(comparisons(source.text, words, &bound, tag));
    issues
}

/// Whether the tag that reads `name` is the loop that binds `own`: `{% for tag in tags %}` does not mean `tag in tag`.
fn looped_here(source: &Source<'_>, own: &str, name: &lexer::NameUse) -> bool {
    let line = source.text[..name.range.start].rfind('\n').map_or(0, |newline| newline + 1);
    source.text[line..name.range.start].contains(&format!("for {own} in"))
}
