//! `GET /api/targets/check`: what is wrong with targets as they are written, for whoever types them.

use super::ApiError;
use super::params::Params;
use super::render::{parse_target, wrong_call};
use crate::functions::parse::Expression;
use crate::functions::{mistake_in, unknown_function};
use crate::query::render::{Target, TargetError};
use axum::Json;
use axum::extract::RawQuery;
use serde_json::{Value, json};

/// Answers for each `target` its first mistake with its place, or null.
pub async fn check_targets(RawQuery(query): RawQuery) -> Json<Value> {
    let params = Params::parse(query.as_deref().unwrap_or_default());
    Json(params.all("target").map(mistake).collect())
}

fn mistake(target: &str) -> Value {
    match check_target(target) {
        Ok(()) => path_mistake(target).unwrap_or(Value::Null),
        Err(error) => match mistake_in(target) {
            Some(mistake) => json!({ "why": mistake.why, "at": mistake.at }),
            None => json!({ "why": error.to_string(), "at": 0 }),
        },
    }
}

/// A path that is half written, as `shop.` is while one types.
fn path_mistake(target: &str) -> Option<Value> {
    let expression = parse_target(target).ok()?;
    let (path, error) = wrong_path(&expression)?;
    let at = target.find(path).map_or(0, |at| target[..at].chars().count());
    Some(json!({ "why": error.to_string(), "at": at }))
}

/// The first path that nothing can be asked for by. In a template they are not written out.
fn wrong_path(expression: &Expression) -> Option<(&str, TargetError)> {
    match expression {
        Expression::Path(path) => Target::parse(path).err().map(|error| (path.as_str(), error)),
        Expression::Call(call) => {
            let named = call.named.iter().map(|(_, value)| value);
            call.arguments.iter().chain(named).find_map(wrong_path)
        }
        _ => None,
    }
}

/// Refuses a target that does not parse or calls a function that there is not.
pub(super) fn check_target(target: &str) -> Result<(), ApiError> {
    let expression = parse_target(target)?;
    unknown_function(&expression).map_or(Ok(()), |error| Err(wrong_call(&error)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use axum::http::StatusCode;
    use serde_json::json;

    #[tokio::test]
    async fn each_target_is_answered_with_its_mistake_or_none() {
        let world = World::new();
        let query = "target=a.b&target=movingAvrage(a.b,5)&target=sum(a&target=disk.used;host=a(b&target=a.&target=sum(a,é..c)";
        let expected = json!([
            null,
            {"why": "there is no function `movingAvrage`; did you mean `movingAverage`?", "at": 0},
            {"why": "expected `,` or `)`", "at": 5},
            {"why": "expected the end, or `|` and a function", "at": 16},
            {"why": "`a.` is no path: it has an empty node", "at": 0},
            {"why": "`é..c` is no path: it has an empty node", "at": 6},
        ]);
        let answer = world.get(&format!("/api/targets/check?{query}")).await;
        assert_eq!(answer, (StatusCode::OK, expected));
        assert_eq!(world.get("/api/targets/check").await.1, json!([]));
    }
}
