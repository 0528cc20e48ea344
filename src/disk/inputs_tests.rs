//! The store of inputs: what is added, what is read, and what is removed.
#![expect(clippy::disallowed_methods, reason = "the tests prepare real folders and look at them by path")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::super::tests::{difference, stage};
use super::super::{Durability, Staged, prune_log};
use super::*;
use crate::change::Policy;
use crate::event::Silent;

/// Damages something below the root; the listing of the first operation.
type Damage = fn(&Path, Digest);

fn inputs_of<'a>(texts: &[(&str, &'a [u8])], made: &[(&str, &str)]) -> Inputs<'a> {
    let named = |(id, inputs): &(&str, &str)| (("t".to_owned(), (*id).to_owned()), Digest::of(inputs.as_bytes()));
    let mut inputs = Inputs::new("e", made.iter().map(named).collect());
    for (name, bytes) in texts {
        inputs.add(Role::MegaFile, name, bytes);
    }
    inputs
}

/// An operation that writes one file, and is made from these inputs; their listing.
fn operation(folder: &Path, body: &str, inputs: &Inputs<'_>) -> Result<Digest, DiskError> {
    let root = Root::open(folder).unwrap();
    let wants = [("a", body, false)];
    let staged = Staged::new(stage(&root, &wants), difference(&root, &wants, Policy::Fail)).unwrap();
    let listing = staged.store(inputs);
    staged.made_from(listing.as_ref().ok().copied()).commit(Durability::Process, &Silent).unwrap();
    listing
}

fn stored(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder.join(FOLDER)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn texts_are_stored_once_and_read_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let texts =
        [("m.yaml", &b"one"[..]), ("n.yaml", b"two"), ("same.yaml", b"one"), ("logo", b"\0"), ("latin", b"\xff")];
    let listing = operation(folder.path(), "1", &inputs_of(&texts, &[("m", "1")])).unwrap();
    assert_eq!(stored(folder.path()).len(), 3, "two texts and the listing; what is no text is only listed");
    let root = Root::open(folder.path()).unwrap();
    let listings = read_listings(&root).unwrap();
    let known = &listings[&listing];
    assert_eq!(known.texts.len(), 5);
    assert_eq!(read_log(&root).unwrap().operations[0].listing, Some(listing));
    let read: Vec<(String, Vec<u8>)> =
        read_inputs(&root, known).unwrap().into_iter().map(|((_, name), bytes)| (name, bytes)).collect();
    let expected = [("m.yaml", "one"), ("n.yaml", "two"), ("same.yaml", "one")];
    assert_eq!(read, expected.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())));
    // The same inputs again are not written again.
    let time = fs::metadata(folder.path().join(FOLDER)).unwrap().modified().unwrap();
    assert_eq!(operation(folder.path(), "2", &inputs_of(&texts, &[("m", "1")])).unwrap(), listing);
    assert_eq!(fs::metadata(folder.path().join(FOLDER)).unwrap().modified().unwrap(), time);
}

#[test]
fn what_is_over_a_limit_is_listed_only() {
    let large = vec![b'x'; MAX_BYTES + 1];
    let fitting: Vec<Vec<u8>> =
        (0..=MAX_TOTAL_BYTES / MAX_BYTES).map(|n| vec![b'a' + u8::try_from(n).unwrap(); MAX_BYTES]).collect();
    let names: Vec<String> = (0..fitting.len()).map(|n| format!("{n:02}")).collect();
    let mut texts: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(fitting.iter().map(Vec::as_slice)).collect();
    texts.insert(0, ("large", &large));
    texts.push(("again", &fitting[0]));
    let inputs = inputs_of(&texts, &[]);
    let left: Vec<&str> = inputs
        .listing
        .texts
        .iter()
        .filter(|(_, listed)| !listed.is_stored)
        .map(|((_, name), _)| name.as_str())
        .collect();
    assert_eq!(left, [names.last().unwrap().as_str(), "large"], "the same text twice counts once");
}

#[test]
fn what_is_not_named_by_its_digest_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let listing = operation(folder.path(), "1", &inputs_of(&[("m", b"one"), ("n", b"two")], &[])).unwrap();
    let at = |name: &str| folder.path().join(FOLDER).join(name);
    fs::write(at(&Digest::of(b"one").to_string()), "changed").unwrap();
    fs::remove_file(at(&Digest::of(b"two").to_string())).unwrap();
    symlink(folder.path().join("a"), at(&Digest::of(b"two").to_string())).unwrap();
    fs::write(at(&format!("{}.list", Digest::of(b"x"))), "megax-inputs 1\n").unwrap();
    let root = Root::open(folder.path()).unwrap();
    let listings = read_listings(&root).unwrap();
    assert_eq!(listings.keys().collect::<Vec<_>>(), [&listing]);
    assert!(read_inputs(&root, &listings[&listing]).unwrap().is_empty());
}

#[test]
fn a_store_that_cannot_be_written_hinders_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".megax")).unwrap();
    fs::create_dir(folder.path().join("other")).unwrap();
    symlink(folder.path().join("other"), folder.path().join(FOLDER)).unwrap();
    operation(folder.path(), "1", &inputs_of(&[("m", b"one")], &[])).unwrap_err();
    assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "1");
    let root = Root::open(folder.path()).unwrap();
    assert_eq!(read_log(&root).unwrap().operations[0].listing, None);
    assert_eq!(fs::read_dir(folder.path().join("other")).unwrap().count(), 0, "no symlink is followed");
}

