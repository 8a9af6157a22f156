//! Answers in the forms that two libraries draw from in a page: dygraph and rickshaw.

use super::json::write_number;
use crate::functions::series::Series;
use serde_json::Value;
use std::io::Write;

/// `dygraph`: labels, and a row for each slot of the first series, its time in unix ms and a value of each series.
pub fn dygraph(series: &[Series]) -> Vec<u8> {
    let Some(first) = series.first() else { return b"{}".to_vec() };
    let labels: Vec<&str> = ["Time"].into_iter().chain(series.iter().map(|one| one.name.as_str())).collect();
    let mut text = format!(r#"{{"labels":{},"data":["#, Value::from(labels)).into_bytes();
    for (number, time) in (first.start..first.end).step_by(first.step as usize).enumerate() {
        let comma = if number == 0 { "" } else { "," };
        write!(text, "{comma}[{time}000").expect("a Vec takes every write");
        for one in series {
            text.push(b',');
            write_number(&mut text, value_at(one, time));
        }
        text.push(b']');
    }
    text.extend_from_slice(b"]}");
    text
}

/// The value of the slot that holds a time; null outside of the series.
fn value_at(series: &Series, time: i64) -> f64 {
    let slot = usize::try_from((time - series.start).div_euclid(series.step)).ok();
    slot.and_then(|slot| series.values.get(slot)).copied().unwrap_or(f64::NAN)
}

/// `rickshaw`: series with points of x, in unix seconds, and y.
pub fn rickshaw(series: &[Series]) -> Vec<u8> {
    let mut text = b"[".to_vec();
    for (number, one) in series.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let target = Value::from(one.name.as_str());
        write!(text, r#"{comma}{{"target":{target},"datapoints":["#).expect("a Vec takes every write");
        for (slot, value) in one.values.iter().enumerate() {
            let comma = if slot == 0 { "" } else { "," };
            write!(text, r#"{comma}{{"x":{},"y":"#, one.start + slot as i64 * one.step)
                .expect("a Vec takes every write");
            write_number(&mut text, *value);
            text.push(b'}');
        }
        text.extend_from_slice(b"]}");
    }
    text.push(b']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_a_value_of_each_series_at_their_time() {
        let series = [
            Series::new("a", 60, 60, vec![1.0, f64::NAN, 3.0]),
            Series::new("b\"", 60, 120, vec![5.0, f64::INFINITY]),
            Series::new("c", 120, 60, vec![7.0]),
        ];
        let text = String::from_utf8(dygraph(&series)).unwrap();
        let expected = r#"{"labels":["Time","a","b\"","c"],"data":[[60000,1.0,5.0,null],[120000,null,5.0,7.0],[180000,3.0,1e9999,null]]}"#;
        assert_eq!(text, expected);
        assert_eq!(dygraph(&[]), b"{}");
    }

    #[test]
    fn points_have_an_x_and_a_y() {
        let text =
            rickshaw(&[Series::new("a", 60, 60, vec![1.5, f64::NAN]), Series::new("b", 0, 60, vec![])]);
        let expected = r#"[{"target":"a","datapoints":[{"x":60,"y":1.5},{"x":120,"y":null}]},{"target":"b","datapoints":[]}]"#;
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
