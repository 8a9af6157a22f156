//! What was acknowledged is there after a torn file or a full disk; what is derived can be lost.

use sonde_tests::corpus::Dice;
use sonde_tests::http::split_lines;
use sonde_tests::oracle::assert_same_lines;
use sonde_tests::server::{Setup, TestServer};
use sonde_tests::wait;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

const POINTS_FROM: u64 = 1_741_600_000;

#[test]
fn a_clean_end_keeps_what_was_only_streamed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = TestServer::on(folder.path());
    server.send_tcp("syslog", b"<11>1 2025-03-10T14:05:00Z n1 shop.cart - - - streamed\n");
    server.send_tcp("carbon", format!("shop.cart.ms 80 {POINTS_FROM}\n").as_bytes());
    wait::until("the line", || if server.logs("component=shop").is_empty() { Err("none") } else { Ok(()) });
    let body = server.logs("component=shop");
    let render = format!(
        "/render?format=json&target=shop.cart.ms&from={}&until={}",
        POINTS_FROM - 60,
        POINTS_FROM + 60
    );
    wait::until("the point", || if server.get(&render).text().contains("80") { Ok(()) } else { Err("none") });
    server.stop();
    let server = TestServer::on(folder.path());
    assert_same_lines(&server.logs("component=shop"), &body, "after the restart");
    assert!(server.get(&render).text().contains("80"), "{}", server.get(&render).text());
}

/// Twenty thousand lines in twelve commits, then `kill -9`: an index with full blocks and a tail without.
fn killed_folder() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut server = TestServer::on(&folder.path().join("data"));
    let mut all = Vec::new();
    for batch in 0..12_u32 {
        let mut lines = Vec::new();
        for number in batch * 1_700..(batch + 1) * 1_700 {
            let ts = 1_741_600_000_000_u64 + u64::from(number) * 7;
            let component = ["shop.cart", "shop.pay", "shop.cart.tax"][number as usize % 3];
            writeln!(
                lines,
                r#"{{"ts":{ts},"component":"{component}","host":"n{}","msg":"line {number}"}}"#,
                number % 4
            )
            .expect("memory takes every write");
        }
        server.store_logs(&lines);
        all.extend(lines);
    }
    server.kill();
    (folder, all)
}

/// The files that hold lines or are made from them.
fn line_files(data: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(data).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            files.extend(line_files(&path));
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("logs-")) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn copy_folder(from: &Path, to: &Path) {
    let status =
        std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp can be started");
    assert!(status.success(), "the folder can be copied");
}

/// How a file is damaged.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Append(&'static [u8]),
    CutTo(f64),
    CutBy(u64),
    Flip(f64),
    Remove,
}

impl Damage {
    fn apply(self, path: &Path) {
        let len = std::fs::metadata(path).expect("the file is there").len();
        let cut = |len: u64| {
            let file = OpenOptions::new().write(true).open(path).expect("the file can be opened");
            file.set_len(len).expect("the file can be cut");
        };
        match self {
            Self::Append(bytes) => {
                let mut file = OpenOptions::new().append(true).open(path).expect("the file can be opened");
                file.write_all(bytes).expect("the file can be written");
            }
            Self::CutTo(part) => cut((len as f64 * part) as u64),
            Self::CutBy(bytes) => cut(len.saturating_sub(bytes)),
            Self::Flip(part) => {
                let mut bytes = std::fs::read(path).expect("the file can be read");
                let at = ((len as f64 * part) as usize).min(bytes.len() - 1);
                bytes[at] ^= 0x55;
                std::fs::write(path, bytes).expect("the file can be written");
            }
            Self::Remove => std::fs::remove_file(path).expect("the file can be removed"),
        }
    }
}

