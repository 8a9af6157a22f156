//! The dashboard while it is edited: the page shows it as it will be, what is saved is this, and until then the address has it.

use super::{Address, AppState, TARGETS_PANEL};
use sonde_shared::dashboard::{Dashboard, Panel, free_id, slug};
use sonde_shared::view::BoardEdits;
use std::collections::BTreeSet;

/// The editor that is open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Editor {
    /// The id of the panel that is edited.
    pub panel: String,
    /// Rises when a value came from elsewhere than the editor, whose fields are to show it.
    pub renewed: u32,
    /// What its chart shows while it is not known whether the targets can be read, or known that they cannot.
    pub held: Option<Box<Panel>>,
}

/// A step of editing.
#[derive(Clone, Debug, PartialEq)]
pub enum EditStep {
    /// The panel with this id is edited.
    Open(String),
    /// A new panel of these targets is edited.
    Add(Vec<String>),
    /// The panel with this id has one more target.
    AddTarget(String, String),
    /// The panel is this now; its id stays, but for that of a panel that is not saved and is named after its title.
    Change(Box<Panel>),
    /// The panel's targets can be read.
    Readable,
    /// The panel has another id, unless another panel has that.
    Rename(String),
    /// The panel goes so many places down, or up.
    Move(isize),
    /// The panel goes.
    Remove,
    /// The editor closes; what was edited stays as it is.
    Close,
    /// The panel with this id is as it was saved.
    Revert(String),
    /// All is as it was saved.
    Discard,
}

impl AppState {
    /// The dashboard with its panels as they are shown.
    pub fn shown_board(&self) -> Option<&Dashboard> {
        self.draft.as_ref().or(self.dashboard.as_ref())
    }

    /// The panel that is edited.
    pub fn edited_panel(&self) -> Option<&Panel> {
        let editor = self.editor.as_ref()?;
        self.shown_board()?.panels.iter().find(|panel| panel.id == editor.panel)
    }

    /// The panels as they are drawn: one whose targets cannot be read is so with its last ones that could.
    pub fn drawn_panels(&self) -> Vec<Panel> {
        let held = self.editor.as_ref().and_then(|editor| editor.held.as_deref());
        let drawn = |panel: &Panel| held.filter(|held| held.id == panel.id).unwrap_or(panel).clone();
        self.panels().map(drawn).collect()
    }

    /// What of the edits no panel tells of itself: that some were taken away, or have other places.
    pub fn rearranged(&self) -> Option<String> {
        let edits = &self.view.edits;
        let removed = edits.removed().count();
        match (removed, edits.order.is_empty()) {
            (0, true) => None,
            (0, false) => Some("The charts' order is edited".to_owned()),
            (1, _) => Some("One chart is removed".to_owned()),
            (count, _) => Some([&count.to_string(), " charts are removed"].concat()),
        }
    }

    /// Makes the dashboard as the address has it of the one that is saved, and tells what has no place in it.
    pub(super) fn take_edits(&mut self) {
        let former = self.draft.take();
        if let Some(saved) = self.dashboard.as_ref().filter(|_| !self.view.edits.is_empty()) {
            let (board, problems) = self.view.edits.applied(saved);
            self.problems.extend(problems);
            self.keep(board);
        }
        if self.draft != former {
            self.renew_editor();
        }
        if self.edited_panel().is_none() {
            self.editor = None;
        }
    }

    pub(super) fn step_edit(&mut self, step: EditStep) -> Address {
        let removes = step == EditStep::Remove;
        let is_typed = matches!(step, EditStep::Change(_)) && !self.view.edits.is_empty();
        let Some(mut board) = self.shown_board().cloned() else { return self.step_targets(step) };
        match step {
            EditStep::Open(id) => self.open_editor(id),
            EditStep::Add(targets) => self.open_editor(add_panel(&mut board, targets)),
            EditStep::AddTarget(panel, target) if panel == TARGETS_PANEL => self.add_own_target(target),
            EditStep::AddTarget(panel, target) => self.add_target(&mut board, panel, target),
            EditStep::Close => self.close_editor(&mut board),
            EditStep::Revert(id) => self.revert(&mut board, &id),
            EditStep::Discard => {
                self.renew_editor();
                board = self.dashboard.clone().unwrap_or_default();
            }
            step => self.step_panel(&mut board, step),
        }
        self.keep(board);
        if self.edited_panel().is_none() && !removes {
            self.editor = None;
        }
        if is_typed { Address::Replace } else { Address::Push }
    }

    /// Without a dashboard there is the panel of the address' targets, which has no editor.
    fn step_targets(&mut self, step: EditStep) -> Address {
        if let EditStep::AddTarget(_, target) = step {
            self.add_own_target(target);
        }
        Address::Push
    }

