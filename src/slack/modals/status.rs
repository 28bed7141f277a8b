//! The modals of `/esb-status`: which screen to show, and where its buttons lead.

use super::act_on_repair;
use super::view_metadata::{ViewMetadata, answered_at};
use crate::domain::actor::Role;
use crate::domain::ids::{AreaId, EquipmentId};
use crate::domain::search::{Fit, SearchKey, SearchQuery};
use crate::domain::text::cut;
use crate::ops::board::{board, equipment, open_repairs};
use crate::ops::equipment::list::past_repairs;
use crate::ops::search::{find_equipment, search_equipment};
use crate::render::slack::Modal;
use crate::slack::context::{EdgeError, ReplyTo, SlackContext, failure};
use crate::slack::envelope::{Sender, View};
use crate::slack::ids::{action, view};
use crate::slack::intake::Reference;
use crate::views::board::BoardView;
use crate::views::equipment::EquipmentMatch;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const STALE: &str = "This button is out of date. Please start again with /esb-status.";
const OUT_OF_DATE: EdgeError = EdgeError::Unfit(STALE);
const MACHINE_GONE: EdgeError =
    EdgeError::Unfit("This machine is no longer on the board. Please start again with /esb-status.");
const AREA_GONE: EdgeError =
    EdgeError::Unfit("This area is no longer on the board. Please start again with /esb-status.");

/// Most characters of a search text in the pager's metadata: even if JSON escapes make it six times as long, there
/// is room for the rest.
const TYPED_MAX: usize = 400;

/// Most nearest names to list when no name matches.
const NEAREST_NAMED: usize = 3;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StatusMetadata {
    /// The id of the area or machine, or the search text; empty for the board.
    of: String,
}

/// The content of a status modal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Screen {
    /// The board.
    Summary {
        page: usize,
        notice: Option<String>,
    },
    Area {
        id: AreaId,
        page: usize,
    },
    /// One machine.
    Equipment {
        id: EquipmentId,
        page: usize,
    },
    /// Search results.
    Matches {
        typed: String,
        page: usize,
    },
}

impl Screen {
    /// The screen for a text: an area or machine with that name, else search results, else the board.
    pub(crate) async fn named(edge: &SlackContext, text: &str) -> Result<Self, EdgeError> {
        if text.is_empty() {
            return Ok(Self::Summary { page: 1, notice: None });
        }
        if let Some(area) = named_area(&*board(&edge.ctx).await?, text) {
            return Ok(Self::Area { id: area, page: 1 });
        }
        let search = find_equipment(&edge.ctx, text).await?;
        // An exact name opens its machine, even if other names contain it.
        Ok(match search.exact.as_ref().or(search.certain.as_ref()) {
            Some(equipment) => Self::Equipment { id: equipment.id, page: 1 },
            None if search.found.is_empty() || search.are_nearest => {
                Self::Summary { page: 1, notice: Some(nothing_called(text, &search.found)) }
            }
            None => Self::Matches { typed: text.to_owned(), page: 1 },
        })
    }

    /// The screen of a button.
    pub(crate) fn of(pressed: &str, value: &str) -> Result<Self, EdgeError> {
        match pressed {
            action::BACK_TO_SUMMARY => Ok(Self::Summary { page: 1, notice: None }),
            action::VIEW_AREA => Ok(Self::Area { id: value.parse().map_err(|_| OUT_OF_DATE)?, page: 1 }),
            action::VIEW_EQUIPMENT | action::SEARCH_EQUIPMENT => {
                Ok(Self::Equipment { id: value.parse().map_err(|_| OUT_OF_DATE)?, page: 1 })
            }
            _ => Err(OUT_OF_DATE),
        }
    }

    /// The screen of a button in this view.
    fn after(shown: &View, pressed: &str, value: &str) -> Result<Self, EdgeError> {
        match pressed {
            action::PAGE => Self::turned(shown, value.parse().map_err(|_| OUT_OF_DATE)?),
            _ => Self::of(pressed, value),
        }
    }

    /// Another page of the shown screen.
    fn turned(shown: &View, page: usize) -> Result<Self, EdgeError> {
        let StatusMetadata { of } = ViewMetadata::of(shown, STALE)?.more;
        match shown.callback_id.as_str() {
            view::STATUS_SUMMARY => Ok(Self::Summary { page, notice: None }),
            view::STATUS_AREA => Ok(Self::Area { id: of.parse().map_err(|_| OUT_OF_DATE)?, page }),
            view::STATUS_EQUIPMENT => Ok(Self::Equipment { id: of.parse().map_err(|_| OUT_OF_DATE)?, page }),
            view::STATUS_MATCHES => Ok(Self::Matches { typed: of, page }),
            _ => Err(OUT_OF_DATE),
        }
    }

    /// The screen's view, with the metadata for its pager and for answers to the person.
    ///
    /// # Errors
    /// The record to show no longer exists.
    pub(crate) async fn modal(
        self,
        edge: &SlackContext,
        sender: &Sender,
        to: &ReplyTo,
    ) -> Result<Modal, EdgeError> {
        let kept = ViewMetadata::new(to, self.shown()).to_json();
        // A shared view is copied before it gets one person's metadata.
        Ok(Arc::unwrap_or_clone(self.content(edge, sender).await?).keeping(kept))
    }

