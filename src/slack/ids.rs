//! Names of our Slack surfaces, each written once. They are a contract: people's open modals and the
//! manifest carry them (spec/slack.md). Templates of `blocks/` repeat them; a test compares the two.

/// Slash commands.
pub mod command {
    /// Anyone reports a problem.
    pub const REPORT: &str = "/esb-report";
    /// Anyone sees what works.
    pub const STATUS: &str = "/esb-status";
    /// Technicians repair.
    pub const REPAIR: &str = "/esb-repair";
    /// Technicians edit a repair in full.
    pub const UPDATE: &str = "/esb-update";
    pub const ALL: &[&str] = &[REPORT, STATUS, REPAIR, UPDATE];
}

/// `callback_id`s of shortcuts.
pub mod shortcut {
    /// Anyone reports a problem, from anywhere in Slack.
    pub const REPORT_PROBLEM: &str = "report_problem_shortcut";
    /// Anyone reports what a message says, from the menu of that message.
    pub const REPORT_FROM_MESSAGE: &str = "report_from_message";
    pub const ALL: &[&str] = &[REPORT_PROBLEM, REPORT_FROM_MESSAGE];
}

/// `callback_id`s of views.
pub mod view {
    /// The report form.
    pub const REPORT_PROBLEM: &str = "report_problem";
    /// The board.
    pub const STATUS_SUMMARY: &str = "status_summary";
    pub const STATUS_AREA: &str = "status_area";
    /// One machine.
    pub const STATUS_EQUIPMENT: &str = "status_equipment";
    /// What a search found.
    pub const STATUS_MATCHES: &str = "status_matches";
    /// What went wrong.
    pub const STATUS_ERROR: &str = "status_error";
    /// What was done, asked before a repair is resolved.
    pub const RESOLVE_REPAIR: &str = "resolve_repair";
    /// Which of the open repairs.
    pub const CHOOSE_REPAIR: &str = "choose_repair";
    /// Claim, ETA, status, resolve.
    pub const ACT_ON_REPAIR: &str = "act_on_repair";
    /// A new repair.
    pub const CREATE_REPAIR: &str = "create_repair";
    /// The full edit.
    pub const UPDATE_REPAIR: &str = "update_repair";
    /// The app's Home tab.
    pub const HOME: &str = "home";
    pub const ALL: &[&str] = &[
        REPORT_PROBLEM,
        STATUS_SUMMARY,
        STATUS_AREA,
        STATUS_EQUIPMENT,
        STATUS_MATCHES,
        STATUS_ERROR,
        RESOLVE_REPAIR,
        CHOOSE_REPAIR,
        ACT_ON_REPAIR,
        CREATE_REPAIR,
        UPDATE_REPAIR,
        HOME,
    ];
    /// Those of `/esb-status`: they hold nothing that anybody typed, so one may replace another.
    pub const STATUS: &[&str] =
        &[STATUS_SUMMARY, STATUS_AREA, STATUS_EQUIPMENT, STATUS_MATCHES, STATUS_ERROR];
}

/// `action_id`s of buttons and selects that act by themselves.
pub mod action {
    /// A machine is chosen in the report form.
    pub const EQUIPMENT: &str = "equipment";
    /// "I have this problem too."
    pub const ME_TOO: &str = "me_too";
    /// Show an area.
    pub const VIEW_AREA: &str = "view_area";
    /// Show a machine.
    pub const VIEW_EQUIPMENT: &str = "view_equipment";
    /// Show the board.
    pub const BACK_TO_SUMMARY: &str = "back_to_summary";
    /// Show another page.
    pub const PAGE: &str = "page";
    /// "This one is mine", on a card.
    pub const CARD_CLAIM: &str = "card_claim";
    /// "It is done", on a card: opens a form.
    pub const CARD_RESOLVE: &str = "card_resolve";
    /// All else that can be done with a repair, on a card: opens a form.
    pub const CARD_MORE: &str = "card_more";
    /// A link on a card: the browser follows it, and Slack lets us know.
    pub const CARD_PAGE: &str = "card_page";
    /// Act on a repair.
    pub const OPEN_REPAIR: &str = "open_repair";
    /// Report a problem.
    pub const REPORT: &str = "report";
    /// Find a machine, on the Home tab.
    pub const SEARCH_EQUIPMENT: &str = "search_equipment";
    /// What to do with a repair.
    pub const ACTION: &str = "action";
    /// Another status, where it decides what else is asked.
    pub const STATUS: &str = "status";
    pub const ALL: &[&str] = &[
        EQUIPMENT,
        ME_TOO,
        VIEW_AREA,
        VIEW_EQUIPMENT,
        BACK_TO_SUMMARY,
        PAGE,
        CARD_CLAIM,
        CARD_RESOLVE,
        CARD_MORE,
        CARD_PAGE,
        OPEN_REPAIR,
        REPORT,
        SEARCH_EQUIPMENT,
        ACTION,
        STATUS,
    ];
}

