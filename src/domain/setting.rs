//! Settings that staff edit: their keys, stored as text in the database, and their valid values.

use crate::domain::characters::without_unseen_in_name;
use crate::domain::text::{TextError, is_visible};
use chrono::NaiveDateTime;

/// Which changes are announced in Slack (spec "Announcements"): all on by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationSettings {
    /// A repair is created.
    pub new_report: bool,
    /// The status becomes a closed one.
    pub resolved: bool,
    /// The severity changes, or the safety flag is set.
    pub severity_changed: bool,
    /// The status becomes an open one.
    pub status_changed: bool,
    pub assignee_changed: bool,
    /// The ETA is set, changed or cleared.
    pub eta_updated: bool,
    /// A repair has one live message per channel, its card; later events are replies in the card's thread.
    pub thread_updates: bool,
}

impl NotificationSettings {
    /// Key of [`NotificationSettings::new_report`].
    pub const NEW_REPORT: &'static str = "notify_new_report";
    /// Key of [`NotificationSettings::resolved`].
    pub const RESOLVED: &'static str = "notify_resolved";
    /// Key of [`NotificationSettings::severity_changed`].
    pub const SEVERITY_CHANGED: &'static str = "notify_severity_changed";
    /// Key of [`NotificationSettings::status_changed`].
    pub const STATUS_CHANGED: &'static str = "notify_status_changed";
    /// Key of [`NotificationSettings::assignee_changed`].
    pub const ASSIGNEE_CHANGED: &'static str = "notify_assignee_changed";
    /// Key of [`NotificationSettings::eta_updated`].
    pub const ETA_UPDATED: &'static str = "notify_eta_updated";
    /// Key of [`NotificationSettings::thread_updates`].
    pub const THREAD_UPDATES: &'static str = "slack_thread_updates";

    /// Reads the flags from stored settings; only `false` turns one off.
    pub fn read<'a>(stored: impl Fn(&str) -> Option<&'a str>) -> Self {
        let on = |key| stored(key).is_none_or(|value| value != "false");
        Self {
            new_report: on(Self::NEW_REPORT),
            resolved: on(Self::RESOLVED),
            severity_changed: on(Self::SEVERITY_CHANGED),
            status_changed: on(Self::STATUS_CHANGED),
            assignee_changed: on(Self::ASSIGNEE_CHANGED),
            eta_updated: on(Self::ETA_UPDATED),
            thread_updates: on(Self::THREAD_UPDATES),
        }
    }
}

/// The valid values of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Switch {
        /// Default.
        default: bool,
    },
    /// One line, or empty.
    Line {
        /// Bytes in UTF-8.
        max: usize,
    },
    /// A line that is never shown again.
    Secret {
        /// Bytes in UTF-8.
        min: usize,
        /// Bytes in UTF-8.
        max: usize,
    },
    /// One of these words; the first is the default.
    Choice(&'static [&'static str]),
    /// `info:` or `warn:` with a text, or empty.
    Banner {
        /// In characters, with the prefix.
        max: usize,
    },
    /// A time in the makerspace's zone, `YYYY-MM-DDTHH:MM`, or empty.
    Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key in the database and in forms.
    pub key: &'static str,
    pub kind: Kind,
}

/// Key of the setting that lets technicians edit documents, photos and links.
pub const TECH_DOC_EDIT: &str = "tech_doc_edit_enabled";
/// Key of the setting that turns reactions to cards on.
pub const REACTIONS: &str = "slack_reactions";
/// Key of the setting that locks out everybody except staff during maintenance.
pub const MAINTENANCE: &str = "maintenance";
/// Key of the banner's start time.
const BANNER_FROM: &str = "banner_from";
/// Key of the banner's end time.
const BANNER_UNTIL: &str = "banner_until";

const fn switch(key: &'static str, default: bool) -> Setting {
    Setting { key, kind: Kind::Switch { default } }
}

/// All settings (spec "Nouns", Setting), in display order. WiFi names have at most 32 bytes, pass phrases 8 to 63
/// (IEEE 802.11).
pub const SETTINGS: &[Setting] = &[
    switch(NotificationSettings::NEW_REPORT, true),
    switch("notify_resolved", true),
    switch("notify_severity_changed", true),
    switch("notify_status_changed", true),
    switch("notify_assignee_changed", true),
    switch("notify_eta_updated", true),
    switch(NotificationSettings::THREAD_UPDATES, true),
    switch(REACTIONS, true),
    switch(TECH_DOC_EDIT, false),
    Setting { key: "wifi_ssid", kind: Kind::Line { max: 32 } },
    Setting { key: "wifi_password", kind: Kind::Secret { min: 8, max: 63 } },
    Setting { key: "wifi_info_default", kind: Kind::Choice(&["none", "header", "ssid", "password"]) },
    Setting { key: "banner", kind: Kind::Banner { max: 300 } },
    Setting { key: BANNER_FROM, kind: Kind::Moment },
    Setting { key: BANNER_UNTIL, kind: Kind::Moment },
    switch(MAINTENANCE, false),
];

/// Why a value was rejected; its `Display` is the sentence for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error(transparent)]
    Text(#[from] TextError),
    /// Too many or too few bytes.
    #[error("Please use {min} to {max} characters; letters with accents count as two or more.")]
    Length {
        /// Bytes in UTF-8.
        min: usize,
        /// Bytes in UTF-8.
        max: usize,
    },
    #[error("Please choose from the list.")]
    NoChoice,
    #[error("Please begin with “info:” or “warn:”, and then the text.")]
    NoBanner,
    #[error("Please give a day and a time such as 2026-03-01T18:00.")]
    NoMoment,
}

