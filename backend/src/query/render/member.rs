//! `msgpack` and `pickle`: series as graphite-web tells them to the others of its cluster, with all that a function may ask of one.

use crate::functions::series::Series;
use crate::query::pickle::Pickle;
use serde::Serialize;

/// A series, by the names that graphite-web has for what is known of it.
#[derive(Serialize)]
struct Member<'a> {
    name: &'a str,
    start: i64,
    end: i64,
    step: i64,
    values: Vec<Option<f64>>,
    #[serde(rename = "pathExpression")]
    path_expression: &'a str,
    #[serde(rename = "valuesPerPoint")]
    values_per_point: u32,
    #[serde(rename = "consolidationFunc")]
    consolidation: &'static str,
    #[serde(rename = "xFilesFactor")]
    x_files_factor: f64,
}

/// `msgpack`: what graphite-web asks of the members of its cluster where it is told to.
pub fn msgpack(series: &[Series]) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let members: Vec<Member<'_>> = series.iter().map(member).collect();
    rmp_serde::to_vec_named(&members)
}

fn member(series: &Series) -> Member<'_> {
    Member {
        name: &series.name,
        start: series.start,
        end: series.end,
        step: series.step,
        values: series.values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect(),
        path_expression: &series.path_expression,
        values_per_point: 1,
        consolidation: series.consolidation.name(),
        x_files_factor: series.x_files_factor,
    }
}

/// `pickle`: what graphite-web asks of them else, and scripts in Python of it.
pub fn pickle(series: &[Series]) -> Vec<u8> {
    let mut all = Pickle::default();
    all.list(series, |pickle, one| {
        pickle.dict(|entries| {
            entries.key("name").text(&one.name);
            entries.key("start").whole(one.start);
            entries.key("end").whole(one.end);
            entries.key("step").whole(one.step);
            entries.key("values").list(&*one.values, |pickle, value| pickle.number(*value));
            entries.key("pathExpression").text(&one.path_expression);
            entries.key("valuesPerPoint").whole(1);
            entries.key("consolidationFunc").text(one.consolidation.name());
            entries.key("xFilesFactor").number(one.x_files_factor);
        });
    });
    all.finish()
}
