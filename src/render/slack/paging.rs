//! Lists of any length in modals of at most 100 blocks: lines are packed into sections, sections into
//! pages, and nothing is cut silently.
//!
//! A view may have 250 kB (a Slack limit). Slack does not document how characters are counted, so a page stays below
//! the limit even if each non-ASCII character is written as an escape of three times its size.

use super::mrkdwn::SECTION_MAX;
use serde::Serialize;

/// Sections of one page: below Slack's 100 blocks with room for heading, pager and buttons.
pub(super) const PER_PAGE: usize = 40;
/// Bytes of text on one page: a quarter of a view's limit.
const PAGE_BYTES: usize = 60_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Section {
    /// Unique in its view.
    pub block_id: String,
    /// mrkdwn, at most 3000 characters.
    pub text: String,
    pub button: Option<Button>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Button {
    /// One of the names in `slack::ids`.
    pub action_id: &'static str,
    /// The value that a button press returns.
    pub value: String,
    pub label: &'static str,
    /// The accessibility label.
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Page {
    pub sections: Vec<Section>,
    pub number: usize,
    /// Number of pages.
    pub of: usize,
    /// Number of the previous page.
    pub previous: Option<usize>,
    /// Number of the next page.
    pub next: Option<usize>,
}

/// One page of a list; a number beyond the last page returns the last.
pub(super) fn page(sections: Vec<Section>, wanted: usize) -> Page {
    let mut pages = pages(sections);
    let of = pages.len();
    let number = wanted.clamp(1, of);
    Page {
        sections: pages.swap_remove(number - 1),
        number,
        of,
        previous: (number > 1).then(|| number - 1),
        next: (number < of).then_some(number + 1),
    }
}

/// At least one page, each as full as possible.
fn pages(sections: Vec<Section>) -> Vec<Vec<Section>> {
    let mut pages = vec![Vec::new()];
    let mut bytes = 0;
    for section in sections {
        let size = section.text.len();
        match pages.last_mut() {
            Some(page) if page.len() < PER_PAGE && bytes + size <= PAGE_BYTES => {
                bytes += size;
                page.push(section);
            }
            _ => {
                bytes = size;
                pages.push(vec![section]);
            }
        }
    }
    pages
}

/// The first sections of a list, limited by count and by bytes of text, and the number of the rest.
pub(super) fn first(mut sections: Vec<Section>, most: usize, bytes: usize) -> (Vec<Section>, usize) {
    let mut room = bytes;
    let fits = |section: &&Section| match room.checked_sub(section.text.len()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    let shown = sections.iter().take(most).take_while(fits).count();
    let left = sections.len() - shown;
    sections.truncate(shown);
    (sections, left)
}

/// Joins lines, in order, into texts of at most a section's length. Each line must fit alone.
pub(super) fn pack(heading: &str, lines: &[String]) -> Vec<String> {
    let mut texts = vec![heading.to_owned()];
    for line in lines {
        let fits = |text: &String| text.chars().count() + 1 + line.chars().count() <= SECTION_MAX;
        match texts.last_mut() {
            Some(text) if text.is_empty() => text.push_str(line),
            Some(text) if fits(text) => {
                text.push('\n');
                text.push_str(line);
            }
            _ => texts.push(line.clone()),
        }
    }
    texts.retain(|text| !text.is_empty());
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sections(n: usize) -> Vec<Section> {
        (0..n).map(|i| Section { block_id: i.to_string(), text: i.to_string(), button: None }).collect()
    }

    #[test]
    fn pages_cover_the_list() {
        let all: usize = (1..=3).map(|n| page(sections(95), n).sections.len()).sum();
        assert_eq!(all, 95);
        let second = page(sections(95), 2);
        assert_eq!((second.previous, second.next, second.of), (Some(1), Some(3), 3));
        assert_eq!(page(sections(95), 99).number, 3);
        assert_eq!(page(sections(0), 0).of, 1);
    }

    #[test]
    fn long_sections_make_shorter_pages() {
        let long = |i: usize| Section { text: "\u{1f525}".repeat(SECTION_MAX), ..sections(i + 1).remove(i) };
        let pages = pages((0..12).map(long).collect());
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2]);
    }

    #[test]
    fn list_is_cut_by_number_and_size() {
        let cut = |n, most, bytes| {
            let (shown, left) = first(sections(n), most, bytes);
            (shown.len(), left)
        };
        assert_eq!(cut(5, 10, 100), (5, 0));
        assert_eq!(cut(10, 3, 100), (3, 7));
        assert_eq!(cut(10, 10, 4), (4, 6));
        assert_eq!(cut(0, 3, 0), (0, 0));
    }

    proptest! {
        #[test]
        fn packing_loses_no_line(lines in prop::collection::vec(("[a-z]", 1..=900usize), 0..40)) {
            let lines: Vec<String> = lines.into_iter().map(|(letter, times)| letter.repeat(times)).collect();
            let texts = pack("Heading", &lines);
            prop_assert!(texts.iter().all(|text| text.chars().count() <= SECTION_MAX));
            let joined = texts.join("\n");
            let mut expected = vec!["Heading".to_owned()];
            expected.extend(lines);
            prop_assert_eq!(joined, expected.join("\n"));
        }
    }
}
