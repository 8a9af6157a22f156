//! A made-up system: a tree of components on hosts that call one another, and what is observed of it when all is well.

use crate::draw::Draw;
use crate::habit::Habit;
use sonde::why::observed::{Counts, Field, FieldValue, Grid, Observed, Part, Pattern, Series, Trial, Volume};
use sonde_shared::log::Level;

/// With what the selection is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Baseline {
    /// What was just before it.
    #[default]
    Before,
    /// What was just before it, for as long.
    AsLong,
    /// The time before the same hour, two weeks ago.
    WeeksAgo,
    /// A whole day, two weeks ago.
    DayWeeksAgo,
}

/// How large a system is and how it is sampled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) components: usize,
    pub(crate) series: usize,
    /// Buckets of the selection.
    pub(crate) selection: usize,
    pub(crate) step_secs: i64,
    /// Lengths of time before the baseline.
    pub(crate) past: usize,
    pub(crate) days: usize,
    pub(crate) baseline: Baseline,
    /// The part of series that stand still, besides those that do by their nature.
    pub(crate) still: f64,
    /// The part of series that step from level to level.
    pub(crate) steps: f64,
    /// The part of what is counted that is added up.
    pub(crate) counters: f64,
}

/// What a series measures: incidents act on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Measures {
    Requests,
    Errors,
    Latency,
    Cpu,
    Memory,
    Connections,
    HostCpu,
    HostWait,
    HostMemory,
    HostNet,
    Other,
}

/// When selections end.
const END_MS: i64 = 1_790_000_000_000;
const DAY_MS: i64 = 86_400_000;
/// How many days ago a far baseline ends.
const WEEKS_AGO: i64 = 14;
/// A long baseline is looked at in so many stretches and as many together, none with fewer buckets than this.
const STRETCHES: usize = 8;
const LEAST_STRETCH: usize = 15;

#[derive(Clone, Debug)]
pub(crate) struct SeriesPlan {
    pub(crate) path: String,
    pub(crate) measures: Measures,
    /// Component, or components + host.
    pub(crate) place: usize,
    habit: Habit,
    /// Follows the daily load.
    daily: bool,
    /// One point each so many buckets.
    every: usize,
    /// Its points are sums of all that was.
    pub(crate) is_counter: bool,
}

impl SeriesPlan {
    /// Whether it has one value as long as nothing happens.
    pub(crate) fn stands(&self) -> bool {
        matches!(self.habit, Habit::Constant(_))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct PatternPlan {
    pub(crate) component: usize,
    pub(crate) template: String,
    pub(crate) rate: f64,
    /// Comes at fixed intervals.
    regular: bool,
    /// How much its rate swings.
    burst: f64,
    pub(crate) level: Level,
    pub(crate) of_requests: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) size: Size,
    pub(crate) components: Vec<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) host_of: Vec<usize>,
    /// Who calls a component.
    pub(crate) callers: Vec<Vec<usize>>,
    pub(crate) series: Vec<SeriesPlan>,
    pub(crate) patterns: Vec<PatternPlan>,
}

impl System {
    pub(crate) fn new(size: Size, draw: &mut Draw) -> Self {
        let hosts = (size.components / 3).clamp(2, 12);
        let components: Vec<String> = (0..size.components)
            .map(|number| match number % 3 {
                0 => format!("app.s{number}"),
                1 => format!("app.back.s{number}"),
                _ => format!("infra.s{number}"),
            })
            .collect();
        let mut callers = vec![Vec::new(); size.components];
        for (component, callers) in callers.iter_mut().enumerate().skip(1) {
            for _ in 0..=draw.below(2) {
                callers.push(draw.below(component));
            }
        }
        let host_of = (0..size.components).map(|_| draw.below(hosts)).collect();
        let hosts = (0..hosts).map(|number| format!("h{number}")).collect();
        let mut system =
            Self { size, components, hosts, host_of, callers, series: Vec::new(), patterns: Vec::new() };
        system.plan_series(draw);
        system.plan_patterns(draw);
        system
    }

