//! Steps in Slack that several tests share: reports, buttons, and payloads of a misbehaving client.

use super::app::{ANA, DEADLINE, TestApp};
use chrono::TimeDelta;
use esb::domain::ids::{AreaId, EquipmentId, RepairId};
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::text::fold;
use esb::domain::timeline::TimelineKind;
use esb::store;
use esb::store::entities::{equipment, repair, timeline};
use esb_sandbox::{Ack, Message, Submitted, View};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The errors in the answer to a submission, by field.
#[track_caller]
pub fn errors(submitted: Submitted) -> BTreeMap<String, String> {
    match submitted {
        Submitted::Errors(errors) => errors,
        other => panic!("no errors but {other:?}"),
    }
}

/// The errors in the acknowledgement of a submission.
#[track_caller]
pub fn errors_of(ack: &Ack) -> BTreeMap<String, String> {
    let payload = ack.payload.as_ref().expect("an answer");
    assert_eq!(payload["response_action"], "errors", "{payload}");
    serde_json::from_value(payload["errors"].clone()).unwrap()
}

impl TestApp {
    /// The modal that Ana sees.
    #[track_caller]
    pub fn view(&self) -> View {
        self.slack.top_view(ANA).expect("a modal")
    }

    /// Ana types into the open modal.
    pub async fn fill(&self, input: &str, text: &str) {
        self.slack.fill(ANA, input, text).await.unwrap();
    }

    /// Ana submits the open modal; then everything settles.
    pub async fn submit(&self) -> Submitted {
        let submitted = self.slack.submit(ANA).await.unwrap();
        self.settle().await;
        submitted
    }

    /// Ana presses a button of the open modal; then everything settles.
    pub async fn press(&self, action_id: &str, value: Option<&str>) {
        let outcome = self.slack.press(ANA, action_id, value).await.unwrap();
        assert!(outcome.is_acknowledged(), "{action_id}: {outcome:?}");
        self.settle().await;
    }

    /// Ana chooses an option in the open modal; then everything settles.
    pub async fn choose(&self, action_id: &str, wanted: &str) {
        self.slack.choose(ANA, action_id, wanted).await.unwrap();
        self.settle().await;
    }

    /// Ana reports a problem with the machine of that name, from the command to the last announcement; a
    /// channel gets one message a second.
    pub async fn report(&self, equipment: &str, description: &str) {
        self.command(ANA, "/esb-report", equipment).await;
        self.fill("description", description).await;
        assert_eq!(self.submit().await, Submitted::Cleared);
        self.after(TimeDelta::seconds(1)).await;
    }

    /// Marks every message to Ana and in the channels as read.
    pub fn read_all(&self) {
        for channel in ["#oops", "#woodshop", "#metalshop"] {
            self.slack.posted_in(channel);
        }
        self.slack.private_to(ANA);
        self.slack.direct_messages(ANA);
    }

    /// The number of calls so far, for [`TestApp::called_since`].
    pub fn calls(&self) -> usize {
        self.slack.all_calls().len()
    }

    /// The methods called since then, in order.
    pub fn called_since(&self, mark: usize) -> Vec<String> {
        self.slack.all_calls().into_iter().skip(mark).map(|call| call.method).collect()
    }

    /// The current card of the repair in `#woodshop`.
    #[track_caller]
    pub fn card(&self) -> Message {
        let is_card = |m: &Message| m.channel == "C0WOOD" && m.thread_ts.is_none() && !m.blocks.is_empty();
        self.slack.messages().into_iter().find(is_card).expect("a card")
    }

    /// Every note entry: author, text (`None` for a deletion), and whether it replaces another.
    pub async fn notes(&self) -> Vec<(String, Option<String>, bool)> {
        let notes = timeline::Entity::find().filter(timeline::Column::Kind.eq(TimelineKind::Note));
        let notes = notes.order_by_asc(timeline::Column::Id).all(self.app.ctx.store.read()).await.unwrap();
        notes.into_iter().map(|it| (it.actor_name, it.new_value, it.supersedes.is_some())).collect()
    }

    /// The number of repairs.
    pub async fn repairs(&self) -> u64 {
        let db = self.app.ctx.store.read();
        repair::Entity::find().count(db).await.unwrap()
    }

    pub async fn repair(&self, id: i64) -> repair::Model {
        store::repairs::find(self.app.ctx.store.read(), RepairId(id)).await.unwrap().expect("a repair")
    }

    /// Executes SQL on the database.
    pub async fn sql(&self, statement: &str) {
        let tx = self.app.ctx.store.begin().await.unwrap();
        tx.execute_unprepared(statement).await.unwrap();
        self.app.ctx.commit_visible(tx).await.unwrap();
    }

