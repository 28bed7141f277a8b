//! The fields of an area.

use crate::domain::channel::ChannelRef;
use crate::domain::text::AreaName;
use serde::Serialize;

/// An area's fields (spec "Nouns").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AreaDetails {
    /// Unique among live areas.
    pub name: AreaName,
    /// The area's channel, if any.
    pub slack_channel: Option<ChannelRef>,
    /// Order on the board: lower ones first, then by name.
    pub sort_order: i64,
}
