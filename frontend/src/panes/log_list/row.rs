//! One row's element: level, time, component, host, message; its fields below it while it is expanded.
//!
//! It is made once and shows one line after the other: what stands in it is written only where it is another than before.

use super::super::focus::has_focus;
use super::super::highlight::pieces;
use super::super::line_fields::LineFields;
use super::focus_list;
use crate::lines::{Find, Row};
use crate::plain::plain;
use crate::text::{self, Stamp};
use leptos::mount::mount_to;
use leptos::prelude::*;
use sonde_shared::time::ZoneClock;
use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// The most of a value that is put into a column.
const MAX_CELL_CHARS: usize = 100;

/// How rows are written, all of them alike.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Look {
    /// Which times they show; since the start of a range that follows the clock they change each second.
    pub(super) stamp: Stamp,
    /// The clock of the zone they are in.
    pub(super) zone: ZoneClock<'static>,
    /// What is marked in their texts.
    pub(super) find: Option<Find>,
    /// The fields that have columns of their own.
    pub(super) columns: Vec<String>,
}

/// What is to be seen of a row.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "a row may have any of its marks")]
pub(super) struct Shown {
    /// Its position among all lines.
    pub(super) index: u64,
    /// Its line; `None` where that is not there yet.
    pub(super) line: Option<Arc<Row>>,
    /// What the mark above it says.
    pub(super) mark: Option<String>,
    /// Whether the keys act on it.
    pub(super) is_cursor: bool,
    /// Whether it is the line nearest to a chart's crosshair.
    pub(super) is_nearest: bool,
    /// Whether it is the line that the address names.
    pub(super) is_open: bool,
    /// Whether its fields stand below it.
    pub(super) has_fields: bool,
}

impl Shown {
    fn class(&self) -> String {
        let named = |is: bool, name| if is { name } else { "" };
        match &self.line {
            None => "row waiting".to_owned(),
            Some(line) => [
                "row level-",
                line.level.name(),
                named(self.is_cursor, " cursor"),
                named(self.is_open, " open"),
                named(self.is_nearest, " nearest"),
            ]
            .concat(),
        }
    }

    fn shows_line_of(&self, other: &Self) -> bool {
        self.line.as_ref().map(|line| &line.id) == other.line.as_ref().map(|line| &line.id)
    }
}

/// A row's element, and what stands in it.
pub(super) struct RowElement {
    root: HtmlElement,
    /// The mark above its line, and what that says.
    mark: Option<(String, Element)>,
    cells: Cells,
    /// The expanded line's fields, for as long as they are kept.
    fields: Option<Box<dyn Any>>,
    shown: Option<(Shown, Rc<Look>)>,
}

impl RowElement {
    pub(super) fn new() -> Option<Self> {
        let root: HtmlElement = element("div", "row", "row")?.unchecked_into();
        Some(Self { root, mark: None, cells: Cells::new()?, fields: None, shown: None })
    }

    pub(super) fn root(&self) -> &HtmlElement {
        &self.root
    }

    /// The id of the line that it shows.
    pub(super) fn line_id(&self) -> Option<&str> {
        let (shown, _) = self.shown.as_ref()?;
        shown.line.as_ref().map(|line| line.id.as_str())
    }

    /// Shows nothing, outside of the page.
    pub(super) fn leave(&mut self) {
        self.drop_fields();
        self.root.remove();
        self.shown = None;
    }

    /// The focus, which would go with the fields, goes back to the list.
    fn drop_fields(&mut self) {
        if self.fields.is_some() && has_focus(&self.root) {
            focus_list();
        }
        self.fields = None;
    }

    /// Writes what is new; `owner` keeps what the fields follow.
    pub(super) fn show(&mut self, shown: Shown, look: &Rc<Look>, owner: &Owner) {
        let before = self.shown.take();
        if before.as_ref().is_some_and(|(before, before_look)| *before == shown && before_look == look) {
            self.shown = before;
            return;
        }
        let (former, former_look) = before.unzip();
        let former_line = former.as_ref().filter(|former| former.shows_line_of(&shown));
        self.write_place(former.as_ref(), &shown);
        self.write_mark(shown.mark.as_deref());
        if let Some(line) = &shown.line {
            self.cells.write(line, former_look.as_deref().filter(|_| former_line.is_some()), look);
        }
        if former_line.map(|former| (former.index, former.has_fields))
            != Some((shown.index, shown.has_fields))
        {
            self.write_fields(&shown, owner);
        }
        self.shown = Some((shown, Rc::clone(look)));
    }

