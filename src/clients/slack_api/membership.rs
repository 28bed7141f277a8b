//! Decides who belongs to our workspace. Slack Connect brings people of other workspaces into shared channels: Slack
//! reports them like our own members, with an e-mail address that only their workspace has verified.

use super::SlackUser;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub team_id: String,
    /// The organization that the workspace is part of, if any.
    pub enterprise_id: Option<String>,
}

/// Slackbot, which Slack does not mark as a bot.
const SLACKBOT: &str = "USLACKBOT";

impl SlackUser {
    /// True for a person of our workspace, or of another one of our organization, whose e-mail address is confirmed:
    /// the rule for accounts (spec "Who may do what"). This includes guests.
    pub fn is_member(&self, ours: &Workspace) -> bool {
        let is_ours = |id: &Option<String>| {
            id.as_ref().is_some_and(|id| *id == ours.team_id || Some(id) == ours.enterprise_id.as_ref())
        };
        !self.is_surely_no_member() && (is_ours(&self.team_id) || is_ours(&self.enterprise_id))
    }

    /// True for people who cannot be members of any of our workspaces.
    pub fn is_surely_no_member(&self) -> bool {
        self.deleted || self.is_bot || self.id == SLACKBOT || self.is_stranger || !self.is_email_confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn is_member(change: Value) -> bool {
        let mut user = json!({
            "id": "U1", "team_id": "T1", "name": "tess", "is_bot": false, "is_stranger": false,
            "is_restricted": false, "is_email_confirmed": true, "profile": { "email": "tess@example.org" },
        });
        for (key, value) in change.as_object().unwrap() {
            user[key] = value.clone();
        }
        let ours = Workspace { team_id: "T1".into(), enterprise_id: Some("E1".into()) };
        SlackUser::of_event(&user).unwrap().is_member(&ours)
    }

    #[test]
    fn people_of_our_workspace_are_members() {
        for change in [
            json!({}),
            json!({ "is_stranger": null, "is_email_confirmed": null }),
            json!({ "is_restricted": true, "is_ultra_restricted": true }),
            json!({ "team_id": "E1" }),
            json!({ "team_id": "T3", "enterprise_user": { "enterprise_id": "E1" } }),
            json!({ "team_id": "T3", "enterprise_id": "E1" }),
            json!({ "is_app_user": true, "is_admin": true }),
        ] {
            assert!(is_member(change.clone()), "{change}");
        }
    }

    #[test]
    fn people_outside_our_workspace_are_not_members() {
        for change in [
            json!({ "team_id": "T2" }),
            json!({ "team_id": null }),
            json!({ "team_id": "T2", "is_stranger": true }),
            json!({ "is_stranger": true }),
            json!({ "team_id": "T2", "enterprise_user": { "enterprise_id": "E2" } }),
            json!({ "team_id": "E2" }),
            json!({ "is_bot": true }),
            json!({ "is_workflow_bot": true }),
            json!({ "is_connector_bot": true }),
            json!({ "id": "USLACKBOT" }),
            json!({ "deleted": true }),
            json!({ "is_email_confirmed": false }),
        ] {
            assert!(!is_member(change.clone()), "{change}");
        }
    }

    #[test]
    fn workspace_without_organization_shares_none() {
        let ours = Workspace { team_id: "T1".into(), enterprise_id: None };
        let user = |team| SlackUser::of_event(&json!({ "id": "U1", "team_id": team })).unwrap();
        assert!(user("T1").is_member(&ours) && !user("").is_member(&ours) && !user("T2").is_member(&ours));
    }
}
