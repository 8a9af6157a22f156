//! How long the page's script runs in each frame, from what the browser writes down itself (Trace Event Format, as its
//! `DevTools` read it).
//!
//! By the clock a run also holds what other programs took of the core meanwhile, so what the script took of the processor is
//! told beside it. Layout and painting are not script unless the script itself asks for them, nor is what a bench itself looks
//! up in the page: its functions lie in no file.

use serde::Deserialize;
use sonde_tests::browser::{Browser, TracedBrowser};

/// The events that are read here.
const CATEGORIES: &str = "devtools.timeline,blink.user_timing,v8.execute";
/// The page's marks (User Timing) between which frames are looked at.
const MARKS: [&str; 2] = ["watch", "watched"];

/// One event. Times in microseconds.
#[derive(Debug, Deserialize)]
struct Event {
    name: String,
    #[serde(rename = "ph")]
    phase: String,
    #[serde(default)]
    ts: f64,
    /// How long it took.
    #[serde(default)]
    dur: f64,
    /// What it took of the processor.
    #[serde(default)]
    tdur: f64,
    pid: u64,
    tid: u64,
    #[serde(default)]
    args: Args,
}

#[derive(Debug, Default, Deserialize)]
struct Args {
    #[serde(default)]
    data: Data,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    url: String,
    #[serde(default)]
    function_name: String,
}

#[derive(Debug, Deserialize)]
struct Trace {
    #[serde(rename = "traceEvents")]
    events: Vec<Event>,
}

/// The script of one frame, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Frame {
    /// By the clock.
    pub(crate) clock: f64,
    /// What it took of the processor, garbage collected in it included.
    pub(crate) processor: f64,
    /// From its first task to its end by the clock: script, layout and painting.
    pub(crate) whole: f64,
}

/// What was seen of a page.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// The frames with any script of the page, in their order.
    pub(crate) frames: Vec<Frame>,
    /// Each call of the bench's own function `sameWork`, as if it were a frame.
    pub(crate) same_work: Vec<Frame>,
}

/// A browser that writes down what its scripts take.
pub(crate) fn browser() -> TracedBrowser {
    TracedBrowser::open(CATEGORIES)
}

/// Frames count from now on.
pub(crate) fn watch(browser: &Browser) {
    mark(browser, MARKS[0]);
}

/// Frames count no more.
pub(crate) fn watched(browser: &Browser) {
    mark(browser, MARKS[1]);
}

fn mark(browser: &Browser, name: &str) {
    browser.look("performance.mark(arguments[0])", &[name.into()]);
}

/// What was seen between [`watch`] and [`watched`] of pages at an address. The browser is closed.
///
/// # Panics
/// When the browser has not written down so much: it stops where its memory for that is full.
pub(crate) fn all_watched(browser: TracedBrowser, address: &str) -> Watched {
    let trace: Trace = serde_json::from_slice(&browser.close()).expect("the browser's own form");
    let is_page = |event: &&Event| event.args.data.url.starts_with(address);
    let page = trace.events.iter().find(is_page).map(|event| (event.pid, event.tid));
    let [from, until] = MARKS.map(|name| {
        let mark = trace.events.iter().find(|event| event.name == name);
        mark.expect("the browser has written down the whole time").ts
    });
    let is_watched =
        |event: &&Event| Some((event.pid, event.tid)) == page && (from..until).contains(&event.ts);
    let mut events: Vec<_> = trace.events.iter().filter(is_watched).collect();
    // What holds another comes before it.
    events.sort_by(|one, other| one.ts.total_cmp(&other.ts).then(other.dur.total_cmp(&one.dur)));
    let (mut seen, mut frame) = (Watched::default(), Frame::default());
    let (mut frame_start, mut script_until) = (None, f64::NEG_INFINITY);
    for event in events {
        let is_call = matches!(event.name.as_str(), "FunctionCall" | "EvaluateScript");
        match event.name.as_str() {
            "AnimationFrame" if event.phase == "b" => frame_start = Some(event.ts),
            "AnimationFrame" if event.phase == "e" => {
                frame.whole = frame_start.map_or(0.0, |start| (event.ts - start) / 1e3);
                let is_of_script = frame.clock > 0.0;
                let frame = std::mem::take(&mut frame);
                seen.frames.extend(is_of_script.then_some(frame));
            }
            _ if is_call && event.args.data.function_name == "sameWork" => {
                let mut work = Frame::default();
                work.add(event);
                seen.same_work.push(work);
            }
            // What runs within a script is a part of it.
            _ if event.ts < script_until => {}
            _ if is_call && is_page(&event) || event.name == "RunMicrotasks" => {
                frame.add(event);
                script_until = event.ts + event.dur;
            }
            _ => {}
        }
    }
    seen
}

impl Frame {
    fn add(&mut self, script: &Event) {
        self.clock += script.dur / 1e3;
        self.processor += script.tdur / 1e3;
    }
}
