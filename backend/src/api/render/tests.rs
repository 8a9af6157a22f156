//! `/render` from outside: forms, edges, refusals.

mod pictures;

use super::super::testing::World;
use axum::http::StatusCode;
use serde_json::{Value, json};
use sonde_shared::api::{Columns, decode_columns};

/// `a.x` at 1000, 1010 … 1090, but for 1040; `a.y` once a minute.
async fn world() -> World {
    let world = World::new();
    let x = (0..10).filter(|at| *at != 4).map(|at| ("a.x", 1_000 + 10 * at, at as f64));
    let y = (0..3).map(|at| ("a.y", 960 + 60 * at, 0.5));
    world.append(&x.chain(y).collect::<Vec<_>>()).await;
    world
}

async fn points(world: &World, query: &str) -> Value {
    let (status, body) = world.get(&format!("/render?format=json&{query}")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body.as_array().unwrap().iter().map(|series| series["datapoints"].clone()).collect()
}

async fn columns(world: &World, query: &str) -> Vec<Columns> {
    let (status, body) = world.ask(&format!("/render?format=columns&{query}"), None).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    decode_columns(&body).unwrap()
}

#[tokio::test]
async fn series_come_as_graphite_sends_them() {
    let world = world().await;
    let (_, body) = world.get("/render?format=json&target=a.x&from=1020&until=1055").await;
    let points = json!([[3.0, 1030], [null, 1040], [5.0, 1050]]);
    assert_eq!(body, json!([{"target": "a.x", "tags": {"name": "a.x"}, "datapoints": points}]));
    let (_, text) = world.ask("/render?format=json&target=a.x&from=1020&until=1030", None).await;
    let expected = r#"[{"target":"a.x","tags":{"name":"a.x"},"datapoints":[[3.0,1030]]}]"#;
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[tokio::test]
async fn edges_are_whispers_after_from_and_up_to_until() {
    let world = world().await;
    let check = async |query: &str, expected: Value| {
        assert_eq!(points(&world, &format!("target=a.x&{query}")).await[0], expected, "{query}");
    };
    check("from=999&until=1000", json!([[0.0, 1000]])).await;
    check("from=1000&until=1001", json!([[1.0, 1010]])).await;
    check("from=1001&until=1009", json!([[1.0, 1010]])).await;
    check("from=1020&until=1000", json!([[1.0, 1010], [2.0, 1020]])).await;
    check("from=1085&until=1105&noNullPoints=true", json!([[9.0, 1090]])).await;
    check("from=1030&until=1060&maxDataPoints=1", json!([[5.5, 1040]])).await;
}

#[tokio::test]
async fn several_points_of_a_slot_leave_the_last() {
    let world = World::new();
    world
        .append(&[("j", 100, 1.0), ("j", 110, 2.0), ("j", 120, 3.0), ("j", 129, 4.0), ("j", 130, 5.0)])
        .await;
    assert_eq!(points(&world, "target=j&from=110&until=130").await[0], json!([[4.0, 120], [5.0, 130]]));
    // The slot of 120 reaches over `until`, as whisper's do.
    assert_eq!(points(&world, "target=j&from=110&until=125").await[0], json!([[4.0, 120]]));
}

const SCHEMAS: &str = "[all]\npattern = ^s\\.\nretentions = 60s:1h,5m:1d\n";
const SUMS: &str = "[sum]\npattern = \\.count$\naggregationMethod = sum\nxFilesFactor = 0.5\n";

#[tokio::test]
async fn the_rules_step_is_that_of_the_archive_that_reaches_back() {
    let world = World::new().with_rules(SCHEMAS, "");
    // Every ten seconds; the rule knows minutes.
    let rows: Vec<_> = (0..120).map(|at| ("s.a", 10_000 + 10 * at, at as f64)).collect();
    world.append(&rows).await;
    world.append(&[("other", 10_000, 1.0), ("other", 10_010, 2.0)]).await;
    let first = async |query: &str| points(&world, query).await[0].clone();
    let minutes = first("target=s.a&from=10000&until=10200&now=10200").await;
    assert_eq!(minutes, json!([[7.0, 10_020], [13.0, 10_080], [19.0, 10_140], [25.0, 10_200]]));
    // From as far back that the minutes are gone: averages of the minutes' last points.
    let query = "target=s.a&from=10000&until=10800&now=13601";
    assert_eq!(first(query).await, json!([[37.0, 10_200], [67.0, 10_500], [97.0, 10_800]]));
    // What no section matches keeps the step of its points.
    assert_eq!(first("target=other&from=10000&until=10010&now=99999").await, json!([[2.0, 10_010]]));
}

#[tokio::test]
async fn coarser_slots_are_made_by_the_rules_method_of_enough_finer_ones() {
    let world = World::new().with_rules(SCHEMAS, SUMS);
    let minutes = |name: &'static str| {
        // Five, three and two of the minutes of 900, 1200 and 1500.
        [0, 1, 2, 3, 4, 5, 6, 9, 10, 11].map(|minute| (name, 900 + 60 * minute, (minute + 1) as f64))
    };
    world.append(&minutes("s.x.count")).await;
    world.append(&minutes("s.x.ms")).await;
    let range = "from=600&until=1500&now=5000";
    let sums = json!([[15.0, 900], [23.0, 1_200], [null, 1_500]]);
    assert_eq!(points(&world, &format!("target=s.x.count&{range}")).await[0], sums);
    let means = json!([[3.0, 900], [23.0 / 3.0, 1_200], [null, 1_500]]);
    assert_eq!(points(&world, &format!("target=s.x.ms&{range}")).await[0], means);
    // Fewer points are averages, whatever the method.
    let one = points(&world, &format!("target=s.x.count&{range}&maxDataPoints=1")).await;
    assert_eq!(one[0], json!([[19.0, 900]]));
}

#[tokio::test]
async fn nothing_older_than_the_rule_keeps_is_answered_but_drawn() {
    let world = World::new().with_rules(SCHEMAS, "");
    let day = 86_400;
    world.append(&[0, 300, 600, 900].map(|at| ("s.old", 10 * day + at, 1.0))).await;
    let now = 11 * day + 450;
    let range = format!("from={}&until={}&now={now}", 10 * day - 1, 10 * day + 900);
    let kept = json!([[1.0, 10 * day + 600], [1.0, 10 * day + 900]]);
    assert_eq!(points(&world, &format!("target=s.old&{range}")).await[0], kept);
    let gone = format!("target=s.old&from={}&until={}&now={now}", 10 * day - 1, 10 * day + 400);
    assert_eq!(points(&world, &gone).await, json!([]));
    assert_eq!(columns(&world, &format!("target=s.old&{range}")).await[0].values, [1.0; 4]);
}

#[tokio::test]
async fn points_that_came_coarse_are_answered_beside_fine_ones() {
    let world = World::new().with_rules(SCHEMAS, SUMS);
    let coarse = (0..4).map(|at| ("s.x.count", 300 * at, 50.0));
    let fine = (0..10).map(|at| ("s.x.count", 1_200 + 60 * at, 1.0));
    world.append(&coarse.chain(fine).collect::<Vec<_>>()).await;
    let answer = points(&world, "target=s.x.count&from=299&until=1500&now=6000").await;
    let expected = json!([[50.0, 300], [50.0, 600], [50.0, 900], [5.0, 1_200], [5.0, 1_500]]);
    assert_eq!(answer[0], expected);
}

#[tokio::test]
async fn a_slots_value_does_not_hang_on_where_the_range_begins_or_ends() {
    let world = World::new().with_rules(SCHEMAS, SUMS);
    world.append(&[240, 300, 600, 900, 960].map(|at| ("s.x.count", at, 1.0))).await;
    let check = async |from: i64, until: i64, expected: Value| {
        let query = format!("target=s.x.count&from={from}&until={until}&now=6000");
        assert_eq!(points(&world, &query).await[0], expected, "{from} {until}");
    };
    // Only the point of 600 stands alone; the others are one minute of five.
    check(0, 900, json!([[null, 300], [1.0, 600], [null, 900]])).await;
    check(299, 600, json!([[null, 300], [1.0, 600]])).await;
    check(599, 900, json!([[1.0, 600], [null, 900]])).await;
    check(899, 900, json!([[null, 900]])).await;
}

#[tokio::test]
async fn numbers_that_json_lacks_are_written_as_graphite_does() {
    let world = World::new();
    world.append(&[("i", 60, f64::INFINITY), ("i", 120, f64::NEG_INFINITY), ("i", 180, 1e300)]).await;
    let (_, text) = world.ask("/render?format=json&target=i&from=1&until=180", None).await;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("[[1e9999,60],[-1e9999,120],[1e+300,180]]"), "{text}");
}

