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
}

impl Html {
    /// The page after a report.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn reported(&self, page: &ReportedPage<'_>) -> Result<String, RenderError> {
        self.page("reported", "Thank you", page)
    }
}
