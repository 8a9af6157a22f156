//! Saving a dashboard that was changed in the page: over the text that its reader saw, and nobody else's.
//!
//! What is read has a tag, made of its text. Who saves names the tag of what was changed; where the text is another one by now,
//! nothing is written. A file is written beside its place and renamed, so a crash leaves the one or the other.

use super::merge::merge;
use super::{Dashboards, Folder, MAX_FILE_BYTES, parse};
use sha2::{Digest, Sha256};
use sonde_shared::dashboard::{Dashboard, NO_TEXT};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// The longest name of a dashboard, in bytes.
const MAX_NAME_BYTES: usize = 100;

/// The longest title of a dashboard or a chart.
const MAX_TITLE_CHARS: usize = 200;

/// Why a dashboard is not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// No file can or should have this name.
    #[error(
        "a dashboard's name has 1 to {MAX_NAME_BYTES} letters, digits, blanks, `-`, `_` or `.`, and begins with none of the last"
    )]
    Name,
    /// Somebody else has saved meanwhile.
    #[error(
        "the dashboard was changed by somebody else since it was read; load it again and repeat the change"
    )]
    Changed,
    /// It would not be a dashboard.
    #[error("this is no dashboard: {0}")]
    Wrong(String),
    /// There is none of this name.
    #[error("there is no dashboard of this name")]
    Missing,
    /// It comes with the program.
    #[error(
        "this dashboard is no file, so it cannot be deleted: it comes with the program or is made from the metrics"
    )]
    NoFile,
    /// There is another one of this name.
    #[error("there is a dashboard of this name already")]
    Taken,
    /// There is no folder for dashboards.
    #[error("this server keeps no dashboards in files")]
    NoFolder,
    /// The folder cannot be written to.
    #[error("dashboards cannot be saved in {}: {source}", dir.display())]
    ReadOnly {
        /// The folder.
        dir: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// The tag of a text.
pub(super) fn tag_of(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    let start = digest.iter().take(8).fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
    format!("{start:016x}")
}

impl Dashboards {
    /// The folder and the file that a dashboard has or would have in it.
    pub(super) fn place(&self, name: &str) -> Result<(&Folder, PathBuf), SaveError> {
        let folder = self.folder.as_ref().ok_or(SaveError::NoFolder)?;
        if !is_name(name) {
            return Err(SaveError::Name);
        }
        Ok((folder, folder.dir.join(format!("{name}.toml"))))
    }

    /// The text of a file or of what is built in, and its tag.
    pub fn source(&self, name: &str) -> Option<(String, String)> {
        let text = self.place(name).ok().and_then(|(_, path)| fs::read_to_string(path).ok());
        let text = text
            .or_else(|| self.built_in.iter().find(|own| own.name == name).map(|own| own.toml.to_owned()))?;
        let tag = tag_of(text.as_bytes());
        Some((text, tag))
    }

    /// A dashboard as [`get`](Self::get) has it, and the tag of the very text that it was read from.
    pub fn get_tagged(&self, name: &str) -> (Option<Result<Dashboard, String>>, String) {
        match self.source(name) {
            Some((text, tag)) if text.len() as u64 <= MAX_FILE_BYTES => (Some(parse(&text)), tag),
            Some((_, tag)) => (self.get(name), tag),
            None => (self.get(name), NO_TEXT.to_owned()),
        }
    }

    /// Saves a dashboard over the text with this tag. Answers what is there now, and its tag.
    pub fn save(&self, name: &str, wanted: &Dashboard, over: &str) -> Result<(Dashboard, String), SaveError> {
        self.save_copy(name, wanted, over, None)
    }

    /// The same; a new one has the words and comments of the dashboard that it is a copy of.
    pub fn save_copy(
        &self,
        name: &str,
        wanted: &Dashboard,
        over: &str,
        copy_of: Option<&str>,
    ) -> Result<(Dashboard, String), SaveError> {
        let (folder, path) = self.place(name)?;
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, tag) = self.source(name).unwrap_or_else(|| (String::new(), NO_TEXT.to_owned()));
        if over != tag {
            return Err(if over == NO_TEXT { SaveError::Taken } else { SaveError::Changed });
        }
        let copied = copy_of.filter(|_| before.is_empty()).and_then(|other| self.source(other));
        let before = copied.map_or(before, |(text, _)| text);
        check_titles(wanted).map_err(SaveError::Wrong)?;
        let text = merge(&before, wanted).map_err(SaveError::Wrong)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            let why = format!("its text has {} bytes; at most {MAX_FILE_BYTES} are read", text.len());
            return Err(SaveError::Wrong(why));
        }
        let saved = parse(&text).map_err(SaveError::Wrong)?;
        let read_only = |source| SaveError::ReadOnly { dir: folder.dir.clone(), source };
        if folder.is_ours {
            fs::create_dir_all(&folder.dir).map_err(read_only)?;
        }
        replace_file(&path, &text).map_err(read_only)?;
        Ok((saved, tag_of(text.as_bytes())))
    }
}

/// Titles are read by people.
fn check_titles(dashboard: &Dashboard) -> Result<(), String> {
    let panels = dashboard.panels.iter().map(|panel| ("a chart's", &panel.title));
    for (whose, title) in std::iter::once(("its", &dashboard.title)).chain(panels) {
        let chars = title.chars().count();
        if title.trim().is_empty() {
            return Err(format!("{whose} title is empty"));
        }
        if chars > MAX_TITLE_CHARS {
            return Err(format!("{whose} title has {chars} characters; at most {MAX_TITLE_CHARS} are taken"));
        }
    }
    Ok(())
}

