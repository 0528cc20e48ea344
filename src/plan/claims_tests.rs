use super::*;

fn path(text: &str) -> OutputPath {
    OutputPath::parse(text).unwrap()
}

fn reserved(team: &str, id: &str, holder: Holder, paths: &[&str]) -> Held {
    let paths = paths.iter().map(|text| (path(text).key(), path(text))).collect();
    Held { place: format!(".megax/lock/{team}/{id}.claim"), team: team.into(), mega_file: id.into(), holder, paths }
}

/// A claim of a mega-file of the same name as its team.
fn claim(team: &str, text: &str) -> Claim {
    let origin = Some(Span::new(crate::span::FileId(0), 0, 1));
    let (path, team, mega_file) = (path(text), team.to_owned(), format!("m-{team}"));
    let who = format!("team {team}, mega-file `{mega_file}`");
    Claim { path, origin, team, mega_file, who, selected: true, item: None, detached: false, reserved: false }
}

/// The code and the held teams of every finding, sorted.
fn judged(claims: &[Claim], shards: &[ShardClaims], held: &[Held]) -> Vec<String> {
    let model = Model { manifest: None, mega_files: Vec::new() };
    let plan = Plan { neighbours: claims.to_vec(), ..Plan::default() };
    let found = check(&model, &plan, shards, &Reservations::new(held.to_vec()));
    let mut found: Vec<String> =
        found.iter().map(|finding| format!("{} {}", finding.code, finding.teams.join(" "))).collect();
    found.sort();
    found
}

#[test]
fn the_newcomer_is_held_and_the_owner_is_not() {
    let of_alpha = |paths: &[&str]| vec![reserved("alpha", "m-alpha", Holder::Readable, paths)];
    for (one, other, both) in
        [("src/x", "src/x", "MX502"), ("src/x", "src/X", "MX503"), ("src/x", "src/x/y", "MX504"), ("a/b", "a", "MX504")]
    {
        let claims = [claim("alpha", one), claim("beta", other)];
        let swapped = [claims[1].clone(), claims[0].clone()];
        let expected = judged(&claims, &[], &[]);
        assert!(expected[0].starts_with(both) && expected[0].contains("alpha") && expected[0].contains("beta"));
        for claims in [&claims, &swapped] {
            assert_eq!(judged(claims, &[], &of_alpha(&[one])), ["MX512 beta"], "{one} {other}");
            assert_eq!(judged(claims, &[], &of_alpha(&["src/z"])), expected, "of another path");
            let of_both = [of_alpha(&[one]), vec![reserved("beta", "m-beta", Holder::Readable, &[other])]].concat();
            assert_eq!(judged(claims, &[], &of_both), expected, "both have it");
        }
    }
    let mut owner = claim("alpha", "src/x");
    let mut newcomer = claim("beta", "src/x");
    newcomer.selected = false;
    assert!(judged(&[owner.clone(), newcomer.clone()], &[], &of_alpha(&["src/x"])).is_empty(), "nobody's fault here");
    (owner.selected, newcomer.selected) = (false, true);
    assert_eq!(judged(&[owner, newcomer], &[], &of_alpha(&["src/x"])), ["MX512 beta"]);
}

#[test]
fn every_newcomer_is_told_and_they_collide_with_one_another() {
    let claims = [claim("beta", "src/x"), claim("alpha", "src/x"), claim("gamma", "src/x"), claim("delta", "src/x/y")];
    let held = [reserved("gamma", "m-gamma", Holder::Readable, &["src/x"])];
    let found = judged(&claims, &[], &held);
    assert_eq!(found.iter().filter(|one| one.starts_with("MX512")).count(), 3, "{found:?}");
    assert!(found.iter().all(|one| !one.contains("gamma")), "{found:?}");
}

#[test]
fn two_that_have_reserved_collide_whoever_else_is_there() {
    // The file that comes first at the place is not reserved, and not part of the run.
    let mut stranger = claim("beta", "a");
    stranger.selected = false;
    let claims = [stranger, claim("gamma", "a"), claim("alpha", "a/b")];
    let held = [
        reserved("alpha", "m-alpha", Holder::Readable, &["a/b"]),
        reserved("gamma", "m-gamma", Holder::Readable, &["a"]),
    ];
    let found = judged(&claims, &[], &held);
    assert!(
        found.iter().any(|one| one.starts_with("MX504") && one.contains("alpha") && one.contains("gamma")),
        "{found:?}"
    );
}