    /// Adds machines named by a word and a number from 1.
    pub async fn add_many_equipment(&self, area: AreaId, word: &str, count: usize) {
        let now = self.clock.now();
        let row = |n| {
            let name = format!("{word} {n}");
            equipment::ActiveModel {
                area_id: Set(area),
                name_key: Set(fold(&name)),
                name: Set(name),
                manufacturer: Set(String::new()),
                model: Set(String::new()),
                serial_number: Set(String::new()),
                acquisition_source: Set(String::new()),
                description: Set(String::new()),
                archived: Set(false),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            }
        };
        self.insert((1..=count).map(row)).await;
    }

    /// Adds `count` open repairs with severity Down to every machine whose name has this prefix.
    pub async fn add_open_repairs(&self, equipment: &str, description: &str, count: usize) {
        let now = self.clock.now();
        let named = equipment::Entity::find().filter(equipment::Column::Name.starts_with(equipment));
        let equipment = named.all(self.app.ctx.store.read()).await.unwrap();
        let row = |equipment: EquipmentId| repair::ActiveModel {
            equipment_id: Set(equipment),
            description: Set(description.to_owned()),
            severity: Set(Some(Severity::Down)),
            status: Set(RepairStatus::New),
            open: Set(true),
            reporter_name: Set("Ana".to_owned()),
            specialist_description: Set(String::new()),
            safety_risk: Set(false),
            consumable: Set(false),
            version: Set(1),
            created_at: Set(now),
            ..Default::default()
        };
        self.insert(equipment.iter().flat_map(|equipment| (0..count).map(|_| row(equipment.id)))).await;
    }

    /// Inserts rows in batches that fit into one statement.
    async fn insert<M>(&self, rows: impl Iterator<Item = M>)
    where
        M: ActiveModelTrait,
    {
        let tx = self.app.ctx.store.begin().await.unwrap();
        let rows: Vec<M> = rows.collect();
        for rows in rows.chunks(500) {
            M::Entity::insert_many(rows.to_vec()).exec_without_returning(&tx).await.unwrap();
        }
        self.app.ctx.commit_visible(tx).await.unwrap();
    }

    pub async fn archive(&self, equipment: EquipmentId) {
        self.sql(&format!("UPDATE equipment SET archived = TRUE WHERE id = {equipment}")).await;
    }

    pub async fn close_repair(&self, id: i64) {
        self.sql(&format!("UPDATE repairs SET status = 'Resolved', open = FALSE WHERE id = {id}")).await;
    }

    /// The common part of Slack's payload for an action of Ana.
    pub fn interaction(&self, kind: &str) -> Value {
        json!({
            "type": kind,
            "team": { "id": self.slack.world().team_id },
            "user": { "id": ANA, "name": "ana" },
        })
    }

    /// The submission of the open modal, to be modified.
    pub fn submission(&self) -> Value {
        let mut payload = self.interaction("view_submission");
        payload["view"] = self.view().json;
        payload
    }

    /// A click in the open modal on a button that need not exist.
    pub fn pressed(&self, action_id: &str, value: &str) -> Value {
        let mut payload = self.interaction("block_actions");
        payload["view"] = self.view().json;
        payload["actions"] = json!([{ "type": "button", "action_id": action_id, "value": value }]);
        payload
    }

    /// Sends an interaction as it is; then everything settles.
    pub async fn send(&self, payload: Value) -> Ack {
        self.send_as("interactive", &format!("raw-{}", rand::random::<u64>()), payload).await
    }

    /// Sends an envelope of that type and id.
    pub async fn send_as(&self, kind: &str, id: &str, payload: Value) -> Ack {
        let envelope = json!({
            "envelope_id": id, "type": kind, "accepts_response_payload": true, "payload": payload,
        });
        let wire = self.slack.wire();
        assert!(wire.send_envelope(envelope), "no connection");
        let ack = wire.wait_for_ack(id, DEADLINE).await.expect("an acknowledgement");
        self.settle().await;
        ack
    }
}

/// Sets an input of a submission.
pub fn put(submission: &mut Value, input: &str, state: Value) {
    submission["view"]["state"]["values"][input] = json!({ input: state });
}

/// Sets a text input of a submission.
pub fn put_text(submission: &mut Value, input: &str, text: &str) {
    put(submission, input, json!({ "type": "plain_text_input", "value": text }));
}

/// Sets a select of a submission.
pub fn put_option(submission: &mut Value, input: &str, value: &str) {
    let option = json!({ "text": { "type": "plain_text", "text": value }, "value": value });
    put(submission, input, json!({ "type": "static_select", "selected_option": option }));
}
