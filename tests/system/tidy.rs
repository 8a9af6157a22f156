//! Rules of the house that no compiler checks, read off the sources: who may import whom, where the demo's names and
//! colours may stand, how long a file may be. The programs' own code is looked at, without its comments and its tests,
//! which may give examples of anything.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// What must not occur in the code of a folder, and why.
struct Rule {
    folder: &'static str,
    except: &'static [&'static str],
    words: &'static [&'static str],
    why: &'static str,
}

const IMPORTS: &[Rule] = &[
    Rule {
        folder: "shared/src",
        except: &[],
        words: &[
            "std::fs",
            "std::net",
            "std::thread",
            "SystemTime",
            "Instant::now",
            "web_sys",
            "leptos::",
            "tokio",
        ],
        why: "what both sides share touches neither disk, network nor clock",
    },
    Rule {
        folder: "shared/src",
        except: &["shared/src/chart/draw", "shared/src/chart/style"],
        words: &["plotters"],
        why: "geometry is pure: drawing alone knows plotters",
    },
    Rule {
        folder: "backend/src/store",
        except: &[],
        words: &[
            "axum",
            "hyper",
            "tower",
            "crate::ingest",
            "crate::query",
            "crate::api",
            "crate::state",
            "crate::demo",
        ],
        why: "the store knows neither HTTP nor what is built on it",
    },
    Rule {
        folder: "backend/src/ingest",
        except: &[],
        words: &[
            "axum",
            "hyper",
            "tower",
            "crate::query",
            "crate::api",
            "crate::state",
            "crate::router",
            "crate::demo",
        ],
        why: "ingest knows the store alone",
    },
    Rule {
        folder: "backend/src/query",
        except: &[],
        words: &[
            "axum",
            "hyper",
            "tower",
            "crate::ingest",
            "crate::api",
            "crate::state",
            "crate::router",
            "crate::demo",
        ],
        why: "queries know the store alone",
    },
    Rule {
        folder: "backend/src/api",
        except: &[],
        words: &["crate::router", "crate::server", "crate::cli", "crate::demo"],
        why: "a handler does not know who calls it",
    },
    Rule {
        folder: "frontend/src",
        except: &["frontend/src/api"],
        words: &["gloo_net", "web_sys::Request", "fetch_with"],
        why: "one module talks to the network",
    },
    Rule {
        folder: "frontend/src/state",
        except: &[],
        words: &["leptos", "web_sys", "js_sys", "crate::panes", "crate::api", "crate::session", "crate::url"],
        why: "what decides is pure",
    },
    Rule {
        folder: "frontend/src/panes",
        except: &[],
        words: &["crate::url", "crate::api::client", "history()"],
        why: "panes send commands: they neither fetch nor touch the address",
    },
    Rule {
        folder: "frontend/src/chart",
        except: &[],
        words: &["crate::panes", "crate::api", "crate::session", "crate::url"],
        why: "a chart takes values and gives back a range",
    },
];

const DEMO_NAMES: &[&str] =
    &["webapp", "gitaly", "node1", "node2", "node3", "node4", "203.0.113.", "14:05", "14:07", "render_ms"];

/// Files that may be longer than 500 lines, each with its reason.
const LONG: &[(&str, &str)] = &[];
const MOST_LINES: usize = 500;

/// Where the workplace of somebody who writes Sonde may show through.
const FOREIGN: &[&str] = &[
    "/root/",
    "/work/",
    "deb.debian.org",
    "registry.npmjs.org",
    "index.crates.io",
    "static.rust-lang.org",
    "pypi.org",
];

#[test]
fn imports_run_one_way() {
    let mut findings = String::new();
    for rule in IMPORTS {
        let is_meant = |name: &str| !rule.except.iter().any(|except| name.starts_with(except));
        for (name, code) in code_in(rule.folder).filter(|(name, _)| is_meant(name)) {
            find_words(&mut findings, &name, &code, rule.words, rule.why);
        }
    }
    assert_tidy(&findings);
}

#[test]
fn nothing_but_the_demo_knows_the_demo() {
    let mut findings = String::new();
    for (name, code) in code_in("backend/src").chain(code_in("frontend/src")) {
        if !name.starts_with("backend/src/demo") {
            find_words(&mut findings, &name, &code, DEMO_NAMES, "this name belongs to the demo");
        }
    }
    assert_tidy(&findings);
}

#[test]
fn colours_stand_in_the_tokens_alone() {
    let mut findings = String::new();
    let sheets = files_in("frontend/style", &["css"]).chain(files_in("index.html", &["html"]));
    let sheets = sheets.filter(|(name, _)| name != "frontend/style/tokens.css");
    for (name, text) in sheets.chain(code_in("frontend/src")).chain(code_in("shared/src")) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| has_colour(line)) {
            note(&mut findings, &name, number, line, "colours stand in frontend/style/tokens.css");
        }
    }
    assert_tidy(&findings);
}

#[test]
fn files_are_short_and_begin_with_what_they_are_for() {
    let mut findings = String::new();
    for (name, text) in sources() {
        let lines = text.lines().count();
        if lines > MOST_LINES && !LONG.iter().any(|(long, _)| *long == name) {
            note(
                &mut findings,
                &name,
                lines,
                "",
                "more than 500 lines: split it, or list it as a table with a reason",
            );
        }
        if !text.starts_with("//!") {
            note(&mut findings, &name, 0, "", "a file begins with what it is for");
        }
        let stem = Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().to_string();
        if ["utils", "util", "helpers", "common", "types", "manager", "misc"].contains(&stem.as_str()) {
            note(&mut findings, &name, 0, "", "a file is named after what it holds");
        }
    }
    assert_tidy(&findings);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let mut findings = String::new();
    for (name, text) in files_in(".", &[]).filter(|(name, _)| !name.ends_with("system/tidy.rs")) {
        find_words(&mut findings, &name, &text, FOREIGN, "this is about one machine, not about Sonde");
    }
    assert_tidy(&findings);
}

