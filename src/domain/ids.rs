//! Typed ids of the nouns, so that a repair's id cannot be passed as a machine's.

use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number of one of our records")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Parses a positive decimal number; rejects signs, blanks and zero.
            fn from_str(s: &str) -> Result<Self, NotAnId> {
                if s.is_empty() || !s.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(NotAnId);
                }
                match s.parse() {
                    Ok(n) if n > 0 => Ok(Self(n)),
                    _ => Err(NotAnId),
                }
            }
        }
    };
}

id!(AreaId);
id!(
    /// Number of a machine, printed on its label.
    EquipmentId
);
id!(
    /// Number of a repair, as people say it (`#42`).
    RepairId
);
id!(
    /// Number of a user with an account.
    UserId
);
id!(DeliveryId);
id!(
    /// Number of a card: the live message of a repair in a channel.
    CardId
);
id!(JobId);
id!(
    /// Number of a link of a machine.
    LinkId
);
id!(
    /// Number of a note on a machine.
    NoteId
);
id!(ApiTokenId);
id!(
    /// Number of a document of a machine.
    DocumentId
);
id!(
    /// Number of a photo or video.
    PhotoId
);
id!(
    /// Number of an entry of a timeline.
    TimelineId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_decimals_are_ids() {
        assert_eq!("42".parse(), Ok(RepairId(42)));
        assert_eq!("007".parse(), Ok(RepairId(7)));
        for bad in ["", "0", "-1", "+1", " 1", "1 ", "1.0", "x", "9223372036854775808", "٣"] {
            assert_eq!(bad.parse::<RepairId>(), Err(NotAnId), "{bad:?}");
        }
    }
}
