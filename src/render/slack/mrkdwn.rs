//! Slack's markup: escapes `&`, `<` and `>` in text from people, so that `<!channel>` in it notifies nobody.

use crate::domain::actor::SlackUserId;
use crate::domain::board::BoardStatus;
use crate::domain::channel::ChannelRef;
use crate::domain::characters::is_bidi_control;
use crate::domain::text::cut;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};

/// Most characters of a section's text (a Slack limit).
pub const SECTION_MAX: usize = 3000;

/// Emoji of equipment states (slack-messages.md "Signs"); each goes with its word.
pub const DOWN: &str = ":no_entry:";
pub const DEGRADED: &str = ":large_orange_diamond:";
pub const WORKS: &str = ":white_check_mark:";
pub const SAFETY_SIGN: &str = ":warning:";

/// Prefix of lines with a safety risk, in lists.
pub const SAFETY: &str = ":warning: *Do not use* · ";

/// Escapes `&`, `<` and `>`, and removes bidirectional control characters.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        out.push_str(entity(c).unwrap_or_default());
        if entity(c).is_none() {
            out.push(c);
        }
    }
    out
}

const fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ if is_bidi_control(c) => Some(""),
        _ => None,
    }
}

/// Escapes, then cuts to at most `max` characters of the escaped form, never inside an entity; the last character is an
/// ellipsis if the text was cut.
pub fn escape_within(text: &str, max: usize) -> String {
    let escaped = escape(text);
    if escaped.chars().count() <= max {
        return escaped;
    }
    let mut out = String::new();
    let mut room = max.saturating_sub(1);
    for c in text.chars() {
        let cost = entity(c).map_or(1, str::len);
        if cost > room {
            break;
        }
        room -= cost;
        match entity(c) {
            Some(entity) => out.push_str(entity),
            None => out.push(c),
        }
    }
    format!("{}…", out.trim_end())
}

/// The beginning of an escaped text, in at most `max` bytes. Never cuts inside a character, an entity or a link; ends
/// with an ellipsis if the text was cut.
pub fn beginning(text: String, max: usize) -> String {
    if text.len() <= max {
        return text;
    }
    let mut kept = &text[..text.floor_char_boundary(max.saturating_sub('…'.len_utf8()))];
    for (begin, end) in [('&', ';'), ('<', '>')] {
        if let Some(at) = kept.rfind(begin).filter(|at| !kept[*at..].contains(end)) {
            kept = &kept[..at];
        }
    }
    format!("{}…", kept.trim_end())
}

/// One line of a text, cut at `max` characters and escaped. Three backticks would turn the following lines into code,
/// so they are replaced.
pub fn line(text: &str, max: usize) -> String {
    escape(&cut(&one_line(text), max))
}

/// One line of a text, escaped, in at most `max` characters of the escaped form.
pub fn line_within(text: &str, max: usize) -> String {
    escape_within(&one_line(text), max)
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace("```", "'''")
}

/// A name in bold. Asterisks in it would end the bold early, so they are replaced.
pub fn bold(name: &str, max: usize) -> String {
    format!("*{}*", line(&name.replace('*', "∗"), max))
}

/// A mention; `None` if the id cannot be a Slack id.
pub fn mention(id: &SlackUserId) -> Option<String> {
    let is_id = !id.0.is_empty() && id.0.bytes().all(|b| b.is_ascii_alphanumeric());
    is_id.then(|| format!("<@{}>", id.0))
}

/// A channel as configured by staff; a channel id is shown as the channel's name.
pub fn channel(channel: &str) -> String {
    match ChannelRef::parse(channel) {
        Some(channel) if !channel.as_str().starts_with('#') => format!("<#{channel}>"),
        _ => escape(channel),
    }
}

/// A name in bold, linked to its page if there is one.
pub fn bold_link(name: &str, max: usize, link: Option<&str>) -> String {
    match link {
        Some(link) => format!("*<{link}|{}>*", line(&name.replace(['*', '|'], "∗"), max)),
        None => bold(name, max),
    }
}

/// A text from a person as a one-line quote of at most `max` characters.
pub fn quote(text: &str, max: usize) -> String {
    format!(">{}", line_within(text, max))
}

/// "Sat 5 Dec", with the year only if it differs from today's.
pub fn date(date: NaiveDate, today: NaiveDate) -> String {
    let form = if date.year() == today.year() { "%a %-d %b" } else { "%a %-d %b %Y" };
    date.format(form).to_string()
}

/// "back Sat 5 Dec", "overdue since 1 Nov".
pub fn back(eta: NaiveDate, today: NaiveDate) -> String {
    if eta < today {
        return format!("overdue since {}", date(eta, today));
    }
    format!("back {}", date(eta, today))
}

/// "20 minutes", "3 hours", "4 days": the largest unit, rounded down.
pub fn duration(duration: TimeDelta) -> String {
    let counted = |n: i64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match (duration.num_days(), duration.num_hours(), duration.num_minutes()) {
        (days @ 1.., _, _) => counted(days, "day"),
        (_, hours @ 1.., _) => counted(hours, "hour"),
        (_, _, minutes) => counted(minutes.max(1), "minute"),
    }
}

