//! What can go wrong: a cause, what it does to the place it strikes, and what of that others feel.

use crate::draw::Draw;
use crate::system::{Measures, System, lose, volumes};
use sonde::why::observed::{Context, Counts, Event, Observed, Part, Pattern};
use sonde_shared::log::Level;
use std::collections::BTreeSet;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cpu,
    Memory,
    Disk,
    NetworkDelay,
    ErrorBurst,
    SilentFailure,
    SlowLeak,
    RetryStorm,
    NoisyNeighbour,
    VanishingPattern,
    NewPattern,
    OneClient,
    SlowMessages,
    /// Some series of a place, each in its own way.
    Series,
}

/// Those of a system of many components.
pub(crate) const KINDS: [Kind; 13] = [
    Kind::Cpu,
    Kind::Memory,
    Kind::Disk,
    Kind::NetworkDelay,
    Kind::ErrorBurst,
    Kind::SilentFailure,
    Kind::SlowLeak,
    Kind::RetryStorm,
    Kind::NoisyNeighbour,
    Kind::VanishingPattern,
    Kind::NewPattern,
    Kind::OneClient,
    Kind::SlowMessages,
];

/// What is to be found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    /// The component or host where it is.
    pub(crate) place: String,
    /// Series, ids of patterns and values of fields that are the cause's own.
    pub(crate) exact: BTreeSet<String>,
}

/// Lets it happen in what was observed.
pub(crate) fn strike(kind: Kind, system: &System, observed: &mut Observed, draw: &mut Draw) -> Cause {
    let mut strike = Strike { system, at: draw.below(system.components.len()), cause: Cause::default() };
    let size = draw.log_between(1.5, 8.0);
    strike.cause.place.clone_from(&system.components[strike.at]);
    match kind {
        Kind::Cpu => strike.cpu(observed, size, draw),
        Kind::Memory => strike.ramp(observed, Measures::Memory, size.min(3.0), 0.3, draw),
        Kind::SlowLeak => strike.ramp(observed, Measures::Memory, draw.between(1.2, 2.0), 1.0, draw),
        Kind::Disk => strike.host(observed, Measures::HostWait, 2.0 * size, draw),
        Kind::NoisyNeighbour => strike.host(observed, Measures::HostCpu, 1.0 + 0.5 * size, draw),
        Kind::NetworkDelay => strike.delay(observed, size, draw),
        Kind::ErrorBurst => strike.errors(observed, size, draw),
        Kind::SilentFailure => strike.silence(observed, draw),
        Kind::RetryStorm => strike.retries(observed, size, draw),
        Kind::VanishingPattern => strike.vanish(observed, draw),
        Kind::NewPattern => strike.appear(observed, draw),
        Kind::OneClient => strike.client(observed, draw),
        Kind::SlowMessages => strike.slow_messages(observed, size),
        Kind::Series => strike.some_series(observed, draw),
    }
    observed.volumes = volumes(system, &observed.patterns);
    strike.cause
}

struct Strike<'a> {
    system: &'a System,
    at: usize,
    cause: Cause,
}