    fn plan_series(&mut self, draw: &mut Draw) {
        use Measures::{
            Connections, Cpu, Errors, HostCpu, HostMemory, HostNet, HostWait, Latency, Memory, Other,
            Requests,
        };
        let of_component = [
            (Requests, "requests"),
            (Errors, "errors"),
            (Latency, "p50_ms"),
            (Latency, "p95_ms"),
            (Cpu, "cpu_percent"),
            (Memory, "memory_bytes"),
            (Connections, "connections"),
        ];
        let of_host = [
            (HostCpu, "cpu.user"),
            (HostCpu, "load"),
            (HostWait, "io.wait"),
            (HostWait, "disk.busy"),
            (HostMemory, "memory.used"),
            (HostNet, "net.in_bytes"),
        ];
        for component in 0..self.components.len() {
            let load = draw.log_between(5.0, 400.0);
            for (measures, name) in of_component {
                let path = format!("{}.{name}", self.components[component]);
                self.plan(path, measures, component, load, draw);
            }
        }
        for host in 0..self.hosts.len() {
            for (measures, name) in of_host {
                let path = format!("servers.{}.{name}", self.hosts[host]);
                let load = draw.between(5.0, 40.0);
                self.plan(path, measures, self.components.len() + host, load, draw);
            }
        }
        while self.series.len() < self.size.series {
            let component = draw.below(self.components.len());
            let path = format!("{}.part{}.m{}", self.components[component], draw.below(6), self.series.len());
            let level = draw.log_between(0.5, 5_000.0);
            self.plan(path, Other, component, level, draw);
        }
    }

    fn plan(&mut self, path: String, measures: Measures, place: usize, level: f64, draw: &mut Draw) {
        let noise = draw.log_between(0.01, 0.2);
        let memory = draw.between(0.0, 0.9);
        let habit = match measures {
            Measures::Requests => Habit::Counted(level),
            Measures::Errors => Habit::Rare(draw.log_between(0.005, 0.5)),
            Measures::Memory | Measures::HostMemory if draw.chance(0.3) => {
                Habit::Sawtooth { level, rise: draw.between(0.05, 0.5), period: draw.between(8.0, 200.0) }
            }
            Measures::Memory | Measures::HostMemory => Habit::Walk { level, step: noise * 0.05 },
            Measures::Other => match draw.below(7) {
                0 => Habit::Counted(level),
                1 => Habit::Rare(draw.log_between(0.002, 0.3)),
                2 => Habit::Spiky { level, noise, often: draw.between(0.01, 0.1) },
                3 => {
                    Habit::Sawtooth { level, rise: draw.between(0.1, 1.0), period: draw.between(5.0, 200.0) }
                }
                4 => Habit::Walk { level, step: noise * 0.1 },
                5 => Habit::Constant(level.round()),
                _ => Habit::Wandering { level, noise, memory },
            },
            _ => Habit::Wandering { level, noise, memory },
        };
        let may_stand = !matches!(measures, Measures::Requests | Measures::Errors);
        let stands = may_stand && self.size.still > 0.0 && draw.chance(self.size.still);
        let habit = if stands { Habit::Constant(level) } else { habit };
        let steps = may_stand && self.size.steps > 0.0 && draw.chance(self.size.steps);
        let habit = if steps { Habit::Steps { level, often: draw.log_between(0.01, 0.05) } } else { habit };
        let daily =
            matches!(measures, Measures::Requests | Measures::Cpu | Measures::HostCpu) || draw.chance(0.2);
        let every = if self.size.step_secs <= 10 && draw.chance(0.15) { 6 } else { 1 };
        let counts = matches!(habit, Habit::Counted(_) | Habit::Rare(_))
            || matches!(measures, Measures::Cpu | Measures::HostCpu | Measures::HostNet);
        let is_counter = counts && self.size.counters > 0.0 && draw.chance(self.size.counters);
        self.series.push(SeriesPlan { path, measures, place, habit, daily, every, is_counter });
    }

    fn plan_patterns(&mut self, draw: &mut Draw) {
        for component in 0..self.components.len() {
            for number in 0..6 + draw.below(20) {
                let rate = draw.log_between(0.01, 20.0);
                let level = match draw.below(20) {
                    0 => Level::Error,
                    1 | 2 => Level::Warn,
                    _ => Level::Info,
                };
                self.patterns.push(PatternPlan {
                    component,
                    template: format!("t{component} step{number} of <*> took <*> ms"),
                    rate: if level == Level::Info { rate } else { rate * 0.02 },
                    regular: draw.chance(0.15),
                    burst: if draw.chance(0.3) { draw.between(0.5, 1.5) } else { draw.between(0.0, 0.3) },
                    level,
                    of_requests: draw.chance(0.6),
                });
            }
        }
    }

    /// The buckets.
    pub(crate) fn grid(&self) -> Grid {
        match self.size.baseline {
            Baseline::Before => self.near_grid(4),
            Baseline::AsLong => self.near_grid(1),
            Baseline::WeeksAgo | Baseline::DayWeeksAgo => self.far_grid(),
        }
    }

