//! Settings that staff edit: their keys, kept as text in the database.

/// Switches of the announcements (spec "Announcements"): all on until staff say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// A repair is created.
    pub new_report: bool,
    /// The status becomes a closed one.
    pub resolved: bool,
    /// The severity changes, or the safety flag is set.
    pub severity_changed: bool,
    /// The status becomes an open one.
    pub status_changed: bool,
    /// The assignee changes.
    pub assignee_changed: bool,
    /// The ETA is set, changed or cleared.
    pub eta_updated: bool,
}

impl Switches {
    /// Key of [`Switches::new_report`].
    pub const NEW_REPORT: &'static str = "notify_new_report";
    /// Key of [`Switches::resolved`].
    pub const RESOLVED: &'static str = "notify_resolved";
    /// Key of [`Switches::severity_changed`].
    pub const SEVERITY_CHANGED: &'static str = "notify_severity_changed";
    /// Key of [`Switches::status_changed`].
    pub const STATUS_CHANGED: &'static str = "notify_status_changed";
    /// Key of [`Switches::assignee_changed`].
    pub const ASSIGNEE_CHANGED: &'static str = "notify_assignee_changed";
    /// Key of [`Switches::eta_updated`].
    pub const ETA_UPDATED: &'static str = "notify_eta_updated";

    /// Reads the switches from stored settings; only the word `false` switches one off.
    pub fn read<'a>(stored: impl Fn(&str) -> Option<&'a str>) -> Self {
        let on = |key| stored(key).is_none_or(|value| value != "false");
        Self {
            new_report: on(Self::NEW_REPORT),
            resolved: on(Self::RESOLVED),
            severity_changed: on(Self::SEVERITY_CHANGED),
            status_changed: on(Self::STATUS_CHANGED),
            assignee_changed: on(Self::ASSIGNEE_CHANGED),
            eta_updated: on(Self::ETA_UPDATED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_until_switched_off() {
        let all = [
            Switches::NEW_REPORT,
            Switches::RESOLVED,
            Switches::SEVERITY_CHANGED,
            Switches::STATUS_CHANGED,
            Switches::ASSIGNEE_CHANGED,
            Switches::ETA_UPDATED,
        ];
        let flags = |switches: Switches| {
            [
                switches.new_report,
                switches.resolved,
                switches.severity_changed,
                switches.status_changed,
                switches.assignee_changed,
                switches.eta_updated,
            ]
        };
        assert_eq!(flags(Switches::read(|_| None)), [true; 6]);
        assert_eq!(flags(Switches::read(|_| Some("true"))), [true; 6]);
        for (place, off) in all.into_iter().enumerate() {
            let mut expected = [true; 6];
            expected[place] = false;
            assert_eq!(flags(Switches::read(|key| (key == off).then_some("false"))), expected, "{off}");
        }
    }
}
