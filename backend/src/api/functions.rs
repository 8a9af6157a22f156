//! `GET /functions`: the functions that targets may call, as Grafana's editor reads them.

use super::ApiError;
use super::answer::{self, params};
use super::params::PathPart;
use crate::functions::{FUNCTIONS, Function, Param, ParamKind};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

/// The Graphite whose answers Sonde gives, which clients ask for to know what they may ask.
const GRAPHITE: &str = "1.1.10";

/// Answers `GET /version`.
pub async fn version() -> &'static str {
    GRAPHITE
}

/// All functions by their names and aliases; `grouped=1` by their groups, `group=NAME` those of one.
pub async fn list_functions(query: RawQuery) -> Result<Response, ApiError> {
    let params = params(&query, "")?;
    let (is_grouped, group) = (params.flag("grouped")?, params.get("group"));
    let mut all = Map::new();
    for function in
        FUNCTIONS.iter().copied().flatten().filter(|one| group.is_none_or(|group| group == one.group))
    {
        for name in function.names {
            let described = describe(function, name);
            if is_grouped {
                all.entry(function.group).or_insert_with(|| json!({}))[*name] = described;
            } else {
                all.insert((*name).to_owned(), described);
            }
        }
    }
    answer::json(&params, &all)
}

/// One function.
pub async fn get_function(PathPart(name): PathPart, query: RawQuery) -> Result<Response, ApiError> {
    let params = params(&query, "")?;
    let function =
        FUNCTIONS.iter().copied().flatten().find(|function| function.names.contains(&name.as_str()));
    let missing = || format!("there is no function `{name}`; GET /functions lists them");
    let function = function.ok_or_else(|| ApiError::refused(StatusCode::NOT_FOUND, missing()))?;
    answer::json(&params, &describe(function, &name))
}

fn describe(function: &Function, name: &str) -> Value {
    let params: Vec<Value> = function.parameters.iter().map(describe_param).collect();
    json!({
        "name": name,
        "function": signature(function, name),
        "description": function.about,
        "module": "graphite.render.functions",
        "group": function.group,
        "params": params,
    })
}

fn signature(function: &Function, name: &str) -> String {
    let param = |param: &Param| match (param.is_repeated, param.is_required) {
        (true, _) => format!("*{}", param.name),
        (false, true) => param.name.to_owned(),
        (false, false) => format!("{}=None", param.name),
    };
    format!("{name}({})", function.parameters.iter().map(param).collect::<Vec<_>>().join(", "))
}

/// As Graphite describes it; what is not so is left out.
fn describe_param(param: &Param) -> Value {
    let kind = match param.kind {
        ParamKind::SeriesList => "seriesList",
        ParamKind::SeriesLists => "seriesLists",
        ParamKind::AggFunc => "aggFunc",
        ParamKind::AggOrSeriesFunc => "aggOrSeriesFunc",
        ParamKind::Float => "float",
        ParamKind::Integer => "integer",
        ParamKind::Interval => "interval",
        ParamKind::IntOrInterval => "intOrInterval",
        ParamKind::IntOrInf => "intOrInf",
        ParamKind::Node => "node",
        ParamKind::NodeOrTag => "nodeOrTag",
        ParamKind::Tag => "tag",
        ParamKind::Text => "string",
        ParamKind::Boolean => "boolean",
        ParamKind::Date => "date",
        ParamKind::Any => "any",
    };
    let mut described = json!({ "name": param.name, "type": kind });
    for (key, _) in
        [("required", param.is_required), ("multiple", param.is_repeated)].iter().filter(|(_, is)| *is)
    {
        described[*key] = json!(true);
    }
    described
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use axum::http::StatusCode;
    use serde_json::json;

    #[tokio::test]
    async fn functions_are_listed_as_grafana_reads_them() {
        let world = World::new();
        let (_, all) = world.get("/functions").await;
        assert_eq!(
            (&all["sum"]["group"], &all["sumSeries"]["name"]),
            (&json!("Combine"), &json!("sumSeries"))
        );
        let expected = json!([
            {"name": "seriesList", "type": "seriesList", "required": true},
            {"name": "func", "type": "aggFunc", "required": true},
            {"name": "xFilesFactor", "type": "float"},
        ]);
        assert_eq!(all["aggregate"]["params"], expected);
        assert_eq!(world.get("/functions/aggregate").await.1, all["aggregate"]);
        let (_, grouped) = world.get("/functions/?grouped=1&group=Combine").await;
        assert_eq!(grouped["Combine"]["aggregate"], all["aggregate"]);
        assert_eq!(grouped.as_object().unwrap().len(), 1);
        assert_eq!(world.get("/functions/nope").await.0, StatusCode::NOT_FOUND);
    }
}
