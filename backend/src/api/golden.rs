//! Answers beside `/render`'s own, against those of graphite-web 1.1.10 to the same requests.
//!
//! `tests/golden/ask_api.py` has asked it; its series are made by the formula of the functions' tests. What graphite-web answers
//! with a status of 500 is a refusal here or an answer, but no failure.

use super::testing::World;
use crate::functions::golden::{NOW, is_near, value};
use axum::http::Method;
use axum::response::Response;
use serde_json::Value;

const TAGGED: [(&str, &str); 22] = [
    ("cpu.load;dc=ams;host=web-1;rack=a1", "wave"),
    ("cpu.load;dc=ams;host=web-2;rack=a2", "wave"),
    ("cpu.load;dc=fra;host=web-3;rack=a1", "gaps"),
    ("cpu.load;dc=fra;host=db-1", "wave"),
    ("cpu.idle;dc=ams;host=web-1;rack=a1", "int"),
    ("cpu.idle;dc=fra;host=db-1", "int"),
    ("disk.used;dc=ams;fs=/;host=web-1", "rising"),
    ("disk.used;dc=ams;fs=/var/log;host=web-1", "rising"),
    ("disk.used;dc=fra;fs=/;host=db-1", "rising"),
    ("requests;code=200;host=web-1", "counter"),
    ("requests;code=404;host=web-1", "counter"),
    ("requests;code=500;host=web-2", "counter_gaps"),
    ("requests;code=200;host=web-2", "counter"),
    ("odd;k=a=b;v=x.y.z", "five"),
    ("odd;k=a b;v=(x)", "five"),
    ("odd;k=A;v=ü", "zero"),
    ("odd;k-2=1;k=a", "zero"),
    ("odd;k=[a]", "zero"),
    ("up;dc=ams", "five"),
    ("up", "five"),
    ("plain.one", "five"),
    ("plain.two", "zero"),
];
const TREE: [&str; 17] = [
    "a",
    "a.b",
    "a.b.c",
    "a.b.d",
    "a.c",
    "a.d.e.f",
    "beta.x-1",
    "beta.x-2",
    "beta.y_1",
    "web.h1.cpu",
    "web.h2.cpu",
    "web.h2.mem",
    "web.h10.cpu",
    "Zed.top",
    "n.10",
    "n.9",
    "n.é.x",
];
/// Whether a request is answered otherwise here: of several tags that events must have all, graphite-web passes over those that
/// no event has.
fn is_otherwise_here(row: &Value) -> bool {
    let params: Vec<(String, String)> = serde_json::from_value(row["params"].clone()).unwrap_or_default();
    let get = |key: &str| params.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    row["path"] == "/events/get_data" && get("tags") == Some("web nope") && get("set").is_none()
}

async fn world(series: impl Iterator<Item = (&'static str, &'static str, i64)>) -> World {
    let world = World::new();
    let mut points = Vec::new();
    for (name, kind, seed) in series {
        let times = (NOW - 7_200..=NOW).step_by(60);
        let points_of = times.map(|time| (name, time / 60 * 60, value(kind, seed, time / 60)));
        points.extend(points_of.filter(|(_, _, value)| !value.is_nan()));
    }
    world.append(&points).await;
    world
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

/// The answer to a row's request: its status and JSON.
async fn ask(world: &World, row: &Value) -> (u16, Value) {
    let path = row["path"].as_str().unwrap();
    let method = row["method"].as_str().unwrap_or("GET").parse().unwrap();
    if let Some(body) = row["params"].as_str() {
        return read(world.send(method, path, body).await).await;
    }
    let mut params: Vec<(String, String)> = serde_json::from_value(row["params"].clone()).unwrap();
    if path == "/render" {
        let more = [("now", NOW), ("from", NOW - 1_200), ("until", NOW)];
        params.insert(0, ("format".to_owned(), "json".to_owned()));
        params.extend(more.map(|(key, value)| (key.to_owned(), value.to_string())));
    }
    let text: Vec<String> =
        params.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    let text = text.join("&");
    read(match method {
        Method::POST => world.send(method, path, &text).await,
        _ => world.send(method, &format!("{path}?{text}"), "").await,
    })
    .await
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::from(text)))
}

/// As the script settles an answer of `/metrics/find`.
fn settled(answer: Value) -> Value {
    let mut nodes = match answer {
        Value::Object(mut inside) if inside.contains_key("metrics") => {
            let nodes = settled(inside["metrics"].take());
            return serde_json::json!({ "metrics": nodes });
        }
        Value::Array(nodes) => nodes,
        other => return other,
    };
    for node in nodes.iter_mut().filter_map(Value::as_object_mut) {
        node.remove("intervals");
        if node.get("leaf").is_some_and(|leaf| *leaf == 1) && node["expandable"] == 1 {
            node.retain(|key, _| !["leaf", "expandable", "allowChildren"].contains(&key.as_str()));
        }
    }
    nodes.sort_by_key(|node| ["id", "path", "is_leaf"].map(|key| node[key].to_string()));
    Value::Array(nodes)
}

