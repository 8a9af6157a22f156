//! Starts everything and stops it in order.

mod own_numbers;

use crate::config::{Config, SettingError, listen_problem, with_retention};
use crate::dashboards::{BuiltIn, Dashboards};
use crate::ingest::component_rule::ComponentRule;
use crate::ingest::listen::{BoundListeners, ListenConfig, spawn_listeners};
use crate::ingest::syslog::SyslogRules;
use crate::ingest::zone::Zone;
use crate::query::storage_rules::StorageRules;
use crate::router::router;
use crate::state::AppState;
use crate::store::{Store, StoreError, layout};
use anyhow::Context;
use axum::serve::ListenerExt;
use sonde_shared::time::NANOS_PER_DAY;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How often it is looked for days that are beyond the retention.
const RETENTION_INTERVAL: Duration = Duration::from_mins(1);
/// How long queries may go on after the signal to stop.
const QUERY_PATIENCE: Duration = Duration::from_millis(500);
/// How long what is still open may go on when queries were given up.
const STOP_PATIENCE: Duration = Duration::from_millis(2_500);

/// Serves until SIGINT or SIGTERM, then syncs and closes everything.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let server = Server::start(config, &[]).await?;
    stop_signal().await;
    server.stop().await
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    state: AppState,
    http: SocketAddr,
    listeners: BoundListeners,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
    retention: tokio::task::JoinHandle<()>,
    own_numbers: Option<tokio::task::JoinHandle<()>>,
}

impl Server {
    /// Opens the folder and all listeners, and prints a line for each of them.
    pub async fn start(config: Config, built_in: &[BuiltIn]) -> anyhow::Result<Self> {
        let address = config.listen.0.context("--listen is off: there would be nothing to ask")?;
        let listen = listen_config(&config)?;
        // Before the data folder is made: what was misspelt leaves nothing behind.
        let dashboards = match &config.dashboards {
            Some(dir) => Dashboards::open(Some(dir.clone()), built_in),
            None => Dashboards::open_own(layout::dashboards(&config.data), built_in),
        }?;
        let rules = storage_rules(&config)?;
        let (data, foreign) = (config.data.clone(), config.foreign.clone());
        let (seals, reading) = (config.seal, config.reading());
        check_foreign(&data, &foreign)?;
        let open = move || Store::serve(&data, seals, reading)?.with_foreign(foreign);
        let opened = tokio::task::spawn_blocking(open).await?;
        let store = opened.map_err(|error| data_problem(&config.data, error))?;
        let store = with_retention(store, config.retention, config.retention_bytes, &config.retention_for)?;
        let store = store.with_reserve(config.disk_reserve.0);
        let (stop, stopped) = watch::channel(false);
        let state = AppState::new(store, config, dashboards, stopped.clone())
            .context("no threads can be had")?
            .with_rules(rules);
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| anyhow::anyhow!(listen_problem("--listen", address, &error)))?;
        let http = listener.local_addr()?;
        let (store, counters) = (state.store.clone(), state.counters.clone());
        let listeners =
            spawn_listeners(&listen, store, counters, stopped.clone()).await.map_err(|error| {
                let flag = format!("--{}", error.protocol);
                anyhow::anyhow!(listen_problem(&flag, error.address, &error.source))
            })?;
        tell_start(&state);
        announce(&format!("listening http {http}"));
        let bound = [
            ("carbon", listeners.carbon),
            ("carbon-pickle", listeners.carbon_pickle),
            ("syslog", listeners.syslog),
        ];
        for (name, address) in bound {
            if let Some(address) = address {
                announce(&format!("listening {name} {address}"));
            }
        }
        let retention = tokio::spawn(keep_limits(state.store.clone(), stopped.clone()));
        let own_numbers = state.config.own_metrics.then(|| own_numbers::keep(state.clone(), stopped.clone()));
        let own_numbers = own_numbers.map(tokio::spawn);
        let task = tokio::spawn(serve_http(listener, state.clone(), stopped));
        Ok(Self { state, http, listeners, stop, task, retention, own_numbers })
    }

    /// Where the page is.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// What the handlers share.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Takes no more requests, lets open ones end for a while, and closes the store.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        if tokio::time::timeout(QUERY_PATIENCE, &mut self.task).await.is_err() {
            self.state.queries.close();
            if tokio::time::timeout(STOP_PATIENCE, &mut self.task).await.is_err() {
                self.task.abort();
            }
        }
        if tokio::time::timeout(STOP_PATIENCE, self.listeners.drained()).await.is_err() {
            tracing::warn!("senders that went on and on were cut off");
        }
        // It ends behind the file that it is removing.
        self.retention.await?;
        if let Some(own_numbers) = self.own_numbers {
            own_numbers.await?;
        }
        // What is in memory goes to disk now, which takes a moment.
        let state = self.state;
        let close = move || {
            // A body that is still being read holds the store.
            state.ingest.stop(STOP_PATIENCE);
            drop(state);
        };
        tokio::task::spawn_blocking(close).await?;
        Ok(())
    }
}

/// What an operator looks for first in the server's log.
fn tell_start(state: &AppState) {
    let data = &state.config.data;
    let data = std::path::absolute(data).unwrap_or_else(|_| data.clone());
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, data = %data.display(), "sonde starts");
    tell_what_is_deleted(&state.config);
}

