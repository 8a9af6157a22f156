//! The visible parts, one file each. A pane shows signals and sends commands; it neither asks the server nor touches the
//! address.

mod announce;
mod baseline_control;
mod charts;
mod choice;
mod component_tree;
mod editor;
mod empty;
mod help;
mod highlight;
mod icons;
mod in_sight;
mod line_fields;
mod line_row;
mod list_keys;
mod log_filters;
mod log_head;
mod log_list;
mod log_pane;
mod more_menu;
mod notes;
mod patterns;
mod reading;
mod scrollbar;
mod selection_bar;
mod share;
mod splitter;
mod text_filter;
mod time_picker;
mod top_bar;
mod typed_range;
mod why;

pub use announce::Announcer;
pub use charts::Charts;
pub use component_tree::ComponentTree;
pub use editor::PanelEditor;
pub use help::HelpDialog;
pub use log_pane::LogPane;
pub use notes::Notes;
pub use selection_bar::SelectionBar;
pub use splitter::{Splitter, stored_split};
pub use top_bar::TopBar;
pub use why::{WhyPane, WhyPlace};
