//! Modals, one file each: their metadata, and the handlers of submissions and choices.

pub mod act_on_repair;
pub mod choose_repair;
pub mod create_repair;
mod form_parser;
pub mod report_problem;
pub mod resolve_repair;
pub mod status;
mod submission_error;
pub mod update_repair;
mod view_metadata;

use crate::domain::channel::ChannelRef;
use crate::ops::repairs::photo_source::InSlack;
use crate::render::slack::PHOTOS_MAX;
use crate::render::slack::mrkdwn::channel;
use crate::slack::envelope::State;
use crate::slack::ids::input;
use crate::slack::sent_files::sorted;

/// The photos of a form; the text for the person if there are too many.
fn photos(state: &State) -> Result<InSlack, String> {
    let files = state.files(input::PHOTOS);
    if files.len() > PHOTOS_MAX {
        return Err(format!(
            "Please send {PHOTOS_MAX} photos at most; more can follow in the card's thread."
        ));
    }
    Ok(sorted(files))
}

/// The sentence that announces that photos are being fetched; empty if there are none.
fn being_fetched(photos: &InSlack) -> String {
    let fetched = match photos.fetch.len() {
        0 => String::new(),
        1 => " Your photo is being fetched.".into(),
        several => format!(" Your {several} photos are being fetched."),
    };
    let linked =
        if photos.links.is_some() { " Files that Slack does not store are added as links." } else { "" };
    fetched + linked
}

/// The sentence that names the announced channels; empty if there are none.
fn announced_in(channels: &[ChannelRef]) -> String {
    let channels: Vec<String> = channels.iter().map(|target| channel(target.as_str())).collect();
    match channels.as_slice() {
        [] => String::new(),
        [one] => format!(" Posting to {one}."),
        several => format!(" Posting to {}.", several.join(" and ")),
    }
}
