//! Distance of two words: one typo at the beginning of a name, and similarity beyond that.

/// Longest words that are compared for similarity, in characters: longer ones are never similar.
const LIKE_MAX: usize = 40;

/// True when `text` begins with `word`, except that one letter is different, missing, extra or swapped with the
/// next. Digits have no typos: 3 is not 8.
pub(super) fn begins_with_one_typo(text: &str, word: &str) -> bool {
    let same: usize =
        text.chars().zip(word.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (text, word) = (text.get(same..).unwrap_or_default(), word.get(same..).unwrap_or_default());
    let (mut text_rest, mut word_rest) = (text.chars(), word.chars());
    let (Some(typed), meant) = (word_rest.next(), text_rest.next()) else { return true };
    if typed.is_numeric() || meant.is_some_and(char::is_numeric) {
        return false;
    }
    let (after_meant, after_typed) = (text_rest.as_str(), word_rest.as_str());
    let mut is_swapped = || {
        let swapped = word_rest.next().is_some_and(|next| Some(next) == meant)
            && text_rest.next().is_some_and(|next| next == typed);
        swapped && text_rest.as_str().starts_with(word_rest.as_str())
    };
    after_meant.starts_with(after_typed)
        || text.starts_with(after_typed)
        || after_meant.starts_with(word)
        || is_swapped()
}

/// A word to compare others with.
pub(super) struct LikeWord<'a> {
    pub(super) text: &'a str,
    letters: Vec<char>,
    kinds: u32,
}

impl<'a> LikeWord<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, letters: text.chars().collect(), kinds: kinds(text) }
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// Similarity of another word, in percent: the share of letters that need no change; 0 if that is less than
    /// half of them.
    pub(super) fn similarity(&self, other: &str) -> usize {
        let len = other.chars().take(LIKE_MAX + 1).count();
        let (short, long) = (self.len().min(len), self.len().max(len));
        // Each letter that the other lacks would have to be changed.
        let lacking =
            (self.kinds & !kinds(other)).count_ones().max((kinds(other) & !self.kinds).count_ones());
        if long > LIKE_MAX
            || short * 2 < long
            || usize::try_from(lacking).is_ok_and(|lacking| lacking * 2 > long)
        {
            return 0;
        }
        let same = long.saturating_sub(self.distance(other));
        if same * 2 < long { 0 } else { same * 100 / long.max(1) }
    }

    /// Number of changes from one word to the other: a letter added, removed, replaced, or two swapped.
    fn distance(&self, other: &str) -> usize {
        let mut rows = [[0_usize; LIKE_MAX + 1]; 3];
        let [mut before, mut above, mut row] = rows.each_mut();
        for (at, cell) in above.iter_mut().enumerate() {
            *cell = at;
        }
        let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
        let mut last = None;
        for (i, a) in other.chars().take(LIKE_MAX).enumerate() {
            if let Some(first) = row.first_mut() {
                *first = i + 1;
            }
            for (j, b) in self.letters.iter().take(LIKE_MAX).enumerate() {
                let replaced = get(above, j) + usize::from(a != *b);
                let mut best = replaced.min(get(above, j + 1) + 1).min(get(row, j) + 1);
                if j > 0 && last == Some(*b) && self.letters.get(j - 1) == Some(&a) {
                    best = best.min(get(before, j - 1) + 1);
                }
                if let Some(cell) = row.get_mut(j + 1) {
                    *cell = best;
                }
            }
            last = Some(a);
            (before, above, row) = (above, row, before);
        }
        get(above, self.len())
    }
}

/// The set of letters of a word, as bits; some letters share one.
fn kinds(word: &str) -> u32 {
    word.chars().fold(0, |kinds, c| kinds | 1 << (u32::from(c) % 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_typo_per_word_is_tolerated() {
        for word in ["lazer", "lser", "laaser", "alser", "lasre", "laserx", "laser", "lase", "lasercuttr"] {
            assert!(begins_with_one_typo("lasercutter", word), "{word}");
        }
        for word in ["lazre", "lathe", "drill", "las1r"] {
            assert!(!begins_with_one_typo("lasercutter", word), "{word}");
        }
        assert!(begins_with_one_typo("drill", "drills") && !begins_with_one_typo("printer3", "printer8"));
    }

    #[test]
    fn similarity_is_percentage_of_shared_letters() {
        let similarity = |one: &str, other: &str| LikeWord::new(one).similarity(other);
        for (one, other, expected) in [
            ("laser", "laser", 100),
            ("kutter", "cutter", 83),
            ("abcd", "badc", 50),
            ("drill", "table", 0),
            ("lathe", "laser", 0),
            ("a", "abc", 0),
            ("ааб", "аба", 66),
            ("", "", 0),
            ("", "a", 0),
        ] {
            assert_eq!(
                (similarity(one, other), similarity(other, one)),
                (expected, expected),
                "{one} {other}"
            );
        }
        assert_eq!(similarity(&"a".repeat(40), &"a".repeat(40)), 100);
        assert_eq!(similarity(&"a".repeat(41), &"a".repeat(41)), 0, "too long to be compared");
    }
}
