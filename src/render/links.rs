//! Links to our own pages, for messages. `None` without a base URL.

use crate::domain::ids::{DocumentId, EquipmentId, JobId, RepairId};

/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Links {
    base: Option<String>,
}

impl Links {
    /// `base` is `ESB_BASE_URL`: an origin without a trailing slash.
    pub const fn new(base: Option<String>) -> Self {
        Self { base }
    }

    /// The public page, which the equipment's label links to.
    pub fn equipment(&self, id: EquipmentId) -> Option<String> {
        self.base.as_ref().map(|base| format!("{base}/e/{id}"))
    }

    /// A document of equipment; public.
    pub fn document(&self, id: DocumentId) -> Option<String> {
        self.base.as_ref().map(|base| format!("{base}/documents/{id}"))
    }

    pub fn log_in(&self) -> Option<String> {
        self.base.as_ref().map(|base| format!("{base}/login"))
    }

    /// The repair's page, for technicians and staff.
    pub fn repair(&self, id: RepairId) -> Option<String> {
        self.base.as_ref().map(|base| format!("{base}/repairs/{id}"))
    }

    /// Staff pages with their labels; empty without a base URL.
    pub fn admin(&self) -> Vec<(&'static str, String)> {
        const PAGES: [(&str, &str); 7] = [
            ("Areas", "areas"),
            ("Machines", "equipment"),
            ("Users", "users"),
            ("Settings", "config"),
            ("Jobs", "jobs"),
            ("Audit", "audit"),
            ("API tokens", "tokens"),
        ];
        let page = |(name, path)| Some((name, format!("{}/admin/{path}", self.base.as_ref()?)));
        PAGES.into_iter().filter_map(page).collect()
    }

    pub fn job(&self, id: JobId) -> Option<String> {
        self.base.as_ref().map(|base| format!("{base}/admin/jobs/{id}"))
    }
}