impl Strike<'_> {
    /// Multiplies what a place's series measure from a little after the selection's start on.
    fn multiply(
        &mut self,
        observed: &mut Observed,
        place: usize,
        measures: Measures,
        factor: f64,
        is_cause: bool,
        draw: &mut Draw,
    ) {
        let start = observed.grid.now.selection.start + draw.below(2);
        for (plan, series) in self.system.series.iter().zip(&mut observed.series) {
            if plan.place != place || plan.measures != measures {
                continue;
            }
            // Some of what stands still goes to another place and stands there.
            let steps = self.system.size.still > 0.0 && plan.stands() && draw.chance(0.5);
            let noise = if steps { 0.0 } else { 0.1 };
            for value in &mut series.values[start..] {
                let jitter = 1.0 + noise * draw.normal();
                *value = (f64::from(*value) * (1.0 + (factor - 1.0) * jitter).max(0.0)) as f32;
            }
            if is_cause {
                self.cause.exact.insert(plan.path.clone());
            }
        }
    }

    /// Callers feel what a component suffers, the further away the less.
    fn felt_by_callers(&mut self, observed: &mut Observed, measures: Measures, factor: f64, draw: &mut Draw) {
        let mut reached = vec![self.at];
        let mut felt = factor;
        for _ in 0..2 {
            felt = 1.0 + (felt - 1.0) * draw.between(0.3, 0.8);
            reached = reached.iter().flat_map(|at| self.system.callers[*at].clone()).collect();
            for caller in reached.clone() {
                if caller != self.at {
                    self.multiply(observed, caller, measures, felt, false, draw);
                }
            }
        }
    }

    fn cpu(&mut self, observed: &mut Observed, size: f64, draw: &mut Draw) {
        self.multiply(observed, self.at, Measures::Cpu, size, true, draw);
        self.multiply(observed, self.at, Measures::Latency, 1.0 + (size - 1.0) * 0.4, true, draw);
        self.multiply(observed, self.at, Measures::Requests, draw.between(0.5, 1.0), false, draw);
        self.felt_by_callers(observed, Measures::Latency, 1.0 + (size - 1.0) * 0.4, draw);
        let host = self.system.components.len() + self.system.host_of[self.at];
        self.multiply(observed, host, Measures::HostCpu, 1.0 + (size - 1.0) * 0.2, false, draw);
    }

    /// Grows over a part of the selection, then stays.
    fn ramp(&mut self, observed: &mut Observed, measures: Measures, factor: f64, part: f64, draw: &mut Draw) {
        let selection = observed.grid.now.selection.clone();
        for (plan, series) in self.system.series.iter().zip(&mut observed.series) {
            if plan.place == self.at && plan.measures == measures {
                for bucket in selection.clone() {
                    let grown = (bucket - selection.start) as f64 / (selection.len() as f64 * part).max(1.0);
                    series.values[bucket] *= (1.0 + (factor - 1.0) * grown.min(1.0)) as f32;
                }
                self.cause.exact.insert(plan.path.clone());
            }
        }
        if part < 1.0 {
            self.multiply(observed, self.at, Measures::Latency, draw.between(1.0, 1.6), true, draw);
            self.felt_by_callers(observed, Measures::Latency, 1.3, draw);
        }
    }

    fn host(&mut self, observed: &mut Observed, measures: Measures, factor: f64, draw: &mut Draw) {
        let host = self.system.host_of[self.at];
        self.cause.place.clone_from(&self.system.hosts[host]);
        self.multiply(observed, self.system.components.len() + host, measures, factor, true, draw);
        let slowed = draw.between(1.2, 2.0);
        for component in (0..self.system.components.len()).filter(|at| self.system.host_of[*at] == host) {
            self.multiply(observed, component, Measures::Latency, slowed, false, draw);
        }
    }

    fn delay(&mut self, observed: &mut Observed, size: f64, draw: &mut Draw) {
        self.multiply(observed, self.at, Measures::Latency, size, true, draw);
        self.multiply(observed, self.at, Measures::Connections, 1.0 + (size - 1.0) * 0.3, true, draw);
        self.multiply(observed, self.at, Measures::Requests, draw.between(0.4, 0.9), true, draw);
        self.felt_by_callers(observed, Measures::Latency, size, draw);
        for caller in self.system.callers[self.at].clone() {
            self.multiply(observed, caller, Measures::Requests, draw.between(0.5, 0.95), false, draw);
        }
    }

    fn errors(&mut self, observed: &mut Observed, size: f64, draw: &mut Draw) {
        self.add_to(observed, self.at, Measures::Errors, size * 3.0, true, draw);
        self.add_pattern(observed, self.at, size * 2.0, Level::Error, true, draw);
        for caller in self.system.callers[self.at].clone() {
            if caller != self.at {
                self.add_to(observed, caller, Measures::Errors, size, false, draw);
                self.add_pattern(observed, caller, size * 0.7, Level::Error, false, draw);
            }
        }
    }

    fn add_to(
        &mut self,
        observed: &mut Observed,
        place: usize,
        measures: Measures,
        mean: f64,
        is_cause: bool,
        draw: &mut Draw,
    ) {
        let start = observed.grid.now.selection.start;
        for (plan, series) in self.system.series.iter().zip(&mut observed.series) {
            if plan.place == place && plan.measures == measures {
                series.values[start..].iter_mut().for_each(|value| *value += draw.poisson(mean) as f32);
                if is_cause {
                    self.cause.exact.insert(plan.path.clone());
                }
            }
        }
    }

    fn add_pattern(
        &mut self,
        observed: &mut Observed,
        component: usize,
        rate: f64,
        level: Level,
        is_cause: bool,
        draw: &mut Draw,
    ) {
        let selection = observed.grid.now.selection.clone();
        let pairs = selection.map(|bucket| (bucket as u16, draw.poisson(rate))).collect();
        let id = format!("p{}", observed.patterns.len());
        if is_cause {
            self.cause.exact.insert(id.clone());
        }
        observed.patterns.push(Pattern {
            component: component as u32,
            template: format!("cannot {id} at <*>"),
            id,
            level: Some(level),
            counts: Counts::new(pairs),
        });
    }

    /// Nothing is heard of a component any more.
    fn silence(&mut self, observed: &mut Observed, draw: &mut Draw) {
        let selection = observed.grid.now.selection.clone();
        let since = selection.start + draw.below(selection.len() / 3 + 1);
        let stops = draw.chance(0.5);
        for (number, pattern) in observed.patterns.iter_mut().enumerate() {
            if pattern.component as usize == self.at {
                keep(pattern, |bucket, count, _| if bucket >= since { 0 } else { count }, draw);
                self.cause.exact.insert(format!("p{number}"));
            }
        }
        for (plan, series) in self.system.series.iter().zip(&mut observed.series) {
            if plan.place == self.at {
                series.values[since..]
                    .iter_mut()
                    .for_each(|value| *value = if stops { f32::NAN } else { 0.0 });
                self.cause.exact.insert(plan.path.clone());
            }
        }
        self.cause.exact.insert(self.cause.place.clone());
        for caller in self.system.callers[self.at].clone() {
            if caller != self.at {
                self.add_to(observed, caller, Measures::Errors, 2.0, false, draw);
                self.add_pattern(observed, caller, 1.5, Level::Error, false, draw);
            }
        }
    }

    fn retries(&mut self, observed: &mut Observed, size: f64, draw: &mut Draw) {
        self.multiply(observed, self.at, Measures::Requests, 1.0 + size, true, draw);
        self.multiply(observed, self.at, Measures::Connections, size, true, draw);
        self.multiply(observed, self.at, Measures::Cpu, 1.0 + size * 0.2, true, draw);
        self.multiply(observed, self.at, Measures::Latency, 1.0 + size * 0.2, true, draw);
        self.add_pattern(observed, self.at, size, Level::Warn, true, draw);
        self.felt_by_callers(observed, Measures::Latency, 1.0 + size * 0.2, draw);
        let start = observed.grid.now.selection.start;
        for (number, plan) in self.system.patterns.iter().enumerate() {
            if plan.component == self.at && plan.of_requests {
                let more = |bucket: usize, count: u32, draw: &mut Draw| {
                    if bucket >= start { count + draw.poisson(f64::from(count) * size) } else { count }
                };
                keep(&mut observed.patterns[number], more, draw);
                self.cause.exact.insert(format!("p{number}"));
            }
        }
    }

    /// A step of the code is not reached any more; no metric tells.
    fn vanish(&mut self, observed: &mut Observed, draw: &mut Draw) {
        let start = observed.grid.now.selection.start;
        let length = observed.grid.now.selection.len() as f64;
        let often = |plan: &&(usize, &crate::system::PatternPlan)| plan.1.rate * length >= 8.0;
        let plans: Vec<_> = self.system.patterns.iter().enumerate().collect();
        let usual: Vec<_> = plans.iter().filter(often).collect();
        let (number, plan) = **usual.get(draw.below(usual.len())).unwrap_or(&&plans[0]);
        self.at = plan.component;
        self.cause.place.clone_from(&self.system.components[self.at]);
        let left = if draw.chance(0.6) { 0.0 } else { 0.15 };
        let fewer = |bucket: usize, count: u32, draw: &mut Draw| {
            if bucket >= start { draw.poisson(f64::from(count) * left).min(count) } else { count }
        };
        keep(&mut observed.patterns[number], fewer, draw);
        self.cause.exact.insert(format!("p{number}"));
    }

    /// A message that was never seen; few of them.
    fn appear(&mut self, observed: &mut Observed, draw: &mut Draw) {
        let length = observed.grid.now.selection.len() as f64;
        let rate = draw.log_between(8.0, 60.0) / length;
        self.add_pattern(observed, self.at, rate, Level::Info, true, draw);
    }

    fn client(&mut self, observed: &mut Observed, draw: &mut Draw) {
        let fields =
            observed.fields.iter().filter(|field| field.part == Part::Named("client".into())).count();
        let chosen = draw.below(fields);
        let share = draw.between(0.3, 0.9);
        let fields = observed.fields.iter_mut().filter(|field| field.part == Part::Named("client".into()));
        if let Some(field) = fields.skip(chosen).take(1).next() {
            let last = field.lines.len() - 1;
            let client = draw.below(field.values.len());
            for (number, value) in field.values.iter_mut().enumerate() {
                let rest = (f64::from(value.lines[last]) * (1.0 - share)).round() as u32;
                value.lines[last] =
                    if number == client { (f64::from(field.lines[last]) * share) as u32 } else { rest };
            }
            self.at = field.component as usize;
            self.cause.exact.insert(format!("client={}", field.values[client].value));
        }
        self.cause.place.clone_from(&self.system.components[self.at]);
        self.multiply(observed, self.at, Measures::Requests, 1.0 / (1.0 - share), true, draw);
        self.multiply(observed, self.at, Measures::Latency, draw.between(1.2, 4.0), false, draw);
    }

    /// Only a number in the lines tells.
    fn slow_messages(&mut self, observed: &mut Observed, size: f64) {
        let mut fields = observed.fields.iter_mut().filter(|field| !field.numbers.is_empty());
        if let Some(field) = fields.by_ref().nth(self.at % 5) {
            let last = field.numbers.len() - 1;
            field.numbers[last].iter_mut().for_each(|number| *number *= size as f32);
            self.at = field.component as usize;
            self.cause.exact.insert("took".into());
        }
        self.cause.place.clone_from(&self.system.components[self.at]);
    }

    /// One to eight of all series change: to another level, in some points, in noise, or not at all any more.
    fn some_series(&mut self, observed: &mut Observed, draw: &mut Draw) {
        let start = observed.grid.now.selection.start;
        for _ in 0..=draw.below(8) {
            let chosen = draw.below(observed.series.len());
            let series = &mut observed.series[chosen];
            let (way, size) = (draw.below(5), draw.log_between(1.2, 6.0));
            let last = series.values[start];
            for value in &mut series.values[start..] {
                let factor = match way {
                    0 => size,
                    1 => 1.0 / size,
                    2 if draw.chance(0.3) => 2.0 * size,
                    3 => 1.0 + 0.3 * size * draw.normal(),
                    _ => 1.0,
                };
                *value = if way == 4 { last } else { (f64::from(*value) * factor.max(0.0)) as f32 };
            }
            self.cause.exact.insert(series.path.clone());
            let place = self.system.series[chosen].place;
            let places = self.system.components.iter().chain(&self.system.hosts);
            self.cause.place = places.skip(place).take(1).cloned().collect();
        }
    }
}

