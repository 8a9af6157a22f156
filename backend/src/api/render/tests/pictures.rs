//! `/render` drawn: what clients of Graphite put into an `<img>`.

use super::super::super::testing::World;
use axum::http::StatusCode;
use resvg::tiny_skia::Pixmap;

/// `a.x` at 10 once a minute for an hour, but for a value of 100 in the middle; `a.y` always at 40.
async fn world() -> World {
    let world = World::new();
    let x = (0..=60).map(|at| ("a.x", 60 * at, if at == 30 { 100.0 } else { 10.0 }));
    let y = (0..=60).map(|at| ("a.y", 60 * at, 40.0));
    world.append(&x.chain(y).collect::<Vec<_>>()).await;
    world
}

const HOUR: &str = "from=0&until=3600&now=3600";

async fn pixels(world: &World, query: &str) -> Pixmap {
    let (headers, body) = world.headers(&format!("/render?{HOUR}&{query}")).await;
    assert_eq!(headers["content-type"], "image/png", "{}", String::from_utf8_lossy(&body));
    Pixmap::decode_png(&body).unwrap()
}

async fn svg(world: &World, query: &str) -> String {
    let (headers, body) = world.headers(&format!("/render?format=svg&{HOUR}&{query}")).await;
    assert_eq!(headers["content-type"], "image/svg+xml");
    String::from_utf8(body).unwrap()
}

/// The rows in which a column of pixels has this colour.
fn rows_of(pixels: &Pixmap, x: u32, colour: (u8, u8, u8)) -> Vec<u32> {
    let is_it = |y: &u32| {
        let pixel = pixels.pixel(x, *y).unwrap().demultiply();
        (pixel.red(), pixel.green(), pixel.blue()) == colour
    };
    (0..pixels.height()).filter(is_it).collect()
}

#[tokio::test]
async fn without_a_format_an_answer_is_a_png_of_graphites_size() {
    let world = world().await;
    let picture = pixels(&world, "target=a.x").await;
    assert_eq!((picture.width(), picture.height()), (330, 250));
    let picture = pixels(&world, "target=a.x&width=1600&height=500&format=png").await;
    assert_eq!((picture.width(), picture.height()), (1600, 500));
}

#[tokio::test]
async fn a_series_has_its_colour_where_its_values_are() {
    let world = world().await;
    // Nothing but the plot: a pixel is a place in time and value.
    let bare = "graphOnly=true&width=360&height=200&yMin=0&yMax=100&lineWidth=4&areaMode=none";
    let picture = pixels(&world, &format!("target=color(a.y,'ff0000')&{bare}")).await;
    assert_eq!(rows_of(&picture, 100, (255, 0, 0)), [118, 119, 120, 121], "40 of 100 is at 120 of 200");
    assert_eq!(rows_of(&picture, 100, (255, 255, 255)).len(), 196, "the rest is white");
    let picture = pixels(&world, &format!("target=color(a.x,'0000ff')&{bare}&bgcolor=000000")).await;
    assert_eq!(rows_of(&picture, 20, (0, 0, 255)), [178, 179, 180, 181]);
    assert!(rows_of(&picture, 180, (0, 0, 255)).contains(&8), "the spike is there");
    assert!(rows_of(&picture, 150, (0, 0, 0)).contains(&8), "and nowhere else");
}

#[tokio::test]
async fn an_svg_has_title_axes_and_legend() {
    let world = world().await;
    let text =
        svg(&world, "target=alias(a.x,'requests')&title=A+%3Cb%3E&vtitle=per+minute&tz=Europe/Berlin").await;
    let svg = roxmltree::Document::parse(&text).unwrap();
    let texts: Vec<&str> = svg.descendants().filter_map(|node| node.text()).map(str::trim).collect();
    for wanted in ["A <b>", "per minute", "requests", "last", "avg", "Jan 1 01:00", "CET"] {
        assert!(texts.contains(&wanted), "{wanted} in {texts:?}");
    }
    let bare = self::svg(&world, "target=a.x&hideLegend=true&hideAxes=true").await;
    assert!(!bare.contains("<text"), "{bare}");
}

#[tokio::test]
async fn nothing_to_draw_says_so() {
    let world = world().await;
    assert!(svg(&world, "target=none.*").await.contains("No data"));
    assert!(!svg(&world, "target=a.x").await.contains("No data"));
    assert_eq!(pixels(&world, "target=none.*").await.width(), 330);
}

#[tokio::test]
async fn a_form_may_ask_for_a_picture() {
    let world = world().await;
    let (status, body) = world.ask("/render", Some("target=a.x&from=0&until=3600&now=3600")).await;
    assert_eq!((status, &body[1..4]), (StatusCode::OK, &b"PNG"[..]));
    let (_, body) = world.ask(&format!("/render?rawData=&target=a.y&{HOUR}"), None).await;
    assert!(body.starts_with(b"a.y,60,3660,60|40.0"), "{}", String::from_utf8_lossy(&body));
}

#[tokio::test]
async fn what_cannot_be_drawn_is_said() {
    let world = world().await;
    let check = async |query: &str, parameter: &str, part: &str| {
        let (named, detail) = World::refusal(world.get(&format!("/render?target=a.x&{HOUR}&{query}")).await);
        assert!(named == parameter && detail.contains(part), "{query}: {named}: {detail}");
    };
    check("width=5000", "width", "between 1 and 4096").await;
    check("height=0", "height", "between 1 and 4096").await;
    check("height=tall", "height", "not a number").await;
    check("width=1e400", "width", "not a number").await;
    check("areaMode=some", "areaMode", "none, first, all, stacked").await;
    check("lineMode=curly", "lineMode", "slope, staircase, connected").await;
    check("bgcolor=nothing", "bgcolor", "no colour").await;
    check("colorList=red,12345", "colorList", "no colour").await;
    check("yMax=high", "yMax", "not a number").await;
    check("graphType=pie", "graphType", "there is line").await;
    // Words of Graphite's, and what only its own drawing knows.
    pixels(&world, "target=a.x&yMax=max&yMin=default&xFormat=%25H&fontName=Sans&template=mine&tz=No/Where")
        .await;
}

#[tokio::test]
async fn too_many_series_are_no_picture() {
    let world = World::new();
    let names: Vec<String> = (0..=1_000).map(|at| format!("s.{at}")).collect();
    world.append(&names.iter().map(|name| (name.as_str(), 60, 1.0)).collect::<Vec<_>>()).await;
    let (_, detail) = World::refusal(world.get("/render?target=s.*&from=1&until=100").await);
    assert!(detail.contains("1001 series"), "{detail}");
}
