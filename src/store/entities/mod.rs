//! One file a table. Only `store` uses these; they hold no rules.

pub mod api_token;
pub mod area;
pub mod audit;
pub mod board;
pub mod card;
pub mod delivery;
pub mod delivery_attempt;
pub mod document;
pub mod equipment;
pub mod equipment_link;
pub mod equipment_note;
pub mod heartbeat;
pub mod job;
pub mod job_line;
pub mod lease;
pub mod me_too;
pub mod photo;
pub mod repair;
pub mod request;
pub mod session;
pub mod setting;
pub mod slack_channel;
pub mod slack_person;
pub mod thread_reply;
pub mod timeline;
pub mod user;