#[tokio::test]
async fn targets_may_be_globs_repeated_and_posted() {
    let world = world().await;
    let names = |body: Value| -> Vec<String> {
        body.as_array().unwrap().iter().map(|series| series["target"].as_str().unwrap().to_owned()).collect()
    };
    let range = "from=1000&until=1060";
    let (_, body) = world.get(&format!("/render/?format=json&{range}&target=a.%7By,x%7D&target[]=a.x")).await;
    assert_eq!(names(body), ["a.x", "a.y", "a.x"]);
    let (_, body) =
        world.post(&format!("/render?target=a.y&{range}&format=png"), "format=json&target=a.[x]").await;
    assert_eq!(names(body), ["a.y", "a.x"]);
    let (status, body) =
        world.get(&format!("/render?format=json&{range}&target=none.*&target=no.thing")).await;
    assert_eq!((status, body), (StatusCode::OK, json!([])));
}

#[tokio::test]
async fn a_tagged_series_is_found_by_its_whole_name() {
    let world = World::new();
    world.append(&[("disk;host=a.b;unit=%", 60, 1.0)]).await;
    let (_, body) = world.get("/render?format=json&from=1&until=60&target=disk;host=a.b;unit=%25").await;
    assert_eq!(body[0]["tags"], json!({"name": "disk", "host": "a.b", "unit": "%"}));
    assert_eq!(body[0]["datapoints"], json!([[1.0, 60]]));
    // Whoever writes the tags in another order means the same series, also inside a function.
    for target in ["disk;unit=%25;host=a.b", "sumSeries(disk;unit=%25;host=a.b)"] {
        let (_, body) = world.get(&format!("/render?format=json&from=1&until=60&target={target}")).await;
        assert_eq!(body[0]["datapoints"], json!([[1.0, 60]]), "{target}");
    }
    let (_, body) = world.get("/render?format=json&from=1&until=60&target=disk;unit=%25;host=a.b").await;
    assert_eq!(body[0]["target"], "disk;host=a.b;unit=%");
}

