//! Views as nodes of the document: made, changed into another view, put somewhere, taken out.
//!
//! When what is shown at a place is made anew, its nodes stay as far as they are alike: the same element with the same kinds
//! of attributes, so that who is typing, or has come there by the keyboard, stays there. Only what is unlike is replaced.

use crate::attribute::Given;
use crate::dom;
use crate::effect::Followed;
use crate::element::{Element, Written};
use crate::keyed::{Item, Key, Keyed, former_places, staying};
use crate::view::View;
use reactive_graph::owner::Owner;
use std::borrow::Cow;
use web_sys::Node;

/// What is shown at a place.
pub(crate) enum Mounted {
    Nothing(Node),
    Text(Node, Cow<'static, str>),
    Element(Box<Made>),
    Inert(Node, &'static str),
    /// The node behind the last one where there may come more.
    Several(Vec<Mounted>, Option<Node>),
    Either(bool, Box<Mounted>),
    Keyed(Rows),
    /// What a closure gave.
    Live(Followed<Mounted>),
}

/// An element that was made.
pub(crate) struct Made {
    tag: &'static str,
    element: web_sys::Element,
    attributes: Vec<Given>,
    child: Option<Mounted>,
}

/// The items of a list with keys.
pub(crate) struct Rows {
    rows: Vec<Row>,
    end: Node,
}

/// An item. What it shows goes before what it owns.
struct Row {
    key: Key,
    mounted: Mounted,
    _owner: Owner,
}

/// Shows a view for as long as it is kept.
pub struct UnmountHandle {
    mounted: Mounted,
    _owner: Owner,
}

impl UnmountHandle {
    pub(crate) fn new(parent: &Node, view: View, owner: Owner) -> Self {
        let mounted = owner.with(|| Mounted::new(view));
        mounted.mount(parent, None);
        Self { mounted, _owner: owner }
    }
}

impl Drop for UnmountHandle {
    fn drop(&mut self) {
        self.mounted.unmount();
    }
}

impl Mounted {
    fn new(view: View) -> Self {
        match view {
            View::Nothing => Self::Nothing(dom::place()),
            View::Text(text) => Self::Text(dom::text(&text), text),
            View::Element(element) => Self::Element(Box::new(Made::new(element))),
            View::Inert(html) => Self::Inert(dom::inert(html), html),
            View::Several(views) => Self::Several(views.into_iter().map(Self::new).collect(), None),
            View::List(views) => {
                Self::Several(views.into_iter().map(Self::new).collect(), Some(dom::place()))
            }
            View::Either(which, view) => Self::Either(which, Box::new(Self::new(*view))),
            View::Keyed(list) => Self::Keyed(Rows::new(list)),
            View::Live(view) => Self::Live(follow(view)),
        }
    }

    /// Shows another view at the same place.
    fn change(&mut self, view: View) {
        match (&mut *self, view) {
            (Self::Nothing(_), View::Nothing) => {}
            (Self::Text(node, text), View::Text(new)) => {
                if *text != new {
                    node.set_node_value(Some(&new));
                    *text = new;
                }
            }
            (Self::Element(made), View::Element(element)) if made.is_like(&element) => made.change(element),
            (Self::Inert(_, html), View::Inert(new)) if *html == new => {}
            (Self::Several(former, None), View::Several(views)) if former.len() == views.len() => {
                former.iter_mut().zip(views).for_each(|(former, view)| former.change(view));
            }
            (Self::Several(former, Some(end)), View::List(views)) => change_list(former, end, views),
            (Self::Either(which, former), View::Either(new, view)) if *which == new => former.change(*view),
            (Self::Keyed(rows), View::Keyed(list)) => rows.change(list),
            (_, view) => self.replace(Self::new(view)),
        }
    }

    fn replace(&mut self, new: Self) {
        if let Some(first) = self.first()
            && let Some(parent) = first.parent_node()
        {
            new.mount(&parent, Some(&first));
        }
        self.unmount();
        *self = new;
    }

    /// Puts all nodes before another one, or at the end of the parent.
    fn mount(&self, parent: &Node, before: Option<&Node>) {
        self.for_each(&mut |node| dom::insert(parent, node, before));
    }

    fn unmount(&self) {
        self.for_each(&mut |node| dom::remove(node));
    }

    fn first(&self) -> Option<Node> {
        let mut first = None;
        self.for_each(&mut |node| {
            first.get_or_insert_with(|| node.clone());
        });
        first
    }

    /// All nodes of the outermost level, in their order.
    fn for_each(&self, act: &mut dyn FnMut(&Node)) {
        match self {
            Self::Nothing(node) | Self::Text(node, _) | Self::Inert(node, _) => act(node),
            Self::Element(made) => act(&made.element),
            Self::Several(all, end) => {
                for one in all {
                    one.for_each(act);
                }
                end.iter().for_each(act);
            }
            Self::Either(_, one) => one.for_each(act),
            Self::Keyed(list) => {
                for row in &list.rows {
                    row.mounted.for_each(act);
                }
                act(&list.end);
            }
            Self::Live(shown) => shown.with(|mounted| mounted.for_each(act)),
        }
    }
}

/// Views at the same places become one another; what is more is put before the end.
fn change_list(former: &mut Vec<Mounted>, end: &Node, views: Vec<View>) {
    let mut views = views.into_iter();
    let mut kept = 0;
    for (former, view) in former.iter_mut().zip(views.by_ref()) {
        former.change(view);
        kept += 1;
    }
    former.drain(kept..).for_each(|gone| gone.unmount());
    let parent = end.parent_node();
    former.extend(views.map(|view| {
        let new = Mounted::new(view);
        if let Some(parent) = &parent {
            new.mount(parent, Some(end));
        }
        new
    }));
}

impl Made {
    fn new(element: Element) -> Self {
        let Written { tag, is_svg, child, attributes } = element.into_written();
        let element = dom::element(tag, is_svg);
        let attributes = attributes.into_iter().map(|one| Given::new(&element, one)).collect();
        let child = child.map(Mounted::new);
        if let Some(child) = &child {
            child.mount(&element, None);
        }
        Self { tag, element, attributes, child }
    }

    fn is_like(&self, element: &Element) -> bool {
        let new = element.written();
        let attributes = || self.attributes.iter().zip(&new.attributes);
        self.tag == new.tag
            && self.child.is_some() == new.child.is_some()
            && self.attributes.len() == new.attributes.len()
            && attributes().all(|(given, new)| given.is_like(new))
    }

    fn change(&mut self, element: Element) {
        let Written { child, attributes, .. } = element.into_written();
        let given = self.attributes.iter_mut().zip(attributes);
        given.for_each(|(given, new)| given.change(&self.element, new));
        self.child.iter_mut().zip(child).for_each(|(former, view)| former.change(view));
    }
}

/// Shows what the closure gives, and again when something changes that it read.
fn follow(mut view: Box<dyn FnMut() -> View>) -> Followed<Mounted> {
    let show = move |former| {
        let view = view();
        match former {
            Some(mut mounted) => {
                Mounted::change(&mut mounted, view);
                mounted
            }
            None => Mounted::new(view),
        }
    };
    Followed::new(show, None)
}

impl Rows {
    fn new(Keyed { owner, items }: Keyed) -> Self {
        Self { rows: items.into_iter().map(|item| Row::new(&owner, item)).collect(), end: dom::place() }
    }

    fn change(&mut self, Keyed { owner, items }: Keyed) {
        let former: Vec<_> = self.rows.iter().map(|row| &row.key).collect();
        let places = former_places(&former, &items.iter().map(|item| &item.key).collect::<Vec<_>>());
        let stays = staying(&places);
        let mut former: Vec<_> = std::mem::take(&mut self.rows).into_iter().map(Some).collect();
        let kept: Vec<_> = places.iter().map(|place| former[(*place)?].take()).collect();
        former.into_iter().flatten().for_each(|gone| gone.mounted.unmount());
        let row = |(item, kept): (Item, Option<Row>)| kept.unwrap_or_else(|| Row::new(&owner, item));
        self.rows = items.into_iter().zip(kept).map(row).collect();
        self.put_in_order(&stays);
    }

    /// From the last one on, each that does not stay goes before the one behind it.
    fn put_in_order(&self, stays: &[bool]) {
        let Some(parent) = self.end.parent_node() else { return };
        let mut behind = self.end.clone();
        for (row, stays) in self.rows.iter().zip(stays).rev() {
            if !stays {
                row.mounted.mount(&parent, Some(&behind));
            }
            behind = row.mounted.first().unwrap_or(behind);
        }
    }
}

impl Row {
    fn new(owner: &Owner, item: Item) -> Self {
        let owner = owner.with(Owner::new);
        let mounted = owner.with(|| Mounted::new((item.view)()));
        Self { key: item.key, mounted, _owner: owner }
    }
}
