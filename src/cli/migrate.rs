//! `migrate`: updates the database schema, reverts its latest migration, or lists the migrations.

use super::print;
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::ops::install;
use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Direction {
    /// Apply the missing migrations
    Up,
    /// Revert the latest migration and delete its data: in this version, everything
    Down,
    /// List the migrations
    Status,
}

pub(super) async fn run(config: &Config, direction: Direction, yes: bool) -> anyhow::Result<()> {
    if direction == Direction::Down && !yes {
        let database = config.database_for_log();
        anyhow::bail!(
            "this version's schema has one step: reverting it deletes everything in {database}. Add --yes to do it"
        );
    }
    let ctx = app::open_unmigrated(config, Clock::system()).await?;
    match direction {
        Direction::Up => install::migrate(&ctx).await?,
        Direction::Down => install::migrate_down(&ctx).await?,
        Direction::Status => {}
    }
    for (name, applied) in install::migrations(&ctx).await? {
        print(&format!("{} {name}", if applied { "applied" } else { "missing" }))?;
    }
    Ok(())
}
