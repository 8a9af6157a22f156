//! How much a thread is worth beside others where all want a core.

/// In steps of nice(2): enough that whoever asks is answered first, and little enough that work in the background goes on.
const BEHIND: i32 = 10;

/// Lets the threads of connections and queries go first. Linux takes the calling thread for the process.
pub(crate) fn step_back() {
    if let Err(error) = rustix::process::setpriority_process(None, BEHIND) {
        tracing::debug!(error = &error as &dyn std::error::Error, "a thread keeps its priority");
    }
}
