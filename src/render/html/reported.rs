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
    /// Its name.
    pub equipment_name: &'a str,
    /// Number of the new repair.
    pub repair: RepairId,
    /// Slack channels that hear of it; empty when Slack is off.
    pub channels: Vec<&'a str>,
    /// How many photos the disk could not take.
    pub lost_photos: usize,
}

/// What the template is filled with.
#[derive(Debug, Serialize)]
struct Filled<'a> {
    #[serde(flatten)]
    page: &'a ReportedPage<'a>,
    /// "Your photo", "3 of your photos"; `None` when all were kept.
    lost: Option<String>,
}

impl Html {
    /// The page after a report.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn reported(&self, page: &ReportedPage<'_>) -> Result<String, RenderError> {
        let lost = match page.lost_photos {
            0 => None,
            1 => Some("1 photo".to_owned()),
            lost => Some(format!("{lost} photos")),
        };
        self.page("reported", "Thank you", &Filled { page, lost })
    }
}
