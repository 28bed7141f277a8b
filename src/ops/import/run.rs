//! One run of the import: reads tables page by page, finds the new rows of a page, writes them and reports. The other
//! files of this folder drive it, one for each group of tables.

use super::convert::{RowReader, made, quoted};
use super::{Event, Tally};
use crate::domain::ids::{AreaId, EquipmentId, RepairId, UserId};
use crate::domain::text::caseless;
use crate::ops::{Ctx, OpError, retry_on_deadlock};
use crate::store::legacy::tables::Table;
use crate::store::legacy::{Legacy, Row};
use crate::store::{Transaction, import};
use sea_orm::{DbErr, EntityTrait, IntoActiveModel, ModelTrait};
use std::collections::{HashMap, HashSet};

/// The account of an old user.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: UserId,
    pub(super) name: String,
}

/// The ids that exist in both systems. References to other ids are dropped.
#[derive(Debug, Default)]
pub(super) struct CopiedIds {
    /// Accounts by their old ids.
    pub(super) users: HashMap<i64, Account>,
    /// Accounts by their old names.
    names: HashMap<String, UserId>,
    pub(super) areas: HashSet<AreaId>,
    pub(super) equipment: HashSet<EquipmentId>,
    pub(super) repairs: HashMap<RepairId, EquipmentId>,
}

impl CopiedIds {
    pub(super) fn add_user(&mut self, old: i64, old_name: &str, account: Account) {
        self.names.insert(caseless(old_name), account.id);
        self.users.insert(old, account);
    }

    /// The account that had this name.
    pub(super) fn named(&self, name: &str) -> Option<UserId> {
        self.names.get(&caseless(name)).copied()
    }
}

pub(super) struct Run<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) old: &'a Legacy,
    pub(super) dry: bool,
    pub(super) known: CopiedIds,
    on_event: &'a mut (dyn FnMut(Event<'_>) + Send),
    tally: Tally,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        ctx: &'a Ctx,
        old: &'a Legacy,
        dry: bool,
        on_event: &'a mut (dyn FnMut(Event<'_>) + Send),
    ) -> Self {
        Self { ctx, old, dry, known: CopiedIds::default(), on_event, tally: Tally::default() }
    }

    /// Starts a table.
    pub(super) async fn begin(&mut self, table: Table) -> Result<Pages, OpError> {
        self.tally = Tally { table: table.name, there: self.old.count(table).await?, ..Tally::default() };
        Ok(Pages { table, after: 0 })
    }

    /// Ends a table and reports its counts.
    pub(super) fn end(&mut self) -> Tally {
        (self.on_event)(Event::Table(self.tally));
        self.tally
    }

    pub(super) fn report_progress(&mut self) {
        (self.on_event)(Event::Progress(self.tally));
    }

    /// Counts a row as copied and reports the values that did not fit.
    pub(super) fn report_copied(&mut self, name: &str, reader: &RowReader<'_>) {
        self.tally.copied += 1;
        for finding in &reader.findings {
            self.report_row(reader.row.id, name, finding);
        }
    }

    pub(super) fn report_row(&mut self, id: i64, name: &str, finding: &str) {
        let name = if name.is_empty() { String::new() } else { format!(" {}", quoted(name)) };
        self.report(&format!("{} {id}{name}: {finding}", self.tally.table));
    }

    pub(super) fn report(&mut self, finding: &str) {
        (self.on_event)(Event::Finding(finding));
    }

    /// Counts a row as skipped and reports why.
    pub(super) fn skip(&mut self, row: &Row, name: &str, why: &str) {
        self.tally.left_out += 1;
        self.report_row(row.id, name, &format!("not copied: {why}"));
    }

    /// Counts a row that was copied before or has a counterpart.
    pub(super) const fn count_existing(&mut self) {
        self.tally.here += 1;
    }

    pub(super) const fn count_copied(&mut self) {
        self.tally.copied += 1;
    }

    /// Counts all other rows of the table as copied before.
    pub(super) const fn count_rest_as_existing(&mut self) {
        self.tally.here = self.tally.there.saturating_sub(self.tally.copied);
    }

    /// Splits a page into rows that were copied before (same id and creation time) and new rows. Skips and reports a
    /// row whose id belongs to another row here.
    pub(super) async fn split_page<M: ModelTrait>(&mut self, rows: Vec<Row>) -> Result<SplitPage, OpError> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let there = import::made::<M>(self.ctx.store.read(), &ids).await?;
        let mut page = SplitPage::default();
        for row in rows {
            match there.get(&row.id) {
                None => page.new.push(row),
                Some(time) if *time == made(&row) => {
                    self.tally.here += 1;
                    page.existing.push(row);
                }
                Some(_) => {
                    let name = row.text("name").unwrap_or_default().to_owned();
                    self.skip(&row, &name, "its number was given to another here");
                }
            }
        }
        Ok(page)
    }

    /// Copies the new rows of a table, one model each. `convert` skips a row by returning `None`; `keep` gets the id
    /// of each row that exists here afterwards.
    pub(super) async fn copy_table<M>(
        &mut self,
        table: Table,
        mut convert: impl FnMut(&mut Self, &Row) -> Option<M>,
        keep: impl Fn(&mut CopiedIds, i64),
    ) -> Result<Tally, OpError>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel> + Clone + Sync,
    {
        let mut pages = self.begin(table).await?;
        while let Some(rows) = pages.next(self).await? {
            let page = self.split_page::<M>(rows).await?;
            page.existing.iter().for_each(|row| keep(&mut self.known, row.id));
            let mut new = Vec::new();
            for row in &page.new {
                if let Some(model) = convert(self, row) {
                    keep(&mut self.known, row.id);
                    new.push(model);
                }
            }
            self.add(new).await?;
        }
        Ok(self.end())
    }

    /// Adds the rows of a page under their own ids.
    pub(super) async fn add<M>(&mut self, rows: Vec<M>) -> Result<(), OpError>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel> + Clone + Sync,
    {
        self.write(!rows.is_empty(), async |tx| import::add(tx, rows.clone()).await).await
    }

    /// Writes a page in one transaction, if it has changes and this is no dry run.
    pub(super) async fn write(
        &mut self,
        has_changes: bool,
        page: impl AsyncFn(&Transaction) -> Result<(), DbErr>,
    ) -> Result<(), OpError> {
        if has_changes && !self.dry {
            retry_on_deadlock(async || {
                let tx = self.ctx.store.begin().await?;
                page(&tx).await?;
                Ok(self.ctx.commit_visible(tx).await?)
            })
            .await?;
        }
        self.report_progress();
        Ok(())
    }
}

/// The rows of a page.
#[derive(Debug, Default)]
pub(super) struct SplitPage {
    pub(super) existing: Vec<Row>,
    pub(super) new: Vec<Row>,
}

/// The pages of a table.
#[derive(Debug)]
pub(super) struct Pages {
    table: Table,
    after: i64,
}

impl Pages {
    /// Starts after that id.
    pub(super) const fn after(mut self, id: i64) -> Self {
        self.after = id;
        self
    }

    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self, run: &Run<'_>) -> Result<Option<Vec<Row>>, OpError> {
        let page = run.old.page(self.table, self.after).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.after = last.id;
        Ok(Some(page))
    }
}
