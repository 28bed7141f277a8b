//! Copies the settings that both systems have, unless they are set here.

use super::Tally;
use super::convert::{RowReader, quoted};
use super::run::Run;
use crate::domain::setting::Setting;
use crate::ops::OpError;
use crate::store::legacy::tables::SETTINGS;
use crate::store::settings;

/// Internal state of the Python system in its settings.
const INTERNAL: [&str; 1] = ["worker_last_iteration_at"];

pub(super) async fn copy(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let mut pages = run.begin(SETTINGS).await?;
    let stored = settings::stored(run.ctx.store.read()).await?;
    while let Some(page) = pages.next(run).await? {
        let mut new = Vec::new();
        for row in &page {
            let key = row.text("key").unwrap_or_default();
            let value = row.text("value").unwrap_or_default();
            match Setting::of(key) {
                _ if INTERNAL.contains(&key) => run.count_existing(),
                Some(setting) if stored.get(setting.key).is_some() => run.count_existing(),
                Some(setting) => match setting.parse(value) {
                    Ok(value) => {
                        run.report_copied(key, &RowReader::new(row));
                        new.push((setting.key, value));
                    }
                    Err(_) if setting.is_secret() => run.skip(row, key, "its value does not fit"),
                    Err(error) => run.skip(row, key, &format!("{}: {error}", quoted(value))),
                },
                None => run.skip(row, key, &format!("there is no such setting here ({})", quoted(value))),
            }
        }
        let now = run.ctx.clock.now();
        run.write(!new.is_empty(), async |tx| {
            for (key, value) in &new {
                settings::set(tx, key, value, now).await?;
            }
            settings::count_on(tx, stored.version(), now).await.map(|_| ())
        })
        .await?;
    }
    Ok(run.end())
}
