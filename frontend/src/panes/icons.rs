//! The icons: one set, 16 px, strokes of 1.5 px in the text's colour.

use leptos::prelude::*;

/// A drawing on a grid of 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Icon {
    Add,
    Check,
    Chevron,
    Close,
    Columns,
    Components,
    Context,
    Copy,
    Crosshair,
    Download,
    Edit,
    Event,
    Field,
    Grow,
    Help,
    Host,
    Link,
    Lost,
    Metric,
    Minus,
    Moon,
    More,
    Options,
    Pattern,
    Pause,
    Play,
    Search,
    Shrink,
    Sun,
    Auto,
    Warning,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Add => "M8 3v10M3 8h10",
            Self::Check => "M3 8.5l3.5 3.5L13 5",
            Self::Chevron => "M4 6l4 4 4-4",
            Self::Close => "M4 4l8 8M12 4l-8 8",
            Self::Columns => "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
            Self::Components => "M3 3h4v3H3zM9 10h4v3H9zM5 6v5.5h4",
            Self::Context => "M2.5 4h7M2.5 8h11M2.5 12h7",
            Self::Copy => "M6 6h7v7H6zM10 6V3H3v7h3",
            Self::Crosshair => "M8 1.5v13M1.5 8h13M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
            Self::Download => "M8 2.5v7.5M5 7l3 3 3-3M3 13h10",
            Self::Edit => "M3 13l.6-2.8L11 2.8l2.2 2.2-7.4 7.4zM9.5 4.3l2.2 2.2",
            Self::Event => "M4 14V2.5M4 3h8l-2 2.5L12 8H4",
            Self::Field => "M3 6h10M3 10h10",
            Self::Grow => "M9.5 2.5h4v4M13.5 2.5L9 7M6.5 13.5h-4v-4M2.5 13.5L7 9",
            Self::Shrink => "M13 6.5H9.5V3M9.5 6.5l4-4M3 9.5h3.5V13M6.5 9.5l-4 4",
            Self::Help => {
                "M6 6.2A2 2 0 1 1 8.8 8C8.2 8.4 8 8.7 8 9.5M8 12v.2M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8z"
            }
            Self::Host => "M2.5 3h11v4.5h-11zM2.5 8.5h11V13h-11zM5 5.2h.2M5 10.8h.2",
            Self::Link => "M6.5 9.5l3-3M7 4.5l1-1a3 3 0 0 1 4.5 4.5l-1 1M9 11.5l-1 1A3 3 0 0 1 3.5 8l1-1",
            Self::Lost => "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
            Self::Metric => "M2 12l3.5-4 3 2.5L14 4",
            Self::Minus => "M3.5 8h9",
            Self::Moon => "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
            Self::More => "M3 7.5h1v1H3zM7.5 7.5h1v1h-1zM12 7.5h1v1h-1z",
            Self::Options => "M2.5 4.5h6M11.5 4.5h2M10 3v3M2.5 11.5h2M7.5 11.5h6M6 10v3",
            Self::Pattern => "M6 2.5H4.5v4L3 8l1.5 1.5v4H6M10 2.5h1.5v4L13 8l-1.5 1.5v4H10",
            Self::Pause => "M5.5 3.5v9M10.5 3.5v9",
            Self::Play => "M5 3.5v9l7-4.5z",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3L14 14",
            Self::Sun => {
                "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1"
            }
            Self::Auto => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M11 3.2v9.6",
            Self::Warning => "M8 2.5L14.2 13.5H1.8zM8 6.5v3.2M8 11.6v.2",
        }
    }
}

/// An icon without a name of its own: the control it stands in has one.
#[component]
pub(super) fn Glyph(icon: Icon) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d=icon.path()></path>
        </svg>
    }
}
