//! The dashboard while it is edited: the page shows it as it will be, and what is saved is this.

use super::{AppState, TARGETS_PANEL};
use sonde_shared::dashboard::{Dashboard, Panel};

/// An edited dashboard, and which of its panels is being edited.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The dashboard as it will be.
    pub board: Dashboard,
    /// The panel's id.
    pub panel: String,
    /// Rises when a target came from elsewhere than the editor, whose fields are to show it.
    pub added: u32,
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
    /// The panel is this now; its id stays.
    Change(Box<Panel>),
    /// The panel goes so many places down, or up.
    Move(isize),
    /// The panel goes.
    Remove,
    /// All is as it was.
    Cancel,
}

impl AppState {
    /// The dashboard with its panels as they are shown.
    pub(super) fn shown_board(&self) -> Option<&Dashboard> {
        self.edit.as_ref().map(|edit| &edit.board).or(self.dashboard.as_ref())
    }

    /// The panel that is edited.
    pub fn edited_panel(&self) -> Option<&Panel> {
        self.edit.as_ref().and_then(|edit| edit.board.panels.iter().find(|panel| panel.id == edit.panel))
    }

    pub(super) fn step_edit(&mut self, step: EditStep) {
        match (step, &mut self.edit) {
            (EditStep::Open(id), _) => self.open_edit(id),
            (EditStep::Add(targets), _) => self.add_panel(targets),
            (EditStep::AddTarget(panel, target), _) => self.add_target(panel, target),
            (EditStep::Change(panel), Some(edit)) => edit.change(*panel),
            (EditStep::Move(by), Some(edit)) => edit.shift(by),
            (EditStep::Remove, Some(edit)) => edit.remove(),
            (EditStep::Cancel, edit) => *edit = None,
            (EditStep::Change(_) | EditStep::Move(_) | EditStep::Remove, None) => {}
        }
    }

    fn begin_edit(&mut self) -> Option<&mut Edit> {
        let board = self.shown_board()?.clone();
        Some(self.edit.insert(Edit { board, panel: String::new(), added: 0 }))
    }

    fn open_edit(&mut self, id: String) {
        if let Some(edit) = self.begin_edit() {
            edit.panel = id;
        }
    }

    /// The panel of the address' targets has no editor: there they are in the address.
    fn add_target(&mut self, panel: String, target: String) {
        if panel == TARGETS_PANEL {
            let others = self.view.targets.iter().filter(|other| **other != target);
            return self.set_targets(others.cloned().chain([target.clone()]).collect());
        }
        let added = self.edit.as_ref().map_or(0, |edit| edit.added);
        self.open_edit(panel);
        let Some(edit) = &mut self.edit else { return };
        edit.added = added + 1;
        if let Some(place) = edit.place().filter(|place| !edit.board.panels[*place].targets.contains(&target))
        {
            edit.board.panels[place].targets.push(target);
        }
    }

    fn add_panel(&mut self, targets: Vec<String>) {
        let Some(edit) = self.begin_edit() else { return };
        let title = targets.first().map_or("New chart", |target| target.as_str()).to_owned();
        edit.board.panels.push(Panel { title, targets, ..Panel::default() });
        edit.board = std::mem::take(&mut edit.board).with_ids();
        edit.panel = edit.board.panels.last().map(|panel| panel.id.clone()).unwrap_or_default();
    }
}

impl Edit {
    fn place(&self) -> Option<usize> {
        self.board.panels.iter().position(|panel| panel.id == self.panel)
    }

    fn change(&mut self, panel: Panel) {
        if let Some(place) = self.place() {
            self.board.panels[place] = Panel { id: self.panel.clone(), ..panel };
        }
    }

    fn shift(&mut self, by: isize) {
        let Some(place) = self.place() else { return };
        let next = place.saturating_add_signed(by).min(self.board.panels.len() - 1);
        let panel = self.board.panels.remove(place);
        self.board.panels.insert(next, panel);
    }

    /// The neighbour is edited then; without one, nothing is.
    fn remove(&mut self) {
        let Some(place) = self.place() else { return };
        self.board.panels.remove(place);
        let next = self.board.panels.get(place).or(self.board.panels.last());
        self.panel = next.map(|panel| panel.id.clone()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{board, opened};
    use crate::state::{Address, Command};

    fn ids(state: &AppState) -> Vec<&str> {
        state.panels().map(|panel| panel.id.as_str()).collect()
    }

    #[test]
    fn what_is_edited_is_shown_and_not_in_the_address() {
        let mut state = opened("/");
        let address = state.view.to_url();
        let mut step = |step: EditStep| assert_eq!(state.apply(Command::Edit(step)), Address::Keep);
        step(EditStep::Open("disk".into()));
        let disks = Panel { title: "Disks".into(), targets: vec!["x".into()], ..Panel::default() };
        step(EditStep::Change(Box::new(disks)));
        step(EditStep::Move(-1));
        assert_eq!(ids(&state), ["disk", "orders", "sun"]);
        assert_eq!(state.edited_panel().map(|panel| panel.title.as_str()), Some("Disks"));
        assert_eq!(state.view.to_url(), address);
        state.apply(Command::Edit(EditStep::Cancel));
        assert_eq!(ids(&state), ["orders", "disk", "sun"]);
        assert_eq!(state.dashboard, Some(board().with_ids()));
    }

    #[test]
    fn panels_are_added_and_removed_one_after_the_other() {
        let mut state = opened("/");
        state.apply(Command::Edit(EditStep::Add(vec!["sun".into()])));
        assert_eq!(ids(&state), ["orders", "disk", "sun", "sun-2"]);
        state.apply(Command::Edit(EditStep::Move(99)));
        state.apply(Command::Edit(EditStep::Remove));
        assert_eq!(state.edited_panel().map(|panel| panel.id.as_str()), Some("sun"));
        for _ in 0..3 {
            state.apply(Command::Edit(EditStep::Remove));
        }
        assert_eq!((ids(&state), state.edited_panel()), (vec![], None));
    }
}