#[test]
fn the_rules_see_code_but_neither_comments_nor_tests() {
    let source = "//! webapp\nfn a() {} // seen\n    /// webapp\n#[cfg(test)]\nfn b() {}\n#[cfg(test)]\nmod tests {\n webapp";
    assert_eq!(code_of(source), "\nfn a() {} // seen\n\n#[cfg(test)]\nfn b() {}\n");
    let mut findings = String::new();
    find_words(&mut findings, "a.rs", "use crate::querying;\nuse crate::query;", &["crate::query"], "why");
    assert_eq!(findings, "a.rs:2: use crate::query;\n    why\n");
}

#[test]
fn a_colour_is_told_from_an_attribute_and_a_link() {
    for line in [
        "color: #fff;",
        "\"#12ab34\"",
        "rgb(1 2 3)",
        "background: rgba(0,0,0,.5)",
        "RGBColor(1, 2, 3)",
        "#12345678",
    ] {
        assert!(has_colour(line), "{line}");
    }
    for line in [
        "#[derive(Debug)]",
        "rgba(colour, 1.0)",
        "href=\"#added\"",
        "issue #12",
        "#1234567",
        "var(--line)",
        "r#\"abc\"#",
    ] {
        assert!(!has_colour(line), "{line}");
    }
}

/// Every Rust file of ours.
fn sources() -> impl Iterator<Item = (String, String)> {
    let folders =
        ["shared/src", "shared/m4/src", "backend/src", "ui/src", "frontend/src", "tests/src", "tests/system"];
    folders.into_iter().flat_map(|folder| files_in(folder, &["rs"]))
}

/// The code of a folder: by file name, what [`code_of`] leaves.
fn code_in(folder: &str) -> impl Iterator<Item = (String, String)> {
    let is_code = |name: &str| !["/tests.rs", "/testing.rs"].iter().any(|end| name.ends_with(end));
    files_in(folder, &["rs"])
        .filter(move |(name, _)| is_code(name))
        .map(|(name, text)| (name, code_of(&text)))
}

/// A source without its comments, which become empty lines, and without the tests at its foot.
fn code_of(source: &str) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let is_foot = |at: usize| {
        lines[at].trim() == "#[cfg(test)]"
            && lines[at + 1..]
                .iter()
                .find(|line| !line.starts_with("#["))
                .is_some_and(|line| line.starts_with("mod "))
    };
    let end = (0..lines.len()).find(|at| is_foot(*at)).unwrap_or(lines.len());
    let without_comment =
        |line: &&str| if line.trim_start().starts_with("//") { "\n".to_owned() } else { format!("{line}\n") };
    lines[..end].iter().map(without_comment).collect()
}

/// Files with one of these endings, or with any, by their path from the top.
fn files_in(folder: &str, endings: &'static [&'static str]) -> impl Iterator<Item = (String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    collect(&top.join(folder), &mut found);
    found.sort();
    let is_meant = move |path: &PathBuf| {
        endings.is_empty() || path.extension().is_some_and(|e| endings.iter().any(|end| e == *end))
    };
    found.into_iter().filter(is_meant).filter_map(move |path| {
        let name =
            path.strip_prefix(&top).unwrap_or(&path).to_string_lossy().trim_start_matches("./").to_owned();
        // What is not text, a font or a picture, has nothing to read.
        Some((name, fs::read_to_string(&path).ok()?))
    })
}

/// All files at a path, without what tools write.
fn collect(path: &Path, found: &mut Vec<PathBuf>) {
    let made = [".git", "target", "dist", "data", "node_modules", "test-artifacts", "proptest-regressions"];
    if path.is_file() {
        found.push(path.to_owned());
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if !made.iter().any(|name| entry.file_name() == *name) && !entry.path().is_symlink() {
            collect(&entry.path(), found);
        }
    }
}

fn find_words(findings: &mut String, name: &str, text: &str, words: &[&str], why: &str) {
    for (number, line) in
        text.lines().enumerate().filter(|(_, line)| words.iter().any(|word| has_word(line, word)))
    {
        note(findings, name, number, line, why);
    }
}

/// Whether a line has the text, and not just as the beginning or end of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let is_name = |text: Option<char>| text.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let begins = is_name(word.chars().next()) && is_name(line[..at].chars().next_back());
        let goes_on = is_name(word.chars().next_back()) && is_name(line[at + word.len()..].chars().next());
        !begins && !goes_on
    })
}

fn has_colour(line: &str) -> bool {
    let is_hex = |rest: &str| {
        let name = rest.find(|c: char| !c.is_alphanumeric()).map_or(rest, |end| &rest[..end]);
        matches!(name.len(), 3 | 4 | 6 | 8) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_number = |rest: &str| rest.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let makers = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "RGBColor(", "RGBAColor(", "Rgb("];
    let is_made = |word: &&str| line.match_indices(word).any(|(at, _)| is_number(&line[at + word.len()..]));
    makers.iter().any(is_made) || line.match_indices('#').any(|(at, _)| is_hex(&line[at + 1..]))
}

fn note(findings: &mut String, name: &str, number: usize, line: &str, why: &str) {
    writeln!(findings, "{name}:{}: {}\n    {why}", number + 1, line.trim()).expect("a string takes all");
}

#[track_caller]
fn assert_tidy(findings: &str) {
    assert!(findings.is_empty(), "\n{findings}");
}