/// Points at each quarter of an hour of two days, by the minute of the first.
async fn quarters() -> World {
    let world = World::new();
    let day = 1_792_800_000; // 2026-10-24T00:00:00Z, a day before clocks are put back
    let rows: Vec<_> = (0..192).map(|at| ("q", day + at * 900, (at * 15) as f64)).collect();
    world.append(&rows).await;
    world
}

#[tokio::test]
async fn times_are_graphites_in_the_zone_that_is_asked_for() {
    let world = quarters().await;
    let first = async |query: &str| points(&world, &format!("target=q&{query}")).await[0][0].clone();
    let check = async |query: &str, minute: i64| {
        let answer = first(&format!("{query}&noNullPoints=1")).await;
        assert_eq!(answer[0], json!((minute + 15) as f64), "{query}");
    };
    let now = "now=noon_20261025";
    check(&format!("from=midnight&until=noon&{now}"), 1_440).await;
    // 12pm is midnight, 12am is noon, and ends may come in any order.
    check(&format!("from=12pm&until=12am&{now}"), 1_440).await;
    check(&format!("from=12am&until=12pm&{now}"), 1_440).await;
    check(&format!("from=00:00_20261024&until=10/25/26&{now}"), 0).await;
    check(&format!("from=yesterday-,1_h&until=today&{now}"), -15).await;
    check(&format!("from=&until=-1h&{now}"), 2_100).await;
    let berlin = "now=12:00_20261025&tz=europe/berlin";
    // In Berlin the day begins at 22:00 UTC; it is an hour longer, and of its two half past two the second is meant.
    check(&format!("from=today&until=now&{berlin}"), 1_320).await;
    check(&format!("from=02:30&until=now&{berlin}"), 1_530).await;
    check(&format!("from=20261026-25h&until=now&{berlin}"), 1_320).await;
    check(&format!("from=2026-10-25T02:30:00Z&until=now&{berlin}"), 1_590).await;
    check("from=today&until=now&now=noon_20261025&tz=Nowhere/Land", 1_440).await;
}