/// Starts a server on a damaged copy, lets `check` judge its lines, and sees that it takes and keeps more.
fn after_damage(original: &Path, file: &Path, damage: Damage, check: impl Fn(&[u8], &str)) {
    let copy = tempfile::tempdir().expect("a temporary folder can be made");
    let data = copy.path().join("data");
    copy_folder(original, &data);
    let damaged = data.join(file.strip_prefix(original).expect("the file lies in the folder"));
    damage.apply(&damaged);
    let what = format!("{damage:?} of {}", file.file_name().unwrap_or_default().to_string_lossy());
    let server = TestServer::on(&data);
    let found = server.logs("component=shop");
    check(&found, &what);
    let more = "{\"ts\":1741700000000,\"component\":\"shop.new\",\"msg\":\"more\"}\n";
    server.store_logs(more.as_bytes());
    let expected = [found.as_slice(), more.as_bytes()].concat();
    assert_same_lines(&server.logs("component=shop"), &expected, &format!("one more after {what}"));
    server.stop();
    assert_same_lines(
        &TestServer::on(&data).logs("component=shop"),
        &expected,
        &format!("a restart after {what}"),
    );
}

fn has_suffix(path: &Path, suffix: &str) -> bool {
    path.extension().is_some_and(|extension| extension == suffix)
}

#[test]
fn garbage_behind_the_last_commit_is_fenced_off() {
    let (folder, lines) = killed_folder();
    let data = folder.path().join("data");
    let files = line_files(&data);
    assert!(files.len() >= 2, "{files:?}");
    let half_a_line = br#"{"ts":1741600000000,"component":"shop.cart","msg":"never ackno"#;
    for file in &files {
        for damage in [
            Damage::Append(b""),
            Damage::Append(half_a_line),
            Damage::Append(&[0; 4096]),
            Damage::Append(b"\n\n\xff{}\n"),
        ] {
            after_damage(&data, file, damage, |found, what| assert_same_lines(found, &lines, what));
        }
    }
}

#[test]
fn a_cut_file_of_lines_keeps_all_lines_before_the_cut() {
    let (folder, lines) = killed_folder();
    let data = folder.path().join("data");
    for file in line_files(&data).iter().filter(|file| !has_suffix(file, "idx")) {
        let cuts = [
            Damage::CutBy(1),
            Damage::CutBy(20),
            Damage::CutTo(0.9),
            Damage::CutTo(0.5),
            Damage::CutTo(0.01),
            Damage::CutTo(0.0),
        ];
        for damage in cuts {
            after_damage(&data, file, damage, |found, what| {
                let whole = found.is_empty() || found.ends_with(b"\n");
                assert!(whole && lines.starts_with(found), "{what}: no run of whole lines from the first on");
                let spared = matches!(damage, Damage::CutBy(_));
                assert!(
                    !spared || found.len() > lines.len() / 2,
                    "{what}: one torn commit took {} bytes along",
                    lines.len() - found.len()
                );
            });
        }
    }
}

#[test]
fn an_index_that_is_lost_or_damaged_is_made_again_with_the_same_answers() {
    let (folder, lines) = killed_folder();
    let data = folder.path().join("data");
    let files = line_files(&data);
    let index = files.iter().find(|file| has_suffix(file, "idx")).expect("there is an index file");
    let damages = [
        Damage::Remove,
        Damage::CutTo(0.0),
        Damage::CutTo(0.3),
        Damage::CutBy(1),
        Damage::Flip(0.0),
        Damage::Flip(0.1),
        Damage::Flip(0.5),
        Damage::Flip(0.9),
        Damage::Flip(1.0),
    ];
    for damage in damages {
        after_damage(&data, index, damage, |found, what| assert_same_lines(found, &lines, what));
    }
}

