//! The handle of a running sandbox.
//!
//! Owns: starting and stopping, addresses and tokens, faults. Must not: act or read; `act`, `read` and `wire` extend
//! this type. Called by: demos and tests.

use std::{fmt, io, sync::Arc, time::Duration};

use tokio_util::sync::DropGuard;

use crate::{
    api::{APP_TOKEN, BOT_TOKEN},
    faults::Fault,
    options::Options,
    server,
    state::{Shared, State},
    world::World,
};

/// A Slack on loopback. Clones share it; it stops when the last clone is dropped.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
    address: String,
    _stop: Arc<DropGuard>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts a sandbox on 127.0.0.1.
    ///
    /// # Errors
    /// When the port is taken, or when called outside a tokio runtime.
    pub fn start(world: World, options: Options) -> io::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let listener = server::listen(options.port)?;
        let here = listener.local_addr()?;
        let host = options.host.clone().unwrap_or_else(|| here.ip().to_string());
        let address = format!("http://{host}:{}/", here.port());
        let shared = Arc::new(Shared::new(State::new(world, options, address.clone())));
        runtime.spawn(server::serve(Arc::clone(&shared), listener));
        let stop = Arc::new(shared.stop.clone().drop_guard());
        Ok(Self { shared, address, _stop: stop })
    }

    /// The base URL of all methods: `http://127.0.0.1:PORT/api/`, or with the name of [`Options::host`].
    pub fn api_url(&self) -> String {
        format!("{}api/", self.address)
    }

    /// A file's `url_private`, which requires the bot token with the scope to read files. Faults and calls use the
    /// method name `file` for it.
    pub fn file_url(&self, id: &str) -> String {
        self.shared.peek(|state| state.file_url(id))
    }

    /// The bot token, `xoxb-…`.
    pub fn bot_token(&self) -> &'static str {
        BOT_TOKEN
    }

    /// The app-level token, `xapp-…`, which only opens connections.
    pub fn app_token(&self) -> &'static str {
        APP_TOKEN
    }

    pub fn world(&self) -> World {
        self.shared.peek(|state| state.world.clone())
    }

    /// Changes the workspace at run time: somebody leaves, a channel is archived.
    pub fn change_world(&self, change: impl FnOnce(&mut World)) {
        self.shared.with(|state| change(&mut state.world));
    }

    /// Injects a fault into the next call of this method; further calls of this function queue more. Response URLs use
    /// the name `response_url`.
    pub fn fail_next(&self, method: &str, fault: Fault) {
        self.shared.with(|state| state.faults.push(method, fault));
    }

    /// Injects a fault into every call of this method until [`Sandbox::clear_faults`].
    pub fn fail_always(&self, method: &str, fault: Fault) {
        self.shared.with(|state| state.faults.set(method, fault));
    }

    /// Removes all pending faults.
    pub fn clear_faults(&self) {
        self.shared.with(|state| state.faults.clear());
    }

    /// Waits, at most `limit` of real time, until `look` returns a value; `None` after the limit. Calls `look` again
    /// after every change.
    pub async fn wait_for<T>(&self, limit: Duration, mut look: impl FnMut(&Self) -> Option<T>) -> Option<T> {
        self.shared.until_unlocked(limit, || look(self)).await
    }
}
