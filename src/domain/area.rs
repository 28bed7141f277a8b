//! What staff write down about an area.

use crate::domain::channel::ChannelRef;
use crate::domain::text::AreaName;
use serde::Serialize;

/// An area's own fields (spec "Nouns").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AreaDetails {
    /// Name, unique among live areas.
    pub name: AreaName,
    /// The channel in which it is talked about, where there is one.
    pub slack_channel: Option<ChannelRef>,
    /// Its place on the board: lower ones first, then by name.
    pub sort_order: i64,
}
