//! Dashboards: TOML files of a folder, those built into the program, and one made from the metrics that exist.
//!
//! The folder is looked at on each request, and a file is read again when its time or size has changed, so an edit
//! shows on the next reload. A broken file stays in the list under its name, and asking for it says what is wrong with
//! it; the others are not touched. Names come from the folder and are only ever compared, never put into a path.

use sonde_shared::api::DashboardName;
use sonde_shared::dashboard::{Dashboard, Panel};
use sonde_shared::time::Timestamp;
use sonde_shared::view::RangeSpec;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

mod from_metrics;
mod merge;
mod remove;
mod save;

pub use from_metrics::from_metrics;
pub use remove::WHATEVER_IT_IS;
pub use save::{SaveError, replace_file};

/// The name of the dashboard that is made from the metrics.
pub const DEFAULT_NAME: &str = "default";

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A dashboard that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its name in addresses.
    pub name: &'static str,
    /// Its text, as a file would hold it.
    pub toml: &'static str,
}

/// The folder of dashboards cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read the folder of dashboards {} (`--dashboards`)", dir.display())]
pub struct DashboardsError {
    dir: PathBuf,
    #[source]
    source: io::Error,
}

/// All dashboards but the one made from metrics.
#[derive(Debug)]
pub struct Dashboards {
    folder: Option<Folder>,
    built_in: Vec<Own>,
    files: Mutex<BTreeMap<String, File>>,
    /// Held by who saves one.
    saving: Mutex<()>,
}

/// Where the files are.
#[derive(Debug)]
struct Folder {
    dir: PathBuf,
    /// It is Sonde's own, made when the first dashboard is saved.
    is_ours: bool,
}

/// A dashboard that comes with the program, read.
#[derive(Debug)]
struct Own {
    name: &'static str,
    toml: &'static str,
    read: Read,
}

/// A dashboard, or what is wrong with its text.
type Read = Result<Dashboard, String>;

#[derive(Clone, Debug)]
struct File {
    stamp: Stamp,
    read: Read,
}

/// What changes when a file is written.
type Stamp = (Option<SystemTime>, u64);

impl Dashboards {
    /// Reads the folder, if one is given. Fails when it cannot be read; a broken file in it is no failure.
    pub fn open(dir: Option<PathBuf>, built_in: &[BuiltIn]) -> Result<Self, DashboardsError> {
        Self::of(dir.map(|dir| Folder { dir, is_ours: false }), built_in)
    }

    /// Reads Sonde's own folder for those that are saved in the page, if it is there yet.
    pub fn open_own(dir: PathBuf, built_in: &[BuiltIn]) -> Result<Self, DashboardsError> {
        Self::of(Some(Folder { dir, is_ours: true }), built_in)
    }

    fn of(folder: Option<Folder>, built_in: &[BuiltIn]) -> Result<Self, DashboardsError> {
        let files = match &folder {
            Some(folder) => folder
                .read(&BTreeMap::new())
                .map_err(|source| DashboardsError { dir: folder.dir.clone(), source })?,
            None => BTreeMap::new(),
        };
        let own = |one: &BuiltIn| Own { name: one.name, toml: one.toml, read: parse(one.toml) };
        let built_in = built_in.iter().map(own).collect();
        Ok(Self { folder, built_in, files: Mutex::new(files), saving: Mutex::default() })
    }

    /// Names and titles: the files' by name, then those built in, then the one made from metrics, and behind them what cannot
    /// be read, so that the first of the list can be opened. A file takes the place of what it shares its name with.
    pub fn list(&self) -> Vec<DashboardName> {
        let files = self.files_now();
        let built_in = self.built_in.iter().filter(|own| !files.contains_key(own.name));
        let mut list: Vec<DashboardName> = files
            .iter()
            .map(|(name, file)| listed(name, &file.read))
            .chain(built_in.map(|own| listed(own.name, &own.read)))
            .collect();
        if list.iter().all(|one| one.name != DEFAULT_NAME) {
            let title = from_metrics::TITLE.to_owned();
            list.push(DashboardName { name: DEFAULT_NAME.to_owned(), title, error: None });
        }
        list.sort_by_key(|one| one.error.is_some());
        list
    }

    /// A dashboard by name, or what is wrong with it; `None` when there is none of this name, as for the one made from
    /// metrics unless a file has its name.
    pub fn get(&self, name: &str) -> Option<Result<Dashboard, String>> {
        let mut files = self.files_now();
        let file = files.remove(name).map(|file| file.read);
        file.or_else(|| self.built_in.iter().find(|own| own.name == name).map(|own| own.read.clone()))
    }

