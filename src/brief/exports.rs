//! The names that a text offers to other files, read off its lines: what another team may build on before the file exists.
//!
//! A small scan, and honest about it: declarations at the beginning of a line, no macro, no re-export of all, nothing
//! behind `MOST_BYTES`. It must never guess: a language that it does not know has no names.

/// So much of a text is looked at.
const MOST_BYTES: usize = 64 << 10;
/// So many names of a text are told.
const MOST_NAMES: usize = 40;
/// A longer word is no name that anybody types.
const LONGEST_NAME: usize = 80;

/// What a family of languages says before a name that others may use.
#[derive(Clone, Copy)]
enum Family {
    Script,
    Python,
    Rust,
    Go,
    Class,
}

impl Family {
    fn of(path: &str) -> Option<Self> {
        Some(match path.rsplit_once('.')?.1 {
            "ts" | "tsx" | "mts" | "cts" | "js" | "jsx" | "mjs" | "cjs" => Self::Script,
            "py" | "pyi" => Self::Python,
            "rs" => Self::Rust,
            "go" => Self::Go,
            "java" | "cs" | "kt" => Self::Class,
            _ => return None,
        })
    }

    /// What a text that is no code begins and ends with.
    fn fences(self) -> &'static [(&'static str, &'static str)] {
        if matches!(self, Self::Python) { &[("\"\"\"", "\"\"\""), ("'''", "'''")] } else { &[("/*", "*/")] }
    }
}

/// The names that the file at `path` offers, in their order; each once.
#[must_use]
pub fn exports(path: &str, body: &[u8]) -> Vec<String> {
    let Some(family) = Family::of(path) else { return Vec::new() };
    let text = String::from_utf8_lossy(body.get(..MOST_BYTES).unwrap_or(body));
    let mut names: Vec<String> = Vec::new();
    let mut inside: Option<&str> = None;
    // `export {` with its names on the lines that follow.
    let mut listing = false;
    for line in text.lines() {
        if let Some(end) = inside {
            inside = Some(end).filter(|end| !line.contains(end));
            continue;
        }
        let found = match family {
            Family::Script => script(line, &mut listing),
            Family::Python => python(line),
            Family::Rust => after(line.strip_prefix("pub "), &RUST_BEFORE, &RUST),
            Family::Go => go(line),
            Family::Class => after(line.trim_start().strip_prefix("public "), &CLASS_BEFORE, &CLASS),
        };
        for name in found {
            if names.len() < MOST_NAMES && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        inside = opened(line, family);
    }
    names
}

const RUST_BEFORE: [&str; 3] = ["async", "unsafe", "const"];
const RUST: [&str; 9] = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "union"];
const CLASS_BEFORE: [&str; 10] =
    ["abstract", "final", "sealed", "static", "partial", "readonly", "data", "open", "non-sealed", "strictfp"];
const CLASS: [&str; 6] = ["class", "interface", "enum", "record", "struct", "object"];
const SCRIPT_BEFORE: [&str; 4] = ["default", "declare", "abstract", "async"];
const SCRIPT: [&str; 9] = ["function", "class", "const", "let", "var", "interface", "type", "enum", "namespace"];

/// The end of a text that a line begins and does not end.
fn opened(line: &str, family: Family) -> Option<&'static str> {
    let (at, (begin, end)) =
        family.fences().iter().filter_map(|fence| Some((line.find(fence.0)?, *fence))).min_by_key(|(at, _)| *at)?;
    let rest = line.get(at + begin.len()..).unwrap_or_default();
    (!rest.contains(end)).then_some(end)
}

/// The name after one of the words that declare, behind words that may stand before them.
fn after<'t>(rest: Option<&'t str>, before: &[&str], declares: &[&str]) -> Vec<&'t str> {
    let Some(mut rest) = rest else { return Vec::new() };
    loop {
        let Some((word, next)) = rest.trim_start().split_once(char::is_whitespace) else { return Vec::new() };
        let name = name(next.trim_start().trim_start_matches("* "));
        let follows = next.trim_start();
        // `const` may declare, or stand before `fn`.
        let declaration_follows = declares.iter().any(|one| starts_with_word(follows, one));
        let stands_before = before.contains(&word) && (declaration_follows || !declares.contains(&word));
        if stands_before {
            rest = next;
        } else if declares.contains(&word.trim_end_matches('*')) {
            return name.into_iter().collect();
        } else {
            return Vec::new();
        }
    }
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

/// The name that a text begins with.
fn name(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let name = text.get(..end)?;
    let is_name = name.starts_with(|c: char| is_part(c) && !c.is_numeric()) && name.len() <= LONGEST_NAME;
    is_name.then_some(name)
}

