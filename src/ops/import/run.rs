//! One run of the import: page by page, what of a page is new, and what was told. The files beside it, one
//! for each group of nouns, drive it.

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

/// An account that stands for one of the Python system's.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: UserId,
    pub(super) name: String,
}

/// What is here of the Python system's: numbers only, so that no row points to a stranger's.
#[derive(Debug, Default)]
pub(super) struct CopiedIds {
    /// Accounts by their old numbers.
    pub(super) users: HashMap<i64, Account>,
    /// Accounts by their old names.
    names: HashMap<String, UserId>,
    pub(super) areas: HashSet<AreaId>,
    pub(super) equipment: HashSet<EquipmentId>,
    /// Repairs with their machines.
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

/// One run.
pub(super) struct Run<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) old: &'a Legacy,
    pub(super) dry: bool,
    pub(super) known: CopiedIds,
    tell: &'a mut (dyn FnMut(Event<'_>) + Send),
    tally: Tally,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        ctx: &'a Ctx,
        old: &'a Legacy,
        dry: bool,
        tell: &'a mut (dyn FnMut(Event<'_>) + Send),
    ) -> Self {
        Self { ctx, old, dry, known: CopiedIds::default(), tell, tally: Tally::default() }
    }

    /// Begins a table.
    pub(super) async fn begin(&mut self, table: Table) -> Result<Pages, OpError> {
        self.tally = Tally { table: table.name, there: self.old.count(table).await?, ..Tally::default() };
        Ok(Pages { table, after: 0 })
    }

    /// Ends a table: tells its counts.
    pub(super) fn end(&mut self) -> Tally {
        (self.tell)(Event::Table(self.tally));
        self.tally
    }

    /// Says how far it is.
    pub(super) fn progress(&mut self) {
        (self.tell)(Event::Progress(self.tally));
    }

    /// Tells what did not fit of a row that is copied.
    pub(super) fn fitted(&mut self, name: &str, reader: &RowReader<'_>) {
        self.tally.copied += 1;
        for what in &reader.findings {
            self.odd(reader.row.id, name, what);
        }
    }

    /// Tells what is to be known of a row.
    pub(super) fn odd(&mut self, id: i64, name: &str, what: &str) {
        let name = if name.is_empty() { String::new() } else { format!(" {}", quoted(name)) };
        self.say(&format!("{} {id}{name}: {what}", self.tally.table));
    }

    /// Tells what is to be known.
    pub(super) fn say(&mut self, what: &str) {
        (self.tell)(Event::Finding(what));
    }

    /// Tells why a row is not copied.
    pub(super) fn left_out(&mut self, row: &Row, name: &str, why: &str) {
        self.tally.left_out += 1;
        self.odd(row.id, name, &format!("not copied: {why}"));
    }

    /// A row was copied before, or has its counterpart.
    pub(super) const fn is_here(&mut self) {
        self.tally.here += 1;
    }

    /// A row is copied.
    pub(super) const fn copied(&mut self) {
        self.tally.copied += 1;
    }

    /// All rows that were not dealt with have been so before.
    pub(super) const fn rest_is_here(&mut self) {
        self.tally.here = self.tally.there.saturating_sub(self.tally.copied);
    }

    /// Parts the rows of a page: those that were copied before (the same number, made at the same time),
    /// and those that are new. A number that is somebody else's by now is told.
    pub(super) async fn sort<M: ModelTrait>(&mut self, page: Vec<Row>) -> Result<Sorted, OpError> {
        let ids: Vec<i64> = page.iter().map(|row| row.id).collect();
        let there = import::made::<M>(self.ctx.store.read(), &ids).await?;
        let mut sorted = Sorted::default();
        for row in page {
            match there.get(&row.id) {
                None => page.new.push(row),
                Some(time) if *time == made(&row) => {
                    self.tally.here += 1;
                    page.existing.push(row);
                }
                Some(_) => {
                    let name = row.text("name").unwrap_or_default().to_owned();
                    self.left_out(&row, &name, "its number was given to another here");
                }
            }
        }
        Ok(sorted)
    }

    /// Adds the rows of a page under their own numbers.
    pub(super) async fn add<M>(&mut self, rows: Vec<M>) -> Result<(), OpError>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel> + Clone + Sync,
    {
        self.write(!rows.is_empty(), async |tx| import::add(tx, rows.clone()).await).await
    }

    /// Writes a page, all of it or nothing, unless nothing is to be written.
    pub(super) async fn write(
        &mut self,
        wanted: bool,
        page: impl AsyncFn(&Transaction) -> Result<(), DbErr>,
    ) -> Result<(), OpError> {
        if wanted && !self.dry {
            retry_on_deadlock(async || {
                let tx = self.ctx.store.begin().await?;
                page(&tx).await?;
                Ok(self.ctx.commit_visible(tx).await?)
            })
            .await?;
        }
        self.progress();
        Ok(())
    }
}

/// A page, parted.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) here: Vec<Row>,
    pub(super) new: Vec<Row>,
}

/// The pages of a table.
#[derive(Debug)]
pub(super) struct Pages {
    table: Table,
    after: i64,
}

impl Pages {
    /// Begins behind that number.
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
