//! The editable fields of a repair, as values that can be compared, stored in the timeline as text and parsed from
//! there.

use crate::domain::actor::SlackUserId;
use crate::domain::ids::{RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::tidy_lines;
use crate::domain::timeline::TimelineKind;
use chrono::NaiveDate;
use serde_json::{Value, json};

/// A person with an account, by their current name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Number of the account.
    pub id: UserId,
    pub name: String,
    /// If known.
    pub slack_id: Option<SlackUserId>,
}

/// An editable field of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Status,
    /// The repair that this one duplicates.
    DuplicateOf,
    Assignee,
    Severity,
    Eta,
    SpecialistDescription,
    /// A person could be hurt.
    SafetyRisk,
    /// A consumable is used up.
    Consumable,
    Description,
}

impl Field {
    /// Every field, in the order of announcements.
    pub const ALL: [Self; 9] = [
        Self::Status,
        Self::DuplicateOf,
        Self::Assignee,
        Self::Severity,
        Self::Eta,
        Self::SpecialistDescription,
        Self::SafetyRisk,
        Self::Consumable,
        Self::Description,
    ];

    /// Its name in forms, modals and the audit (spec "Nouns").
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::DuplicateOf => "duplicate_of",
            Self::Assignee => "assignee",
            Self::Severity => "severity",
            Self::Eta => "eta",
            Self::SpecialistDescription => "specialist_description",
            Self::SafetyRisk => "safety_risk",
            Self::Consumable => "consumable",
            Self::Description => "description",
        }
    }

    /// Its name within a sentence.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::DuplicateOf => "duplicate link",
            Self::Assignee => "assignee",
            Self::Severity => "severity",
            Self::Eta => "ETA",
            Self::SpecialistDescription => "specialist text",
            Self::SafetyRisk => "safety risk",
            Self::Consumable => "consumable",
            Self::Description => "description",
        }
    }

    pub const fn kind(self) -> TimelineKind {
        match self {
            Self::Status => TimelineKind::Status,
            Self::DuplicateOf => TimelineKind::DuplicateOf,
            Self::Assignee => TimelineKind::Assignee,
            Self::Severity => TimelineKind::Severity,
            Self::Eta => TimelineKind::Eta,
            Self::SpecialistDescription => TimelineKind::SpecialistDescription,
            Self::SafetyRisk => TimelineKind::SafetyRisk,
            Self::Consumable => TimelineKind::Consumable,
            Self::Description => TimelineKind::Description,
        }
    }

    /// The field whose entries have that kind.
    pub fn of(kind: TimelineKind) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.kind() == kind)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    Status(RepairStatus),
    DuplicateOf(Option<RepairId>),
    Assignee(Option<Person>),
    Severity(Option<Severity>),
    Eta(Option<NaiveDate>),
    /// Empty if no specialist is needed.
    SpecialistDescription(String),
    SafetyRisk(bool),
    Consumable(bool),
    Description(String),
}

const YES: &str = "yes";
const NO: &str = "no";

impl FieldValue {
    pub const fn field(&self) -> Field {
        match self {
            Self::Status(_) => Field::Status,
            Self::DuplicateOf(_) => Field::DuplicateOf,
            Self::Assignee(_) => Field::Assignee,
            Self::Severity(_) => Field::Severity,
            Self::Eta(_) => Field::Eta,
            Self::SpecialistDescription(_) => Field::SpecialistDescription,
            Self::SafetyRisk(_) => Field::SafetyRisk,
            Self::Consumable(_) => Field::Consumable,
            Self::Description(_) => Field::Description,
        }
    }

    /// True when both mean the same: people by id, texts ignoring the changes that forms make.
    pub fn means(&self, other: &Self) -> bool {
        let id = |person: &Option<Person>| person.as_ref().map(|person| person.id);
        match (self, other) {
            (Self::Assignee(one), Self::Assignee(other)) => id(one) == id(other),
            (Self::Description(one), Self::Description(other))
            | (Self::SpecialistDescription(one), Self::SpecialistDescription(other)) => {
                tidy_lines(one) == tidy_lines(other)
            }
            _ => self == other,
        }
    }