    /// What is shown from now on, as the address has it.
    fn keep(&mut self, board: Dashboard) {
        let Some(saved) = &self.dashboard else { return };
        self.view.edits = BoardEdits::between(saved, &board);
        self.draft = (!self.view.edits.is_empty()).then_some(board);
    }

    fn open_editor(&mut self, panel: String) {
        let editor = self.editor.get_or_insert_default();
        editor.held = None;
        if editor.panel != panel {
            editor.panel = panel;
            editor.renewed += 1;
        }
    }

    fn renew_editor(&mut self) {
        if let Some(editor) = &mut self.editor {
            editor.renewed += 1;
            editor.held = None;
        }
    }

    /// A chart that was added and has nothing to draw yet goes with its editor.
    fn close_editor(&mut self, board: &mut Dashboard) {
        let Some(editor) = self.editor.take() else { return };
        let is_saved =
            |id: &str| self.dashboard.iter().any(|saved| saved.panels.iter().any(|one| one.id == id));
        board.panels.retain(|one| one.id != editor.panel || is_saved(&one.id) || !one.asked().is_empty());
    }

    fn revert(&mut self, board: &mut Dashboard, id: &str) {
        let saved = self.dashboard.iter().flat_map(|saved| &saved.panels).find(|panel| panel.id == id);
        let Some(place) = board.panels.iter().position(|panel| panel.id == id) else { return };
        match saved {
            Some(saved) => board.panels[place] = saved.clone(),
            None => drop(board.panels.remove(place)),
        }
        self.renew_editor();
    }

    fn add_own_target(&mut self, target: String) {
        let others = self.view.targets.iter().filter(|other| **other != target);
        self.set_targets(others.cloned().chain([target.clone()]).collect());
    }

    fn add_target(&mut self, board: &mut Dashboard, id: String, target: String) {
        if let Some(panel) = board.panels.iter_mut().find(|panel| panel.id == id)
            && !panel.targets.contains(&target)
        {
            panel.targets.push(target);
        }
        self.open_editor(id);
        self.renew_editor();
    }

    /// A step with the panel that is edited.
    fn step_panel(&mut self, board: &mut Dashboard, step: EditStep) {
        let Some(editor) = &mut self.editor else { return };
        let Some(place) = board.panels.iter().position(|panel| panel.id == editor.panel) else { return };
        match step {
            EditStep::Change(panel) => {
                let panel = Panel { id: editor.panel.clone(), ..*panel };
                editor.hold(&board.panels[place], &panel);
                let follows = is_named_after(&panel.id, &board.panels[place].title);
                board.panels[place] = panel;
                if follows {
                    self.name_after_title(board, place);
                }
            }
            EditStep::Readable => editor.held = None,
            EditStep::Rename(text) => {
                let id = slug(&text);
                if board.panels.iter().any(|panel| panel.id == id) {
                    return;
                }
                editor.held = None;
                editor.renewed += 1;
                self.rename_panel(board, place, id);
            }
            EditStep::Move(by) => {
                let next = place.saturating_add_signed(by).min(board.panels.len() - 1);
                let panel = board.panels.remove(place);
                board.panels.insert(next, panel);
            }
            EditStep::Remove => {
                board.panels.remove(place);
                // The neighbour is edited then; without one, nothing is.
                editor.held = None;
                let next = board.panels.get(place).or(board.panels.last());
                editor.panel = next.map(|panel| panel.id.clone()).unwrap_or_default();
                editor.renewed += 1;
            }
            _ => {}
        }
    }

    /// Gives the edited panel, which is not saved, the id that its title makes; a saved one keeps the id that addresses have.
    fn name_after_title(&mut self, board: &mut Dashboard, place: usize) {
        let saved = self.dashboard.iter().flat_map(|saved| &saved.panels);
        let taken: BTreeSet<&str> = saved.map(|panel| panel.id.as_str()).collect();
        let own = &board.panels[place].id;
        if taken.contains(own.as_str()) {
            return;
        }
        let id = free_id(&board.panels[place].title, |id| {
            !taken.contains(id) && board.panels.iter().all(|panel| panel.id == *own || panel.id != id)
        });
        self.rename_panel(board, place, id);
    }

    /// Gives the edited panel another id, and that to all that names it.
    fn rename_panel(&mut self, board: &mut Dashboard, place: usize, id: String) {
        let former = std::mem::replace(&mut board.panels[place].id, id.clone());
        let named = [&mut self.view.panel, &mut self.view.maximized].into_iter().flatten();
        let edited = self.editor.iter_mut().flat_map(|editor| {
            let held = editor.held.as_mut().map(|held| &mut held.id);
            [Some(&mut editor.panel), held].into_iter().flatten()
        });
        named.chain(edited).filter(|named| **named == former).for_each(|named| id.clone_into(named));
    }
}

