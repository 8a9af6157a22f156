//! `sonde import whisper`: what a Graphite has stored is answered as Graphite would, and what is damaged is told.

use serde_json::{Value, json};
use sonde_tests::server::{Setup, TestServer, binary};
use std::path::Path;
use std::process::{Command, Output};

/// 2025-03-10T14:05:00Z, a multiple of five minutes.
const START: u32 = 1_741_615_500;

/// Seconds a point, how many there are room for, and those that were written.
type Archive<'a> = (u32, u32, &'a [(u32, f64)]);

/// The bytes of a whisper file.
fn whisper_file(archives: &[Archive<'_>]) -> Vec<u8> {
    let mut header = [1_u32, 86_400].map(u32::to_be_bytes).concat();
    header.extend(0.5_f32.to_be_bytes());
    header.extend((archives.len() as u32).to_be_bytes());
    let mut offset = 16 + 12 * archives.len() as u32;
    let mut rings = Vec::new();
    for (secs, len, points) in archives {
        header.extend([offset, *secs, *len].map(u32::to_be_bytes).concat());
        offset += 12 * len;
        let mut ring = vec![[0; 12]; *len as usize];
        for (time, value) in *points {
            let place = (time - points[0].0) / secs % len;
            let bytes = [time.to_be_bytes().as_slice(), &value.to_be_bytes()].concat();
            ring[place as usize] = bytes.try_into().expect("twelve bytes");
        }
        rings.extend(ring.concat());
    }
    [header, rings].concat()
}

fn write(tree: &Path, name: &str, bytes: &[u8]) {
    let path = tree.join(name);
    std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("folders can be made");
    std::fs::write(path, bytes).expect("a file can be written");
}

fn import(data: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    let Output { status, stderr, .. } = command
        .env_remove("SONDE_DATA")
        .args(["import", "--data"])
        .arg(data)
        .args(args)
        .output()
        .expect("the program starts");
    (status.success(), String::from_utf8_lossy(&stderr).into_owned())
}

fn points(server: &TestServer, target: &str, from: u32, until: u32, now: u32) -> Value {
    let query = format!("target={target}&from={from}&until={until}&now={now}");
    let mut answer: Value = server.get(&format!("/render?{query}")).ok().json();
    answer[0]["datapoints"].take()
}

#[test]
fn a_graphites_tree_is_taken_over_with_all_its_archives() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (tree, data) = (folder.path().join("whisper"), folder.path().join("data"));
    let minutes: Vec<(u32, f64)> = (0..10).map(|at| (START + 60 * at, f64::from(at))).collect();
    // Two days and some minutes of five-minute points, of which the last two are what the minutes are.
    let earlier = START - 5 * 60 * 600;
    let fives: Vec<(u32, f64)> = (0..602).map(|at| (earlier + 300 * at, f64::from(at))).collect();
    let file = whisper_file(&[(60, 10, &minutes), (300, 700, &fives)]);
    write(&tree, "shop/cart/count.wsp", &file);
    write(&tree, "_tagged/872/252/disk_DOT_used;host=n1;rack=a_DOT_1.wsp", &file);
    write(&tree, "carbon.log", b"no points");
    let (is_done, said) =
        import(&data, &["whisper", tree.to_str().expect("a plain name"), "--prefix", "old"]);
    assert!(is_done, "{said}");
    for part in
        ["1220 points of 2 files stored", "20 of archives with a point every 60 s", "1200 of archives"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Again: every point takes its own place.
    assert!(import(&data, &["whisper", tree.to_str().expect("a plain name"), "--prefix", "old"]).0);

    let schemas = folder.path().join("schemas.conf");
    std::fs::write(&schemas, "[all]\npattern = .*\nretentions = 60s:10m,5m:7d\n")
        .expect("a file can be written");
    let server = Setup::on(&data).arg("--storage-schemas").arg(schemas).start();
    let now = START + 599;
    let by_minute: Vec<Value> = minutes.iter().map(|(time, value)| json!([value, time])).collect();
    let coarse: Vec<Value> = fives[..600].iter().map(|(time, value)| json!([value, time])).collect();
    for target in ["old.shop.cart.count", "old.disk.used;host=n1;rack=a.1"] {
        assert_eq!(points(&server, target, START - 1, now, now), json!(by_minute), "{target}");
        let all = points(&server, target, earlier - 1, now, now);
        // The last two slots are made of the minutes.
        let made = [json!([2.0, START]), json!([7.0, START + 300])];
        assert_eq!(all, json!([coarse.as_slice(), &made].concat()), "{target}");
    }
    let raw = server
        .get(&format!("/render?format=columns&target=old.shop.cart.count&from={}&until={now}", earlier - 1));
    assert_eq!(
        raw.ok().body.len(),
        8 + 4 + 4 + 4 + "old.shop.cart.count".len() + 16 * 610,
        "each point once"
    );
}

#[test]
fn damaged_files_are_named_and_the_others_are_taken() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (tree, data) = (folder.path().join("whisper"), folder.path().join("data"));
    let good = whisper_file(&[(60, 5, &[(START, 1.0), (START + 60, 2.0)])]);
    write(&tree, "a/good.wsp", &good);
    write(&tree, "a/cut.wsp", &good[..good.len() - 1]);
    write(&tree, "a/empty.wsp", b"");
    let hash = "_tagged/872/252/8722524c0b6ee3d4aee2b1a1c0d2d0f18722524c0b6ee3d4aee2b1a1c0d2d0f1.wsp";
    write(&tree, hash, &good);
    let mut misplaced = good.clone();
    misplaced[28 + 24..28 + 28].copy_from_slice(&7_u32.to_be_bytes());
    write(&tree, "a/misplaced.wsp", &misplaced);
    let (is_done, said) = import(&data, &["whisper", tree.to_str().expect("a plain name")]);
    assert!(!is_done, "{said}");
    for part in [
        "a/cut.wsp: it is cut short",
        "a/empty.wsp: it is empty",
        "a/misplaced.wsp: 1 place with times",
        "d0f1.wsp: its name is no series'",
        "4 points of 2 files stored",
        "4 files could not be taken",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let server = TestServer::on(&data);
    for target in ["a.good", "a.misplaced"] {
        let expected = json!([[1.0, START], [2.0, START + 60]]);
        assert_eq!(points(&server, target, START - 1, START + 60, START + 60), expected, "{target}");
    }
}

#[test]
fn a_tree_that_cannot_be_read_leaves_no_data_folder_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let missing = folder.path().join("no-such-tree");
    let (is_done, said) = import(&data, &["whisper", missing.to_str().expect("a plain name")]);
    assert!(!is_done && said.contains("no-such-tree could not be read"), "{said}");
    let (is_done, said) = import(&data, &["whisper", "x", "--prefix", "a b"]);
    assert!(!is_done && said.contains("write a plain path"), "{said}");
    assert!(!data.exists());
    std::fs::create_dir(&missing).expect("a folder can be made");
    let (is_done, said) = import(&data, &["whisper", missing.to_str().expect("a plain name")]);
    assert!(!is_done && said.contains("holds no whisper files"), "{said}");
}

/// Files of lines are imported as before, also one of this name.
#[test]
fn a_file_of_lines_may_be_called_whisper() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let file = folder.path().join("whisper");
    std::fs::write(&file, "{\"ts\":1741615500,\"msg\":\"x\"}\n").expect("a file can be written");
    let (is_done, said) = import(&data, &[file.to_str().expect("a plain name")]);
    assert!(is_done && said.contains("1 line stored"), "{said}");
}