/// The time of day, in the reader's time zone.
pub fn time(at: DateTime<Utc>) -> String {
    format!("<!date^{}^{{time}}|{} UTC>", at.timestamp(), at.format("%H:%M"))
}

/// The emoji of a board status.
pub const fn shape(status: BoardStatus) -> &'static str {
    match status {
        BoardStatus::Operational => WORKS,
        BoardStatus::Degraded => DEGRADED,
        BoardStatus::Down => DOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn excerpt_fits_bytes_without_partial_entities() {
        let short = "as it is".to_owned();
        assert_eq!(beginning(short.clone(), 8), short);
        assert_eq!(beginning("abc &amp; more".into(), 11), "abc…");
        assert_eq!(beginning("abc <https://a|page> more".into(), 17), "abc…");
        assert_eq!(beginning("äöü".into(), 5), "ä…");
        assert_eq!(beginning("R&amp;D and so on".into(), 11), "R&amp;D…");
    }

    #[test]
    fn nobody_is_notified_by_typed_text() {
        assert_eq!(escape("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
        assert_eq!(bold("a*b", 20), "*a∗b*");
        assert_eq!(line("a\n b\t<c>", 5), "a b…");
        assert_eq!(line("a ``` b", 20), "a ''' b");
        assert_eq!(channel("#wood"), "#wood");
        assert_eq!(channel("C0123ABCD"), "<#C0123ABCD>");
        assert_eq!(channel("<!channel>"), "&lt;!channel&gt;");
        assert_eq!(mention(&SlackUserId("U0ANA".into())), Some("<@U0ANA>".into()));
        assert_eq!(mention(&SlackUserId("U1> <!channel".into())), None);
    }

    #[test]
    fn dates_have_the_year_only_when_it_differs() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(date(day(2026, 12, 5), day(2026, 1, 1)), "Sat 5 Dec");
        assert_eq!(date(day(2027, 1, 1), day(2026, 12, 31)), "Fri 1 Jan 2027");
    }

    #[test]
    fn durations_have_one_unit() {
        for (minutes, words) in [
            (0, "1 minute"),
            (59, "59 minutes"),
            (60, "1 hour"),
            (23 * 60 + 59, "23 hours"),
            (24 * 60, "1 day"),
            (4 * 24 * 60 + 100, "4 days"),
        ] {
            assert_eq!(duration(TimeDelta::minutes(minutes)), words);
        }
    }

    #[test]
    fn linked_names_and_quotes_are_escaped() {
        let link = Some("https://esb.org/e/1");
        assert_eq!(bold_link("A|<b>*", 20, link), "*<https://esb.org/e/1|A∗&lt;b&gt;∗>*");
        assert_eq!(bold_link("Saw", 20, None), "*Saw*");
        assert_eq!(quote("a\n>b <!channel>", 40), ">a &gt;b &lt;!channel&gt;");
    }

    #[test]
    fn cutting_never_splits_an_entity() {
        assert_eq!(escape_within("a&b", 7), "a&amp;b");
        assert_eq!(escape_within("a&bc", 7), "a&amp;…");
        assert_eq!(escape_within("a&bc", 6), "a…");
    }

    /// True if Slack finds no mention, link or channel in it.
    fn is_plain(out: &str) -> bool {
        let rest = out.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
        !rest.contains(['&', '<', '>'])
    }

    /// Arbitrary text, often with characters that are special in Slack.
    fn typed() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "(<!channel>|<@U1>|<#C1>|&lt;|&|`|```|\\*|_|\n|\r|>| |.){0,30}"]
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_markup_and_fits(text in typed(), max in 1..60usize) {
            for out in [escape_within(&text, max), line_within(&text, max)] {
                prop_assert!(out.chars().count() <= max);
                prop_assert!(is_plain(&out), "{}", out);
            }
        }

        #[test]
        fn escaped_text_means_nothing_to_slack(text in typed()) {
            prop_assert!(is_plain(&escape(&text)));
        }

        #[test]
        fn line_stays_one_line_and_name_bold(text in typed(), max in 2..60usize) {
            for out in [line(&text, max), line_within(&text, max)] {
                prop_assert!(is_plain(&out) && !out.contains(['\n', '\r']) && !out.contains("```"), "{:?}", out);
            }
            let name = bold(&text, max);
            prop_assert!(is_plain(&name), "{}", name);
            prop_assert!(name.starts_with('*') && name.ends_with('*') && name.matches('*').count() == 2);
        }

        #[test]
        fn channel_reference_never_notifies_anybody(text in typed()) {
            let shown = channel(&text);
            let id = shown.strip_prefix("<#").and_then(|rest| rest.strip_suffix('>'));
            let safe = id.map_or_else(|| is_plain(&shown), |id| id.bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert!(safe, "{}", shown);
        }
    }
}
