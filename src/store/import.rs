//! Rows that are copied from another installation under their own ids. `ops::import` calls it. `timeline` and
//! `audit` copy their own rows.

use super::entities::{document, photo, repair, user};
use super::users::{User, email_key};
use crate::domain::ids::RepairId;
use crate::domain::text::{Username, caseless};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityName, EntityTrait, IntoActiveModel,
    ModelTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use std::collections::{HashMap, HashSet};

/// Creation times of those of these rows that exist; a few hundred ids at most: each takes a parameter.
pub async fn made<M: ModelTrait>(
    db: &impl ConnectionTrait,
    ids: &[i64],
) -> Result<HashMap<i64, DateTime<Utc>>, DbErr> {
    let rows = <M::Entity as EntityTrait>::find().select_only();
    let rows = rows.expr(Expr::col("id")).expr(Expr::col("created_at"));
    let rows = rows.filter(Expr::col("id").is_in(ids.iter().copied()));
    Ok(rows.into_tuple::<(i64, DateTime<Utc>)>().all(db).await?.into_iter().collect())
}

pub async fn count<M>(db: &impl ConnectionTrait) -> Result<u64, DbErr>
where
    M: ModelTrait + sea_orm::FromQueryResult + Send + Sync,
    M::Entity: EntityTrait<Model = M>,
{
    <M::Entity as EntityTrait>::find().count(db).await
}

/// Adds rows under their own ids. The table's next id is then above all of them.
pub async fn add<M>(db: &impl ConnectionTrait, rows: Vec<M>) -> Result<(), DbErr>
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
{
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    <M::Entity as EntityTrait>::insert_many(rows).exec_without_returning(db).await?;
    follow(db, M::Entity::default().table_name()).await
}

/// Advances the table's id sequence. Only PostgreSQL needs it: its sequence ignores explicit ids, while the other
/// databases look at the table. The sequence never goes back, so an id that another transaction has just received
/// stays unique.
async fn follow(db: &impl ConnectionTrait, table: &str) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let sequence = || Func::cust("pg_get_serial_sequence").arg(table).arg("id");
    let highest = Query::select().expr(Func::max(Expr::col("id"))).from(table.to_owned()).take();
    let next = Func::cust("nextval").arg(sequence());
    let next = Func::greatest([Expr::SubQuery(None, Box::new(highest.into())), next.into()]);
    let set = Func::cust("setval").arg(sequence()).arg(next);
    db.query_one(&Query::select().expr_as(set, "n").take()).await?;
    Ok(())
}

/// Users with one of these names, e-mail addresses or ids; a few hundred of each at most.
pub async fn users_like(
    db: &impl ConnectionTrait,
    names: &[Username],
    emails: &[String],
    ids: &[i64],
) -> Result<Vec<User>, DbErr> {
    let names = names.iter().map(|name| caseless(name.as_str()));
    let emails = emails.iter().map(|email| email_key(email));
    let like = Condition::any()
        .add(user::Column::UsernameKey.is_in(names))
        .add(user::Column::EmailKey.is_in(emails))
        .add(user::Column::Id.is_in(ids.iter().copied()));
    user::Entity::find().filter(like).all(db).await
}

/// Which of these sources a document or photo has; a few hundred at most.
pub async fn sources(db: &impl ConnectionTrait, sources: &[String]) -> Result<HashSet<String>, DbErr> {
    let documents = document::Entity::find().select_only().column(document::Column::Source);
    let documents = documents.filter(document::Column::Source.is_in(sources));
    let photos = photo::Entity::find().select_only().column(photo::Column::Source);
    let photos = photos.filter(photo::Column::Source.is_in(sources));
    let mut here: HashSet<String> = documents.into_tuple().all(db).await?.into_iter().collect();
    here.extend(photos.into_tuple::<String>().all(db).await?);
    Ok(here)
}

/// The highest user id; zero if there are no users.
pub async fn highest_user(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let highest = user::Entity::find().select_only().expr(Func::max(Expr::col("id")));
    Ok(highest.into_tuple::<Option<i64>>().one(db).await?.flatten().unwrap_or_default())
}

/// Sets which repair these repairs duplicate, unless that is set or a person has edited them; a few hundred at
/// most.
pub async fn link_duplicates(db: &impl ConnectionTrait, links: &[(RepairId, RepairId)]) -> Result<(), DbErr> {
    let repeats = links.iter().fold(CaseStatement::new(), |case, (repair, repeated)| {
        case.case(Expr::col(repair::Column::Id).eq(repair.0), repeated.0)
    });
    repair::Entity::update_many()
        .col_expr(repair::Column::DuplicateOf, repeats.into())
        .filter(repair::Column::Id.is_in(links.iter().map(|(repair, _)| *repair)))
        .filter(repair::Column::DuplicateOf.is_null())
        .filter(repair::Column::Version.eq(1))
        .exec(db)
        .await?;
    Ok(())
}
