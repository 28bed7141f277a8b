//! Modals, one file each: what they carry, what a submission or a choice in them does.

pub mod act_on_repair;
pub mod choose_repair;
pub mod create_repair;
mod declined;
mod kept;
pub mod report_problem;
pub mod resolve_repair;
pub mod status;
mod typed;
pub mod update_repair;

use crate::domain::channel::ChannelRef;
use crate::render::slack::mrkdwn::channel;

/// The sentence that names the channels which hear of it; nothing where none does.
fn being_told(told: &[ChannelRef]) -> String {
    let told: Vec<String> = told.iter().map(|told| channel(told.as_str())).collect();
    match told.as_slice() {
        [] => String::new(),
        [one] => format!(" {one} is being told."),
        several => format!(" {} are being told.", several.join(" and ")),
    }
}
