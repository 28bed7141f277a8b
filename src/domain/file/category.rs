//! Categories of documents (spec "Nouns": the eight categories).

use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};
use std::str::FromStr;

/// Category of a document, in the order of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(40))")]
pub enum DocumentCategory {
    /// For its users.
    #[sea_orm(string_value = "Owner's Manual")]
    OwnersManual,
    /// For technicians.
    #[sea_orm(string_value = "Service Manual")]
    ServiceManual,
    /// For first use.
    #[sea_orm(string_value = "Quick Start Guide")]
    QuickStart,
    /// Instruction videos.
    #[sea_orm(string_value = "Training Video")]
    TrainingVideo,
    /// Dangers of the machine.
    #[sea_orm(string_value = "Safety Data Sheet")]
    SafetyData,
    /// The maker's page about it.
    #[sea_orm(string_value = "Manufacturer Product Page")]
    ProductPage,
    /// The maker's support.
    #[sea_orm(string_value = "Manufacturer Support")]
    Support,
    /// Anything else.
    #[sea_orm(string_value = "Other")]
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Please choose from the list.")]
pub struct NoCategory;

impl DocumentCategory {
    pub const ALL: [Self; 8] = [
        Self::OwnersManual,
        Self::ServiceManual,
        Self::QuickStart,
        Self::TrainingVideo,
        Self::SafetyData,
        Self::ProductPage,
        Self::Support,
        Self::Other,
    ];

    /// The word on pages and in forms.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OwnersManual => "Owner's Manual",
            Self::ServiceManual => "Service Manual",
            Self::QuickStart => "Quick Start Guide",
            Self::TrainingVideo => "Training Video",
            Self::SafetyData => "Safety Data Sheet",
            Self::ProductPage => "Manufacturer Product Page",
            Self::Support => "Manufacturer Support",
            Self::Other => "Other",
        }
    }
}

impl FromStr for DocumentCategory {
    type Err = NoCategory;

    fn from_str(word: &str) -> Result<Self, NoCategory> {
        Self::ALL.into_iter().find(|category| category.word() == word).ok_or(NoCategory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::ActiveEnum;

    #[test]
    fn category_is_stored_as_its_word() {
        for category in DocumentCategory::ALL {
            assert_eq!(category.to_value(), category.word());
            assert_eq!(category.word().parse(), Ok(category));
        }
        assert_eq!("owner's manual".parse::<DocumentCategory>(), Err(NoCategory));
    }
}
