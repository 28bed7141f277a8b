//! The private_metadata of a modal, from its opening to its submission: the idempotency key, and where to answer the
//! person. It contains a response_url and must never be logged.

use crate::domain::actor::SlackUserId;
use crate::domain::ids::RepairId;
use crate::domain::text::RequestId;
use crate::slack::context::{EdgeError, ReplyTo, exposed};
use crate::slack::envelope::{Sender, View};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most characters of private_metadata (a Slack limit).
pub(crate) const METADATA_MAX_CHARS: usize = 3000;

/// The metadata of every form; `more` belongs to one kind of form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ViewMetadata<T> {
    pub(crate) request_id: RequestId,
    response_url: Option<String>,
    opened_at: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) more: T,
}

/// The repair of a form, at the version that the person saw.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RepairAtVersion {
    pub(crate) repair: RepairId,
    pub(crate) version: i64,
}

/// Where to answer a person who acts in a view: where the view was opened, else by direct message.
pub(crate) fn answered_at(view: &View, sender: &Sender) -> ReplyTo {
    let kept = ViewMetadata::<Value>::of(view, "");
    kept.map_or_else(|_| ReplyTo::directly(sender), |kept| kept.reply_to(&sender.user_id))
}

impl<T: Serialize + DeserializeOwned> ViewMetadata<T> {
    /// A new form whose answers go to `to`.
    pub(crate) fn new(to: &ReplyTo, more: T) -> Self {
        Self {
            request_id: RequestId::from_random(rand::random()),
            response_url: to.response_url.as_ref().map(|(url, _)| exposed(url).to_owned()),
            opened_at: to.response_url.as_ref().map_or(DateTime::UNIX_EPOCH, |(_, at)| *at),
            more,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        json!(self).to_string()
    }

    /// Parses the metadata of a view.
    ///
    /// # Errors
    /// Unfit, with the text `stale`.
    pub(crate) fn of(view: &View, stale: &'static str) -> Result<Self, EdgeError> {
        serde_json::from_str(view.private_metadata.expose_secret()).map_err(|_| EdgeError::Unfit(stale))
    }

    /// Where to answer the person.
    pub(crate) fn reply_to(&self, user_id: &str) -> ReplyTo {
        ReplyTo {
            user: SlackUserId(user_id.to_owned()),
            response_url: self
                .response_url
                .as_ref()
                .map(|url| (SecretString::from(url.as_str()), self.opened_at)),
        }
    }
}
