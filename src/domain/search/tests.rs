//! Names as makerspaces have them, what people type for them, and properties for any text.

use super::*;
use proptest::prelude::*;

const NAMES: &[&str] = &[
    "O'Brien lathe",
    "Laser \"Gerald\"",
    "X–Y plotter",
    "Fire :fire: kiln",
    "CNC router",
    "Spindle 1.5 kW",
    "3D Printer",
    "Plasma 3-in-1",
    "Band saw",
    "Tablesaw",
    "Säge",
    "Jigsaw",
    "Planer",
    "Strömungsgrill",
];

fn search<'a>(names: &[&'a str], typed: &str) -> Ranked<&'a str> {
    let keys: Vec<SearchKey> = names.iter().map(|name| SearchKey::new(name)).collect();
    rank(&SearchQuery::new(typed), names.iter().copied().zip(keys.iter().map(|key| [key])), usize::MAX)
}

fn found<'a>(names: &[&'a str], typed: &str) -> Vec<&'a str> {
    let ranked = search(names, typed);
    if ranked.are_nearest() { Vec::new() } else { ranked.into_items() }
}

#[test]
fn names_are_found_however_they_are_typed() {
    for (typed, expected) in [
        ("O’Bri", "O'Brien lathe"),
        ("obrien", "O'Brien lathe"),
        ("laser “ger", "Laser \"Gerald\""),
        ("x-y", "X–Y plotter"),
        ("XY", "X–Y plotter"),
        ("fire :fire:", "Fire :fire: kiln"),
        (":fire:", "Fire :fire: kiln"),
        ("router cnc", "CNC router"),
        ("1.5kw", "Spindle 1.5 kW"),
        ("3d-printer", "3D Printer"),
        ("3 d printer", "3D Printer"),
        ("plasma 3 in 1", "Plasma 3-in-1"),
        ("3in1", "Plasma 3-in-1"),
        ("lazer", "Laser \"Gerald\""),
        ("lazer gerlad", "Laser \"Gerald\""),
        ("bandsaw", "Band saw"),
        ("bandsw", "Band saw"),
        ("table saw", "Tablesaw"),
        ("saw table", "Tablesaw"),
        ("SAGE", "Säge"),
        ("stromungs", "Strömungsgrill"),
        ("rill", "Strömungsgrill"),
        ("ｐｌａｎｅｒ", "Planer"),
    ] {
        assert_eq!(found(NAMES, typed).first(), Some(&expected), "{typed}");
    }
}

#[test]
fn best_matches_come_first() {
    let names = ["Jigsaw", "Old saw", "Sawhorse", "S aw", "Saw", "Sawe", "Blue saw, old"];
    assert_eq!(
        found(&names, "saw"),
        ["Saw", "S aw", "Sawhorse", "Sawe", "Old saw", "Blue saw, old", "Jigsaw"]
    );
    assert_eq!(found(&names, "old saw"), ["Old saw", "Blue saw, old"]);
    assert_eq!(found(&["Blazer", "Laser", "Lazer tag"], "lazer"), ["Lazer tag", "Blazer", "Laser"]);
    assert_eq!(found(&["C--", "C++"], "c++"), ["C++", "C--"]);
    assert_eq!(found(&["Forge 1150", "Forge 1500", "Forge 150"], "forge 150"), ["Forge 150", "Forge 1500"]);
    assert_eq!(found(&["100% lathe", "Lathe"], "%"), ["100% lathe"]);
    assert_eq!(found(&["b", "a"], " \u{7} "), ["b", "a"]);
}

#[test]
fn typos_need_five_letters_and_are_no_digits() {
    assert_eq!(found(&["Laser", "Mill"], "lazer"), ["Laser"]);
    assert_eq!(found(&["Mill", "Saw"], "mikl"), Vec::<&str>::new());
    assert_eq!(found(&["Printer 3"], "printer8"), Vec::<&str>::new());
    assert_eq!(found(&["Laser"], "lazzer"), Vec::<&str>::new());
}

