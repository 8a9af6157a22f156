//! What is said when the server cannot start as it was told to.

use sonde_tests::server::Setup;
use std::net::TcpListener;

/// All that a server says which gives up at its start.
#[track_caller]
fn said(setup: Setup) -> String {
    let (succeeded, said) = setup.fail_to_start();
    assert!(!succeeded, "{said}");
    said
}

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "no `{word}` in: {said}");
    }
}

#[test]
fn a_port_in_use_comes_with_its_flag_and_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("a listener has an address").to_string();
    let check = |flag: &'static str, way_out: &str| {
        let said = said(Setup::default().without(flag).arg(flag).arg(&address));
        assert_says(&said, &[&format!("{flag} {address}: another program has this port"), way_out]);
    };
    check("--listen", "`--listen 127.0.0.1:0`");
    check("--carbon", "--carbon off");
    check("--carbon-pickle", "--carbon-pickle off");
    check("--syslog", "--syslog off");
}

#[test]
fn a_file_in_place_of_the_data_folder_is_told() {
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    assert_says(&said(Setup::on(file.path())), &["--data", "there is a file where a folder is needed"]);
}

#[test]
fn a_folder_of_dashboards_that_is_not_there_leaves_no_data_folder_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    assert_says(&said(Setup::on(&data).arg("--dashboards").arg("no-such-boards")), &["no-such-boards"]);
    assert!(!data.exists());
}

#[test]
fn rules_of_graphite_that_cannot_be_taken_are_told_with_their_place() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    let rules = folder.path().join("rules.conf");
    std::fs::write(
        &rules,
        "[fine]\npattern = .*\nretentions = 60s:1d\n[bad]\npattern = (?!a)\nretentions = 1:1\n",
    )
    .expect("a file can be written");
    for (flag, place) in [
        ("--storage-schemas", "rules.conf: line 5, section [bad]: the pattern `(?!a)`"),
        ("--storage-aggregation", "rules.conf: line 5, section [bad]: the pattern `(?!a)`"),
    ] {
        assert_says(&said(Setup::on(&data).arg(flag).arg(&rules)), &[flag, place]);
        assert_says(&said(Setup::on(&data).arg(flag).arg("no-such.conf")), &[flag, "no-such.conf"]);
    }
    // A file of settings names them from where it lies.
    let settings = folder.path().join("sonde.toml");
    std::fs::write(&settings, "storage-schemas = 'rules.conf'\n").expect("a file can be written");
    let said = said(Setup::on(&data).arg("--config").arg(&settings));
    let place = format!("the key `storage-schemas` in {}: {}: line 5", settings.display(), rules.display());
    assert_says(&said, &[&place]);
    assert!(!said.contains("--storage-schemas"), "{said}");
    assert!(!data.exists());
}

#[test]
fn a_value_is_refused_with_the_place_it_stands_in() {
    let environment = Setup::default().without("--carbon").through(["env", "SONDE_CARBON=here"]);
    assert_says(&said(environment), &["`here` of the environment variable SONDE_CARBON", "HOST:PORT"]);
    let flag = Setup::default().arg("--allow-host").arg("https://sonde.example/");
    assert_says(&said(flag), &["of the flag --allow-host", "sonde.example:8443"]);
}

#[test]
fn a_log_that_is_no_terminal_has_no_colours_and_names_a_misspelt_variable() {
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    let said = said(Setup::on(file.path()).through(["env", "SONDE_CABRON=off"]));
    assert_says(&said, &["WARN", "SONDE_CABRON means nothing here", "SONDE_CARBON"]);
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_start_tells_which_file_is_read_and_what_is_deleted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("wells.toml");
    std::fs::write(
        &file,
        "retention = '2w'\nretention-for = ['shop.audit=off', 'shop.debug=3d']\nretention-bytes = '5GB'\n",
    )
    .expect("a file can be written");
    let server = Setup::default().arg("--config").arg(&file).start();
    let log = server.log();
    for told in [
        "wells.toml",
        "days that ended longer ago are deleted days=14",
        "its lines are kept, whatever their age component=shop.audit",
        "its lines are deleted after so many days component=shop.debug days=3",
        "the oldest days are deleted while all of them take more bytes=5000000000",
    ] {
        assert!(log.contains(told), "{told} is not in {log}");
    }
    let plain = Setup::default().start().log();
    assert!(!plain.contains("deleted") && !plain.contains("settings"), "{plain}");
}