#[test]
fn what_nobody_can_be_asked_about_is_kept_from_others_only() {
    for holder in [Holder::Gone, Holder::Unreadable] {
        let held = [reserved("alpha", "gone", holder, &["src/x"])];
        for at in ["src/x", "SRC/X", "src/x/y", "src"] {
            assert_eq!(judged(&[claim("beta", at)], &[], &held), ["MX512 beta"], "{at}");
            assert!(judged(&[claim("alpha", at)], &[], &held).is_empty(), "{at}: its own team");
        }
    }
    for holder in [Holder::Moved("gamma".into()), Holder::UnknownTeam, Holder::Readable] {
        let held = [reserved("alpha", "gone", holder, &["src/x"])];
        assert!(judged(&[claim("beta", "src/x")], &[], &held).is_empty());
    }
}

#[test]
fn what_a_broken_mega_file_does_not_plan_any_more_is_still_kept() {
    let model = Model { manifest: None, mega_files: Vec::new() };
    let held = [reserved("alpha", "m-alpha", Holder::Readable, &["src/x", "src/y"])];
    let claims = vec![claim("alpha", "src/y"), claim("beta", "src/x"), claim("beta", "src/y")];
    let mut plan = Plan { neighbours: claims, ..Plan::default() };
    let judge = |plan: &Plan| {
        let found = check(&model, plan, &[], &Reservations::new(held.to_vec()));
        found.iter().map(|finding| (finding.code, finding.teams.join(" "))).collect::<Vec<_>>()
    };
    assert_eq!(judge(&plan).len(), 1, "only what it plans");
    plan.broken.insert(("alpha".to_owned(), "m-alpha".to_owned()));
    assert_eq!(judge(&plan), [(Code::ReservedPath, "beta".to_owned()), (Code::ReservedPath, "beta".to_owned())]);
}

#[test]
fn a_record_of_what_was_written_gives_way_to_no_reservation() {
    let held = [reserved("alpha", "m-alpha", Holder::Readable, &["src/x"])];
    let shard =
        |detached| ShardClaims { team: "beta".into(), mega_file: "b".into(), paths: vec![path("src/x")], detached };
    let claims = [claim("alpha", "src/x")];
    assert_eq!(judged(&claims, &[shard(false)], &held), judged(&claims, &[shard(false)], &[]));
    assert_eq!(judged(&claims, &[shard(true)], &held), ["MX502 alpha"], "who detached did so first");
}

proptest::proptest! {
    /// The judgement does not depend on the order of anything, no owner of a lone reservation is ever blamed for it, and a
    /// reservation never makes a collision go away.
    #[test]
    fn any_order_gives_the_same_judgement(
        seeds in proptest::collection::vec((0..3_usize, 0..5_usize, proptest::bool::ANY), 1..6),
        turn in 0..6_usize,
    ) {
        let (teams, places) = (["alpha", "beta", "gamma"], ["a", "A", "a/b", "a/B/c", "d"]);
        let mut claims = Vec::new();
        let mut held: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (team, place, has) in seeds {
            // One mega-file plans a place once.
            if seen.insert((team, path(places[place]).key())) {
                claims.push(claim(teams[team], places[place]));
                if has {
                    held.entry(teams[team]).or_default().push(places[place]);
                }
            }
        }
        let mut held: Vec<Held> = held
            .iter()
            .map(|(team, paths)| reserved(team, &format!("m-{team}"), Holder::Readable, paths))
            .collect();
        let (with, without) = (judged(&claims, &[], &held), judged(&claims, &[], &[]));
        proptest::prop_assert_eq!(with.is_empty(), without.is_empty());
        let middle = turn % claims.len();
        claims.rotate_left(middle);
        held.reverse();
        proptest::prop_assert_eq!(judged(&claims, &[], &held), with);
    }
}