/// Changes a pattern's counts bucket by bucket.
fn keep(pattern: &mut Pattern, change: impl Fn(usize, u32, &mut Draw) -> u32, draw: &mut Draw) {
    let pairs = pattern.counts.iter().map(|(bucket, count)| (bucket as u16, change(bucket, count, draw)));
    pattern.counts = Counts::new(pairs.collect());
}

/// A deploy: some messages are worded anew, and that is all. Its event is there.
pub(crate) fn deploy(system: &System, observed: &mut Observed, draw: &mut Draw) {
    let selection = observed.grid.now.selection.clone();
    let component = draw.below(system.components.len());
    let at_ms = observed.grid.starts_ms[selection.start];
    observed.events.push(Event {
        at_ms,
        what: "deploy".into(),
        tags: vec![system.components[component].clone()],
    });
    for number in 0..system.patterns.len() {
        if system.patterns[number].component == component && draw.chance(0.3) {
            let old = &mut observed.patterns[number];
            let after: Vec<(u16, u32)> = old
                .counts
                .iter()
                .filter(|(bucket, _)| *bucket >= selection.start)
                .map(|(bucket, count)| (bucket as u16, count))
                .collect();
            keep(old, |bucket, count, _| if bucket >= selection.start { 0 } else { count }, draw);
            let renamed = Pattern {
                id: format!("{}b", old.id),
                template: format!("{} again", old.template),
                counts: Counts::new(after),
                ..old.clone()
            };
            observed.patterns.push(renamed);
        }
    }
    observed.volumes = volumes(system, &observed.patterns);
}

