//! Steps of technicians in Slack that several tests take.

use super::app::TestApp;
use super::ops::user;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::ids::UserId;
use esb::store::entities::timeline;
use sea_orm::{EntityTrait, QueryOrder};

impl TestApp {
    /// With the table saw down (repair 1, "Blade wobbles"), and Ana a technician.
    pub async fn workshop() -> Self {
        let (app, _) = Self::with_saw().await;
        app.technician("ana").await;
        app.add_open_repairs("Table saw", "Blade wobbles", 1).await;
        app
    }

    /// The technician of that name, with the email address of their Slack profile.
    pub async fn technician(&self, name: &str) -> UserId {
        user(&self.app.ctx, name, Role::Technician).await
    }

    /// All timeline entries, oldest first: kind, actor, value.
    pub async fn timeline(&self) -> Vec<(String, String, Option<String>)> {
        let entries = timeline::Entity::find().order_by_asc(timeline::Column::Id);
        let entries = entries.all(self.app.ctx.store.read()).await.unwrap();
        let told = |entry: timeline::Model| (format!("{:?}", entry.kind), entry.actor_name, entry.new_value);
        entries.into_iter().map(told).collect()
    }

    /// Sends everything that is pending, one message a second, reads it, and finishes.
    pub async fn settle_and_finish(self) {
        for _ in 0..12 {
            self.after(TimeDelta::seconds(1)).await;
        }
        self.read_all();
        self.finish().await;
    }
}
