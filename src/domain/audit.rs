//! Audit values of nouns without a timeline: only the values that differ.

use crate::domain::change::AuditRecord;
use serde::Serialize;
use serde_json::{Map, Value};

impl AuditRecord {
    pub fn made<T: Serialize>(
        action: &'static str,
        noun: &'static str,
        noun_id: i64,
        new: &T,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self { action, noun, noun_id, old: None, new: Some(serde_json::to_value(new)?) })
    }

    pub fn removed<T: Serialize>(
        action: &'static str,
        noun: &'static str,
        noun_id: i64,
        old: &T,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self { action, noun, noun_id, old: Some(serde_json::to_value(old)?), new: None })
    }

    /// The fields that differ; `None` if none does.
    pub fn changed<T: Serialize>(
        action: &'static str,
        noun: &'static str,
        noun_id: i64,
        (old, new): (&T, &T),
    ) -> Result<Option<Self>, serde_json::Error> {
        let (old, new) = (serde_json::to_value(old)?, serde_json::to_value(new)?);
        let record = |old, new| Self { action, noun, noun_id, old: Some(old), new: Some(new) };
        Ok(difference(old, new).map(|(old, new)| record(old, new)))
    }
}

/// The fields of two objects that differ, with the values of each.
fn difference(old: Value, new: Value) -> Option<(Value, Value)> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return None };
    let of = |side: &Map<String, Value>, other: &Map<String, Value>| -> Map<String, Value> {
        let differs = |(key, value): &(&String, &Value)| other.get(*key) != Some(*value);
        side.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let (before, after) = (of(&old, &new), of(&new, &old));
    (!after.is_empty()).then_some((Value::Object(before), Value::Object(after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn audit_record_stores_only_changed_fields() {
        let (old, new) = (json!({"name": "Saw", "model": ""}), json!({"name": "Table saw", "model": ""}));
        let record = AuditRecord::changed("equipment.edited", "equipment", 7, (&old, &new)).unwrap().unwrap();
        assert_eq!(record.old, Some(json!({"name": "Saw"})));
        assert_eq!(record.new, Some(json!({"name": "Table saw"})));
        assert_eq!(AuditRecord::changed("equipment.edited", "equipment", 7, (&old, &old)).unwrap(), None);
    }
}