    /// The files as they are now; those of the last time when the folder cannot be read just then.
    fn files_now(&self) -> BTreeMap<String, File> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &self.folder {
            match folder.read(&files) {
                Ok(now) => *files = now,
                Err(error) => {
                    tracing::warn!(dir = %folder.dir.display(), %error, "could not read the dashboards again");
                }
            }
        }
        files.clone()
    }
}

impl Folder {
    fn read(&self, known: &BTreeMap<String, File>) -> io::Result<BTreeMap<String, File>> {
        match read_folder(&self.dir, known) {
            // What else may be wrong with the data folder is told by who opens it.
            Err(error) if self.is_ours && is_missing(&error) => Ok(BTreeMap::new()),
            read => read,
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn listed(name: &str, read: &Read) -> DashboardName {
    let (title, error) = match read {
        Ok(dashboard) => (dashboard.title.clone(), None),
        Err(why) => (format!("{name} (broken)"), Some(why.clone())),
    };
    DashboardName { name: name.to_owned(), title, error }
}

/// Reads the `*.toml` files of a folder; those whose stamp is known are taken over. Hidden files are skipped, as editors
/// leave their own there.
fn read_folder(dir: &Path, known: &BTreeMap<String, File>) -> io::Result<BTreeMap<String, File>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = dashboard_name(&path) else { continue };
        // Gone since it was listed, or a folder: not a dashboard.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if !metadata.is_file() {
            continue;
        }
        let stamp = (metadata.modified().ok(), metadata.len());
        let file = match known.get(&name) {
            Some(file) if file.stamp == stamp => file.clone(),
            _ => File { stamp, read: read_file(&path, metadata.len()) },
        };
        files.insert(name, file);
    }
    Ok(files)
}

/// `web` of `…/web.toml`.
fn dashboard_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".toml")?;
    (!name.is_empty() && !name.starts_with('.')).then(|| name.to_owned())
}

fn read_file(path: &Path, size_bytes: u64) -> Read {
    if size_bytes > MAX_FILE_BYTES {
        return Err(format!("the file has {size_bytes} bytes; at most {MAX_FILE_BYTES} are read"));
    }
    let text = fs::read_to_string(path).map_err(|error| format!("the file cannot be read: {error}"))?;
    parse(&text)
}

/// Reads a dashboard's text and checks what TOML alone cannot.
fn parse(text: &str) -> Read {
    let dashboard: Dashboard =
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    if let Some(range) = &dashboard.range
        && RangeSpec::parse(range, Timestamp::from_secs(0)).is_err()
    {
        return Err(format!("`range = \"{range}\"` is not a range; write \"-1h..now\" or \"-7d..now\""));
    }
    match dashboard.panels.iter().find_map(|panel| panel_problem(panel).map(|why| (panel, why))) {
        Some((panel, why)) => Err(format!("panel \"{}\" {why}", panel.title)),
        None => Ok(dashboard.with_ids()),
    }
}

