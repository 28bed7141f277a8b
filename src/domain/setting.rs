//! Settings that staff edit: their keys, kept as text in the database.

/// Switches of the announcements (spec "Announcements"): all on until staff say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// A repair is created.
    pub new_report: bool,
}

impl Switches {
    /// Key of [`Switches::new_report`].
    pub const NEW_REPORT: &'static str = "notify_new_report";

    /// Reads the switches from stored settings; only the word `false` switches one off.
    pub fn read<'a>(stored: impl Fn(&str) -> Option<&'a str>) -> Self {
        let on = |key| stored(key).is_none_or(|value| value != "false");
        Self { new_report: on(Self::NEW_REPORT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_on_until_switched_off() {
        assert!(Switches::read(|_| None).new_report);
        assert!(Switches::read(|_| Some("true")).new_report);
        assert!(!Switches::read(|key| (key == "notify_new_report").then_some("false")).new_report);
    }
}
