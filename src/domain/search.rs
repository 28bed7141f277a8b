//! Search by name: folds typed text and names, ranks the matches, and finds the nearest names if nothing matches.
//! Used by every list that people search, in Slack and on the web. Stores nothing.
//!
//! Case, accents, punctuation, `:emoji:`, the order of words and the spaces within them do not matter, and a word
//! of five letters may have one typo.

mod typo;
mod words;

use crate::domain::text::fold;
use std::cmp::Reverse;
use typo::{LikeWord, begins_with_one_typo};
use words::words;

/// Fewest letters of a word that may have a typo.
const TYPO_LETTERS: usize = 5;
/// Most names to offer if nothing matches.
pub const NEAREST_MAX: usize = 5;
/// Least similarity of a name to offer if nothing matches, in percent.
const NEAR: usize = 50;
/// Most words of a query that are compared with names that do not match.
const NEAR_WORDS: usize = 8;

/// A name, folded once for many searches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchKey {
    /// Without case and accents, otherwise unchanged.
    folded: Box<str>,
    /// Letters and digits of all words, concatenated.
    joined: Box<str>,
    /// Where the words begin in `joined`, in bytes.
    starts: Box<[usize]>,
}

/// A typed search.
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

/// How well a name matches, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It is the whole name, ignoring case and accents.
    Name,
    /// It has the letters and digits of the whole name.
    Letters,
    /// The name begins with it.
    Beginning,
    /// A word within the name begins with it.
    Within,
    /// Each of its words begins a word of the name, in any order.
    Words,
    /// The name contains it as typed.
    Written,
    /// Each of its words is somewhere in the name.
    Inside,
    /// The same with typos.
    Typo,
    /// No match, but no other name is nearer.
    Near,
}

/// The results of a search, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked<T> {
    /// Equal fits keep the given order.
    pub found: Vec<(Fit, T)>,
}

impl<T> Ranked<T> {
    /// True when nothing matches, and the results are the nearest names.
    pub fn are_nearest(&self) -> bool {
        self.found.first().is_some_and(|(fit, _)| *fit == Fit::Near)
    }

    /// The results without their fits.
    pub fn into_items(self) -> Vec<T> {
        self.found.into_iter().map(|(_, item)| item).collect()
    }

    /// The one item that the text must mean: the only one with that name, else the only one with those letters.
    pub fn exact(&self) -> Option<&T> {
        let of = |fit: Fit| self.found.iter().filter(move |(it, _)| *it == fit).map(|(_, item)| item);
        let (mut names, mut letters) = (of(Fit::Name), of(Fit::Letters));
        match (names.next(), names.next()) {
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) => None,
            (None, _) => letters.next().filter(|_| letters.next().is_none()),
        }
    }

    /// The one item that needs no choice: the exact one, else the only one that matches by the beginnings of its
    /// words without a typo, else the only match.
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

    /// The rest of the name from the beginning of each word, without spaces.
    fn tails(&self) -> impl Iterator<Item = &str> {
        self.starts.iter().filter_map(|start| self.joined.get(*start..))
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let ends = self.starts.iter().skip(1).copied().chain([self.joined.len()]);
        self.starts.iter().zip(ends).filter_map(|(start, end)| self.joined.get(*start..end))
    }
}

impl SearchQuery {
    pub fn new(text: &str) -> Self {
        let folded = fold(text);
        let words = words(&folded);
        Self { joined: words.concat(), words, number: TypedNumber::parse(text), folded }
    }

    /// True when everything matches.
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

    /// True when a database search for the folded text in this folded name would find it.
    pub fn is_written_in(&self, key: &SearchKey) -> bool {
        key.folded.contains(&self.folded)
    }

    /// How well something with several names matches; `None` when it does not.
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

    /// How well the whole text, without spaces, matches one name.
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

/// Similarity to these words, in percent of their letters.
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

/// The worse of two fits; `None` when either does not match.
fn worse(fit: Fit, other: Option<Fit>) -> Option<Fit> {
    other.map(|other| fit.max(other))
}

/// How well one word matches something with several names.
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

/// Digits within other digits are another number.
fn is_number(word: &str) -> bool {
    word.chars().all(char::is_numeric)
}

fn has_typo(word: &str, key: &SearchKey) -> bool {
    word.chars().filter(|c| c.is_alphabetic()).count() >= TYPO_LETTERS
        && key.tails().any(|tail| begins_with_one_typo(tail, word))
}

/// The items that match, the best `most` of them; if none does, the nearest few. Each item comes with its names.
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
