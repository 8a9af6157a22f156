//! Text that is not sealed and was changed or cut short: it is told, and no sealed form makes it pass for what was sent.

use super::*;

/// Commits of some lines each, finished.
fn committed() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let store = LogStore::open_as(dir.path(), false).unwrap();
    for from in [0, 10, 20] {
        append(&store, &(from..from + 5).collect::<Vec<i64>>());
    }
    drop(store);
    let path = day_file(dir.path(), "logs-0001.ndjson");
    let text = std::fs::read(&path).unwrap();
    (dir, path, text)
}

/// A file that a store may have mapped is never written to: another takes its name.
fn put(path: &Path, bytes: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn report(dir: &Path) -> SegmentReport {
    check_day(dir, NOON.day(), Reading::Mapped).unwrap().remove(0)
}

#[test]
fn a_text_that_has_changed_is_told_by_its_lines_and_stays_as_it_is() {
    let (dir, path, text) = committed();
    assert_eq!((report(dir.path()).problems, report(dir.path()).notes), (Vec::new(), Vec::new()));
    // Within a message, so that the line is one as before and its columns are right.
    let at = memchr::memmem::rfind(&text, b"order 1").unwrap();
    let mut changed = text.clone();
    changed[at] ^= 1;
    put(&path, &changed);
    assert_eq!(report(dir.path()).problems, ["the text of lines 5 to 9 is not what was committed"]);
    let error = LogStore::open_as(dir.path(), false).unwrap().seal_finished().unwrap_err();
    assert!(error.to_string().contains("lines 5 to 9"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), changed);
    put(&path, &text);
    sealed_now(dir.path());
    assert!(!path.exists());
    assert_eq!(report(dir.path()).problems, Vec::<String>::new());
}

#[test]
fn a_text_that_was_cut_short_is_told_with_what_is_missing() {
    let (dir, path, text) = committed();
    let index = std::fs::read(path.with_extension("idx")).unwrap();
    let records = std::fs::read(path.with_extension("commits")).unwrap();
    let commits: Vec<_> = commits::read_commits(&records).map(|(commit, _)| commit).collect();
    for len in 0..text.len() {
        put(&path, &text[..len]);
        let whole = commits.iter().rfind(|commit| commit.end <= len as u64);
        let found = report(dir.path());
        assert_eq!(found.lines, whole.map_or(0, |commit| u64::from(commit.rows)), "{len}");
        let missing = format!(
            "{} bytes of text are missing that the index is of",
            text.len() - found.text_bytes as usize
        );
        assert_eq!((found.problems, found.notes), (vec![missing], Vec::new()), "{len}");
    }
    // A loss of power leaves so what was not acknowledged: the index is of what was synced.
    std::fs::remove_file(path.with_extension("idx")).unwrap();
    put(&path, &text[..text.len() - 1]);
    let found = report(dir.path());
    let missing = commits[2].end - commits[1].end;
    assert!(
        found.problems.is_empty() && found.notes[0].starts_with(&format!("{missing} bytes")),
        "{found:?}"
    );
    std::fs::write(path.with_extension("idx"), index).unwrap();
    put(&path, &[&text[..], b"half a li"].concat());
    let found = report(dir.path());
    assert!(
        found.problems.is_empty() && found.notes.is_empty(),
        "what no record names was never acknowledged"
    );
}
