//! How well log messages are grouped, and how fast they are masked: `grouping DIR` reads each `*_structured.csv` there,
//! with the columns `Content`, a message, and `EventId`, which true template it has (the form of the samples of `LogHub`).
//! A line counts as right when its group holds exactly the lines of its true template.
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use sonde::patterns::{Counted, Group, Masked, PatternId, group, mask};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A message and the id of its true template.
struct Line {
    message: String,
    truth: String,
}

/// What was found in one file.
struct Outcome {
    name: String,
    templates: usize,
    groups: usize,
    truths: usize,
    masked_right: f64,
    grouped_right: f64,
    nanos_a_message: f64,
    bytes_a_message: f64,
    group_time: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: grouping DIR")?;
    let outcomes = files(&folder)?.iter().map(|path| measure(path)).collect::<Result<Vec<_>, _>>()?;
    if outcomes.is_empty() {
        return Err(format!("no *_structured.csv in {}", folder.display()).into());
    }
    print(&outcomes);
    Ok(())
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.to_string_lossy().ends_with("_structured.csv"));
    paths.sort();
    Ok(paths)
}

fn measure(path: &Path) -> Result<Outcome, Box<dyn Error>> {
    let lines = read(&std::fs::read_to_string(path)?).ok_or("no columns Content and EventId")?;
    let mut masked = Masked::default();
    let ids: Vec<_> = lines.iter().map(|line| id_of(&line.message, &mut masked)).collect();
    let templates = templates(&lines, &ids, &mut masked);
    let patterns: Vec<_> =
        templates.iter().map(|(&id, (template, count))| Counted { id, template, count: *count }).collect();
    let start = Instant::now();
    let groups = group(&patterns);
    let group_time = start.elapsed();
    let truths: Vec<_> = lines.iter().map(|line| line.truth.as_str()).collect();
    let bytes: usize = lines.iter().map(|line| line.message.len()).sum();
    Ok(Outcome {
        name: path.file_name().unwrap_or_default().to_string_lossy().replace("_structured.csv", ""),
        templates: patterns.len(),
        groups: groups.len(),
        truths: truths.iter().collect::<BTreeSet<_>>().len(),
        masked_right: accuracy(&ids, &truths),
        grouped_right: accuracy(&group_numbers(&ids, &groups), &truths),
        nanos_a_message: nanos_a_message(&lines, &mut masked),
        bytes_a_message: bytes as f64 / lines.len() as f64,
        group_time,
    })
}

/// Each pattern's template and how many lines have it.
fn templates(lines: &[Line], ids: &[PatternId], masked: &mut Masked) -> BTreeMap<PatternId, (String, u64)> {
    let mut templates = BTreeMap::new();
    for (line, id) in lines.iter().zip(ids) {
        mask(line.message.as_bytes(), masked);
        templates.entry(*id).or_insert_with(|| (masked.template().into_owned(), 0)).1 += 1;
    }
    templates
}

/// The number of each line's group.
fn group_numbers(ids: &[PatternId], groups: &[Group]) -> Vec<usize> {
    let members = |(number, group): (usize, &Group)| {
        group.members.iter().map(move |id| (*id, number)).collect::<Vec<_>>()
    };
    let numbers: BTreeMap<_, _> = groups.iter().enumerate().flat_map(members).collect();
    ids.iter().map(|id| numbers[id]).collect()
}

fn id_of(message: &str, masked: &mut Masked) -> PatternId {
    mask(message.as_bytes(), masked);
    masked.id()
}

/// The share of lines whose group holds exactly the lines of their true template.
fn accuracy<G: Ord, T: Ord>(groups: &[G], truths: &[T]) -> f64 {
    let mut in_group = BTreeMap::new();
    let mut in_truth = BTreeMap::new();
    let mut in_both = BTreeMap::new();
    for (group, truth) in groups.iter().zip(truths) {
        *in_group.entry(group).or_insert(0_usize) += 1;
        *in_truth.entry(truth).or_insert(0_usize) += 1;
        *in_both.entry((group, truth)).or_insert(0_usize) += 1;
    }
    let is_right = |group: &G, truth: &T, both: usize| in_group[group] == both && in_truth[truth] == both;
    let right = in_both.iter().filter(|((group, truth), both)| is_right(group, truth, **both));
    right.map(|(_, both)| both).sum::<usize>() as f64 / groups.len() as f64
}

/// The quickest of several passes over the messages, id included.
fn nanos_a_message(lines: &[Line], masked: &mut Masked) -> f64 {
    let pass = |masked: &mut Masked| {
        let start = Instant::now();
        for line in lines {
            black_box(id_of(black_box(&line.message), masked));
        }
        start.elapsed().as_nanos() as f64 / lines.len() as f64
    };
    (0..50).map(|_| pass(masked)).fold(f64::INFINITY, f64::min)
}

fn print(outcomes: &[Outcome]) {
    println!("| system | templates | groups | true | masked | grouped | ns/message | bytes | group ms |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for outcome in outcomes {
        println!(
            "| {} | {} | {} | {} | {:.3} | {:.3} | {:.0} | {:.0} | {:.1} |",
            outcome.name,
            outcome.templates,
            outcome.groups,
            outcome.truths,
            outcome.masked_right,
            outcome.grouped_right,
            outcome.nanos_a_message,
            outcome.bytes_a_message,
            outcome.group_time.as_secs_f64() * 1000.0,
        );
    }
    let mean = |value: fn(&Outcome) -> f64| outcomes.iter().map(value).sum::<f64>() / outcomes.len() as f64;
    println!(
        "| mean | | | | {:.3} | {:.3} | {:.0} | {:.0} | |",
        mean(|outcome| outcome.masked_right),
        mean(|outcome| outcome.grouped_right),
        mean(|outcome| outcome.nanos_a_message),
        mean(|outcome| outcome.bytes_a_message),
    );
}

/// The lines of a table; none if a column is missing.
fn read(text: &str) -> Option<Vec<Line>> {
    let mut rows = rows(text).into_iter();
    let heading = rows.next()?;
    let column = |name: &str| heading.iter().position(|cell| cell == name);
    let (message, truth) = (column("Content")?, column("EventId")?);
    let line =
        |row: Vec<String>| Some(Line { message: row.get(message)?.clone(), truth: row.get(truth)?.clone() });
    Some(rows.filter_map(line).collect())
}

/// The cells of comma-separated values (RFC 4180).
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut is_quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                cell.push('"');
                characters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(character),
        }
    }
    rows
}
