//! `sonde demo`: a server over a temporary folder that the demo fills and keeps going.

use super::{DASHBOARDS, Progress, fill, keep_going, prepare};
use crate::config::{Config, Listen};
use crate::server::{Server, announce, stop_signal};
use crate::state::AppState;
use clap::Args;

/// The flags of `sonde demo`.
#[derive(Args, Clone, Copy, Debug)]
pub struct Options {
    /// Where the page is served.
    #[arg(long, env = "SONDE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: Listen,
    /// Where Graphite plaintext is taken, TCP and UDP; `off` for nowhere.
    #[arg(long, env = "SONDE_CARBON", default_value = "off", value_name = "ADDRESS")]
    carbon: Listen,
    /// Where syslog is taken, TCP and UDP; `off` for nowhere.
    #[arg(long, env = "SONDE_SYSLOG", default_value = "off", value_name = "ADDRESS")]
    syslog: Listen,
}

/// Serves the demo until SIGINT or SIGTERM. Its folder goes with it.
pub async fn serve(options: Options) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("sonde-demo-").tempdir()?;
    let Options { listen, carbon, syslog } = options;
    let config = Config { data: folder.path().to_owned(), listen, carbon, syslog, ..Config::default() };
    let server = Server::start(config, &DASHBOARDS).await?;
    let store = server.state().store.clone();
    let plan = prepare(AppState::now());
    tokio::select! {
        filled = fill(&store, &plan, tell) => filled?,
        () = stop_signal() => return server.stop().await,
    }
    announce(&format!("open http://{}{}", server.http(), plan.page()));
    tokio::select! {
        ended = keep_going(store.clone(), plan, AppState::now) => ended?,
        () = stop_signal() => {}
    }
    drop(store);
    server.stop().await
}

fn tell(progress: Progress) {
    tracing::info!(
        percent = progress.percent,
        lines = progress.lines,
        points = progress.points,
        "filling the history"
    );
}