#[test]
fn what_no_operation_and_no_mega_file_needs_goes() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["zero", "one", "two", "three"];
    let listings: Vec<Digest> = texts
        .iter()
        .map(|text| operation(folder.path(), text, &inputs_of(&[("m", text.as_bytes())], &[("m", text)])).unwrap())
        .collect();
    // The mega-file was last expanded whole by the second operation.
    let shard = folder.path().join(".megax/lock/t/m.lock");
    let text = fs::read_to_string(&shard).unwrap();
    fs::write(&shard, text.replace("inputs -", &format!("inputs {}", Digest::of(b"one")))).unwrap();
    fs::write(folder.path().join(FOLDER).join("note"), "mine").unwrap();
    let root = Root::open(folder.path()).unwrap();
    let project = ProjectGuard::wait(&root).unwrap();
    let before = stored(folder.path());
    assert_eq!(prune_inputs(&root, &project).unwrap(), 0, "the log names them all");
    assert_eq!(stored(folder.path()), before);
    assert_eq!(prune_log(&root, 1, &project).unwrap().operations, 3);
    let kept = |index: usize| [format!("{}.list", listings[index]), Digest::of(texts[index].as_bytes()).to_string()];
    let expected: BTreeSet<String> = kept(1).into_iter().chain(kept(3)).chain(["note".to_owned()]).collect();
    assert_eq!(stored(folder.path()), expected);
    assert_eq!(prune_inputs(&root, &project).unwrap(), 0);
}

#[test]
fn nothing_is_removed_while_it_cannot_be_told_what_is_needed() {
    let damages: [(&str, Damage); 4] = [
        (".list", |top, listing| fs::write(top.join(FOLDER).join(format!("{listing}.list")), "megax-in").unwrap()),
        (".list", |top, listing| {
            let at = top.join(FOLDER).join(format!("{listing}.list"));
            fs::remove_file(&at).and_then(|()| symlink("elsewhere", at)).unwrap();
        }),
        ("m.lock", |top, _| fs::write(top.join(".megax/lock/t/m.lock"), "<<<<<<< ours\n").unwrap()),
        ("0000000002", |top, _| fs::write(top.join(".megax/log/0000000002/entry"), "").unwrap()),
    ];
    for (named, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        let listing = operation(folder.path(), "1", &inputs_of(&[("m", b"one")], &[("m", "one")])).unwrap();
        operation(folder.path(), "2", &inputs_of(&[("m", b"two")], &[("m", "two")])).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let project = ProjectGuard::wait(&root).unwrap();
        // Of a commit that never happened.
        let left = folder.path().join(FOLDER).join(Digest::of(b"left").to_string());
        fs::write(&left, "left").unwrap();
        damage(folder.path(), listing);
        let before = stored(folder.path());
        let error = prune_inputs(&root, &project).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
        assert_eq!(stored(folder.path()), before, "{named}");
    }
}

#[test]
fn a_damaged_text_is_stored_again() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = inputs_of(&[("m", b"one"), ("n", b"two")], &[]);
    let listing = operation(folder.path(), "1", &inputs).unwrap();
    let at = |name: String| folder.path().join(FOLDER).join(name);
    fs::write(at(Digest::of(b"one").to_string()), "on").unwrap();
    fs::write(at(format!("{listing}.list")), "").unwrap();
    operation(folder.path(), "2", &inputs).unwrap();
    let root = Root::open(folder.path()).unwrap();
    let listings = read_listings(&root).unwrap();
    assert_eq!(read_inputs(&root, &listings[&listing]).unwrap().len(), 2);
    assert_eq!(fs::read_dir(folder.path().join(".megax/txn")).unwrap().count(), 0);
}

#[test]
fn a_listing_does_not_choose_how_much_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let large = vec![b'x'; MAX_BYTES];
    let names: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let mut texts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), large.as_slice())).collect();
    texts.push(("small", b"small"));
    let listing = operation(folder.path(), "1", &inputs_of(&texts, &[])).unwrap();
    let root = Root::open(folder.path()).unwrap();
    let read = read_inputs(&root, &read_listings(&root).unwrap()[&listing]).unwrap();
    let total: usize = read.values().map(Vec::len).sum();
    assert_eq!((read.len(), total), (MAX_TOTAL_BYTES / MAX_BYTES, MAX_TOTAL_BYTES));
}

#[test]
fn listings_over_the_limit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    operation(folder.path(), "1", &inputs_of(&[("m", b"one")], &[])).unwrap();
    let root = Root::open(folder.path()).unwrap();
    let at = folder.path().join(FOLDER).join(format!("{}.list", Digest::of(b"large")));
    fs::File::create(at).unwrap().set_len(MAX_LISTINGS_BYTES).unwrap();
    let error = read_listings(&root).unwrap_err();
    assert!(matches!(error, DiskError::TooLarge { limit: MAX_LISTINGS_BYTES, .. }), "{error}");
}