#[tokio::test]
async fn an_endless_range_is_held_to_the_days_there_are() {
    let world = world().await;
    let all = points(&world, "target=a.x&from=0&until=1100&now=1100").await;
    assert_eq!(all[0].as_array().unwrap().len(), 110);
    let later = points(&world, "target=a.x&from=-8000d&until=9000000000&now=1100").await;
    let later = later[0].as_array().unwrap();
    assert_eq!((later.len(), &later[0][1], &later[110][1]), (111, &json!(0), &json!(1_100)));
    // Further back than the first day lie nulls, as many as one may want to see.
    let weeks = points(&world, "target=a.x&from=-20d&until=1100&now=1100").await;
    let weeks = weeks[0].as_array().unwrap();
    assert_eq!((weeks.len(), &weeks[0]), (172_800, &json!([null, 1_110 - 20 * 86_400])));
}

#[tokio::test]
async fn nothing_is_told_of_the_future() {
    let world = world().await;
    let check = async |query: &str, expected: Value| {
        for target in ["a.x", "scale(a.x,1)"] {
            let answer = points(&world, &format!("target={target}&{query}")).await;
            assert_eq!(answer, expected, "{target} {query}");
        }
    };
    check("from=1020&until=2000&now=1045", json!([[[3.0, 1_030], [null, 1_040]]])).await;
    check("from=1020&until=2000&now=1020", json!([[[3.0, 1_030]]])).await;
    check("from=1021&until=2000&now=1020", json!([])).await;
}