#[test]
fn nearest_names_are_offered_where_none_fits() {
    for (typed, expected) in [
        ("lasser kuter", &["Laser cutter"][..]),
        ("green laser cutter", &["Laser cutter"]),
        ("mikl", &["Mill", "Mill 2"]),
        ("zzzz", &[]),
        ("🔥", &[]),
        (&"x".repeat(10_000), &[]),
    ] {
        let ranked = search(&["Band saw", "Laser cutter", "Mill", "Mill 2"], typed);
        assert_eq!((ranked.are_nearest(), ranked.certain()), (!expected.is_empty(), None), "{typed}");
        assert_eq!(ranked.into_items(), expected, "{typed}");
    }
    assert_eq!(search(&["Mill"; 20], "mikl").found.len(), NEAREST_MAX);
}

#[test]
fn only_an_unambiguous_match_is_certain() {
    for (names, typed, expected) in [
        (&["Saw", "Sawhorse"][..], "SAW", Some("Saw")),
        (&["Saw", "saw"], "saw", None),
        (&["Band saw", "Bandsaw 2"], "bandsaw", Some("Band saw")),
        (&["Laser cutter", "Layer press"], "laser", Some("Laser cutter")),
        (&["Blazer", "Laser"], "lazer", None),
        (&["Old saw", "Jigsaw"], "saw", None),
        (&["Jigsaw"], "saw", Some("Jigsaw")),
        (&["Saw"], "drill", None),
    ] {
        assert_eq!(search(names, typed).certain().copied(), expected, "{typed}");
    }
    assert_eq!(search(&["Jigsaw"], "saw").exact(), None);
}

#[test]
fn words_may_be_of_several_names() {
    let (name, area) = (SearchKey::new("Band saw"), SearchKey::new("Wood shop"));
    let fit = |typed: &str| SearchQuery::new(typed).fit(&[&name, &area]);
    assert_eq!(
        (fit("saw wood"), fit("wood shop"), fit("saw metal")),
        (Some(Fit::Words), Some(Fit::Name), None)
    );
}

#[test]
fn numbers_are_read_with_and_without_sign() {
    for (typed, any, after_sign) in [
        ("17", Some(17), None),
        (" #17 ", Some(17), Some(17)),
        ("# 17", None, None),
        ("+17", None, None),
        ("#", None, None),
        ("99999999999999999999", None, None),
    ] {
        let query = SearchQuery::new(typed);
        assert_eq!((query.number(), query.number_after_sign()), (any, after_sign), "{typed}");
    }
    let begun = |typed: &str| [1, 17, 170].map(|number| SearchQuery::new(typed).begins_number(number));
    assert_eq!((begun("#17"), begun("017"), begun("x")), ([false, true, true], [false; 3], [false; 3]));
}

/// A name as people give them, or any text.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-zÄäéß0-9'’–:.# -]{1,24}", any::<String>(), "(saw|laser|:fire:|3D|🔥| ){1,6}"]
}

proptest! {
    #[test]
    fn exact_names_come_first(names in prop::collection::vec(name(), 1..8), at in any::<prop::sample::Index>()) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let wanted = names[at.index(names.len())];
        prop_assume!(!SearchQuery::new(wanted).is_empty());
        let first = search(&names, wanted).found[0];
        prop_assert_eq!((first.0, fold(first.1)), (Fit::Name, fold(wanted)));
    }

    #[test]
    fn letter_case_finds_the_same(names in prop::collection::vec("[A-Za-zäöü0-9 '-]{1,20}", 1..6), typed in "[a-zäöü0-9 '-]{1,10}") {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        prop_assert_eq!(search(&names, &typed), search(&names, &typed.to_uppercase()));
    }

    #[test]
    fn any_text_is_searched(names in prop::collection::vec(name(), 0..6), typed in any::<String>(), most in 0usize..4) {
        let keys: Vec<SearchKey> = names.iter().map(|name| SearchKey::new(name)).collect();
        let ranked = rank(&SearchQuery::new(&typed), keys.iter().map(|key| ((), [key])), most);
        prop_assert!(ranked.found.len() <= most.min(names.len()));
        prop_assert!(ranked.found.is_sorted());
    }

    #[test]
    fn parts_of_words_are_found(word in "[a-z]{3,12}", from in 0usize..3, to in 3usize..12) {
        let part = &word[from..to.min(word.len())];
        prop_assert!(!found(&[&word], part).is_empty());
    }
}
