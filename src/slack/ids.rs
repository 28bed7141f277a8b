//! Ids of our Slack surfaces, each written once. They are a contract: people's open modals and the manifest contain
//! them (spec/slack.md). Templates of `blocks/` repeat them; a test compares the two.

/// Slash commands.
pub mod command {
    /// Anyone reports a problem.
    pub const REPORT: &str = "/esb-report";
    /// Anyone views the status.
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
    /// Anyone reports a message, from the menu of that message.
    pub const REPORT_FROM_MESSAGE: &str = "report_from_message";
    pub const ALL: &[&str] = &[REPORT_PROBLEM, REPORT_FROM_MESSAGE];
}

/// `callback_id`s of views.
pub mod view {
    pub const REPORT_PROBLEM: &str = "report_problem";
    pub const STATUS_SUMMARY: &str = "status_summary";
    pub const STATUS_AREA: &str = "status_area";
    pub const STATUS_EQUIPMENT: &str = "status_equipment";
    pub const STATUS_MATCHES: &str = "status_matches";
    pub const STATUS_ERROR: &str = "status_error";
    /// Asks what was done before a repair is resolved.
    pub const RESOLVE_REPAIR: &str = "resolve_repair";
    /// Selects an open repair.
    pub const CHOOSE_REPAIR: &str = "choose_repair";
    /// Claim, ETA, status, resolve.
    pub const ACT_ON_REPAIR: &str = "act_on_repair";
    pub const CREATE_REPAIR: &str = "create_repair";
    pub const UPDATE_REPAIR: &str = "update_repair";
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
    /// The views of `/esb-status`: they contain no typed text, so one may replace another.
    pub const STATUS: &[&str] =
        &[STATUS_SUMMARY, STATUS_AREA, STATUS_EQUIPMENT, STATUS_MATCHES, STATUS_ERROR];
}

/// `action_id`s of buttons and selects outside of forms.
pub mod action {
    /// A machine is chosen in the report form.
    pub const EQUIPMENT: &str = "equipment";
    /// "I have this problem too."
    pub const ME_TOO: &str = "me_too";
    pub const VIEW_AREA: &str = "view_area";
    pub const VIEW_EQUIPMENT: &str = "view_equipment";
    pub const BACK_TO_SUMMARY: &str = "back_to_summary";
    /// Show another page.
    pub const PAGE: &str = "page";
    /// "Claim" on a card.
    pub const CARD_CLAIM: &str = "card_claim";
    /// "Resolve" on a card: opens a form.
    pub const CARD_RESOLVE: &str = "card_resolve";
    /// All other actions on a repair, on a card: opens a form.
    pub const CARD_MORE: &str = "card_more";
    /// A link on a card: the browser follows it, and Slack notifies us.
    pub const CARD_PAGE: &str = "card_page";
    pub const OPEN_REPAIR: &str = "open_repair";
    pub const REPORT: &str = "report";
    /// Find a machine, on the Home tab.
    pub const SEARCH_EQUIPMENT: &str = "search_equipment";
    /// The action on a repair.
    pub const ACTION: &str = "action";
    /// A new status, if it determines the other inputs.
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
    pub const EQUIPMENT: &str = super::action::EQUIPMENT;
    pub const REPORTER_NAME: &str = "reporter_name";
    pub const DESCRIPTION: &str = "description";
    pub const SEVERITY: &str = "severity";
    /// A person could be hurt; also the value of its only option.
    pub const SAFETY_RISK: &str = "safety_risk";
    /// A consumable is used up; also the value of its only option.
    pub const CONSUMABLE: &str = "consumable";
    pub const REPAIR: &str = "repair";
    pub const ACTION: &str = super::action::ACTION;
    pub const STATUS: &str = super::action::STATUS;
    pub const ETA: &str = "eta";
    pub const NOTE: &str = "note";
    /// The original repair.
    pub const DUPLICATE_OF: &str = "duplicate_of";
    pub const ASSIGNEE: &str = "assignee";
    pub const PHOTOS: &str = "photos";
    pub const SPECIALIST_DESCRIPTION: &str = "specialist_description";

    /// The input whose choice determines whether a form shows this one.
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
    /// A message was written, changed or deleted.
    pub const MESSAGE: &str = "message";
    /// A person reacted to a message.
    pub const REACTION_ADDED: &str = "reaction_added";
    /// A person's account in Slack has changed.
    pub const USER_CHANGE: &str = "user_change";
    /// A user has joined a channel of the bot, or the bot has joined one.
    pub const MEMBER_JOINED: &str = "member_joined_channel";
    /// A person has opened the app's Home tab, or its messages.
    pub const APP_HOME_OPENED: &str = "app_home_opened";
    /// The event's `tab` if it is the Home tab.
    pub const HOME_TAB: &str = "home";
    /// A person has mentioned the bot in a channel.
    pub const APP_MENTION: &str = "app_mention";
    pub const ALL: &[&str] =
        &[APP_HOME_OPENED, APP_MENTION, MEMBER_JOINED, MESSAGE, REACTION_ADDED, USER_CHANGE];
    /// The subscribed events, as in the manifest: messages by the kind of their channel.
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

/// First words of messages to the bot.
pub mod word {
    /// Shows the status.
    pub const STATUS: &str = "status";
    /// Reports a problem.
    pub const REPORT: &str = "report";
}

/// The name if it is one of ours, else `other`: a closed set for metrics.
pub fn known(name: &str, ours: &[&'static str]) -> &'static str {
    ours.iter().find(|known| **known == name).copied().unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn metric_label_comes_from_a_fixed_set(name in prop_oneof![any::<String>(), "/?[a-z-_]{0,16}"]) {
            for ours in [command::ALL, shortcut::ALL, view::ALL, action::ALL, event::ALL] {
                let label = known(&name, ours);
                prop_assert_eq!(label, if ours.contains(&name.as_str()) { name.as_str() } else { "other" });
            }
        }
    }
}
