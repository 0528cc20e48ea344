use super::*;
use crate::span::FileId;

#[test]
fn sums_keep_estimates_apart_and_say_when_they_do_not_know() {
    let measure = |measured, estimate: Option<(u64, u64)>| Measure {
        measured,
        estimate: estimate.map(|(min, max)| bounded(min, max)),
        ..Measure::default()
    };
    let (a, b) = (measure(Some(3), None), measure(None, Some((10, 20))));
    let total = sum([(&a, true), (&b, false), (&b, false)].into_iter());
    assert_eq!((total.measured, total.estimate), (Some(3), Some(Range { min: 20, max: Some(40) })));
    assert_eq!(sum([(&a, true), (&b, true)].into_iter()).measured, None, "a valid one that is unknown");
    assert_eq!(sum([(&b, false)].into_iter()).measured, None, "none is valid");
    assert_eq!(sum(std::iter::empty()).measured, Some(0));
    let open = measure(None, Some((10, u64::MAX)));
    assert_eq!(sum([(&open, false), (&b, false)].into_iter()).estimate, Some(Range { min: 20, max: None }));
}

#[test]
fn declared_amounts_of_both_dialects_are_read() {
    let tree = |text: &str| crate::source::yaml::parse(FileId(0), text, &crate::limit::Limits::default()).unwrap();
    for (text, files, lines) in [
        ("expansion: { targetFiles: 16, totalLines: 900 }", Some((16, Some(16))), Some((900, Some(900)))),
        ("expansion: { targetFiles: [a, b], totalLines: { min: 5 } }", Some((2, Some(2))), Some((5, None))),
        (
            "metadata: { estimated_files: 45, estimated_loc: 3_000-4000 }",
            Some((45, Some(45))),
            Some((3000, Some(4000))),
        ),
        ("metadata: { estimated_files: many, estimated_loc: -1 }", None, None),
        ("a: 1", None, None),
    ] {
        let tree = tree(text);
        let pair = |range: Option<Range>| range.map(|range| (range.min, range.max));
        assert_eq!((pair(declared_files(&tree)), pair(declared_lines(&tree))), (files, lines), "{text}");
    }
}