fn panel_problem(panel: &Panel) -> Option<&'static str> {
    let thresholds = panel.thresholds.iter().map(|threshold| threshold.at);
    // TOML has `inf` and `nan`, JSON and a value axis have not.
    if !panel.min.into_iter().chain(panel.max).chain(thresholds).all(f64::is_finite) {
        return Some("has a `min`, `max` or `at` that is no finite number");
    }
    if panel.min.zip(panel.max).is_some_and(|(min, max)| min >= max) {
        return Some("has a `min` that is not below its `max`");
    }
    panel.asked().is_empty().then_some("has no targets")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::dashboard::Draw;
    use std::time::Duration;

    const ONE_PANEL: &str = "title = \"Shop\"\n[[panel]]\ntitle = \"Orders\"\ntargets = [\"shop.orders\"]\n";
    const BUILT_IN: [BuiltIn; 1] = [BuiltIn { name: "own", toml: "title = \"Own\"" }];

    fn names(dashboards: &Dashboards) -> Vec<String> {
        dashboards.list().into_iter().map(|one| format!("{}: {}", one.name, one.title)).collect()
    }

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Dashboards) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let dashboards = Dashboards::open(Some(dir.path().to_owned()), &BUILT_IN).unwrap();
        (dir, dashboards)
    }

    #[test]
    fn a_panel_says_how_it_is_drawn_and_what_is_at_the_right() {
        let read = |more: &str| parse(&format!("{ONE_PANEL}{more}\n"));
        let panel = read("draw = \"stacked\"\nright = [\"shop.errors\"]\nright_unit = \"%\"")
            .unwrap()
            .panels
            .remove(0);
        assert_eq!((panel.draw, panel.asked()[1].as_str()), (Draw::Stacked, "secondYAxis(shop.errors)"));
        let json = serde_json::to_value(&panel).unwrap();
        assert_eq!((&json["draw"], &json["right_unit"]), (&"stacked".into(), &"%".into()));
        let plain = serde_json::to_value(&read("").unwrap().panels[0]).unwrap();
        assert!(plain.get("draw").is_none() && plain.get("right").is_none(), "what is not said is not sent");
        let why = read("draw = \"pie\"").unwrap_err();
        assert!(why.contains("staircase"), "{why}");
    }

    #[test]
    fn files_come_first_by_name_and_the_default_last() {
        let (_dir, dashboards) =
            folder(&[("b.toml", ONE_PANEL), ("a.toml", ONE_PANEL), (".c.toml", ONE_PANEL), ("d.txt", "")]);
        assert_eq!(names(&dashboards), ["a: Shop", "b: Shop", "own: Own", "default: All metrics"]);
        assert_eq!(dashboards.get("a").unwrap().unwrap().panels[0].id, "orders");
        assert!(dashboards.get("default").is_none());
    }

    #[test]
    fn a_file_takes_the_place_of_what_it_is_named_after() {
        let (_dir, dashboards) = folder(&[("own.toml", ONE_PANEL), ("default.toml", ONE_PANEL)]);
        assert_eq!(names(&dashboards), ["default: Shop", "own: Shop"]);
    }

    #[test]
    fn a_broken_file_is_named_with_its_error_behind_those_that_can_be_opened() {
        let (_dir, dashboards) =
            folder(&[("bad.toml", "title = \"Bad\"\npanels = 3\n"), ("good.toml", ONE_PANEL)]);
        assert_eq!(
            names(&dashboards),
            ["good: Shop", "own: Own", "default: All metrics", "bad: bad (broken)"]
        );
        let why = dashboards.get("bad").unwrap().unwrap_err();
        assert_eq!(dashboards.list().pop().unwrap().error.as_ref(), Some(&why));
        assert!(why.contains("line 2") && why.contains("panels"), "{why}");
    }

    #[test]
    fn what_toml_allows_but_no_page_can_show_is_told() {
        let why = |text: &str| parse(text).unwrap_err();
        assert!(why("title = \"T\"\nrange = \"soon\"").contains("`range = \"soon\"` is not a range"));
        assert!(
            why("title = \"T\"\n[[panel]]\ntitle = \"P\"\ntargets = []")
                .contains("panel \"P\" has no targets")
        );
        let panel =
            |rest: &str| why(&format!("title = \"T\"\n[[panel]]\ntitle = \"P\"\ntargets = [\"a\"]\n{rest}"));
        assert!(panel("min = nan").contains("no finite number"));
        assert!(panel("[[panel.threshold]]\nat = inf\nlevel = \"warn\"").contains("no finite number"));
        assert!(panel("min = 1.0\nmax = 1.0").contains("not below its `max`"));
        assert!(why("range = \"-1h..now\"").contains("missing field `title`"));
    }

    #[test]
    fn an_edit_a_new_file_and_a_deletion_show_at_once() {
        let (dir, dashboards) = folder(&[("a.toml", ONE_PANEL), ("b.toml", ONE_PANEL)]);
        let edited = dir.path().join("a.toml");
        fs::write(&edited, ONE_PANEL.replace("Shop", "Deli")).unwrap();
        // The edit has the size of the former text; the clock of the file system may not have ticked.
        let later = SystemTime::now() + Duration::from_secs(5);
        fs::File::options().write(true).open(&edited).unwrap().set_modified(later).unwrap();
        fs::remove_file(dir.path().join("b.toml")).unwrap();
        fs::write(dir.path().join("c.toml"), ONE_PANEL).unwrap();
        assert_eq!(names(&dashboards)[..2], ["a: Deli", "c: Shop"]);
    }

    #[test]
    fn names_lead_nowhere_outside_the_folder() {
        let (dir, dashboards) = folder(&[("a.toml", ONE_PANEL)]);
        let beside = dir.path().with_extension("toml");
        fs::write(&beside, ONE_PANEL).unwrap();
        let stem = beside.file_stem().unwrap().to_str().unwrap().to_owned();
        for name in [
            format!("../{stem}"),
            beside.with_extension("").display().to_string(),
            "./a".into(),
            "a.toml".into(),
            String::new(),
        ] {
            assert!(dashboards.get(&name).is_none(), "{name}");
        }
        fs::remove_file(beside).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_at_the_start_and_kept_later() {
        assert!(Dashboards::open(Some("/nowhere/at/all".into()), &[]).is_err());
        let (dir, dashboards) = folder(&[("a.toml", ONE_PANEL)]);
        drop(dir);
        assert_eq!(names(&dashboards)[0], "a: Shop");
    }
}
