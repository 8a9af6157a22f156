//! Deleting a dashboard, and the way back: its file stays beside the others under a name that is no dashboard's, until the next
//! one of its name is deleted.

use super::save::{SaveError, tag_of};
use super::{Dashboards, Folder};
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::PoisonError;

/// The condition that takes a dashboard whatever it says by now.
pub const WHATEVER_IT_IS: &str = "*";

/// What a deleted file's name ends with.
const DELETED: &str = "toml.deleted";

impl Dashboards {
    /// Takes a dashboard's file away if its text has this tag. What is built in comes to light again where the file stood
    /// before it.
    pub fn delete(&self, name: &str, over: &str) -> Result<(), SaveError> {
        let (folder, path) = self.place(name)?;
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let text = fs::read(&path).map_err(|error| self.no_file(name, &error))?;
        if over != WHATEVER_IT_IS && over != tag_of(&text) {
            return Err(SaveError::Changed);
        }
        rename(folder, &path, &path.with_file_name(format!("{name}.{DELETED}")))
    }

    /// Brings a deleted dashboard back, unless there is another one of its name by now.
    pub fn restore(&self, name: &str) -> Result<(), SaveError> {
        let (folder, path) = self.place(name)?;
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let deleted = path.with_file_name(format!("{name}.{DELETED}"));
        if fs::symlink_metadata(&deleted).is_err() {
            return Err(SaveError::Missing);
        }
        if fs::symlink_metadata(&path).is_ok() {
            return Err(SaveError::Taken);
        }
        rename(folder, &deleted, &path)
    }

    fn no_file(&self, name: &str, error: &io::Error) -> SaveError {
        let is_own = name == super::DEFAULT_NAME || self.built_in.iter().any(|own| own.name == name);
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if is_own => SaveError::NoFile,
            _ => SaveError::Missing,
        }
    }
}

fn rename(folder: &Folder, from: &PathBuf, to: &PathBuf) -> Result<(), SaveError> {
    let renamed = fs::rename(from, to).and_then(|()| File::open(&folder.dir)?.sync_all());
    renamed.map_err(|source| SaveError::ReadOnly { dir: folder.dir.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboards::BuiltIn;
    use std::path::Path;

    const TEXT: &str = "# mine\ntitle = \"Shop\"\n";

    fn folder() -> (tempfile::TempDir, Dashboards) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.toml", "own.toml"] {
            fs::write(dir.path().join(name), TEXT).unwrap();
        }
        let built_in = [BuiltIn { name: "own", toml: "title = \"Own\"\n" }];
        let dashboards = Dashboards::open(Some(dir.path().to_owned()), &built_in).unwrap();
        (dir, dashboards)
    }

    fn read(dir: &Path, name: &str) -> Option<String> {
        fs::read_to_string(dir.join(name)).ok()
    }

    #[test]
    fn what_is_deleted_is_kept_and_comes_back_with_its_comments() {
        let (dir, dashboards) = folder();
        let tag = tag_of(TEXT.as_bytes());
        assert!(matches!(dashboards.delete("a", "other"), Err(SaveError::Changed)));
        dashboards.delete("a", &tag).unwrap();
        assert!(dashboards.get("a").is_none());
        assert_eq!(read(dir.path(), "a.toml.deleted").as_deref(), Some(TEXT));
        assert!(matches!(dashboards.delete("a", &tag), Err(SaveError::Missing)));
        dashboards.restore("a").unwrap();
        assert_eq!(read(dir.path(), "a.toml").as_deref(), Some(TEXT));
        assert!(matches!(dashboards.restore("a"), Err(SaveError::Missing)));
        fs::write(dir.path().join("a.toml.deleted"), "older").unwrap();
        assert!(matches!(dashboards.restore("a"), Err(SaveError::Taken)), "nothing is written over");
        dashboards.delete("a", WHATEVER_IT_IS).unwrap();
        assert_eq!(read(dir.path(), "a.toml.deleted").as_deref(), Some(TEXT));
    }

    #[test]
    fn what_has_no_file_cannot_be_deleted() {
        let (_dir, dashboards) = folder();
        dashboards.delete("own", WHATEVER_IT_IS).unwrap();
        assert_eq!(dashboards.get("own").unwrap().unwrap().title, "Own");
        for (name, is_right) in [("own", true), ("default", true), ("nope", false)] {
            let error = dashboards.delete(name, WHATEVER_IT_IS).unwrap_err();
            assert_eq!(matches!(error, SaveError::NoFile), is_right, "{name}: {error}");
        }
        for name in ["../a", "a/../a", "", ".a", "a.toml.deleted/../a"] {
            assert!(matches!(dashboards.delete(name, WHATEVER_IT_IS), Err(SaveError::Name)), "{name}");
            assert!(matches!(dashboards.restore(name), Err(SaveError::Name)), "{name}");
        }
    }
}