/// For some time nothing at all was received.
pub(crate) fn gap(observed: &mut Observed, draw: &mut Draw) {
    let run = observed.grid.now.baseline.start..observed.grid.now.selection.end;
    let length = (run.len() / 15).max(1);
    let start = run.start + draw.below(run.len() - length);
    lose(observed, &(start..start + length));
}

/// Only the second half is selected, so that the first is in the baseline, of which it is a quarter.
pub(crate) fn notice_late(observed: &mut Observed) {
    let now = &mut observed.grid.now;
    let (gap, length) = (now.selection.start - now.baseline.end, now.selection.len() / 2);
    now.selection.start += length;
    let end = now.selection.start - gap;
    now.baseline = end - 4 * length..end;
}

/// The question comes from the component that suffers most, as it would.
pub(crate) fn ask_from_sufferer(cause: &Cause, system: &System, observed: &mut Observed) {
    let number = system.components.iter().position(|component| *component == cause.place);
    let asking = number.map(|number| system.callers[number].first().copied().unwrap_or(number));
    if let Some(asking) = asking {
        ask_from(asking, system, observed);
    }
}

/// The question comes from a chart of a component's latency, and so from that component.
pub(crate) fn ask_from(component: usize, system: &System, observed: &mut Observed) {
    let is_latency =
        |plan: &crate::system::SeriesPlan| plan.place == component && plan.measures == Measures::Latency;
    let charted = system.series.iter().position(is_latency).map(|series| series as u32);
    let components = vec![system.components[component].clone()];
    observed.context = Context { charted: charted.into_iter().collect(), components, host: None };
}
