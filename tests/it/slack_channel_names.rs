//! Channels configured by id: their names are looked up in Slack, and id and name count as one channel.

use crate::support::app::{TestApp, only, world};
use crate::support::lines::Lines;
use crate::support::ops::{ana, report};
use chrono::TimeDelta;
use esb::domain::channel::ChannelRef;
use esb::domain::ids::EquipmentId;
use esb::ops::repairs::photo_source::PhotosToAttach;
use esb::ops::repairs::report_problem::{report_key, report_problem};
use esb_sandbox::{Channel, Fault, World};
use tracing::Level;

const INFO: &str = "conversations.info";
const LASERS: &str = "C0LASERS01";

/// A Slack with a channel whose id is long enough for one, as Slack's are.
fn with_lasers(scopes: &[&str]) -> World {
    let mut world = world().channel(Channel::new(LASERS, "lasers"));
    world.scopes.extend(scopes.iter().copied().map(String::from));
    world
}

impl TestApp {
    /// An area whose channel is configured so, with a machine.
    async fn laser_in(world: World, channel: &str) -> (Self, EquipmentId) {
        let app = Self::start_in(world).await;
        let area = app.area("Lasers", channel).await;
        let laser = app.add_equipment(area, "Laser").await;
        (app, laser)
    }

    /// A round of the worker's questions about names; how often Slack was asked so far.
    async fn learn_names(&self) -> usize {
        assert_eq!(self.app.channel_names.refresh().await, None, "Slack wants to be left alone");
        self.slack.calls(INFO).len()
    }

    /// Where a report of this machine was told, as the page after it says.
    async fn told_on_the_web(&self, laser: EquipmentId, request: u8) -> String {
        let key = report_key(&ana(), &report(laser, request), PhotosToAttach::NOTHING).unwrap();
        self.web.get(&format!("/e/{laser}/reported/{}", key.as_str())).await.text()
    }

    async fn areas_page(&self) -> String {
        self.staff().await.get("/admin/areas").await.text()
    }
}

#[tokio::test]
async fn channel_name_is_looked_up_daily() {
    let lines = Lines::from(Level::INFO);
    let (app, laser) = TestApp::laser_in(with_lasers(&["channels:read"]), LASERS).await;
    assert_eq!((app.learn_names().await, app.learn_names().await), (1, 1));
    report_problem(&app.app.ctx, &ana(), report(laser, 1)).await.unwrap();
    app.settle().await;
    only(app.slack.posted_in("#lasers"));
    only(app.slack.posted_in("#oops"));
    assert!(!lines.with("delivered").concat().contains(LASERS));
    let (told, areas) = (app.told_on_the_web(laser, 1).await, app.areas_page().await);
    for page in [&told, &areas] {
        assert!(page.contains("#lasers") && !page.contains(LASERS), "{page}");
    }
    app.slack.change_world(|world| {
        world.channels.iter_mut().filter(|it| it.id == LASERS).for_each(|it| it.name = "light".into());
    });
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(app.learn_names().await, 2);
    assert!(app.told_on_the_web(laser, 1).await.contains("#light"));
    app.finish().await;
}

#[tokio::test]
async fn unknown_channel_name_is_retried_next_day() {
    for (scopes, asked) in [(&[][..], 0), (&["channels:read"][..], 1)] {
        let mut world = with_lasers(scopes);
        world.channels.retain(|channel| channel.id != LASERS);
        world = world.channel(Channel::new(LASERS, "lasers").private().without_bot());
        let (app, laser) = TestApp::laser_in(world, LASERS).await;
        assert_eq!((app.learn_names().await, app.learn_names().await), (asked, asked), "{scopes:?}");
        report_problem(&app.app.ctx, &ana(), report(laser, 1)).await.unwrap();
        assert!(app.told_on_the_web(laser, 1).await.contains(LASERS));
        app.clock.advance(TimeDelta::hours(25));
        assert_eq!(app.learn_names().await, 2 * asked);
    }
}

#[tokio::test]
async fn failed_channel_lookup_is_retried() {
    let (app, _) = TestApp::laser_in(with_lasers(&["channels:read"]), LASERS).await;
    app.slack.fail_next(INFO, Fault::Http(503));
    app.slack.fail_next(INFO, Fault::RateLimited(7));
    assert_eq!(app.app.channel_names.refresh().await.map(|wait| wait.as_secs()), Some(180));
    assert_eq!(app.app.channel_names.refresh().await.map(|wait| wait.as_secs()), Some(7));
    assert_eq!(app.learn_names().await, 3);
    assert!(app.areas_page().await.contains("#lasers"));
}

#[tokio::test]
async fn channel_id_and_name_are_one_target() {
    let oops = |config: &mut esb::config::Config| {
        config.slack.oops_channel = ChannelRef::parse("#lasers");
    };
    for scopes in [&["channels:read"][..], &[]] {
        let (app, laser) = TestApp::laser_in(with_lasers(scopes), LASERS).await;
        let other = app.another_app_with(oops).await;
        app.learn_names().await;
        if scopes.is_empty() {
            // What Slack does not tell is known from any message that went to the name.
            let area = app.area("Wood shop", "#woodshop").await;
            let saw = app.add_equipment(area, "Table saw").await;
            report_problem(&other.ctx, &ana(), report(saw, 1)).await.unwrap();
            app.settle().await;
            only(app.slack.posted_in("#woodshop"));
            only(app.slack.posted_in("#lasers"));
            app.clock.advance(TimeDelta::seconds(1));
        }
        let channels = report_problem(&other.ctx, &ana(), report(laser, 2)).await.unwrap().channels;
        assert_eq!(channels.len(), 1, "{scopes:?}: {channels:?}");
        app.after(TimeDelta::seconds(2)).await;
        only(app.slack.posted_in("#lasers"));
        app.finish().await;
    }
}

#[tokio::test]
async fn unresolved_channels_count_as_different() {
    let (app, laser) = TestApp::laser_in(with_lasers(&["channels:read"]), LASERS).await;
    let channels = report_problem(&app.app.ctx, &ana(), report(laser, 1)).await.unwrap().channels;
    assert_eq!(channels.len(), 2);
    app.learn_names().await;
    let channels = report_problem(&app.app.ctx, &ana(), report(laser, 2)).await.unwrap().channels;
    assert_eq!(channels.len(), 2, "another name is another channel");
    app.after(TimeDelta::seconds(2)).await;
    app.after(TimeDelta::seconds(2)).await;
    assert_eq!((app.slack.posted_in("#lasers").len(), app.slack.posted_in("#oops").len()), (2, 2));
    app.finish().await;
}
