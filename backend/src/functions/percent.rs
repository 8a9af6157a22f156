//! `asPercent`: shares of a number, of one series, of as many series, of the sum of all, or within groups.

use super::aggregate::Aggregate;
use super::align::{Aligned, Span};
use super::call::{Call, Value};
use super::combine::paths_of;
use super::nodes::{Node, grouped, key};
use super::pair::{of_two, ratio};
use super::registry::{Answer, Function, Param, ParamKind, SERIES};
use super::series::Series;
use std::collections::{HashMap, HashSet};

pub(super) const FUNCTIONS: &[Function] = &[Function {
    names: &["asPercent", "pct"],
    group: "Combine",
    parameters: &[
        SERIES,
        Param::optional("total", ParamKind::Any),
        Param::optional("nodes", ParamKind::NodeOrTag).repeated(),
    ],
    about: "Each series as so many percent of a number, of one series, of one of as many series, or of the sum of all; \
            with nodes, of those that have the same nodes.",
    run: as_percent,
}];

fn as_percent(call: &Call<'_>) -> Answer {
    let (series, total, nodes) = (call.series(0)?, call.value(1)?, Node::all(call, 2)?);
    if series.is_empty() {
        return Ok(Vec::new());
    }
    match total {
        None | Some(Value::Nothing) if nodes.is_empty() => Ok(of_all(call, &series)),
        None | Some(Value::Nothing) => Ok(by_node(call, series, None, &nodes)),
        Some(Value::Series(totals)) if nodes.is_empty() => of_series(call, series, totals),
        Some(Value::Series(totals)) => Ok(by_node(call, series, Some(totals), &nodes)),
        Some(_) if !nodes.is_empty() => Err(call.wrong("with nodes `total` has to be series, or none")),
        Some(number) => {
            let all = Aligned::of(&series).into_iter();
            let total = call.number(1)?.unwrap_or(f64::NAN);
            // As many values as the first series has in its own step: graphite-web's too.
            let totals = vec![total; series[0].values.len()];
            Ok(all.flat_map(|all| shares(call, &series, &all, &totals, &number.to_string())).collect())
        }
    }
}

fn percent(value: f64, of: f64) -> f64 {
    ratio(value, of) * 100.0
}

/// Shares of totals, each under its series' own range and step, as graphite-web has it.
fn shares(
    call: &Call<'_>,
    series: &[Series],
    aligned: &Aligned<'_>,
    totals: &[f64],
    title: &str,
) -> Vec<Series> {
    let at = |values: &[f64], moment: usize| values.get(moment).copied().unwrap_or(f64::NAN);
    let share = |(one, column): (&Series, &[f64])| {
        let moments = 0..column.len().max(totals.len()).min(Span::of(one).len());
        let values = moments.map(|moment| percent(at(column, moment), at(totals, moment))).collect();
        call.context.made(format!("asPercent({},{title})", one.name), Span::of(one), values)
    };
    series.iter().zip(aligned.columns().iter().map(AsRef::as_ref)).map(share).collect()
}

fn of_all(call: &Call<'_>, series: &[Series]) -> Vec<Series> {
    let Some(all) = Aligned::of(series) else { return Vec::new() };
    let totals = all.each_moment(|row| Aggregate::Sum.apply(row));
    shares(call, series, &all, &totals, &format!("sumSeries({})", paths_of(series)))
}

fn of_series(call: &Call<'_>, mut series: Vec<Series>, mut totals: Vec<Series>) -> Answer {
    if series.len() == totals.len() {
        series.sort_by(|a, b| a.name.cmp(&b.name));
        totals.sort_by(|a, b| a.name.cmp(&b.name));
        return Ok(series.iter().zip(&totals).map(|(one, total)| of_one(call, one, total)).collect());
    }
    let [total] = totals.as_slice() else {
        let (series, totals) = (series.len(), totals.len());
        return Err(call.wrong(format!(
            "`total` has to be none, a number, one series or as many as there are: {series}, not {totals}"
        )));
    };
    let Some(all) = Aligned::of(series.iter().chain([total])) else { return Ok(Vec::new()) };
    let values = all.columns().last().map_or(&[][..], AsRef::as_ref);
    Ok(shares(call, &series, &all, values, &total.name))
}

fn of_one(call: &Call<'_>, one: &Series, total: &Series) -> Series {
    of_two(call, format!("asPercent({},{})", one.name, total.name), one, total, percent)
}

/// Shares of the totals with the same nodes, or of the sum of the series with the same nodes.
fn by_node(call: &Call<'_>, series: Vec<Series>, totals: Option<Vec<Series>>, nodes: &[Node]) -> Vec<Series> {
    let by_key = |series: Vec<Series>| grouped(series, |one| key(one, nodes));
    let groups = by_key(series);
    let totals = totals.map_or_else(|| groups.clone(), by_key);
    let mut span = None;
    let mut sums = Vec::new();
    for (key, group) in totals {
        let is_alone = group.len() == 1;
        let Some(sum) = sum_of(call, group) else { continue };
        span = if is_alone { span } else { Some(Span::of(&sum)) };
        sums.push((key, sum));
    }
    let total_of: HashMap<&str, &Series> = sums.iter().map(|(key, sum)| (key.as_str(), sum)).collect();
    let keys: HashSet<&str> = groups.iter().map(|(key, _)| key.as_str()).collect();
    let mut made = Vec::new();
    // One without a counterpart is put where the sum or pair before it is, as graphite-web has it.
    let missing = |name: String, one: &Series, span: Option<Span>| {
        let span = span.unwrap_or(Span::of(one));
        call.context.made(name, span, vec![f64::NAN; one.values.len().min(span.len())])
    };
    for (key, one) in groups.iter().flat_map(|(key, group)| group.iter().map(move |one| (key, one))) {
        made.push(match total_of.get(key.as_str()) {
            Some(total) => of_one(call, one, total),
            None => missing(format!("asPercent({},MISSING)", one.name), one, span),
        });
        span = made.last().map(Span::of);
    }
    for (_, sum) in sums.iter().filter(|(key, _)| !keys.contains(key.as_str())) {
        made.push(missing(format!("asPercent(MISSING,{})", sum.name), sum, span));
    }
    made
}

/// One series of a group: itself if it is alone, else the sum.
fn sum_of(call: &Call<'_>, mut group: Vec<Series>) -> Option<Series> {
    if group.len() == 1 {
        return group.pop();
    }
    let aligned = Aligned::of(&group)?;
    let values = aligned.each_moment(|row| Aggregate::Sum.apply(row));
    Some(call.context.made(format!("sumSeries({})", paths_of(&group)), aligned.span(), values))
}