impl Setting {
    pub fn of(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The value if nothing is stored.
    pub fn default(&self) -> &'static str {
        match self.kind {
            Kind::Switch { default: true } => "true",
            Kind::Switch { default: false } => "false",
            Kind::Choice(words) => words.first().copied().unwrap_or_default(),
            Kind::Line { .. } | Kind::Secret { .. } | Kind::Banner { .. } | Kind::Moment => "",
        }
    }

    /// True when its value is never shown.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret { .. })
    }

    /// Normalizes and checks a value.
    ///
    /// # Errors
    /// The value is not valid for the kind.
    pub fn parse(&self, typed: &str) -> Result<String, SettingError> {
        let typed = typed.trim();
        if typed.chars().any(char::is_control) {
            return Err(TextError::Unstorable.into());
        }
        match self.kind {
            Kind::Switch { .. } => one_of(&["true", "false"], typed),
            Kind::Choice(words) => one_of(words, typed),
            _ if !is_visible(typed) => Ok(String::new()),
            Kind::Line { max } => within(1, max, typed),
            Kind::Secret { min, max } => within(min, max, typed),
            Kind::Banner { max } => banner(max, &without_unseen_in_name(typed)),
            Kind::Moment => NaiveDateTime::parse_from_str(typed, "%Y-%m-%dT%H:%M")
                .map(|moment| moment.format("%Y-%m-%dT%H:%M").to_string())
                .map_err(|_| SettingError::NoMoment),
        }
    }
}

fn one_of(words: &[&str], typed: &str) -> Result<String, SettingError> {
    words.contains(&typed).then(|| typed.to_owned()).ok_or(SettingError::NoChoice)
}

fn within(min: usize, max: usize, typed: &str) -> Result<String, SettingError> {
    if (min..=max).contains(&typed.len()) {
        return Ok(typed.to_owned());
    }
    Err(SettingError::Length { min, max })
}

fn banner(max: usize, typed: &str) -> Result<String, SettingError> {
    let len = typed.chars().count();
    if len > max {
        return Err(TextError::TooLong { max, len }.into());
    }
    match typed.split_once(':') {
        Some((kind @ ("info" | "warn"), text)) if is_visible(text) => Ok(format!("{kind}:{}", text.trim())),
        _ => Err(SettingError::NoBanner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn notification_switches_default_to_on() {
        let all = [
            NotificationSettings::NEW_REPORT,
            NotificationSettings::RESOLVED,
            NotificationSettings::SEVERITY_CHANGED,
            NotificationSettings::STATUS_CHANGED,
            NotificationSettings::ASSIGNEE_CHANGED,
            NotificationSettings::ETA_UPDATED,
            NotificationSettings::THREAD_UPDATES,
        ];
        let flags = |switches: NotificationSettings| {
            [
                switches.new_report,
                switches.resolved,
                switches.severity_changed,
                switches.status_changed,
                switches.assignee_changed,
                switches.eta_updated,
                switches.thread_updates,
            ]
        };
        assert_eq!(flags(NotificationSettings::read(|_| None)), [true; 7]);
        assert_eq!(flags(NotificationSettings::read(|_| Some("true"))), [true; 7]);
        for (place, off) in all.into_iter().enumerate() {
            let mut expected = [true; 7];
            expected[place] = false;
            assert_eq!(
                flags(NotificationSettings::read(|key| (key == off).then_some("false"))),
                expected,
                "{off}"
            );
        }
    }

    #[test]
    fn each_setting_kind_validates_its_values() {
        let parse = |key, typed| Setting::of(key).unwrap().parse(typed);
        for (key, typed, kept) in [
            ("maintenance", "true", "true"),
            ("wifi_ssid", " Space ", "Space"),
            ("wifi_ssid", " ", ""),
            ("wifi_password", "12345678", "12345678"),
            ("wifi_info_default", "ssid", "ssid"),
            ("banner", "warn: Closed on Monday ", "warn:Closed on Monday"),
            ("banner", "", ""),
            ("banner_from", "2026-03-01T18:00", "2026-03-01T18:00"),
        ] {
            assert_eq!(parse(key, typed), Ok(kept.to_owned()), "{key} {typed}");
        }
        for (key, typed, error) in [
            ("maintenance", "yes", SettingError::NoChoice),
            ("maintenance", "", SettingError::NoChoice),
            ("wifi_info_default", "all", SettingError::NoChoice),
            ("wifi_ssid", &"ü".repeat(17), SettingError::Length { min: 1, max: 32 }),
            ("wifi_password", "short", SettingError::Length { min: 8, max: 63 }),
            ("banner", "Closed", SettingError::NoBanner),
            ("banner", "warn: ", SettingError::NoBanner),
            ("banner", "warn:a\0", TextError::Unstorable.into()),
            ("banner_until", "tomorrow", SettingError::NoMoment),
        ] {
            assert_eq!(parse(key, typed), Err(error), "{key} {typed}");
        }
    }

    proptest! {
        #[test]
        fn stored_and_default_settings_are_valid(typed in any::<String>()) {
            for setting in SETTINGS {
                prop_assert_eq!(setting.parse(setting.default()), Ok(setting.default().to_owned()));
                if let Ok(kept) = setting.parse(&typed) {
                    prop_assert_eq!(setting.parse(&kept), Ok(kept.clone()));
                }
            }
        }
    }
}
