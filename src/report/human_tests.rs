use super::super::sample;
use super::*;
use crate::diagnostic::Code;
use crate::span::{FileId, SourceFile, Span};
use proptest::prelude::*;

fn one_file(name: &str, text: &str) -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add(SourceFile::new(name, text));
    sources
}

fn at(start: usize, end: usize) -> Span {
    Span::new(FileId(0), start, end)
}

#[test]
fn a_collision_shows_both_places() {
    insta::assert_snapshot!("collision", diagnostic(&sample::collision(), &sample::sources(), false));
}

#[test]
fn a_schema_error_shows_the_mend() {
    insta::assert_snapshot!("schema_error", diagnostic(&sample::unknown_key(), &sample::sources(), false));
}

#[test]
fn places_of_one_file_share_a_snippet_when_near() {
    let finding = Diagnostic::new(Code::DuplicateKey, "the key `id` is there twice")
        .at(at(14, 16))
        .label("again here")
        .related(at(0, 2), "first here");
    insta::assert_snapshot!("near", diagnostic(&finding, &one_file("a.yaml", "id: x\nteam: y\nid: z\n"), false));
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("a: 1\ndata: {}NEEDLE{}\n", "å".repeat(60_000), "x".repeat(100_000));
    let start = text.find("NEEDLE").expect("it is there");
    let finding = Diagnostic::new(Code::BadValue, "a value that cannot be").at(at(start, start + 6)).label("this");
    let drawn = diagnostic(&finding, &one_file("long.yaml", &text), false);
    assert!(drawn.len() < 1_000, "{} bytes", drawn.len());
    insta::assert_snapshot!("long_line", drawn);
}

#[test]
fn hostile_characters_are_named_everywhere() {
    let text = "id: \u{1b}[2Jx\u{202e}y\r\u{9b}z\r\nteam: a\n";
    let sources = one_file("m\u{202e}f/\u{1b}]0;x\u{7}.yaml", text);
    let start = text.find('y').expect("it is there");
    let finding = Diagnostic::new(Code::BadValue, "bad \u{1b}[31mred\nerror: not one")
        .at(at(start, start + 1))
        .label("la\u{2066}bel")
        .related(None, "re\u{200b}lated")
        .help("he\u{9b}lp\nsecond line");
    let drawn = diagnostic(&finding, &sources, false);
    assert!(drawn.chars().all(|c| c == '\n' || !super::super::clean::is_hidden(c)), "{drawn:?}");
    insta::assert_snapshot!("hostile", drawn);
}

#[test]
fn a_finding_without_a_source_names_its_subject() {
    let finding = Diagnostic::new(Code::EditedFile, "`src/a.ts` was edited since megax wrote it")
        .about("src/a.ts")
        .related(None, "recorded in the lockfile of `mega-api-001`")
        .help("run with `--on-edit keep` or `--on-edit overwrite`");
    insta::assert_snapshot!("subject", diagnostic(&finding, &SourceMap::default(), false));
}

#[test]
fn a_mend_that_cannot_be_redrawn_is_told_in_words() {
    let text = format!("k: {}", "x".repeat(5_000));
    let finding = Diagnostic::new(Code::BadValue, "too long").at(at(3, 9)).fix(at(3, 5_003), "y\u{202e}");
    let drawn = diagnostic(&finding, &one_file("a.yaml", &text), false);
    assert!(drawn.contains("help: replace it by `y<U+202E>`"), "{drawn}");
    assert!(drawn.len() < 1_000);
}

#[test]
fn the_count_ends_the_list_and_an_empty_list_is_empty() {
    let mut list: Diagnostics = [sample::collision(), sample::unknown_key()].into_iter().collect();
    list.push(Diagnostic::new(Code::EmptyRule, "the rule yields no file"));
    let drawn = diagnostics(&list, &sample::sources(), false);
    assert!(drawn.ends_with("\n\n2 errors, 1 warning\n"), "{drawn}");
    assert_eq!(diagnostics(&Diagnostics::default(), &SourceMap::default(), false), "");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let styled = diagnostic(&sample::collision(), &sample::sources(), true);
    assert!(styled.contains("\u{1b}["));
    let mut bare = String::new();
    let mut parts = styled.split("\u{1b}[");
    bare.push_str(parts.next().unwrap_or(""));
    parts.for_each(|part| bare.push_str(part.split_once('m').map_or("", |(_, rest)| rest)));
    let plain = diagnostic(&sample::collision(), &sample::sources(), false);
    assert_eq!(bare.replace(' ', ""), plain.replace(' ', ""));
}

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,12}",
        2 => "[a-z: \\n\\t\\r]{0,20}",
        1 => Just("\u{202e}\u{1b}[0m\u{e000}7\u{e001}:1:2".to_owned()),
        1 => Just("漢字🦀e\u{301}".repeat(90)),
        1 => Just("\n".repeat(12)),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn any_span() -> impl Strategy<Value = Span> {
    (0..3_u32, prop_oneof![3 => 0..2_000_u32, 1 => any::<u32>()], 0..2_500_u32).prop_map(|(file, start, length)| Span {
        file: FileId(file),
        start,
        end: start.saturating_add(length),
    })
}

proptest! {
    #[test]
    fn drawing_never_panics_nor_lets_a_character_through(
        (one, two) in (any_text(), any_text()),
        spans in prop::collection::vec(any_span(), 4),
        words in prop::collection::vec(any_text(), 4),
        (own, fixed, backwards) in any::<(bool, bool, bool)>(),
    ) {
        let mut sources = one_file(&words[0], &one);
        sources.add(SourceFile::new("b.yaml", two));
        let mut finding = Diagnostic::new(Code::BadValue, &words[1]).label(&words[2]).help(&words[3]);
        if own {
            finding = finding.at(spans[0]);
        }
        finding = finding.related(spans[1], &words[2]).related(spans[2], "").related(None, &words[0]).about(&words[1]);
        if fixed {
            finding = finding.fix(spans[3], &words[0]);
        }
        if let (true, Some(span)) = (backwards, &mut finding.span) {
            std::mem::swap(&mut span.start, &mut span.end);
        }
        let drawn = diagnostic(&finding, &sources, false);
        prop_assert!(drawn.chars().all(|c| c == '\n' || !super::super::clean::is_hidden(c)), "{:?}", drawn);
        prop_assert!(diagnostic(&finding, &sources, true).len() >= drawn.len());
    }
}