    fn shown(&self) -> StatusMetadata {
        let of = match self {
            Self::Summary { .. } => String::new(),
            Self::Area { id, .. } => id.to_string(),
            Self::Equipment { id, .. } => id.to_string(),
            Self::Matches { typed, .. } => typed.chars().take(TYPED_MAX).collect(),
        };
        StatusMetadata { of }
    }

    /// Reads the screen's data and renders its view.
    async fn content(self, edge: &SlackContext, sender: &Sender) -> Result<Arc<Modal>, EdgeError> {
        let (ctx, blocks) = (&edge.ctx, &edge.blocks);
        Ok(Arc::new(match self {
            // The most requested screen: rendered once per revision.
            Self::Summary { page: 1, notice: None } => {
                let board = board(ctx).await?;
                let make = async { Ok(Arc::new(blocks.status_summary(&board, 1, None)?)) };
                return edge.summary.get(&board.revision, make).await;
            }
            Self::Summary { page, notice } => {
                blocks.status_summary(&*board(ctx).await?, page, notice.as_deref())?
            }
            Self::Area { id, page } => {
                let board = board(ctx).await?;
                let area = board.areas.iter().find(|area| area.id == id).ok_or(AREA_GONE)?;
                let open = match may_repair(edge, sender).await? {
                    true => Some(open_repairs(ctx).await?),
                    false => None,
                };
                blocks.status_area(area, open.as_ref().map(|open| open.as_slice()), page)?
            }
            Self::Equipment { id, page } => {
                let equipment = equipment(ctx, id).await?;
                if equipment.archived {
                    return Err(MACHINE_GONE);
                }
                let past = match may_repair(edge, sender).await? {
                    true => Some(past_repairs(ctx, id).await?),
                    false => None,
                };
                blocks.status_equipment(&equipment, past.as_ref(), page, &edge.links)?
            }
            Self::Matches { typed, page } => {
                let found = search_equipment(ctx, &typed).await?;
                blocks.status_matches(&typed, &found, page)?
            }
        }))
    }
}

/// The area whose name equals a text, the first of several.
fn named_area(board: &BoardView, text: &str) -> Option<AreaId> {
    let query = SearchQuery::new(text);
    let fitting =
        board.areas.iter().filter_map(|area| Some((query.fit(&[&SearchKey::new(&area.name)])?, area.id)));
    let (fit, area) = fitting.min_by_key(|(fit, _)| *fit)?;
    (fit <= Fit::Letters).then_some(area)
}

/// The notice above the board when no name matches the search.
fn nothing_called(text: &str, nearest: &[EquipmentMatch]) -> String {
    let names: Vec<String> = nearest.iter().take(NEAREST_NAMED).map(|it| cut(&it.name, 80)).collect();
    let nearest = match names.split_last() {
        None => String::new(),
        Some((only, [])) => format!(" Did you mean “{only}”?"),
        Some((last, others)) => format!(" Did you mean “{}” or “{last}”?", others.join("”, “")),
    };
    format!("No area and no machine is called “{}”.{nearest} Here is the whole board.", cut(text, 80))
}

async fn may_repair(edge: &SlackContext, sender: &Sender) -> Result<bool, EdgeError> {
    Ok(edge.actor(sender).await?.is_at_least(Role::Technician))
}

/// Pushes the form of a repair onto the view. On failure, replaces the view by one with the error.
pub(crate) async fn open_repair(
    edge: &SlackContext,
    sender: &Sender,
    (shown, trigger): (&View, Option<&SecretString>),
    value: &str,
    reference: &Reference,
) {
    let to = answered_at(shown, sender);
    let opened = async {
        let repair = value.parse().map_err(|_| OUT_OF_DATE)?;
        act_on_repair::push(edge, sender, (shown, trigger), &to, repair).await
    };
    if let Err(error) = opened.await {
        replace(edge, shown, &to, Err(error), reference).await;
    }
}

/// After a button press: replaces the view; on failure, by one with the error.
pub(crate) async fn press(
    edge: &SlackContext,
    sender: &Sender,
    shown: &View,
    (action_id, value): (&str, &str),
    reference: &Reference,
) {
    let to = answered_at(shown, sender);
    let modal = async { Screen::after(shown, action_id, value)?.modal(edge, sender, &to).await };
    replace(edge, shown, &to, modal.await, reference).await;
}

async fn replace(
    edge: &SlackContext,
    shown: &View,
    to: &ReplyTo,
    modal: Result<Modal, EdgeError>,
    reference: &Reference,
) {
    let replaced = async {
        let modal = match modal {
            Ok(modal) => modal,
            Err(error) => failed(edge, to, &failure(error, reference))?,
        };
        edge.api.views_update(&shown.id, None, &modal.0).await?;
        Ok(())
    };
    if let Err(error) = replaced.await {
        edge.reply_failure_in_view(to, error, reference).await;
    }
}

/// The view with an error, and a button to continue.
fn failed(edge: &SlackContext, to: &ReplyTo, words: &str) -> Result<Modal, EdgeError> {
    let kept = ViewMetadata::new(to, StatusMetadata { of: String::new() });
    Ok(edge.blocks.status_error(words)?.keeping(kept.to_json()))
}
