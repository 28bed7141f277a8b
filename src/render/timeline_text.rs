//! The text of a timeline entry, for pages and for Slack. Does not escape.

use crate::domain::field::Field;
use crate::domain::timeline::TimelineKind;
use crate::views::repairs::TimelineEntryView;
use chrono::NaiveDate;

/// The text that follows the person's name; `date` formats dates for the surface.
pub(super) fn describe(entry: &TimelineEntryView, date: impl Fn(NaiveDate) -> String) -> String {
    let day = |text: &str| text.parse().map_or_else(|_| text.to_owned(), &date);
    let shown = |text: &Option<String>| text.as_deref().map(|text| format!("“{}”", day(text)));
    let label = match (entry.kind, Field::of(entry.kind)) {
        (TimelineKind::Created, _) => {
            return format!("opened this repair as {}", entry.new.as_deref().unwrap_or("New"));
        }
        (_, Some(field)) => field.label(),
        (TimelineKind::Photo, _) => return "added a photo or video".into(),
        (_, None) if entry.new.is_none() => return "wrote a note that was deleted".into(),
        (_, None) => return "wrote a note".into(),
    };
    match (shown(&entry.old), shown(&entry.new)) {
        (Some(old), Some(new)) => format!("set the {label} from {old} to {new}"),
        (None, Some(new)) => format!("set the {label} to {new}"),
        (Some(old), None) => format!("cleared the {label}, which was {old}"),
        (None, None) => format!("cleared the {label}"),
    }
}