/// Whether an id was made of a title, as [`Dashboard::with_ids`] makes them.
fn is_named_after(id: &str, title: &str) -> bool {
    let Some(number) = id.strip_prefix(&slug(title)) else { return false };
    number.is_empty() || number.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok())
}

impl Editor {
    /// Other targets are drawn once they can be read; all else is at once.
    fn hold(&mut self, before: &Panel, now: &Panel) {
        let drawn = self.held.as_deref().unwrap_or(before);
        let targets = (drawn.targets.clone(), drawn.right.clone());
        let differs = before.targets != now.targets || before.right != now.right;
        if self.held.is_some() || differs {
            let (targets, right) = targets;
            self.held = Some(Box::new(Panel { targets, right, ..now.clone() }));
        }
    }
}

/// One more panel; its id.
fn add_panel(board: &mut Dashboard, targets: Vec<String>) -> String {
    let title = targets.first().map_or("New chart", |target| target.as_str()).to_owned();
    board.panels.push(Panel { title, targets, ..Panel::default() });
    *board = std::mem::take(board).with_ids();
    board.panels.last().map(|panel| panel.id.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Command;
    use crate::state::tests::{at, board, opened};

    fn ids(state: &AppState) -> Vec<&str> {
        state.panels().map(|panel| panel.id.as_str()).collect()
    }

    fn step(state: &mut AppState, step: EditStep) -> Address {
        state.apply(Command::Edit(step))
    }

    fn navigate(state: &mut AppState, url: &str) {
        let (path, query) = url.split_once('?').unwrap();
        let (path, query, now) = (path.to_owned(), query.to_owned(), at("2026-11-20T15:00:00Z"));
        state.apply(Command::Navigate { path, query, now });
    }

    #[test]
    fn what_is_edited_is_shown_and_in_the_address_until_it_is_as_it_was() {
        let mut state = opened("/");
        let address = state.view.to_url();
        assert_eq!(step(&mut state, EditStep::Open("disk".into())), Address::Keep);
        let disks = Panel { title: "Disks".into(), targets: vec!["x".into()], ..Panel::default() };
        // The first change is an entry of its own, the next ones replace it.
        assert_eq!(step(&mut state, EditStep::Change(Box::new(disks.clone()))), Address::Push);
        let disks = Panel { targets: vec!["y".into()], ..disks };
        assert_eq!(step(&mut state, EditStep::Change(Box::new(disks))), Address::Replace);
        assert_eq!(step(&mut state, EditStep::Move(-1)), Address::Push);
        assert_eq!(ids(&state), ["disk", "orders", "sun"]);
        let edits = "&edit.disk.title=Disks&edit.disk.target=y&panels=disk,orders,sun";
        assert_eq!(state.view.to_url(), format!("/d/shop?v=1&t=-2h..now{edits}&live=1"));
        let edited = state.view.to_url();
        assert_eq!(step(&mut state, EditStep::Close), Address::Keep);
        assert_eq!((state.editor.as_ref(), ids(&state)), (None, vec!["disk", "orders", "sun"]));
        step(&mut state, EditStep::Discard);
        assert_eq!((state.view.to_url(), ids(&state)), (address.clone(), vec!["orders", "disk", "sun"]));
        navigate(&mut state, &edited);
        assert_eq!(ids(&state), ["disk", "orders", "sun"]);
        assert_eq!(state.panel("disk").map(|panel| panel.title.as_str()), Some("Disks"));
        // Saved, the address has nothing left of it.
        let saved = state.shown_board().unwrap().clone();
        state.apply(Command::DashboardLoaded(saved));
        assert_eq!((state.view.to_url(), state.draft.as_ref()), (address, None));
    }

    #[test]
    fn edits_are_laid_over_what_somebody_else_saved() {
        let mut state = opened("/d/shop?edit.disk.unit=bytes&edit.gone.unit=s&edit.sun.min=low");
        assert_eq!(state.panel("disk").map(|panel| panel.unit.as_str()), Some("bytes"));
        assert_eq!(state.problems.len(), 2, "{:?}", state.problems);
        let mut theirs = board().with_ids();
        theirs.panels.truncate(2);
        theirs.panels[0].unit = "ms".into();
        state.apply(Command::DashboardLoaded(theirs));
        let units: Vec<&str> = state.panels().map(|panel| panel.unit.as_str()).collect();
        assert_eq!(units, ["ms", "bytes"]);
    }

    #[test]
    fn targets_are_drawn_once_they_can_be_read_and_all_else_at_once() {
        let mut state = opened("/");
        step(&mut state, EditStep::Open("disk".into()));
        let mut panel = state.edited_panel().unwrap().clone();
        let drawn = |state: &AppState| {
            let panel = state.drawn_panels().into_iter().find(|panel| panel.id == "disk").unwrap();
            (panel.targets.join(" "), panel.unit)
        };
        panel.targets = vec!["sum(".into()];
        step(&mut state, EditStep::Change(Box::new(panel.clone())));
        panel.unit = "s".into();
        step(&mut state, EditStep::Change(Box::new(panel.clone())));
        assert_eq!(drawn(&state), ("servers.n7.disk".to_owned(), "s".to_owned()));
        assert!(state.view.to_url().contains("edit.disk.target=sum("), "nothing that was typed is lost");
        panel.targets = vec!["sum(a)".into()];
        step(&mut state, EditStep::Change(Box::new(panel)));
        step(&mut state, EditStep::Readable);
        assert_eq!(drawn(&state), ("sum(a)".to_owned(), "s".to_owned()));
    }

    #[test]
    fn one_panel_is_as_it_was_and_the_others_stay_edited() {
        let mut state = opened("/d/shop?edit.disk.unit=bytes&edit.orders.unit=s&edit.sun.removed=1");
        assert_eq!((ids(&state), state.rearranged().is_some()), (vec!["orders", "disk"], true));
        step(&mut state, EditStep::Revert("disk".into()));
        assert!(state.view.edits.has("orders") && !state.view.edits.has("disk"));
    }

    #[test]
    fn an_id_changes_with_what_names_it_and_is_never_that_of_another() {
        let mut state = opened("/d/shop?panel=disk");
        step(&mut state, EditStep::Open("disk".into()));
        step(&mut state, EditStep::Rename("Orders".into()));
        assert_eq!(ids(&state), ["orders", "disk", "sun"]);
        step(&mut state, EditStep::Rename("Disk of n7".into()));
        assert_eq!(ids(&state), ["orders", "disk-of-n7", "sun"]);
        assert_eq!(state.view.panel.as_deref(), Some("disk-of-n7"));
        assert_eq!(state.edited_panel().map(|panel| panel.title.as_str()), Some("Disk"));
        let url = state.view.to_url();
        let mut again = opened(&url);
        navigate(&mut again, &url);
        assert_eq!(ids(&again), ["orders", "disk-of-n7", "sun"]);
    }

    #[test]
    fn panels_are_added_and_removed_one_after_the_other() {
        let mut state = opened("/");
        step(&mut state, EditStep::Add(vec!["sun".into()]));
        assert_eq!(ids(&state), ["orders", "disk", "sun", "sun-2"]);
        step(&mut state, EditStep::Move(99));
        step(&mut state, EditStep::Remove);
        assert_eq!(state.edited_panel().map(|panel| panel.id.as_str()), Some("sun"));
        for _ in 0..3 {
            step(&mut state, EditStep::Remove);
        }
        assert_eq!((ids(&state), state.edited_panel()), (vec![], None));
        step(&mut state, EditStep::Discard);
        step(&mut state, EditStep::Add(Vec::new()));
        assert_eq!(ids(&state).last(), Some(&"new-chart"));
        step(&mut state, EditStep::Close);
        assert_eq!((ids(&state), state.draft.as_ref()), (vec!["orders", "disk", "sun"], None));
    }

    #[test]
    fn the_id_of_a_new_panel_follows_its_title_until_it_is_saved_or_named_by_hand() {
        let mut state = opened("/");
        step(&mut state, EditStep::Add(Vec::new()));
        let renewed = |state: &AppState| state.editor.as_ref().map(|editor| editor.renewed);
        let at_first = renewed(&state);
        let retitle = |state: &mut AppState, title: &str| {
            let panel = state.edited_panel().unwrap().clone();
            let panel = Panel { title: title.into(), targets: vec!["a".into()], ..panel };
            step(state, EditStep::Change(Box::new(panel)));
        };
        retitle(&mut state, "Tide");
        state.apply(Command::Activate("tide".into()));
        retitle(&mut state, "Orders");
        assert_eq!((ids(&state)[3], state.view.panel.as_deref()), ("orders-2", Some("orders-2")));
        retitle(&mut state, "Tide of the day");
        assert_eq!(ids(&state)[3], "tide-of-the-day");
        // Whoever types the title is not to lose the field.
        assert_eq!(renewed(&state), at_first);
        step(&mut state, EditStep::Rename("tide".into()));
        retitle(&mut state, "Ebb");
        assert_eq!(ids(&state)[3], "tide");
        // One that is saved keeps its id.
        step(&mut state, EditStep::Rename("ebb".into()));
        let saved = state.shown_board().unwrap().clone();
        state.apply(Command::DashboardLoaded(saved));
        retitle(&mut state, "Flood");
        assert_eq!(ids(&state)[3], "ebb");
    }
}