    /// The timeline's text; `None` if there is no value.
    pub fn text(&self) -> Option<String> {
        let flag = |on| if on { YES } else { NO }.to_owned();
        match self {
            Self::Status(status) => Some(status.word().to_owned()),
            Self::DuplicateOf(repair) => repair.map(|repair| repair.to_string()),
            Self::Assignee(person) => person.as_ref().map(|person| person.name.clone()),
            Self::Severity(severity) => severity.map(|severity| severity.word().to_owned()),
            Self::Eta(eta) => eta.map(|eta| eta.to_string()),
            Self::SpecialistDescription(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Self::SafetyRisk(on) | Self::Consumable(on) => Some(flag(*on)),
            Self::Description(text) => Some(text.clone()),
        }
    }

    /// The account of an assignee; the timeline stores its id with the name.
    pub fn user(&self) -> Option<UserId> {
        let Self::Assignee(Some(person)) = self else { return None };
        Some(person.id)
    }

    /// Parses the timeline's text; `None` if it is not valid for the field.
    pub fn read(field: Field, text: Option<&str>, user: Option<UserId>) -> Option<Self> {
        fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Option<Option<T>> {
            text.map_or(Some(None), |text| text.parse().ok().map(Some))
        }
        let flag = match text {
            Some(YES) => Some(true),
            Some(NO) => Some(false),
            _ => None,
        };
        Some(match field {
            Field::Status => Self::Status(text?.parse().ok()?),
            Field::DuplicateOf => Self::DuplicateOf(parsed(text)?),
            Field::Assignee => match (text, user) {
                (None, _) => Self::Assignee(None),
                (Some(name), id) => {
                    Self::Assignee(Some(Person { id: id?, name: name.to_owned(), slack_id: None }))
                }
            },
            Field::Severity => Self::Severity(parsed(text)?),
            Field::Eta => Self::Eta(parsed(text)?),
            Field::SpecialistDescription => Self::SpecialistDescription(text.unwrap_or_default().to_owned()),
            Field::SafetyRisk => Self::SafetyRisk(flag?),
            Field::Consumable => Self::Consumable(flag?),
            Field::Description => Self::Description(text?.to_owned()),
        })
    }

    /// The audit's value.
    pub fn json(&self) -> Value {
        match self {
            Self::DuplicateOf(repair) => json!(repair),
            Self::Assignee(person) => {
                json!(person.as_ref().map(|person| json!({ "id": person.id, "name": person.name })))
            }
            Self::SafetyRisk(on) | Self::Consumable(on) => json!(on),
            other => json!(other.text()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairFields {
    pub status: RepairStatus,
    pub duplicate_of: Option<RepairId>,
    pub assignee: Option<Person>,
    pub severity: Option<Severity>,
    pub eta: Option<NaiveDate>,
    pub specialist_description: String,
    /// A person could be hurt.
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
    pub description: String,
}

impl RepairFields {
    pub fn get(&self, field: Field) -> FieldValue {
        match field {
            Field::Status => FieldValue::Status(self.status),
            Field::DuplicateOf => FieldValue::DuplicateOf(self.duplicate_of),
            Field::Assignee => FieldValue::Assignee(self.assignee.clone()),
            Field::Severity => FieldValue::Severity(self.severity),
            Field::Eta => FieldValue::Eta(self.eta),
            Field::SpecialistDescription => {
                FieldValue::SpecialistDescription(self.specialist_description.clone())
            }
            Field::SafetyRisk => FieldValue::SafetyRisk(self.safety_risk),
            Field::Consumable => FieldValue::Consumable(self.consumable),
            Field::Description => FieldValue::Description(self.description.clone()),
        }
    }

    pub fn set(&mut self, value: FieldValue) {
        match value {
            FieldValue::Status(status) => self.status = status,
            FieldValue::DuplicateOf(repair) => self.duplicate_of = repair,
            FieldValue::Assignee(person) => self.assignee = person,
            FieldValue::Severity(severity) => self.severity = severity,
            FieldValue::Eta(eta) => self.eta = eta,
            FieldValue::SpecialistDescription(text) => self.specialist_description = text,
            FieldValue::SafetyRisk(on) => self.safety_risk = on,
            FieldValue::Consumable(on) => self.consumable = on,
            FieldValue::Description(text) => self.description = text,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn fields() -> RepairFields {
        RepairFields {
            status: RepairStatus::New,
            duplicate_of: None,
            assignee: None,
            severity: Some(Severity::Down),
            eta: None,
            specialist_description: String::new(),
            safety_risk: false,
            consumable: false,
            description: "Blade wobbles".into(),
        }
    }

    pub(crate) fn person(id: i64, name: &str) -> Person {
        Person { id: UserId(id), name: name.into(), slack_id: None }
    }

    #[test]
    fn stored_timeline_values_are_read_back() {
        let mut other = fields();
        other.status = RepairStatus::Duplicate;
        other.duplicate_of = Some(RepairId(4));
        other.assignee = Some(person(2, "sam"));
        other.severity = None;
        other.eta = NaiveDate::from_ymd_opt(2026, 3, 9);
        other.specialist_description = "Gas fitter".into();
        other.safety_risk = true;
        other.consumable = true;
        for fields in [fields(), other] {
            for field in Field::ALL {
                let value = fields.get(field);
                assert_eq!(value.field(), field);
                let read = FieldValue::read(field, value.text().as_deref(), value.user());
                assert!(read.as_ref().is_some_and(|read| read.means(&value)), "{value:?}: {read:?}");
                assert_eq!(Field::of(field.kind()), Some(field));
            }
        }
        for (field, text) in [(Field::Status, "Gone"), (Field::Assignee, "sam"), (Field::Eta, "soon")] {
            assert_eq!(FieldValue::read(field, Some(text), None), None);
        }
    }

    #[test]
    fn text_survives_a_form_round_trip() {
        let value = |text: &str| FieldValue::Description(text.into());
        assert!(value(" a\r\nb ").means(&value("a\nb")));
        assert!(!value("a").means(&value("b")));
        assert!(
            FieldValue::Assignee(Some(person(1, "a"))).means(&FieldValue::Assignee(Some(person(1, "b"))))
        );
    }
}