fn script<'t>(line: &'t str, listing: &mut bool) -> Vec<&'t str> {
    let list = if *listing {
        line
    } else if let Some(rest) = line.strip_prefix("export ") {
        let rest = rest.trim_start();
        let list = rest.strip_prefix("type ").map_or(rest, str::trim_start).strip_prefix('{');
        let Some(list) = list else {
            return after(Some(rest.strip_prefix("const enum").map_or(rest, |_| &rest[6..])), &SCRIPT_BEFORE, &SCRIPT);
        };
        list
    } else {
        return Vec::new();
    };
    *listing = !list.contains('}');
    let entries = list.split('}').next().unwrap_or_default().split(',');
    // Of `a as b` others see `b`.
    let seen = entries.filter_map(|entry| name(entry.rsplit(" as ").next().unwrap_or(entry).trim()));
    seen.filter(|name| *name != "default").collect()
}

fn python(line: &str) -> Vec<&str> {
    let declared = line.strip_prefix("async ").unwrap_or(line);
    let rest = declared.strip_prefix("def ").or_else(|| line.strip_prefix("class "));
    rest.and_then(|rest| name(rest.trim_start())).into_iter().filter(|name| !name.starts_with('_')).collect()
}

fn go(line: &str) -> Vec<&str> {
    let words = ["func ", "type ", "var ", "const "];
    let rest = words.iter().find_map(|word| line.strip_prefix(word));
    let name = rest.and_then(|rest| name(rest.trim_start()));
    name.into_iter().filter(|name| name.starts_with(char::is_uppercase)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> String {
        exports(path, text.as_bytes()).join(" ")
    }

    #[test]
    fn scripts_offer_what_they_export() {
        let text = "import { X } from './x';\n/** Somebody.\nexport class InComment {}\n */\nexport interface User {\n  \
                    id: string;\n}\nexport const exampleUser: User = {};\nexport default class Order<T> {}\n\
                    export async function load() {}\nexport function* steps() {}\nexport const enum Kind { A }\n\
                    export declare type Id = string;\nexport * from './all';\nexport { a, b as c, d as default };\n\
                    export type { Later } from './later';\nexport {\n  first,\n  second as third,\n};\nconst hidden = 1;\n\
                    export abstract class Base {}\nexport default 1;\n";
        assert_eq!(names("src/user.ts", text), "User exampleUser Order load steps Kind Id a c Later first third Base");
    }

    #[test]
    fn other_languages_offer_what_their_words_make_public() {
        let python = "class User:\n    def method(self): ...\ndef load(): ...\nasync def later(): ...\ndef _own(): ...\n\
                      \"\"\"\ndef in_text(): ...\n\"\"\"\nclass_ = 1\n";
        assert_eq!(names("a.py", python), "User load later");
        let rust = "pub struct User { pub id: u8 }\npub(crate) fn own() {}\npub const fn size() -> u8 { 1 }\n\
                    pub const MOST: u8 = 1;\n    pub fn method() {}\npub async unsafe fn run() {}\nfn private() {}\n";
        assert_eq!(names("a.rs", rust), "User size MOST run");
        let go =
            "type User struct {\nfunc NewUser() User {\nfunc (u User) Name() string {\nfunc own() {\nconst Most = 1\n";
        assert_eq!(names("a.go", go), "User NewUser Most");
        let java =
            "public final class User {\n  public String name;\n}\nclass Own {}\npublic record Id(String of) {}\n";
        assert_eq!(names("a.java", java), "User Id");
        assert_eq!(names("A.cs", "namespace N {\n    public sealed partial class User {\n"), "User");
    }

    #[test]
    fn what_is_not_known_or_is_no_name_is_passed_over() {
        assert_eq!(names("a.sql", "create table users ();\n"), "");
        assert_eq!(names("a", "export const x = 1;\n"), "");
        for text in ["export const { a } = b;", "export const", "export ", "export const 1a = 2;", "pub ", "/*"] {
            assert_eq!(names("a.ts", text), "", "{text}");
            assert_eq!(names("a.rs", text), "", "{text}");
        }
        let long = format!("export const {} = 1;\n", "x".repeat(200));
        assert_eq!(names("a.ts", &long), "");
        let many: String = (0..100).map(|n| format!("export const n{n} = 1;\n")).collect();
        assert_eq!(exports("a.ts", many.as_bytes()).len(), MOST_NAMES);
        assert!(exports("a.ts", &vec![b'x'; 200_000]).is_empty());
        let later = format!("//{}\nexport const late = 1;\n", "x".repeat(MOST_BYTES));
        assert_eq!(names("a.ts", &later), "", "nothing behind the limit is read");
    }
}
