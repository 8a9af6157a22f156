//! While the disk is down to its reserve nothing new is taken; what is stored is still compressed, and all goes on by itself.

use sonde_tests::http::Answer;
use sonde_tests::server::{Setup, TestServer, binary};
use sonde_tests::wait;
use std::path::{Path, PathBuf};

const LINE: &[u8] = br#"{"ts":"2025-03-10T14:05:00Z","component":"shop.cart","msg":"one more"}"#;

/// A server whose folder is a disk of its own, on which `before` runs first; `$0` is the program, `$DISK` the folder.
fn server(data: &Path, megabytes: u32, reserve: &[&str], before: &str) -> TestServer {
    std::fs::create_dir_all(data).expect("a folder can be made");
    let (disk, program) = (data.display(), binary());
    let script =
        format!("DISK='{disk}'; mount -t tmpfs -o size={megabytes}m none \"$DISK\" && {before} exec \"$@\"");
    let mut setup = Setup::on(data);
    for word in reserve {
        setup = setup.arg(word);
    }
    let program = program.to_str().expect("a plain name");
    setup.through(["unshare", "--map-root-user", "--mount", "sh", "-c", &script, program]).start()
}

/// The disk as the server sees it.
fn inside(server: &TestServer) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root{}", server.pid(), server.data().display()))
}

/// A number of `/metrics`, which are whole here.
fn gauge(server: &TestServer, name: &str) -> u64 {
    server.counter(name) as u64
}

fn post_all(server: &TestServer) -> [Answer; 3] {
    let event = br#"{"what":"deploy","when":1741600000}"#;
    [
        server.http().post("/api/ingest/logs", LINE),
        server.http().post("/api/ingest/metrics", b"shop.cart.size 1 1741600000\n"),
        server.http().post("/events/", event),
    ]
}

#[track_caller]
fn wait_for_status(server: &TestServer, status: u16) {
    wait::until("all answers to change", || {
        let found = post_all(server).map(|answer| answer.status);
        if found == [status; 3] { Ok(()) } else { Err(found) }
    });
}

#[test]
fn what_is_new_is_refused_while_the_disk_is_down_to_its_reserve() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = server(&folder.path().join("data"), 64, &["--disk-reserve", "20MiB"], "");
    wait_for_status(&server, 200);
    assert_eq!(server.get("/ready").status, 200);
    let before = server.logs("");
    let ballast = inside(&server).join("ballast");
    std::fs::write(&ballast, vec![0; 50 << 20]).expect("the disk takes the ballast");
    wait_for_status(&server, 503);
    for answer in post_all(&server) {
        let problem = answer.problem();
        assert!(problem.detail.contains("--disk-reserve"), "{}", problem.detail);
    }
    let ready = server.get("/ready");
    assert!(ready.status == 503 && ready.text().contains("20 MiB are kept"), "{}", ready.text());
    assert_eq!(gauge(&server, "sonde_disk_reserve_bytes"), 20 << 20);
    assert_eq!(gauge(&server, "sonde_disk_refusing"), 1);
    assert!(gauge(&server, "sonde_disk_free_bytes") < 20 << 20);
    // Senders without an answer are told by their counters.
    server.send_tcp("carbon", b"shop.cart.size 2 1741600001\n");
    wait::until("the point to be counted", || {
        let name = r#"sonde_ingest_refused_total{protocol="carbon_tcp",reason="store"}"#;
        if gauge(&server, name) == 1 { Ok(()) } else { Err("not yet") }
    });
    assert!(server.logs("").starts_with(&before), "what is stored is answered");
    std::fs::remove_file(&ballast).expect("the ballast can be removed");
    wait_for_status(&server, 200);
    assert_eq!(server.get("/ready").status, 200);
    assert_eq!(gauge(&server, "sonde_disk_refusing"), 0);
}

#[test]
fn senders_leave_the_reserve_free() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = server(&folder.path().join("data"), 32, &["--disk-reserve", "10MiB"], "");
    let body = [LINE, b"\n"].concat().repeat(10_000);
    let mut stored = 0;
    while server.http().post("/api/ingest/logs", &body).status == 200 {
        stored += 10_000;
        assert!(stored < 1_000_000, "the disk never got full");
    }
    assert!(stored > 100_000, "only {stored} lines fitted");
    assert!(server.count_logs("") >= stored, "what was acknowledged is there");
    wait::until("another look at the disk", || {
        let free = gauge(&server, "sonde_disk_free_bytes");
        // The index and what was on its way when it was last looked may use some of it.
        if (8 << 20..20 << 20).contains(&free) { Ok(()) } else { Err(free) }
    });
}

#[test]
fn the_default_leaves_most_of_a_small_disk_to_be_used() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let server = server(&folder.path().join("data"), 8, &[], "");
    wait_for_status(&server, 200);
    assert_eq!(gauge(&server, "sonde_disk_reserve_bytes"), (8 << 20) / 100);
}

#[test]
fn what_is_stored_is_compressed_although_nothing_new_is_taken() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("a.ndjson");
    let lines = [LINE, b"\n"].concat().repeat(20_000);
    std::fs::write(&file, &lines).expect("a file can be written");
    let import = format!("\"$0\" import --data \"$DISK\" '{}' &&", file.display());
    let ballast = "dd if=/dev/zero of=\"$DISK/ballast\" bs=1M count=20 2>/dev/null &&";
    let data = folder.path().join("data");
    let server = server(&data, 32, &["--disk-reserve", "16MiB"], &format!("{import} {ballast}"));
    assert_eq!(post_all(&server).map(|answer| answer.status), [503; 3]);
    let day = inside(&server).join("2025-03-10");
    wait::until("the text to be sealed", || {
        let has = |name: &str| day.join(name).exists();
        if has("logs-0001.ndjson.zst") && !has("logs-0001.ndjson") { Ok(()) } else { Err("not yet") }
    });
    assert!(server.logs("") == lines);
}
