//! The page as a person sees it: panels, band, rows of the log pane, through the attributes that `docs/page.md` promises.