    /// Earlier days, past, baseline of so many lengths, gap, selection.
    fn near_grid(&self, lengths: usize) -> Grid {
        let (selection, step) = (self.size.selection, self.size.step_secs * 1_000);
        let gap = (selection / 10).max(1);
        let stretch = |from: usize| Trial {
            baseline: from..from + lengths * selection,
            selection: from + lengths * selection + gap..from + (lengths + 1) * selection + gap,
        };
        let day = (lengths + 1) * selection + gap;
        let earlier_days: Vec<Trial> = (0..self.size.days).map(|number| stretch(number * day)).collect();
        let past = self.size.days * day;
        let now = stretch(past + self.size.past * selection);
        let start = |bucket: usize| {
            let (days_back, within) = if bucket < past {
                ((self.size.days - bucket / day) as i64, (day - bucket % day) as i64)
            } else {
                (0, (now.selection.end - bucket) as i64)
            };
            END_MS - days_back * DAY_MS - within * step
        };
        Grid {
            starts_ms: (0..now.selection.end).map(start).collect(),
            step_ms: step,
            now: now.clone(),
            earlier_days,
        }
    }

    /// A baseline weeks ago, with its own past; or a day of it, in stretches, as the server reads one that is long.
    fn far_grid(&self) -> Grid {
        let (selection, step_ms) = (self.size.selection, self.size.step_secs * 1_000);
        let selected_ms = END_MS - selection as i64 * step_ms;
        let far_ms = selected_ms - WEEKS_AGO * DAY_MS;
        let run = |from_ms: i64, count: usize| (0..count as i64).map(move |at| from_ms + at * step_ms);
        let past = self.size.past * selection;
        let mut starts_ms: Vec<i64> = if self.size.baseline == Baseline::WeeksAgo {
            let count = past + 4 * selection;
            run(far_ms - count as i64 * step_ms, count).collect()
        } else {
            let stretch = selection.max(LEAST_STRETCH);
            let room = DAY_MS / step_ms - (STRETCHES * stretch) as i64;
            let from_ms = far_ms - DAY_MS;
            let start_ms = |number: usize| from_ms + room * number as i64 / STRETCHES as i64 * step_ms;
            let spread = (0..STRETCHES).flat_map(|number| run(start_ms(number), stretch));
            spread.chain(run(from_ms + room * step_ms, STRETCHES * stretch)).collect()
        };
        let baseline = past..starts_ms.len();
        starts_ms.extend(run(selected_ms, selection));
        let now = Trial { selection: baseline.end..starts_ms.len(), baseline };
        Grid { starts_ms, step_ms, now, earlier_days: Vec::new() }
    }

    /// What is observed when nothing happens.
    pub(crate) fn observe(&self, draw: &mut Draw) -> Observed {
        let grid = self.grid();
        let buckets = grid.len();
        let phase = draw.between(0.0, std::f64::consts::TAU);
        let load = |start_ms: &i64| {
            let at = (start_ms - grid.starts_ms[0]) as f64 / DAY_MS as f64;
            1.0 + 0.4 * (phase + at * std::f64::consts::TAU).sin()
        };
        let load: Vec<f64> = grid.starts_ms.iter().map(load).collect();
        let busy: Vec<Vec<f64>> = self.components.iter().map(|_| swing(buckets, 0.1, 0.7, draw)).collect();
        let series = self.series.iter().map(|plan| Self::values(plan, &load, draw)).collect();
        let patterns: Vec<Pattern> = self
            .patterns
            .iter()
            .enumerate()
            .map(|(number, plan)| Self::count(number, plan, &load, &busy, draw))
            .collect();
        let fields = self.fields(&grid, draw);
        let mut observed = Observed {
            components: self.components.clone(),
            hosts: self.hosts.clone(),
            volumes: volumes(self, &patterns),
            lines: patterns
                .iter()
                .map(|pattern| pattern.counts.iter().map(|(_, count)| u64::from(count)).sum::<u64>())
                .sum(),
            sampled_lines: fields.iter().flat_map(|field| &field.lines).map(|lines| u64::from(*lines)).sum(),
            grid,
            series,
            patterns,
            fields,
            events: Vec::new(),
            context: sonde::why::observed::Context::default(),
        };
        if self.size.baseline == Baseline::AsLong {
            let first = observed.grid.now.baseline.start;
            lose(&mut observed, &(0..first));
        }
        observed
    }

    fn values(plan: &SeriesPlan, load: &[f64], draw: &mut Draw) -> Series {
        let mut state = 0.0;
        let offset = draw.between(0.0, 1_000.0);
        let values = load.iter().enumerate().map(|(at, load)| {
            let load = if plan.daily { *load } else { 1.0 };
            let value = plan.habit.next(at as f64 + offset, load, &mut state, draw);
            if at % plan.every == 0 { value as f32 } else { f32::NAN }
        });
        Series { path: plan.path.clone(), values: values.collect(), ..Series::default() }
    }

