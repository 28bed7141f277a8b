//! What a person sees after reporting: that it arrived, and what happens next.

use super::Html;
use crate::domain::ids::{EquipmentId, RepairId};
use handlebars::RenderError;
use serde::Serialize;

/// Everything that the page shows.
#[derive(Debug, Serialize)]
pub struct ReportedPage<'a> {
    /// The machine.
    pub equipment: EquipmentId,
    pub equipment_name: &'a str,
    /// Number of the new repair.
    pub repair: RepairId,
    /// Slack channels that hear of it; empty when Slack is off.
    pub channels: Vec<&'a str>,
    /// How many photos the disk could not take.
    pub lost_photos: usize,
    /// How many were more than visitors may leave in a day.
    pub photos_over_allowance: usize,
}

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Filled<'a> {
    #[serde(flatten)]
    page: &'a ReportedPage<'a>,
    /// "1 photo", "3 photos"; `None` when the disk took all.
    lost: Option<String>,
    /// The same for those over the allowance.
    over_allowance: Option<String>,
}

impl Html {
    /// The page after a report.
    pub fn reported(&self, page: &ReportedPage<'_>) -> Result<String, RenderError> {
        let lost = photos(page.lost_photos);
        let over_allowance = photos(page.photos_over_allowance);
        self.page("reported", "Thank you", &Filled { page, lost, over_allowance })
    }
}

/// So many photos in words; `None` for none.
fn photos(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 photo".to_owned()),
        count => Some(format!("{count} photos")),
    }
}
