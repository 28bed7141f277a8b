//! The page after a report: it confirms the report and says what happens next.

use super::Html;
use crate::domain::ids::{EquipmentId, RepairId};
use handlebars::RenderError;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct ReportedPage<'a> {
    pub equipment: EquipmentId,
    pub equipment_name: &'a str,
    pub repair: RepairId,
    /// Slack channels that are notified; empty if Slack is off.
    pub channels: Vec<&'a str>,
    /// Photos lost because the disk could not store them.
    pub lost_photos: usize,
    /// Photos lost because they exceeded the visitors' daily allowance.
    pub photos_over_allowance: usize,
}

/// The template's data.
#[derive(Debug, Serialize)]
struct Filled<'a> {
    #[serde(flatten)]
    page: &'a ReportedPage<'a>,
    /// "1 photo", "3 photos"; `None` if all were stored.
    lost: Option<String>,
    /// The same for photos over the allowance.
    over_allowance: Option<String>,
}

impl Html {
    pub fn reported(&self, page: &ReportedPage<'_>) -> Result<String, RenderError> {
        let lost = photos(page.lost_photos);
        let over_allowance = photos(page.photos_over_allowance);
        self.page("reported", "Thank you", &Filled { page, lost, over_allowance })
    }
}

/// A number of photos in words; `None` for zero.
fn photos(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 photo".to_owned()),
        count => Some(format!("{count} photos")),
    }
}
