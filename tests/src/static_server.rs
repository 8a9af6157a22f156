//! A file server of the ordinary kind (axum, tower-http's `ServeDir`), to compare with.

use axum::Router;
use std::net::SocketAddr;
use std::path::Path;
use tower_http::services::ServeDir;

/// Serves a folder until the process ends, and says where before it starts.
///
/// # Errors
/// When no port is to be had.
pub fn serve(folder: &Path, tell: impl FnOnce(SocketAddr)) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        tell(listener.local_addr()?);
        axum::serve(listener, Router::new().fallback_service(ServeDir::new(folder))).await
    })
}
