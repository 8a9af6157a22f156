//! The whole system, as its users meet it: the real binary fed by real senders, asked over HTTP and looked at in a real
//! browser. Every subject has its file. The machinery is in the package's library.

/// Nothing on the page keeps anybody out.
mod axe;
/// Dashboards made, copied and deleted in the page.
mod boards;
/// The main job: brush a spike, read its lines, pass the address on.
mod brush;
/// A chart by keys alone.
mod chart_keys;
mod charts;
/// graphite-web renders through Sonde what Sonde renders itself.
mod cluster;
/// What the program does beside serving.
mod commands;
/// What the lines have in common, in order and counted; the way back from a line.
mod counts;
/// A part of the disk is kept for what must run when it is full.
mod disk_reserve;
/// What was acknowledged is there after a torn file or a full disk.
mod durability;
/// What was acknowledged is there after `kill -9` at any moment.
mod durability_kills;
/// What was read of points is there after `kill -9`, whatever they came by.
mod durability_points;
/// The editor of a chart.
mod editor;
/// Who follows gets every line once, or is told what went.
mod followers;
/// Files that another program writes, served in place.
mod foreign;
/// Snapping, the baseline, fingers and Escape on the charts.
mod gestures;
/// The requests of Grafana.
mod grafana;
/// The tools these tests stand on: does a drag reach a page, is an error on a page noticed?
mod harness;
/// Whose lines these are, at any width.
mod head;
/// Texts that mean harm do none.
mod hostile;
/// A Graphite's stored points are taken over.
mod import_whisper;
/// What is sent in is found again, however it was sent; what is bad hurts nothing else.
mod ingest;
/// Keys that lead from one line to the next of interest.
mod jumps;
/// What comes is seen as it comes.
mod live;
/// What the page asks and draws when it is opened.
mod loads;
/// `sonde logs`: what the interface answers, in a terminal.
mod logs_command;
/// A million lines in the pane.
mod million;
/// What stands between lines, an empty pane, a server that goes away.
mod pane;
/// What queries answer, compared with a plain scan of the same lines.
mod queries;
/// What narrows lines, what they have in common, how they are shown.
mod reading;
/// What is refused, and whether the refusal says how to do it right.
mod refusals;
/// A body that is sent again is stored once.
mod resend;
/// What is older than the retention goes, and nothing else.
mod retention;
/// Components that are kept for other times than the rest.
mod retention_by_component;
/// Rows of the list show one line after the other, and each as it is.
mod rows;
/// A copy of a folder, taken while a server writes to it.
mod snapshot;
/// What is said when the server cannot start.
mod start;
/// A page that has stopped says so.
mod stopped;
/// A query streams: slow readers hold up nobody, and who leaves is forgotten.
mod streaming;
/// Rules of the house, read off the sources.
mod three_ways;
mod tidy;
/// Charts and lines tied together by the instant under the pointer.
mod tie;
/// The trees at the side: components, metrics.
mod tree;
/// A range as text.
mod typed_range;
/// Days whose index is gone.
mod unindexed;
/// Nothing is mapped where nobody wants it.
mod unmapped;
/// A world that the demo does not know.
mod unseen;
/// The page on a wall.
mod wall;
/// What is different in a selection.
mod why;
/// What changed, in the page: each finding leads to what it is of, and back.
mod why_charts;
/// The same on pages that have no column for it.
mod why_narrow;
mod why_pane;
/// What is drawn at any zoom is what the points are.
mod zooms;