    /// What is to be read of the row itself: its number, its line, its state.
    fn write_place(&self, former: Option<&Shown>, shown: &Shown) {
        if former.map(|former| former.index) != Some(shown.index) {
            set(&self.root, "aria-rowindex", &(shown.index + 1).to_string());
        }
        let class = shown.class();
        if former.map(Shown::class).as_ref() != Some(&class) {
            self.root.set_class_name(&class);
        }
        if former.is_some_and(|former| former.shows_line_of(shown) && former.has_fields == shown.has_fields) {
            return;
        }
        if let Some(line) = &shown.line {
            set(&self.root, "data-line", &line.id);
            let had_fields = former.filter(|former| former.line.is_some()).map(|former| former.has_fields);
            if had_fields != Some(shown.has_fields) {
                set(&self.root, "aria-expanded", if shown.has_fields { "true" } else { "false" });
            }
            if self.cells.root.parent_node().is_none() {
                append(&self.root, &self.cells.root);
            }
        } else {
            self.cells.root.remove();
            for name in ["data-line", "aria-expanded"] {
                self.root.remove_attribute(name).ok();
            }
        }
    }

    fn write_mark(&mut self, mark: Option<&str>) {
        if self.mark.as_ref().map(|(text, _)| text.as_str()) == mark {
            return;
        }
        if let Some((_, element)) = self.mark.take() {
            element.remove();
        }
        if let Some((text, element)) = mark.zip(element("div", "mark", "")) {
            element.set_text_content(Some(text));
            self.root.prepend_with_node_1(&element).ok();
            self.mark = Some((text.to_owned(), element));
        }
    }

    fn write_fields(&mut self, shown: &Shown, owner: &Owner) {
        self.drop_fields();
        if let Some(row) = shown.line.clone().filter(|_| shown.has_fields) {
            let (index, root) = (shown.index, self.root.clone());
            let fields = move || view! { <LineFields index row /> }.into_any();
            // What the fields follow is theirs, and not what the rows are shown by.
            self.fields = Some(Box::new(untrack(|| owner.with(|| mount_to(root, fields)))));
        }
    }
}

/// A part of a row, and what is written in it: the next line has much in common with the one before.
struct Part {
    element: Element,
    /// `None` where it has marks.
    text: Option<String>,
    title: String,
}

impl Part {
    fn new(element: Element) -> Self {
        Self { element, text: Some(String::new()), title: String::new() }
    }

    fn write(&mut self, text: &str) {
        if self.text.as_deref() != Some(text) {
            self.element.set_text_content(Some(text));
            self.text = Some(text.to_owned());
        }
    }

    fn tell(&mut self, title: &str) {
        if self.title != title {
            if title.is_empty() {
                self.element.remove_attribute("title").ok();
            } else {
                set(&self.element, "title", title);
            }
            title.clone_into(&mut self.title);
        }
    }

    /// Writes a text, with each place marked where it has what is looked for.
    fn write_marked(&mut self, text: &str, find: Option<&Find>) {
        let text = plain(text);
        let Some(find) = find else { return self.write(&text) };
        self.text = None;
        self.element.set_text_content(None);
        for (number, piece) in pieces(&text, find).iter().enumerate() {
            if number % 2 == 0 {
                self.element.append_with_str_1(piece).ok();
            } else if let Some(mark) = element("mark", "", "") {
                mark.set_text_content(Some(piece));
                append(&self.element, &mark);
            }
        }
    }
}

/// The cells of a row, in their order.
struct Cells {
    root: Element,
    time: Part,
    tag: Part,
    component: Part,
    path: [Part; 2],
    host: Part,
    columns: Vec<Part>,
    message: Element,
    message_parts: [Part; 3],
}

impl Cells {
    fn new() -> Option<Self> {
        let root = element("div", "cells", "presentation")?;
        let bar = element("span", "level-bar", "")?;
        set(&bar, "aria-hidden", "true");
        append(&root, &bar);
        let cell = |class| {
            let cell = element("span", class, "gridcell")?;
            append(&root, &cell);
            Some(Part::new(cell))
        };
        let part = |parent: &Element, class| within(parent, class).map(Part::new);
        let (time, tag, component) = (cell("time")?, cell("tag")?, cell("component")?);
        let path = within(&component.element, "path")?;
        let path = [part(&path, "faint")?, part(&path, "name")?];
        let (host, message) = (cell("host")?, cell("message")?.element);
        let message_parts = [part(&message, "text")?, part(&message, "more-lines")?, part(&message, "rest")?];
        Some(Self { time, tag, component, path, host, columns: Vec::new(), message, message_parts, root })
    }

