//! Search by name: how typed text and names are folded, how well one fits the other, and which names are nearest
//! where none fits. Used by every list that people search, in Slack and on the web. Keeps no records.
//!
//! Case, accents, punctuation, `:emoji:`, the order of words and the spaces within them do not matter, and a word
//! of five letters may have one typo.

mod typo;
mod words;

use crate::domain::text::fold;
use std::cmp::Reverse;
use typo::{LikeWord, begins_with_one_typo};
use words::words;

/// Least letters of a word that may have a typo.
const TYPO_LETTERS: usize = 5;
/// Most names that are offered where none fits.
pub const NEAREST_MAX: usize = 5;
/// Least likeness of a name that is offered where none fits, in percent.
const NEAR: usize = 50;
/// Most words of a query that are compared with names that do not fit.
const NEAR_WORDS: usize = 8;

/// A name, folded once for many searches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchKey {
    /// Without case and accents, else as it is written.
    folded: Box<str>,
    /// Letters and digits of all words in a row.
    joined: Box<str>,
    /// Where the words begin in `joined`, in bytes.
    starts: Box<[usize]>,
}

/// What somebody typed into a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    folded: String,
    joined: String,
    words: Vec<String>,
    number: Option<TypedNumber>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TypedNumber {
    digits: String,
    has_sign: bool,
}

/// How well a name fits, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is the whole name; case and accents ignored.
    Name,
    /// It has the letters and digits of the whole name.
    Letters,
    /// The name begins with it.
    Beginning,
    /// A word within the name begins with it.
    Within,
    /// Each of its words begins a word of the name, in any order.
    Words,
    /// The name holds it as it is typed.
    Written,
    /// Each of its words is somewhere in the name.
    Inside,
    /// The same with typos.
    Typo,
    /// It does not fit, but nothing else is nearer.
    Near,
}

/// What a search found, the best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked<T> {
    /// How well each fits; those that fit alike are in the order in which they were given.
    pub found: Vec<(Fit, T)>,
}

impl<T> Ranked<T> {
    /// True when nothing fits, and what was found are the nearest names.
    pub fn are_nearest(&self) -> bool {
        self.found.first().is_some_and(|(fit, _)| *fit == Fit::Near)
    }

    /// What was found, without how well it fits.
    pub fn into_items(self) -> Vec<T> {
        self.found.into_iter().map(|(_, item)| item).collect()
    }

    /// The one item that the text names for certain: the only one of that name, else the only one of those letters.
    pub fn exact(&self) -> Option<&T> {
        let of = |fit: Fit| self.found.iter().filter(move |(it, _)| *it == fit).map(|(_, item)| item);
        let (mut names, mut letters) = (of(Fit::Name), of(Fit::Letters));
        match (names.next(), names.next()) {
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) => None,
            (None, _) => letters.next().filter(|_| letters.next().is_none()),
        }
    }

    /// The one item that needs no choice: the exact one, else the only one that fits without a typo by the beginnings
    /// of its words, else the only one that fits at all.
    pub fn certain(&self) -> Option<&T> {
        if self.are_nearest() {
            return None;
        }
        let (first, second) = (self.found.first(), self.found.get(1));
        self.exact().or_else(|| match (first, second) {
            (Some((_, only)), None) => Some(only),
            (Some((fit, only)), Some((Fit::Typo, _))) if *fit <= Fit::Words => Some(only),
            _ => None,
        })
    }
}

impl SearchKey {
    /// Folds a name.
    pub fn new(name: &str) -> Self {
        let folded = fold(name);
        let (mut joined, mut starts) = (String::new(), Vec::new());
        for word in words(&folded) {
            starts.push(joined.len());
            joined.push_str(&word);
        }
        Self {
            folded: folded.into_boxed_str(),
            joined: joined.into_boxed_str(),
            starts: starts.into_boxed_slice(),
        }
    }

    /// The name from the beginning of each word on, spaces left out.
    fn tails(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().filter_map(|start| self.joined.get(*start..))
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let ends = self.starts.iter().skip(1).copied().chain([self.joined.len()]);
        self.starts.iter().zip(ends).filter_map(|(start, end)| self.joined.get(*start..end))
    }
}

