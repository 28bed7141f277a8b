//! Pools that survive dead connections which nobody has closed (a cable was pulled, a firewall dropped them).
//! `connect` opens its pools with it.
//!
//! Client side: without it, the pool pings a returned connection without a timeout, and a few such pings block the
//! whole pool until TCP gives up after a quarter of an hour; a ping at checkout lasts until the caller's timeout.
//! Here a connection is pinged with a short timeout and replaced if it does not answer. It is not closed, since the
//! TLS shutdown would wait as well.
//!
//! Server side: the server does not notice a dead connection either, and keeps the locks of its open transaction. A
//! session setting makes it end a transaction that is idle for 15 s: ours take milliseconds.

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{self, ConnectOptions as _, Connection, Executor};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a caller waits for a free connection before the operation fails as "database away".
pub(super) const ACQUIRE: Duration = Duration::from_secs(5);
/// Pause between two attempts to connect to a database that does not answer.
pub(super) const RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// How long a ping may take. Less than `ACQUIRE`, so that there is time for another connection.
const ALIVE: Duration = Duration::from_secs(2);
/// Ping timeout for a connection that is most likely dead.
const SUSPECT: Duration = Duration::from_millis(250);

/// The time at which a connection of the pool was found dead. Connections that have been idle since before then are
/// most likely dead too: to ping all of them with the full timeout would be an outage.
#[derive(Debug, Clone, Default)]
struct StaleCutoff(Arc<Mutex<Option<Instant>>>);

impl StaleCutoff {
    fn raise(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// The ping timeout for a connection that has been idle since then.
    fn ping_timeout(&self, idle_since: Option<Instant>) -> Duration {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_suspect = raised.is_some_and(|raised| idle_since.is_none_or(|since| since < raised));
        if is_suspect { SUSPECT } else { ALIVE }
    }

    /// False when a connection does not answer; an error when it is closed.
    async fn is_alive(
        &self,
        connection: &mut impl Connection,
        ping_timeout: Duration,
    ) -> Result<bool, sqlx::Error> {
        match timeout(ping_timeout, connection.ping()).await {
            Ok(answer) => answer.map(|()| true),
            Err(_) => {
                self.raise(Instant::now());
                tracing::warn!("dead database connection replaced");
                Ok(false)
            }
        }
    }
}

/// The pool of the database at this address, with liveness checks; without them if the address cannot be parsed:
/// opening the pool parses it again and reports the error.
pub(super) fn with_liveness_check<DB: sqlx::Database>(
    pool: PoolOptions<DB>,
    address: Option<<DB::Connection as Connection>::Options>,
    session: &'static str,
) -> PoolOptions<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let Some(options) = address else { return pool };
    let taking = (Arc::new(options.disable_statement_logging()), StaleCutoff::default());
    let returning = taking.clone();
    pool.after_connect(move |connection, _| {
        Box::pin(async move { connection.execute(session).await.map(|_| ()) })
    })
    .before_acquire(move |connection, known| {
        let (options, stale_cutoff) = taking.clone();
        Box::pin(async move {
            let ping_timeout = stale_cutoff.ping_timeout(Instant::now().checked_sub(known.idle_for));
            if !stale_cutoff.is_alive(connection, ping_timeout).await? {
                *connection = connected::<DB>(&options, session).await?;
            }
            Ok(true)
        })
    })
    .after_release(move |connection, _| {
        let (options, stale_cutoff) = returning.clone();
        Box::pin(async move {
            if !stale_cutoff.is_alive(connection, ALIVE).await? {
                *connection = loop {
                    match connected::<DB>(&options, session).await {
                        Ok(fresh) => break fresh,
                        Err(_) => tokio::time::sleep(RECONNECT_DELAY).await,
                    }
                };
            }
            Ok(true)
        })
    })
}

async fn connected<DB: sqlx::Database>(
    options: &<DB::Connection as Connection>::Options,
    session: &'static str,
) -> Result<DB::Connection, sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let connecting = async {
        let mut fresh = DB::Connection::connect_with(options).await?;
        fresh.execute(session).await?;
        Ok(fresh)
    };
    timeout(ACQUIRE, connecting).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_connections_are_suspect_after_dead_one() {
        let (stale_cutoff, start) = (StaleCutoff::default(), Instant::now());
        assert_eq!(stale_cutoff.ping_timeout(Some(start)), ALIVE);
        let raised = start + Duration::from_secs(10);
        stale_cutoff.raise(raised);
        assert_eq!(stale_cutoff.ping_timeout(Some(start)), SUSPECT);
        assert_eq!(stale_cutoff.ping_timeout(None), SUSPECT, "idle for longer than the clock knows");
        assert_eq!(stale_cutoff.ping_timeout(Some(raised)), ALIVE, "it came back since");
    }
}
