//! Nouns that projects are made of, with their plurals. The inflector gives the same (a test holds every line to it), but
//! compiles a hundred regular expressions before its first word, which takes longer than all else that a small run does.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Those that take an ending, in the singular.
const REGULAR: &str = "
    account action activity actor adapter address admin agent alert api app application appointment area argument
    array article aspect asset assignment attachment attempt attribute author backup badge balance bank banner batch
    bill binding block blog board book booking bot branch brand bridge bucket budget build builder bundle button
    calendar call campaign card carrier cart case category certificate change channel chapter chart chat check
    choice city claim class client cluster code collection color column command comment commit company component
    condition config connection connector constant contact container content context contract control controller
    conversion cookie copy core counter country coupon course credential currency customer dashboard database
    dataset date day default defect delivery department dependency deployment detail device diagram dialog directory
    discount doc document domain draft driver edge editor element email employee endpoint engine entity entry enum
    environment error estimate event example exception expense export expression factory feature feed field file
    filter flag flow folder form format formula fragment friend function gate gateway goal grade graph group guest
    guide handler header history hook host hotel hour house icon id image import ingredient input inspection
    instance institution integration interface inventory invoice issue item job journey key keyword kind label
    language layer layout lead league lecture ledger lesson letter level library license limit line link list
    listener loan location lock log login loop machine macro mailbox manager map market match measure member
    membership menu merchant message method metric middleware migration milestone minute mock mode model module
    month movie name namespace network node note notification number object offer office operation operator option
    order organisation organization origin output owner package page pair panel parameter parent part participant
    partner party pass password patch path patient payload payment permission phase phone photo pipeline place plan
    platform play player plugin point policy pool port position post price priority problem process producer product
    profile program project prompt property proposal protocol provider purchase query question queue quote range
    rate rating reader reason receipt recipe record reference refund region registry relation release rental replica
    reply repo report repository request reservation resource response restaurant result review reward role room
    root route router row rule run salary sale sample scan scenario scene schedule school scope score screen script
    search season seat secret section segment sensor server service session setting shape share shift shipment shop
    signal site size skill slot snapshot song source space spec sprint stack stage standard start state step stock
    storage store story strategy stream string student style subject submission subscriber subscription suite
    summary supplier survey switch symbol system tab table tag target task tax teacher team template tenant term
    test text theme thing thread ticket tier time timer title token tool topic track trade transaction transfer
    transform translation transport trigger trip type unit update upload user utility validator value variable
    variant vehicle vendor version video view village visit visitor voucher wallet warehouse warning webhook week
    widget window word work worker workflow workspace wrapper writer year zone
";

/// The others, with their plurals.
const IRREGULAR: &[(&str, &str)] = &[
    ("child", "children"),
    ("criterion", "criteria"),
    ("index", "indices"),
    ("leaf", "leaves"),
    ("matrix", "matrices"),
    ("person", "people"),
    ("shelf", "shelves"),
];

/// The singular and the plural of a word in lower case, whichever of them it is; `None` if it is none of the nouns.
pub(super) fn find(word: &str) -> Option<(String, String)> {
    let irregular = || {
        let (one, many) = IRREGULAR.iter().find(|(one, many)| *one == word || *many == word)?;
        Some(((*one).to_owned(), (*many).to_owned()))
    };
    let is_plural_of = |one: &str| is_regular(one) && with_ending(one) == word;
    let singular = || {
        let y = word.strip_suffix("ies").map(|stem| format!("{stem}y"));
        let others = ["s", "es"].iter().filter_map(|ending| word.strip_suffix(ending).map(str::to_owned));
        let one = others.chain(y).find(|one| is_plural_of(one))?;
        Some((one, word.to_owned()))
    };
    let regular = || is_regular(word).then(|| (word.to_owned(), with_ending(word)));
    regular().or_else(singular).or_else(irregular)
}

fn is_regular(one: &str) -> bool {
    static WORDS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| REGULAR.split_whitespace().collect());
    WORDS.contains(one)
}

fn with_ending(one: &str) -> String {
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| one.ends_with(end));
    match one.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if hisses => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inflector_says_the_same_of_every_noun() {
        let of = |one: &str, many: &str| (one.to_owned(), many.to_owned());
        let regular = REGULAR.split_whitespace().map(|one| of(one, &with_ending(one)));
        let nouns: Vec<_> = regular.chain(IRREGULAR.iter().map(|(one, many)| of(one, many))).collect();
        let inflected = |word, count| pluralizer::pluralize(word, count, false);
        let differs = nouns.iter().filter(|(one, many)| {
            [inflected(one, 1), inflected(many, 1)] != [one.as_str(); 2]
                || [inflected(one, 2), inflected(many, 2)] != [many.as_str(); 2]
        });
        assert_eq!(differs.collect::<Vec<_>>(), Vec::<&(String, String)>::new());
        for noun in &nouns {
            assert_eq!((find(&noun.0).as_ref(), find(&noun.1).as_ref()), (Some(noun), Some(noun)));
        }
        for word in ["usersx", "userses", "entitys", "companie", "é", "", "s", "ies"] {
            assert_eq!(find(word), None, "{word}");
        }
    }
}
