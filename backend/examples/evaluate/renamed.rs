//! Instances started anew under other names, which is nothing: hosts, and what lines say of where they come from.

use crate::draw::Draw;
use crate::system::{Baseline, System};
use sonde::why::observed::{Counts, Field, FieldValue, Observed, Part, Volume};

/// Fields are told of so many components.
const WITH_FIELDS: usize = 12;
const LINES: u32 = 150;

/// From some time on before the selection half of the hosts bear other names, and the lines of half of the components other instances and
/// another version.
pub(crate) fn rename(system: &System, observed: &mut Observed, draw: &mut Draw) {
    let now = observed.grid.now.clone();
    let is_far = matches!(system.size.baseline, Baseline::WeeksAgo | Baseline::DayWeeksAgo);
    let since =
        if is_far { now.selection.start } else { now.baseline.start + draw.below(now.baseline.len()) };
    for host in 0..system.hosts.len() {
        if draw.chance(0.5) {
            rename_host(host, since, observed);
        }
    }
    for component in 0..system.components.len().min(WITH_FIELDS) {
        let is_renamed = draw.chance(0.5);
        let instances = 1 + draw.below(4);
        for (name, values) in [("instance", instances), ("version", 1)] {
            let of = if name == "version" { String::new() } else { format!("{component}-") };
            let value = |number: usize| format!("{name}{of}{number}");
            observed.fields.push(field(component, name, value, (values, is_renamed, since), observed, draw));
        }
    }
}

fn rename_host(host: usize, since: usize, observed: &mut Observed) {
    let new = observed.hosts.len() as u32;
    observed.hosts.push(format!("{}b", observed.hosts[host]));
    let part = |counts: &Counts, is_new: bool| {
        let some = counts.iter().filter(|(bucket, _)| (*bucket >= since) == is_new);
        Counts::new(some.map(|(bucket, count)| (bucket as u16, count)).collect())
    };
    let halves = |volume: Volume| {
        let half = |host: u32, is_new: bool| Volume {
            host: Some(host),
            lines: part(&volume.lines, is_new),
            errors: part(&volume.errors, is_new),
            ..volume
        };
        if volume.host == Some(host as u32) {
            vec![half(host as u32, false), half(new, true)]
        } else {
            vec![volume]
        }
    };
    observed.volumes = std::mem::take(&mut observed.volumes).into_iter().flat_map(halves).collect();
}

/// A field with so many values, which are others `since` a bucket if it is renamed.
fn field(
    component: usize,
    name: &str,
    value: impl Fn(usize) -> String,
    (values, is_renamed, since): (usize, bool, usize),
    observed: &Observed,
    draw: &mut Draw,
) -> Field {
    let slices = observed.grid.slices();
    let mut counts = vec![vec![0; slices.len()]; 2 * values];
    for (number, slice) in slices.iter().enumerate() {
        for _ in 0..LINES {
            let is_new = is_renamed && slice.start + draw.below(slice.len()) >= since;
            counts[draw.below(values) + if is_new { values } else { 0 }][number] += 1;
        }
    }
    let of_value = |(number, lines): (usize, Vec<u32>)| FieldValue { value: value(number), lines };
    let seen = counts.into_iter().enumerate().filter(|(_, lines)| lines.iter().any(|count| *count > 0));
    Field {
        component: component as u32,
        part: Part::Named(name.into()),
        lines: vec![LINES; slices.len()],
        values: seen.map(of_value).collect(),
        ..Field::default()
    }
}