fn without_ids(mut events: Value) -> Value {
    for event in events.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        assert!(event.remove("id").is_some_and(|id| id.is_u64()));
    }
    events
}

/// Functions by their groups and what they take, as the script leaves them.
fn plainly(answer: Value) -> Value {
    match answer {
        Value::Object(mut inside) if inside.contains_key("params") => {
            inside.retain(|key, _| !["function", "description", "module"].contains(&key.as_str()));
            Value::Object(inside)
        }
        Value::Object(inside) => inside.into_iter().map(|(name, one)| (name, plainly(one))).collect(),
        other => other,
    }
}

/// What differs, in words.
fn difference(row: &Value, (status, body): &(u16, Value)) -> Option<String> {
    let expected = row["status"].as_u64().unwrap();
    if expected == 500 {
        return (*status >= 500).then(|| format!("it fails with {status}"));
    }
    if expected != u64::from(*status) {
        return Some(format!("{status} instead of {expected}: {body}"));
    }
    if *status != 200 {
        return None;
    }
    let expected = row.get("body")?;
    match row["path"].as_str().unwrap() {
        "/render" if row["params"].to_string().contains(r#"["format","#) => {
            (!is_same(expected, body)).then(|| format!("{body} instead of {expected}"))
        }
        "/render" => rendered_otherwise(expected, body),
        path if path.starts_with("/functions") => {
            let (mut expected, mut body) = (expected.clone(), body.clone());
            but_ours(&mut expected, &mut body);
            (expected != body).then(|| format!("{body} instead of {expected}"))
        }
        _ => (expected != body).then(|| format!("{body} instead of {expected}")),
    }
}

/// Whether two answers are the same but for the last digits of their numbers.
fn is_same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| is_same(one, other)))
        }
        (Value::Number(one), Value::Number(other)) => {
            is_near(one.as_f64(), other.as_f64().unwrap_or(f64::NAN))
        }
        (one, other) => one == other,
    }
}

/// `highest` and `lowest` work in graphite-web without what it says that they need, and it has no lines to count.
fn but_ours(expected: &mut Value, found: &mut Value) {
    for name in ["highest", "lowest"] {
        let count = expected.get_mut(name).and_then(|one| one.get_mut("params")?.get_mut(1)?.as_object_mut());
        count.and_then(|count| count.remove("required"));
    }
    if let Some(functions) = found.as_object_mut() {
        functions.remove("logs");
    }
}

fn rendered_otherwise(expected: &Value, found: &Value) -> Option<String> {
    let (expected, found) = (expected.as_array()?, found.as_array()?);
    if expected.len() != found.len() {
        return Some(format!("{} series instead of {}", found.len(), expected.len()));
    }
    expected.iter().zip(found).find_map(|(expected, found)| {
        let heads = ["target", "tags"].map(|key| (&expected[key], &found[key]));
        let other = heads.into_iter().find(|(expected, found)| expected != found);
        if let Some((expected, found)) = other {
            return Some(format!("{found} instead of {expected}"));
        }
        let points: Vec<(Option<f64>, i64)> = serde_json::from_value(found["datapoints"].clone()).unwrap();
        let values: Vec<Option<f64>> = serde_json::from_value(expected["values"].clone()).unwrap();
        let are_near = values.len() == points.len()
            && values
                .iter()
                .zip(&points)
                .all(|(value, (point, _))| is_near(*value, point.unwrap_or(f64::NAN)))
            && expected["times"][0].as_i64() == points.first().map(|(_, time)| *time);
        (!are_near).then(|| format!("{found} instead of {expected}"))
    })
}

#[tokio::test]
async fn answers_are_those_of_graphite_web() {
    let tagged = (40_i64..).zip(TAGGED).map(|(seed, (name, kind))| (name, kind, seed));
    let worlds = [
        ("tags", world(tagged).await),
        ("tree", world(TREE.iter().map(|name| (*name, "five", 1))).await),
        ("events", World::new()),
        ("writes", World::new()),
    ];
    let (mut compared, mut wrong, mut otherwise) = (0, Vec::new(), 0);
    for row in include_str!("../../../tests/golden/api.ndjson").lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let (_, world) = worlds.iter().find(|(name, _)| row["world"] == *name).unwrap();
        let (status, body) = ask(world, &row).await;
        let body = match row["path"].as_str().unwrap() {
            "/metrics/find" if status == 200 => settled(body),
            "/events/get_data" => without_ids(body),
            path if path.starts_with("/functions") => plainly(body),
            _ => body,
        };
        let difference = difference(&row, &(status, body));
        compared += 1;
        if is_otherwise_here(&row) {
            otherwise += usize::from(difference.is_some());
        } else if let Some(difference) = difference {
            wrong.push(format!("{} {}: {difference}", row["path"], row["params"]));
        }
    }
    assert!(compared > 1_000 && otherwise > 0, "{compared} compared, {otherwise} answered otherwise");
    let shown = wrong.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {compared} are not graphite-web's:\n{shown}", wrong.len());
}