impl SearchQuery {
    /// Reads what somebody typed.
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let words = words(&folded);
        Self { joined: words.concat(), words, number: TypedNumber::parse(text), folded }
    }

    /// True when everything fits.
    pub fn is_empty(&self) -> bool {
        self.folded.is_empty()
    }

    /// The number in `17` or `#17`.
    pub fn number(&self) -> Option<i64> {
        self.number.as_ref()?.digits.parse().ok()
    }

    /// The number in `#17`.
    pub fn number_after_sign(&self) -> Option<i64> {
        self.number.as_ref().filter(|number| number.has_sign)?.digits.parse().ok()
    }

    /// True when a number begins with these digits.
    pub fn begins_number(&self, number: i64) -> bool {
        self.number.as_ref().is_some_and(|typed| number.to_string().starts_with(&typed.digits))
    }

    /// True when a database that looks for the folded text in this folded name would find it.
    pub fn is_written_in(&self, key: &SearchKey) -> bool {
        key.folded.contains(&self.folded)
    }

    /// How well something fits that goes by several names; `None` when it does not.
    pub fn fit(&self, keys: &[&SearchKey]) -> Option<Fit> {
        if self.is_empty() {
            return Some(Fit::Beginning);
        }
        if keys.iter().any(|key| *key.folded == *self.folded) {
            return Some(Fit::Name);
        }
        let is_written = || keys.iter().any(|key| self.is_written_in(key));
        if self.words.is_empty() {
            return is_written().then_some(Fit::Written);
        }
        if let Some(fit) = keys.iter().filter_map(|key| self.whole_fit(key)).min() {
            return Some(fit);
        }
        let by_words = self.words.iter().map(|word| word_fit(word, keys)).try_fold(Fit::Words, worse);
        match by_words {
            Some(Fit::Words) => by_words,
            _ if is_written() => Some(Fit::Written),
            _ => by_words.or_else(|| {
                let is_near = keys.iter().any(|key| has_typo(&self.joined, key));
                is_near.then_some(Fit::Typo)
            }),
        }
    }

    /// How well all of the text, spaces left out, fits one name.
    fn whole_fit(&self, key: &SearchKey) -> Option<Fit> {
        let joined = self.joined.as_str();
        if *key.joined == *joined {
            Some(Fit::Letters)
        } else if key.joined.starts_with(joined) {
            Some(Fit::Beginning)
        } else {
            key.tails().any(|tail| tail.starts_with(joined)).then_some(Fit::Within)
        }
    }
}

/// How much something is like these words, in percent of their letters.
fn likeness(words: &[LikeWord<'_>], keys: &[&SearchKey]) -> usize {
    let of_name = || keys.iter().flat_map(|key| key.words().chain([&*key.joined]));
    let (mut sum, mut letters) = (0, 0);
    for word in words {
        let best = match word_fit(word.text, keys) {
            Some(_) => Some(100),
            None => of_name().map(|of_name| word.similarity(of_name)).max(),
        };
        sum += best.unwrap_or(0) * word.len();
        letters += word.len();
    }
    sum.checked_div(letters).unwrap_or(0)
}

impl TypedNumber {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix('#').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| Self { digits: digits.to_owned(), has_sign: digits.len() != text.len() })
    }
}

/// The worse of two fits; nothing when either does not fit.
fn worse(fit: Fit, other: Option<Fit>) -> Option<Fit> {
    other.map(|other| fit.max(other))
}

/// How well one word fits something that goes by several names.
fn word_fit(word: &str, keys: &[&SearchKey]) -> Option<Fit> {
    let any = |is_it: &dyn Fn(&SearchKey) -> bool| keys.iter().any(|key| is_it(key));
    if any(&|key| key.tails().any(|tail| tail.starts_with(word))) {
        Some(Fit::Words)
    } else if !is_number(word) && any(&|key| key.words().any(|of_name| of_name.contains(word))) {
        Some(Fit::Inside)
    } else {
        any(&|key| has_typo(word, key)).then_some(Fit::Typo)
    }
}

/// Digits within others are another number.
fn is_number(word: &str) -> bool {
    word.chars().all(char::is_numeric)
}

fn has_typo(word: &str, key: &SearchKey) -> bool {
    word.chars().filter(|c| c.is_alphabetic()).count() >= TYPO_LETTERS
        && key.tails().any(|tail| begins_with_one_typo(tail, word))
}

/// The items that fit, the best `most` of them; where none does, the nearest few. Each item comes with its names.
pub fn rank<'k, T, K>(
    query: &SearchQuery,
    items: impl Iterator<Item = (T, K)> + Clone,
    most: usize,
) -> Ranked<T>
where
    K: AsRef<[&'k SearchKey]>,
{
    let fitting = items.clone().filter_map(|(item, keys)| Some((query.fit(keys.as_ref())?, item)));
    let mut found: Vec<(Fit, T)> = fitting.collect();
    if found.is_empty() {
        return Ranked { found: nearest(query, items, most.min(NEAREST_MAX)) };
    }
    found.sort_by_key(|(fit, _)| *fit);
    found.truncate(most);
    Ranked { found }
}

fn nearest<'k, T, K>(query: &SearchQuery, items: impl Iterator<Item = (T, K)>, most: usize) -> Vec<(Fit, T)>
where
    K: AsRef<[&'k SearchKey]>,
{
    let words: Vec<LikeWord<'_>> =
        query.words.iter().take(NEAR_WORDS).map(|word| LikeWord::new(word)).collect();
    let like = |(item, keys): (T, K)| {
        let likeness = likeness(&words, keys.as_ref());
        (likeness >= NEAR).then_some((likeness, item))
    };
    let mut like: Vec<(usize, T)> = items.filter_map(like).collect();
    like.sort_by_key(|(likeness, _)| Reverse(*likeness));
    like.into_iter().take(most).map(|(_, item)| (Fit::Near, item)).collect()
}

#[cfg(test)]
mod tests;