/// Whether a file can be named so, and is told from other files by it on any system.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || " -_.".contains(c);
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.chars().all(is_plain)
        && name.starts_with(char::is_alphanumeric)
        && !name.ends_with(' ')
}

/// Writes a file that is there whole or not at all. A link stays one; permissions stay, too.
pub fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        found => found?,
    };
    let dir = path.parent().ok_or(ErrorKind::NotFound)?;
    let name = path.file_name().ok_or(ErrorKind::NotFound)?.to_string_lossy();
    let beside = dir.join(format!(".{name}.saving"));
    let written = write_new(&beside, &path, text).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // It may never have come into being.
        drop(fs::remove_file(&beside));
    }
    written?;
    File::open(dir)?.sync_all()
}

fn write_new(beside: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(beside)?;
    if let Ok(before) = fs::metadata(path) {
        file.set_permissions(before.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboards::BuiltIn;

    const TEXT: &str = "# mine\ntitle = \"Shop\"\n";

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Dashboards) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let built_in = [BuiltIn { name: "own", toml: "# built in\ntitle = \"Own\"\n" }];
        let dashboards = Dashboards::open(Some(dir.path().to_owned()), &built_in).unwrap();
        (dir, dashboards)
    }

    fn titled(title: &str) -> Dashboard {
        Dashboard { title: title.into(), ..Dashboard::default() }
    }

    #[test]
    fn a_file_is_changed_over_what_was_read_and_over_nothing_else() {
        let (dir, dashboards) = folder(&[("a.toml", TEXT)]);
        let (_, tag) = dashboards.source("a").unwrap();
        let (saved, next) = dashboards.save("a", &titled("Deli"), &tag).unwrap();
        assert_eq!((saved.title.as_str(), next), ("Deli", dashboards.source("a").unwrap().1));
        let text = "# mine\ntitle = \"Deli\"\n";
        assert_eq!(fs::read_to_string(dir.path().join("a.toml")).unwrap(), text);
        assert!(matches!(dashboards.save("a", &titled("Late"), &tag), Err(SaveError::Changed)));
        assert!(matches!(dashboards.save("a", &titled("Late"), NO_TEXT), Err(SaveError::Taken)));
        assert_eq!(dashboards.get("a").unwrap().unwrap().title, "Deli");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_built_in_or_new_becomes_a_file() {
        let (dir, dashboards) = folder(&[]);
        let (_, tag) = dashboards.source("own").unwrap();
        dashboards.save("own", &titled("Ours"), &tag).unwrap();
        assert_eq!(
            fs::read_to_string(dir.path().join("own.toml")).unwrap(),
            "# built in\ntitle = \"Ours\"\n"
        );
        dashboards.save("new one", &titled("New"), NO_TEXT).unwrap();
        assert_eq!(dashboards.get("new one").unwrap().unwrap().title, "New");
    }

    #[test]
    fn a_copy_has_the_comments_of_what_it_is_a_copy_of() {
        let (dir, dashboards) = folder(&[("a.toml", TEXT)]);
        dashboards.save_copy("b", &titled("Copy"), NO_TEXT, Some("a")).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("b.toml")).unwrap(), "# mine\ntitle = \"Copy\"\n");
        let again = dashboards.save_copy("b", &titled("Copy"), NO_TEXT, Some("a"));
        assert!(matches!(again, Err(SaveError::Taken)));
        dashboards.save_copy("c", &titled("C"), NO_TEXT, Some("../a")).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("c.toml")).unwrap(), "title = \"C\"\n");
    }

    #[test]
    fn titles_that_nobody_can_read_are_refused() {
        let (_dir, dashboards) = folder(&[]);
        let why = |title: &str| match dashboards.save("t", &titled(title), NO_TEXT) {
            Err(SaveError::Wrong(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(why(" ").contains("its title is empty"));
        assert!(why(&"é".repeat(201)).contains("has 201 characters"));
        assert!(dashboards.save("t", &titled(&"é".repeat(200)), NO_TEXT).is_ok());
    }

    #[test]
    fn no_name_leaves_the_folder() {
        let (dir, dashboards) = folder(&[]);
        for name in ["", "../a", "a/b", ".a", "a\0", "a ", "a\\b", &"a".repeat(101)] {
            assert!(matches!(dashboards.save(name, &titled("A"), NO_TEXT), Err(SaveError::Name)), "{name}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let (dir, dashboards) = folder(&[]);
        let elsewhere = tempfile::tempdir().unwrap();
        let real = elsewhere.path().join("real");
        fs::write(&real, TEXT).unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("a.toml")).unwrap();
        dashboards.save("a", &titled("Deli"), &tag_of(TEXT.as_bytes())).unwrap();
        assert!(dir.path().join("a.toml").is_symlink());
        assert!(fs::read_to_string(&real).unwrap().contains("Deli"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        let (dir, dashboards) = folder(&[]);
        let path = dir.path().to_owned();
        drop(dir);
        let error = dashboards.save("a", &titled("A"), NO_TEXT).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