    fn count(number: usize, plan: &PatternPlan, load: &[f64], busy: &[Vec<f64>], draw: &mut Draw) -> Pattern {
        let own = swing(load.len(), plan.burst * 0.5, 0.6, draw);
        let period = (1.0 / plan.rate).max(1.0).round() as usize;
        let counts: Vec<u32> = (0..load.len())
            .map(|at| {
                if plan.regular {
                    return if at % period == number % period {
                        plan.rate.max(1.0).round() as u32
                    } else {
                        0
                    };
                }
                let shared = if plan.of_requests { load[at] * busy[plan.component][at] } else { 1.0 };
                draw.poisson(plan.rate * shared * own[at])
            })
            .collect();
        Pattern {
            component: plan.component as u32,
            id: format!("p{number}"),
            template: plan.template.clone(),
            level: Some(plan.level),
            counts: Counts::of_all(&counts),
        }
    }

    fn fields(&self, grid: &Grid, draw: &mut Draw) -> Vec<Field> {
        let slices = grid.slices().len();
        let mut fields = Vec::new();
        for component in 0..self.components.len().min(12) {
            for (name, values, skew) in
                [("client", 40, 0.7), ("status", 4, 3.0), ("path", 20, 1.2), ("user", 400, 0.3)]
            {
                fields.push(field(component, name, values, skew, slices, draw));
            }
            let scale = draw.log_between(3.0, 300.0);
            // Some are in each line, some in few.
            let lines = draw.log_between(10.0, 200.0) as u32;
            let numbers =
                |draw: &mut Draw| (0..lines).map(|_| (scale * (0.6 * draw.normal()).exp()) as f32).collect();
            fields.push(Field {
                component: component as u32,
                part: Part::Named("took".into()),
                lines: vec![lines; slices],
                numbers: (0..slices).map(|_| numbers(draw)).collect(),
                ..Field::default()
            });
        }
        fields
    }
}

/// Nothing at all was received in some buckets.
pub(crate) fn lose(observed: &mut Observed, lost: &std::ops::Range<usize>) {
    for series in &mut observed.series {
        series.values[lost.clone()].fill(f32::NAN);
    }
    let outside = |counts: &Counts| {
        let kept = counts.iter().filter(|(bucket, _)| !lost.contains(bucket));
        Counts::new(kept.map(|(bucket, count)| (bucket as u16, count)).collect())
    };
    for pattern in &mut observed.patterns {
        pattern.counts = outside(&pattern.counts);
    }
    for volume in &mut observed.volumes {
        volume.lines = outside(&volume.lines);
        volume.errors = outside(&volume.errors);
    }
}

/// Factors around 1 that hang together in time.
fn swing(buckets: usize, size: f64, memory: f64, draw: &mut Draw) -> Vec<f64> {
    let mut state = draw.normal();
    (0..buckets)
        .map(|_| {
            state = memory * state + (1.0 - memory * memory).sqrt() * draw.normal();
            (size * state - size * size / 2.0).exp()
        })
        .collect()
}

fn field(component: usize, name: &str, values: usize, skew: f64, slices: usize, draw: &mut Draw) -> Field {
    let lines = 150_u32;
    let weights: Vec<f64> = (0..values).map(|rank| 1.0 / (1.0 + rank as f64).powf(skew)).collect();
    let mut by_slice = vec![vec![0_u32; values]; slices];
    for counts in &mut by_slice {
        let swung: Vec<f64> = weights.iter().map(|weight| weight * (0.25 * draw.normal()).exp()).collect();
        let all: f64 = swung.iter().sum();
        for _ in 0..lines {
            let mut at = draw.unit() * all;
            let value = swung.iter().position(|weight| {
                at -= weight;
                at <= 0.0
            });
            counts[value.unwrap_or(0)] += 1;
        }
    }
    let value = |(number, lines): (usize, Vec<u32>)| FieldValue { value: format!("{name}{number}"), lines };
    let of_value = |value: usize| by_slice.iter().map(|counts| counts[value]).collect::<Vec<u32>>();
    let counted =
        (0..values).map(of_value).enumerate().filter(|(_, lines)| lines.iter().any(|count| *count > 0));
    Field {
        component: component as u32,
        part: Part::Named(name.into()),
        lines: vec![lines; slices],
        values: counted.map(value).collect(),
        ..Field::default()
    }
}

/// Lines by component, from its patterns.
pub(crate) fn volumes(system: &System, patterns: &[Pattern]) -> Vec<Volume> {
    (0..system.components.len())
        .map(|component| {
            let own = || patterns.iter().filter(move |pattern| pattern.component as usize == component);
            let pairs = |errors: bool| {
                let chosen = own()
                    .filter(|pattern| !errors || pattern.level.is_some_and(|level| level >= Level::Error));
                Counts::new(
                    chosen.flat_map(|pattern| pattern.counts.iter()).map(|(at, n)| (at as u16, n)).collect(),
                )
            };
            Volume {
                component: component as u32,
                host: Some(system.host_of[component] as u32),
                lines: pairs(false),
                errors: pairs(true),
            }
        })
        .collect()
}