/// `action_id`s, and `block_id`s, of inputs.
pub mod input {
    /// The machine.
    pub const EQUIPMENT: &str = super::action::EQUIPMENT;
    /// The reporter's name.
    pub const REPORTER_NAME: &str = "reporter_name";
    /// What is wrong.
    pub const DESCRIPTION: &str = "description";
    /// How bad.
    pub const SEVERITY: &str = "severity";
    /// Somebody could be hurt; also the value of its only option.
    pub const SAFETY_RISK: &str = "safety_risk";
    /// Something is used up; also the value of its only option.
    pub const CONSUMABLE: &str = "consumable";
    pub const REPAIR: &str = "repair";
    /// What to do with it.
    pub const ACTION: &str = super::action::ACTION;
    /// Where it stands.
    pub const STATUS: &str = super::action::STATUS;
    /// When it should be done.
    pub const ETA: &str = "eta";
    /// What there is to say.
    pub const NOTE: &str = "note";
    /// The repair that this one repeats.
    pub const DUPLICATE_OF: &str = "duplicate_of";
    /// Who works on it.
    pub const ASSIGNEE: &str = "assignee";
    /// What it looks like.
    pub const PHOTOS: &str = "photos";
    /// What a specialist is needed for.
    pub const SPECIALIST_DESCRIPTION: &str = "specialist_description";

    /// The input whose choice decides whether a form shows this one.
    pub fn chooser_of(input: &str) -> Option<&'static str> {
        match input {
            DUPLICATE_OF | SPECIALIST_DESCRIPTION => Some(STATUS),
            STATUS | ETA | NOTE | ASSIGNEE | SEVERITY => Some(ACTION),
            _ => None,
        }
    }

    pub const ALL: &[&str] = &[
        EQUIPMENT,
        REPORTER_NAME,
        DESCRIPTION,
        SEVERITY,
        SAFETY_RISK,
        CONSUMABLE,
        REPAIR,
        ACTION,
        STATUS,
        ETA,
        NOTE,
        DUPLICATE_OF,
        ASSIGNEE,
        PHOTOS,
        SPECIALIST_DESCRIPTION,
    ];
}

/// `type`s of events that Slack sends.
pub mod event {
    /// Somebody wrote something, changed it or deleted it.
    pub const MESSAGE: &str = "message";
    /// Somebody reacted to a message.
    pub const REACTION_ADDED: &str = "reaction_added";
    /// Somebody's account in Slack has changed.
    pub const USER_CHANGE: &str = "user_change";
    /// Somebody has joined a channel in which the bot is, or the bot one.
    pub const MEMBER_JOINED: &str = "member_joined_channel";
    /// Somebody has opened the app's Home tab, or its messages.
    pub const APP_HOME_OPENED: &str = "app_home_opened";
    /// The tab that it names when that is the Home tab.
    pub const HOME_TAB: &str = "home";
    /// Somebody has mentioned the bot in a channel.
    pub const APP_MENTION: &str = "app_mention";
    pub const ALL: &[&str] =
        &[APP_HOME_OPENED, APP_MENTION, MEMBER_JOINED, MESSAGE, REACTION_ADDED, USER_CHANGE];
    /// What Slack is asked for, as the manifest has it: messages by the kind of channel that they stand in.
    pub const SUBSCRIBED: &[&str] = &[
        APP_HOME_OPENED,
        APP_MENTION,
        MEMBER_JOINED,
        "message.channels",
        "message.groups",
        "message.im",
        REACTION_ADDED,
        USER_CHANGE,
    ];
}

/// Words with which people begin a message to the bot.
pub mod word {
    /// How does it stand?
    pub const STATUS: &str = "status";
    /// Something is wrong.
    pub const REPORT: &str = "report";
}

/// The name as one of ours, or `other`: a closed set for metrics.
pub fn known(name: &str, ours: &[&'static str]) -> &'static str {
    ours.iter().find(|known| **known == name).copied().unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_label_comes_from_a_closed_set(name in prop_oneof![any::<String>(), "/?[a-z-_]{0,16}"]) {
            for ours in [command::ALL, shortcut::ALL, view::ALL, action::ALL, event::ALL] {
                let label = known(&name, ours);
                prop_assert_eq!(label, if ours.contains(&name.as_str()) { name.as_str() } else { "other" });
            }
        }
    }
}
