//! What scipy says of small samples, kept beside the script that asked it: `tests/golden/ask_scipy.py`.

use serde_json::Value;

/// One sample and what is right for it.
#[derive(Debug)]
pub(super) struct Case(Value);

/// All cases of one kind.
pub(super) fn cases(kind: &str) -> Vec<Case> {
    let lines = include_str!("../../../tests/golden/statistics.ndjson").lines();
    let cases = lines.map(|line| Case(serde_json::from_str(line).expect("a golden file is JSON")));
    let found: Vec<Case> = cases.filter(|case| case.0["kind"] == kind).collect();
    assert!(!found.is_empty(), "no golden cases of {kind}");
    found
}

impl Case {
    pub(super) fn number(&self, key: &str) -> f64 {
        self.0[key].as_f64().expect("a golden case has its numbers")
    }

    pub(super) fn floats(&self, key: &str) -> Vec<f32> {
        self.doubles(key).into_iter().map(|value| value as f32).collect()
    }

    pub(super) fn doubles(&self, key: &str) -> Vec<f64> {
        let values = self.0[key].as_array().expect("a golden case has its samples");
        values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
    }
}