#[tokio::test]
async fn a_series_that_began_soon_after_the_range_is_there_with_nulls() {
    let world = world().await;
    let day = 86_400;
    world.append(&[("b.soon", 2 * day, 1.0), ("b.late", 4 * day, 1.0)]).await;
    let count = async |query: &str| points(&world, query).await.as_array().unwrap().len();
    for target in ["b.*", "scale(b.*,1)"] {
        let soon = format!("target={target}&from=60&until=120&now={}", 9 * day);
        assert_eq!(points(&world, &soon).await, json!([[[null, 120]]]), "{target}");
        // As long as it has not begun, and once the range is older.
        assert_eq!(count(&format!("target={target}&from=60&until=120&now={day}")).await, 0);
        assert_eq!(count(&format!("target={target}&from=-9d&until=-1d&now=120")).await, 0);
        let drawn = columns(&world, &format!("target={target}&from=60&until=120&now={}", 9 * day)).await;
        assert_eq!(drawn.len(), 0, "{target}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let world = world().await;
    let check = async |query: &str, parameter: &str, part: &str| {
        let (named, detail) = World::refusal(world.get(&format!("/render?{query}")).await);
        assert!(named == parameter && detail.contains(part), "{query}: {named}: {detail}");
    };
    check("", "target", "at least one").await;
    check("target=nope(a.*)", "target", "there is no function `nope`").await;
    check("target=a..b", "target", "empty node").await;
    check(
        "target=a&format=pdf",
        "format",
        "png, svg, json, csv, raw, msgpack, pickle, dygraph, rickshaw and columns",
    )
    .await;
    check("target=sumSeries(a.*", "target", "cannot be read behind its first 13 characters").await;
    check("target=aggregate(a.*,'x')", "target", "no way `x`").await;
    check("target=a&from=12:00&until=12:00", "until", "is empty").await;
    check("target=a&from=soon", "from", "not a time").await;
    check("target=a&until=feb30", "until", "not a time").await;
    check("target=a&now=noonish", "now", "not a time").await;
    check("target=a&from=&until=now&now=noon", "until", "is empty").await;
    check("target=a&format=json&maxDataPoints=0", "maxDataPoints", "at least 1").await;
    check("target=a&format=json&maxDataPoints=many", "maxDataPoints", "whole number").await;
    check("target=a&format=columns&downsample=lttb", "downsample", "m4").await;
    check("target=a&format=columns&downsample=m4&width=1000000", "width", "at most").await;
    check("target=a&format=columns&stack=some", "stack", "there is all").await;
    check("target=a&jsonp=f", "jsonp", "never").await;
}

#[tokio::test]
async fn a_refusal_has_a_right_example_of_what_was_wrong() {
    let world = world().await;
    let check = async |query: &str, expected: &str| {
        let (status, problem) = world.get(&format!("/render?format=json&{query}")).await;
        assert_eq!((status, &problem["example"]), (StatusCode::BAD_REQUEST, &json!(expected)), "{query}");
    };
    check("target=movingAverage(a.x)", "movingAverage(shop.checkout.*, '5min')").await;
    check("target=sumseries(a.x)", "sumSeries(shop.checkout.*)").await;
    check("target=avg(alias(a.x))", "alias(shop.checkout.*, 'till')").await;
    check("target=grep(a.x,'(')", "grep(shop.checkout.*, 'checkout')").await;
    check("target=sumSeries(a.x", "sumSeries(shop.checkout.*)").await;
    check("target=a..x", "shop.checkout.*").await;
}

#[tokio::test]
async fn variables_of_templates_are_the_requests() {
    let world = world().await;
    let check = async |query: &str, expected: &str| {
        let (_, body) = world.get(&format!("/render?format=json&from=1020&until=1030&{query}")).await;
        assert_eq!(body[0]["target"], expected, "{query}: {body}");
    };
    check("target=template(a.$what,what=%22y%22)&template[what]=x", "a.x").await;
    check("target=template(scale(a.$1,$by),%22x%22,by=3)&template[by]=2", "scale(a.x,2)").await;
    check("target=template(a.$what)&template[what]=y&template[what]=x", "a.x").await;
    check("target=template(a.$what,what=%22x%22)&template[other]=y", "a.x").await;
    // Elsewhere they are nothing.
    let (_, body) = world.get("/render?format=json&target=a.$what&template[what]=x").await;
    assert_eq!(body, json!([]));
}

#[tokio::test]
async fn functions_are_evaluated_over_what_is_stored() {
    let world = world().await;
    let range = "from=1000&until=1100&now=1100";
    let sum = points(&world, &format!("target=sumSeries(a.*)&{range}")).await;
    // A slot of `a.y` holds six of `a.x`, of which the mean counts.
    assert_eq!(sum, json!([[[3.9, 1010], [8.5, 1070]]]));
    let both = format!("/render?format=json&target=a.x&target=sumSeries(a.x,a.x)&{range}&noNullPoints=1");
    let (_, body) = world.get(&both).await;
    assert_eq!((&body[0]["target"], &body[1]["target"]), (&json!("a.x"), &json!("sumSeries(a.x)")));
    assert_eq!(body[1]["datapoints"][1], json!([4.0, 1020]));
    for format in ["format=raw", "format=rawData", "rawData=1"] {
        let (kind, text) = world.ask(&format!("/render?target=a.y&{range}&{format}"), None).await;
        let text = String::from_utf8(text).unwrap();
        assert_eq!((kind, text.as_str()), (StatusCode::OK, "a.y,1020,1140,60|0.5,0.5\n"), "{format}");
    }
    let (_, body) = world.ask(&format!("/render?target=sumSeries(a.y)&{range}&format=columns"), None).await;
    let columns = decode_columns(&body).unwrap();
    assert_eq!((columns[0].name.as_str(), &columns[0].values), ("sumSeries(a.y)", &vec![0.5, 0.5]));
}

#[tokio::test]
async fn columns_of_a_stack_have_the_sums_behind_the_series() {
    let world = world().await;
    let query = "target=a.x&target=secondYAxis(a.y)&target=scale(a.x,10)&from=1049&until=1071&stack=all";
    let all = columns(&world, query).await;
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names[..3], ["a.x", "secondYAxis(a.y)", "scale(a.x,10)"]);
    assert_eq!(names[3..], names[..3]);
    assert_eq!((&all[2].values, &all[5].values), (&vec![50.0, 60.0, 70.0], &vec![55.0, 66.0, 77.0]));
    assert_eq!(all[4].values, all[1].values, "what is at the right stands on nothing");
}

#[tokio::test]
async fn lines_are_series_like_any_other() {
    let world = world().await;
    let line = |second: i64| {
        let level = if second % 10 == 0 { "error" } else { "info" };
        let component = if second % 2 == 0 { "mill.wheel" } else { "mill" };
        json!({"ts": second, "component": component, "level": level, "msg": "m"}).to_string() + "\n"
    };
    let text: String = (1_000..1_060).map(line).collect();
    assert_eq!(world.post("/api/ingest/logs", &text).await.0, StatusCode::OK);
    let values = async |target: &str| {
        let series = points(&world, &format!("target={target}&from=1000&until=1030&now=1060")).await;
        series[0].as_array().unwrap().iter().map(|point| point[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(values("logs('mill','debug','10s')").await, [10.0, 10.0, 10.0]);
    assert_eq!(values("logs('mill.wheel','error','10s')").await, [1.0, 1.0, 1.0]);
    assert_eq!(
        values("sumSeries(logs('mill',step='10s'),logs('nobody',step='10s'))").await,
        [10.0, 10.0, 10.0]
    );
    assert_eq!(
        values("divideSeries(logs('mill','error','10s'),logs('mill',step='10s'))").await,
        [0.1, 0.1, 0.1]
    );
}

#[tokio::test]
async fn columns_of_functions_begin_where_the_range_does() {
    let world = world().await;
    let check = async |range: &str, expected: &[f64]| {
        let all = columns(&world, &format!("target=scale(a.x,2)&{range}")).await;
        assert_eq!(all[0].times_ms, expected, "{range}");
    };
    check("from=1050&until=1080", &[1_050_000.0, 1_060_000.0, 1_070_000.0]).await;
    check("from=1050.001&until=1070.000", &[1_060_000.0]).await;
    check("from=1059.2&until=1060.5", &[1_060_000.0]).await;
    check("from=1051.2&until=1051.9", &[1_060_000.0]).await;
}

#[tokio::test]
async fn too_many_series_are_refused() {
    let world = World::new();
    let names: Vec<String> = (0..=crate::query::render::MAX_SERIES).map(|at| format!("s.{at}")).collect();
    world.append(&names.iter().map(|name| (name.as_str(), 60, 1.0)).collect::<Vec<_>>()).await;
    let (_, detail) = World::refusal(world.get("/render?format=json&target=s.*&from=1&until=100").await);
    assert!(detail.contains("more than 1000 series"), "{detail}");
    assert_eq!(points(&world, "target=s.?&from=1&until=100").await.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn too_many_series_in_a_function_are_refused_and_as_many_as_may_be_are_not() {
    let world = World::new();
    let names: Vec<String> = (0..=crate::query::render::MAX_ARGUMENTS).map(|at| format!("s.{at}")).collect();
    world.append(&names.iter().map(|name| (name.as_str(), 60, 1.0)).collect::<Vec<_>>()).await;
    let (_, detail) = World::refusal(world.get("/render?target=sumSeries(s.*)&from=1&until=60").await);
    assert!(detail.contains("`s.*` names more than 50000 series"), "{detail}");
    let most = points(&world, "target=sumSeries(s.%5B1-4%5D*,s.%5B5-9%5D*)&from=1&until=60").await;
    assert_eq!(most[0], json!([[50_000.0, 60]]));
}

#[tokio::test]
async fn columns_hold_raw_points_and_a_neighbour_on_each_side() {
    let world = world().await;
    let all = columns(&world, "target=a.*&from=1015&until=1060").await;
    assert_eq!(all[0].times_ms, [1_010_000.0, 1_020_000.0, 1_030_000.0, 1_050_000.0, 1_060_000.0]);
    assert_eq!(all[0].values, [1.0, 2.0, 3.0, 5.0, 6.0]);
    assert_eq!((all[1].name.as_str(), &all[1].times_ms), ("a.y", &vec![960_000.0, 1_020_000.0, 1_080_000.0]));
    assert_eq!(columns(&world, "target=none&from=1&until=2").await, []);
}

#[tokio::test]
async fn columns_come_in_the_targets_order_each_series_once() {
    let world = World::new();
    world.append(&["w.a", "w.b", "w.c"].map(|name| (name, 60, 1.0))).await;
    let names = |query: &'static str| {
        let world = &world;
        async move { columns(world, query).await.into_iter().map(|one| one.name).collect::<Vec<_>>() }
    };
    assert_eq!(names("target=w.c&target=w.*&from=1&until=99").await, ["w.c", "w.a", "w.b"]);
    assert_eq!(names("target=w.b&target=w.a&target=w.b&from=1&until=99").await, ["w.b", "w.a"]);
}

#[tokio::test]
async fn columns_take_milliseconds() {
    let world = World::new();
    let start = 1_763_647_500;
    world.append(&[0, 10, 20, 30, 40].map(|at| ("m", start + at, at as f64))).await;
    let query = format!("target=m&from={start}001&until={start}999&downsample=m4");
    assert_eq!(columns(&world, &query).await[0].values, [0.0, 10.0]);
    let query = format!("target=m&from={}999&until={}001&downsample=m4", start + 9, start + 20);
    assert_eq!(columns(&world, &query).await[0].values, [0.0, 10.0, 20.0, 30.0]);
}

#[tokio::test]
async fn gaps_show_as_gaps_inside_and_at_the_edges() {
    let world = World::new();
    let times = [100, 110, 120, 160, 170, 180, 190];
    world.append(&times.map(|time| ("g", time, 1.0))).await;
    let check = async |from: i64, until: i64, expected: &[i64], gaps: &[i64]| {
        let series = columns(&world, &format!("target=g&from={from}&until={until}")).await.remove(0);
        let of = |wanted: bool| {
            let pairs = series.times_ms.iter().zip(&series.values);
            pairs.filter(move |(_, value)| value.is_nan() == wanted).map(|(time, _)| *time as i64 / 1_000)
        };
        assert_eq!(
            (of(false).collect::<Vec<_>>(), of(true).collect::<Vec<_>>()),
            (expected.to_vec(), gaps.to_vec())
        );
        assert!(series.times_ms.is_sorted_by(|a, b| a < b));
    };
    check(105, 185, &times, &[130]).await;
    check(130, 175, &[120, 160, 170, 180], &[130]).await;
    check(130, 150, &[120, 160], &[130]).await;
    check(100, 130, &[100, 110, 120, 160], &[130]).await;
}

#[tokio::test]
async fn reduced_columns_keep_the_spike() {
    let world = World::new();
    let value = |at: i64| if at == 4_321 { 900.0 } else { (at % 7) as f64 };
    let rows: Vec<_> = (0..20_000).map(|at| ("s", 10 * at, value(at))).collect();
    world.append(&rows).await;
    let series = columns(&world, "target=s&from=1&until=190000&downsample=m4&width=100").await.remove(0);
    assert!(series.times_ms.len() <= 602, "{}", series.times_ms.len());
    let spike = series.values.iter().position(|value| *value > 899.0).expect("the spike stays");
    assert_eq!(series.times_ms[spike] as i64, 43_210_000);
    assert_eq!((series.times_ms[0], *series.times_ms.last().unwrap()), (0.0, 190_000_000.0));
    let few = columns(&world, "target=s&from=1&until=100&downsample=m4&width=100").await.remove(0);
    assert_eq!(few.times_ms.len(), 11, "few points are sent as they are");
}