/// Who has written an age that was not meant should see it before a day is gone.
fn tell_what_is_deleted(config: &Config) {
    let days = |nanos: i64| nanos / NANOS_PER_DAY;
    if let Some(nanos) = config.retention.nanos {
        tracing::info!(days = days(nanos), "days that ended longer ago are deleted");
    }
    for rule in &config.retention_for {
        let component = &rule.component;
        if let Some(nanos) = rule.age.nanos {
            let days = days(nanos);
            tracing::info!(%component, days, "its lines are deleted after so many days");
        } else {
            tracing::info!(%component, "its lines are kept, whatever their age");
        }
    }
    if let Some(bytes) = config.retention_bytes.bytes {
        tracing::info!(bytes, "the oldest days are deleted while all of them take more");
    }
}

/// What to tell whoever started the server when the data folder cannot be had, with the way out.
fn data_problem(data: &Path, error: StoreError) -> anyhow::Error {
    let shown = data.display();
    match &error {
        StoreError::Locked { .. } => {
            anyhow::anyhow!("--data {shown}: another sonde has this folder; stop it or name another folder")
        }
        StoreError::Io { source, .. } => match source.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                anyhow::anyhow!("--data {shown}: there is a file where a folder is needed; name a folder")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                let why = error.with_source();
                anyhow::anyhow!(
                    "--data {shown}: this user may not write there; give it the folder or name another ({why})"
                )
            }
            _ => error.into(),
        },
        _ => error.into(),
    }
}

/// A folder of foreign files may hold the data folder, which is left out then, but not lie in it: its files would be served
/// twice, or deleted with a day.
fn check_foreign(data: &Path, foreign: &[PathBuf]) -> anyhow::Result<()> {
    let whole = |path: &Path| path.canonicalize().or_else(|_missing| std::path::absolute(path));
    let data = whole(data)?;
    for dir in foreign {
        let shown = dir.display();
        if whole(dir)?.starts_with(&data) {
            anyhow::bail!(
                "--foreign {shown}: this is, or lies in, the folder of --data; name a folder that another program writes"
            );
        }
    }
    Ok(())
}

/// What Graphite's files say of how series are kept.
fn storage_rules(config: &Config) -> Result<StorageRules, SettingError> {
    let mut rules = StorageRules::default();
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let refused = |key: &'static str, path: &Path, why: String| SettingError {
        key,
        value: path.display().to_string(),
        why,
    };
    if let Some(path) = &config.storage_schemas {
        let added = read(path).and_then(|text| rules.add_schemas(&text).map_err(|why| why.to_string()));
        added.map_err(|why| refused("storage-schemas", path, why))?;
    }
    if let Some(path) = &config.storage_aggregation {
        let added = read(path).and_then(|text| rules.add_aggregations(&text).map_err(|why| why.to_string()));
        added.map_err(|why| refused("storage-aggregation", path, why))?;
    }
    Ok(rules)
}

/// Deletes what is beyond the limits, now and then every minute, until the server stops.
async fn keep_limits(store: Arc<Store>, mut stopped: watch::Receiver<bool>) {
    loop {
        let (store, stop) = (store.clone(), stopped.clone());
        let work = move || store.delete_surplus(AppState::now(), &|| *stop.borrow());
        if let Err(error) = tokio::task::spawn_blocking(work).await {
            tracing::error!(%error, "the deletion of old days has panicked");
        }
        // An error means that the sender is gone, which is a stop too.
        if tokio::time::timeout(RETENTION_INTERVAL, stopped.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// What the flags say about carbon and syslog.
fn listen_config(config: &Config) -> anyhow::Result<ListenConfig> {
    let component = ComponentRule::parse(&config.syslog_component, &config.syslog_component_dotted)?;
    let syslog_rules = SyslogRules { zone: Zone::parse(&config.syslog_zone)?, component };
    Ok(ListenConfig {
        carbon: config.carbon.0,
        carbon_pickle: config.carbon_pickle.0,
        syslog: config.syslog.0,
        syslog_rules,
    })
}

async fn serve_http(
    listener: TcpListener,
    state: AppState,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
    });
    let until_stopped = async move {
        // An error means that the sender is gone, which stops the server as well.
        drop(stopped.wait_for(|stopped| *stopped).await);
    };
    axum::serve(listener, router(state)).with_graceful_shutdown(until_stopped).await
}

/// A line for whoever started the program; scripts wait for it.
#[expect(clippy::print_stdout, reason = "the addresses are the program's output")]
pub fn announce(line: &str) {
    println!("{line}");
}

/// Returns at SIGINT or SIGTERM.
pub async fn stop_signal() {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_unavailable) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_that_cannot_be_had_is_told_with_its_flag() {
        let check = |kind: ErrorKind, expected: &str| {
            let path = Path::new("/srv/wells");
            let said = data_problem(path, StoreError::io("open", path)(kind.into())).to_string();
            assert!(said.starts_with("--data /srv/wells: ") && said.contains(expected), "{said}");
        };
        check(ErrorKind::AlreadyExists, "a file where a folder is needed");
        check(ErrorKind::NotADirectory, "a file where a folder is needed");
        check(ErrorKind::PermissionDenied, "may not write");
        check(ErrorKind::ReadOnlyFilesystem, "may not write");
    }

    #[test]
    fn a_file_is_no_data_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path().to_owned(), file.path().join("below")] {
            let said = data_problem(&path, Store::open(&path).unwrap_err()).to_string();
            assert!(said.contains("a file where a folder is needed"), "{said}");
        }
    }
}