#[test]
fn an_index_damaged_anywhere_answers_the_same_or_is_made_again() {
    let (folder, lines) = killed_folder();
    let data = folder.path().join("data");
    let files = line_files(&data);
    let index = files.iter().find(|file| has_suffix(file, "idx")).expect("there is an index file");
    let original = std::fs::read(index).expect("the index can be read");
    let mut dice = Dice::new(5);
    let cart: Vec<u8> = split_lines(&lines)
        .into_iter()
        .filter(|line| String::from_utf8_lossy(line).contains("\"shop.cart"))
        .flat_map(|line| [line, b"\n"].concat())
        .collect();
    for _ in 0..15 {
        let at = dice.below(original.len());
        let mut bytes = original.clone();
        bytes[at] ^= 1 << dice.below(8);
        std::fs::write(index, bytes).expect("the index can be written");
        let mut server = TestServer::on(&data);
        assert_same_lines(&server.logs("component=shop.cart"), &cart, &format!("a bit of byte {at} flipped"));
        server.kill();
    }
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let server = TestServer::start();
    let (succeeded, said) = Setup::on(server.data()).fail_to_start();
    assert!(!succeeded);
    let said = said.to_lowercase();
    let folder = server.data().display().to_string().to_lowercase();
    assert!(
        said.contains("another") && said.contains(&folder),
        "the message names the folder and why: {said}"
    );
    server.store_logs(br#"{"ts":"2025-03-10T14:05:00Z","component":"a","msg":"the first one works on"}"#);
}

/// A server whose folder is a disk of its own, which it may fill: a small tmpfs in a mount namespace that goes away with it.
fn server_on_a_small_disk(data: &Path, megabytes: u32) -> TestServer {
    std::fs::create_dir_all(data).expect("a folder can be made");
    let mount = format!("mount -t tmpfs -o size={megabytes}m none '{}' && exec \"$@\"", data.display());
    let setup = Setup::on(data).arg("--disk-reserve").arg("off");
    setup.through(["unshare", "--map-root-user", "--mount", "sh", "-c", &mount, "sh"]).start()
}

/// Lines that are refused one day, and the number that were taken before.
fn fill(server: &TestServer, filler: &str) -> (u32, sonde_tests::http::Answer) {
    for number in 0..100_000 {
        let line = format!(
            "{{\"ts\":{},\"component\":\"bulk\",\"msg\":\"{number} {filler}\"}}\n",
            1_741_600_000 + number
        );
        let answer = server.http().post("/api/ingest/logs", line.repeat(4).as_bytes());
        if answer.status != 200 {
            return (number, answer);
        }
        assert_eq!(answer.json::<sonde_shared::api::IngestReport>().stored, 4);
    }
    panic!("the disk never got full");
}

#[test]
fn a_full_disk_refuses_new_lines_and_keeps_the_old_ones_readable() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let server = server_on_a_small_disk(&data, 64);
    let inside = PathBuf::from(format!("/proc/{}/root{}", server.pid(), data.display()));
    let ballast = inside.join("ballast");
    std::fs::write(&ballast, vec![0; 8 << 20]).expect("the disk takes the ballast");
    let filler = "x".repeat(60_000);
    let (taken, refusal) = fill(&server, &filler);
    assert_eq!(refusal.status, 503, "{}", refusal.text());
    refusal.problem();
    assert!(taken > 20, "only {taken} batches fitted");
    let lines = server.logs("component=bulk");
    assert_eq!(split_lines(&lines).len(), 4 * taken as usize, "acknowledged lines, and no others");
    assert_eq!(server.get("/health").status, 200);
    std::fs::remove_file(&ballast).expect("the ballast can be removed");
    let line = br#"{"ts":1741700000,"component":"shop.cart","msg":"there is room again"}"#;
    wait::until("lines to be taken again", || {
        let answer = server.http().post("/api/ingest/logs", line);
        if answer.status == 200 { Ok(()) } else { Err(answer.text()) }
    });
    assert_same_lines(
        &server.logs("component=shop"),
        &[line.as_slice(), b"\n"].concat(),
        "the line after it",
    );
    let copy = folder.path().join("copy");
    copy_folder(&inside, &copy);
    assert_same_lines(&TestServer::on(&copy).logs("component=bulk"), &lines, "after a restart");
}
