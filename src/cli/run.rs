//! `serve` and `worker`: run until SIGTERM or Ctrl-C.

use super::banner::Banner;
use crate::app::{App, Parts};
use crate::clock::Clock;
use crate::config::Config;
use crate::logging::Style;
use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(super) async fn serve(config: Config, parts: Parts, style: Style) -> anyhow::Result<()> {
    let shutdown = on_signal()?;
    // Bound before the database is opened: a program that is started twice by mistake must not migrate it.
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("ESB_LISTEN {}", config.listen))?;
    let listen = listener.local_addr()?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), %listen, database = config.database_for_log(), "starting");
    log_proxy(&config);
    if !config.slack.takes_commands() {
        if config.slack.bot_token.is_some() {
            tracing::warn!("Slack commands are off: set SLACK_APP_TOKEN and SLACK_SOCKET_MODE_CONNECT=true");
        } else {
            tracing::warn!(
                "Slack is off: set SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACK_SOCKET_MODE_CONNECT=true"
            );
        }
    }
    let banner = matches!(style, Style::Terminal { .. }).then(|| Banner::new(&config, listen));
    let building = App::build_at(&listener, config, Clock::system());
    let Some(app) = run_until_stopped(&shutdown, building).await? else {
        return Ok(());
    };
    tracing::info!(%listen, "listening");
    let ended = match banner {
        Some(banner) => app.serve_with(listener, parts, shutdown, move |code| banner.show(code)).await,
        None => app.serve(listener, parts, shutdown).await,
    };
    close(&app).await;
    ended
}

pub(super) async fn work(config: Config) -> anyhow::Result<()> {
    let shutdown = on_signal()?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        database = config.database_for_log(),
        "starting worker"
    );
    log_proxy(&config);
    let Some(app) = run_until_stopped(&shutdown, App::build(config, Clock::system())).await? else {
        return Ok(());
    };
    app.work(shutdown).await;
    close(&app).await;
    Ok(())
}

fn log_proxy(config: &Config) {
    if let Some(proxy) = &config.slack.proxy {
        let directly = proxy.direct.as_str();
        tracing::info!(%proxy, directly, "outgoing calls use a proxy");
    }
}

/// Closes the database. All work is done by then, even if the database does not answer.
async fn close(app: &App) {
    if let Err(error) = app.ctx.store.close().await {
        tracing::warn!(%error, "database close timed out");
    }
    tracing::info!("stopped");
}

/// Builds the program. Returns `None` if the stop signal came before the database answered.
async fn run_until_stopped(
    shutdown: &CancellationToken,
    building: impl Future<Output = anyhow::Result<App>>,
) -> anyhow::Result<Option<App>> {
    let built = shutdown.run_until_cancelled(building).await.transpose();
    if let Ok(None) = built {
        tracing::info!("stopped");
    }
    built
}

/// A token that SIGTERM and Ctrl-C cancel.
fn on_signal() -> anyhow::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = CancellationToken::new();
    let cancelled = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stop requested, finishing work in flight");
        cancelled.cancel();
    });
    Ok(shutdown)
}