    /// Writes a line; `former` is how the same line was written before.
    fn write(&mut self, line: &Row, former: Option<&Look>, look: &Look) {
        let texts = |look: &Look| (look.zone, look.find.clone());
        let is_same = former.is_some_and(|former| texts(former) == texts(look));
        if !is_same {
            self.write_texts(line, look);
        }
        if !is_same || former.is_some_and(|former| former.stamp != look.stamp) {
            self.time.write(&look.stamp.write(line.at, look.zone));
        }
        if former.is_none_or(|former| former.columns != look.columns) {
            self.write_columns(line, &look.columns);
        }
    }

    fn write_texts(&mut self, line: &Row, look: &Look) {
        let (component, host) = (plain(&line.component), plain(&line.host));
        let (prefix, name) = split_component(&component);
        self.time.tell(&Stamp::Year.write(line.at, look.zone));
        self.tag.write(line.level.tag());
        self.component.tell(&component);
        let [path, last] = &mut self.path;
        path.write(prefix);
        last.write(name);
        self.host.tell(&host);
        self.host.write(&host);
        let says = line.text();
        let more = (says.more_lines > 0).then(|| ["+", &text::lines(says.more_lines as u64)].concat());
        let rest = if says.rest.is_empty() { String::new() } else { [" ", &says.rest].concat() };
        let [message, more_lines, further] = &mut self.message_parts;
        message.write_marked(&says.message, look.find.as_ref());
        let more = more.unwrap_or_default();
        if more_lines.text.as_deref() != Some(&more) {
            self.message.set_class_name(if more.is_empty() { "message" } else { "message several" });
        }
        more_lines.write(&more);
        further.write_marked(&rest, look.find.as_ref());
    }

    /// The fields that have columns of their own, before the message.
    fn write_columns(&mut self, line: &Row, columns: &[String]) {
        for cell in self.columns.drain(columns.len().min(self.columns.len())..) {
            cell.element.remove();
        }
        let fields = if columns.is_empty() { Vec::new() } else { line.fields() };
        for (place, name) in columns.iter().enumerate() {
            if place == self.columns.len() {
                let Some(cell) = element("span", "column", "gridcell") else { return };
                self.root.insert_before(&cell, Some(&self.message)).ok();
                self.columns.push(Part::new(cell));
            }
            let field = fields.iter().find(|field| field.key == *name);
            let value = field.map(|field| plain(&field.value)).unwrap_or_default();
            let cell = one_line(&value);
            self.columns[place].tell(&cell);
            self.columns[place].write(&cell);
        }
    }
}

/// The first line of a value, and no more of it than a column shows; an ellipsis stands for the rest.
fn one_line(value: &str) -> String {
    let first: String = value.lines().next().unwrap_or_default().chars().take(MAX_CELL_CHARS).collect();
    if first.len() < value.trim_end().len() { first + "…" } else { first }
}

/// The path up to the last name, and the last name.
fn split_component(component: &str) -> (&str, &str) {
    component.split_at(component.rfind('.').map_or(0, |at| at + 1))
}

fn element(tag: &str, class: &str, role: &str) -> Option<Element> {
    let element = document().create_element(tag).ok()?;
    for (name, value) in [("class", class), ("role", role)] {
        if !value.is_empty() {
            set(&element, name, value);
        }
    }
    Some(element)
}

fn within(parent: &Element, class: &str) -> Option<Element> {
    let child = element("span", class, "")?;
    append(parent, &child);
    Some(child)
}

fn append(parent: &Element, child: &Element) {
    parent.append_child(child).ok();
}

fn set(element: &Element, name: &str, value: &str) {
    element.set_attribute(name, value).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_shows_one_line_of_a_value() {
        assert_eq!(one_line("a b"), "a b");
        assert_eq!(one_line("E: x\n at a()\n at b()"), "E: x…");
        assert_eq!(one_line("E: x\r\n"), "E: x");
        assert_eq!(one_line(&"é".repeat(101)), format!("{}…", "é".repeat(100)));
        assert_eq!(one_line(""), "");
    }
}
