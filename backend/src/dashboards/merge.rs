//! A changed dashboard into the text it came from: what did not change keeps its words, order and comments.
//!
//! Both forms of the dashboard are written as TOML values and compared key by key; only keys that differ are touched. A panel's
//! table is known again by the panel's id, so a panel that moves takes its comments with it.

use super::parse;
use sonde_shared::dashboard::{Dashboard, Panel};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Key, Table, Value};

/// The text with the dashboard `wanted` in it, whose panels keep the ids that they have; `text` may be empty. What cannot be a
/// dashboard is told.
pub(super) fn merge(text: &str, wanted: &Dashboard) -> Result<String, String> {
    let wanted = wanted.clone().with_ids();
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let old = if document.is_empty() { Dashboard::default() } else { parse(text)? };
    let panels = take_panels(&mut document);
    let (old_head, new_head) = (head_of(&old)?, head_of(&wanted)?);
    update(document.as_table_mut(), &old_head, &new_head);
    let mut known: Vec<(String, Panel, Table)> =
        old.panels.into_iter().zip(panels).map(|(panel, table)| (panel.id.clone(), panel, table)).collect();
    let mut tables = Vec::new();
    for panel in &wanted.panels {
        // One that has another id by now is known by what it says.
        let is_gone = |id: &str| wanted.panels.iter().all(|other| other.id != id);
        let says_the_same = |before: &Panel| before.title == panel.title || before.targets == panel.targets;
        let place = known
            .iter()
            .position(|(id, ..)| *id == panel.id)
            .or_else(|| known.iter().position(|(id, before, _)| is_gone(id) && says_the_same(before)));
        let (before, mut table) = match place.map(|place| known.remove(place)) {
            Some((_, before, table)) => (values_of(&before)?, table),
            None => (Table::new(), new_table()),
        };
        update(&mut table, &before, &values_of(panel)?);
        tables.push(table);
    }
    finish(&document, tables, &wanted)
}

/// The tables of the panels, taken out of the document, in order.
fn take_panels(document: &mut DocumentMut) -> Vec<Table> {
    match document.remove("panel") {
        Some(Item::ArrayOfTables(tables)) => tables.into_iter().collect(),
        Some(Item::Value(Value::Array(array))) => {
            let table = |value: Value| value.as_inline_table().map(|table| table.clone().into_table());
            array.into_iter().filter_map(table).collect()
        }
        _ => Vec::new(),
    }
}

/// A panel's table, after an empty line.
fn new_table() -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    table
}

fn head_of(dashboard: &Dashboard) -> Result<Table, String> {
    let head = Dashboard { panels: Vec::new(), ..dashboard.clone() };
    let mut table = to_table(&head)?;
    table.remove("panel");
    Ok(table)
}

/// A panel without its id, which the text has only where it needs it, and without what is empty.
fn values_of(panel: &Panel) -> Result<Table, String> {
    let mut table = to_table(panel)?;
    table.remove("id");
    table.retain(|_, item| item.as_str() != Some(""));
    Ok(table)
}

fn to_table(value: &impl serde::Serialize) -> Result<Table, String> {
    let mut table = toml_edit::ser::to_document(value).map_err(|error| error.to_string())?.into_table();
    // Lists of tables are written as such, not in one line.
    for (_, item) in table.iter_mut() {
        let is_list_of_tables = item
            .as_array()
            .is_some_and(|array| !array.is_empty() && array.iter().all(Value::is_inline_table));
        if is_list_of_tables {
            *item = std::mem::take(item).into_array_of_tables().map_or_else(|item| item, Item::ArrayOfTables);
        }
    }
    Ok(table)
}

/// Makes a table say `new` where it said `old`; what is equal in both is not touched.
fn update(table: &mut Table, old: &Table, new: &Table) {
    for (key, _) in old.iter().filter(|(key, _)| !new.contains_key(key)) {
        table.remove(key);
    }
    for (key, item) in new {
        if old.get(key).map(plain) == Some(plain(item)) && table.contains_key(key) {
            continue;
        }
        match (table.get_mut(key), item) {
            (Some(Item::ArrayOfTables(there)), Item::ArrayOfTables(wanted)) => replace_tables(there, wanted),
            (Some(Item::Value(there)), Item::Value(wanted)) => replace_value(there, wanted),
            _ => drop(table.insert_formatted(&Key::new(key), item.clone())),
        }
    }
}

/// What an item says, without how it is written.
fn plain(item: &Item) -> String {
    match item {
        Item::ArrayOfTables(tables) => tables.iter().map(|table| plain_table(table) + "\n").collect(),
        Item::Value(value) => plain_value(value),
        Item::Table(table) => plain_table(table),
        Item::None => String::new(),
    }
}

fn plain_table(table: &Table) -> String {
    let pairs: Vec<String> = table.iter().map(|(key, item)| format!("{key}={};", plain(item))).collect();
    pairs.concat()
}

fn plain_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.value()),
        Value::Integer(number) => (*number.value() as f64).to_string(),
        Value::Float(number) => number.value().to_string(),
        Value::Boolean(is) => is.value().to_string(),
        Value::Datetime(at) => at.value().to_string(),
        Value::Array(array) => array.iter().map(|value| plain_value(value) + ",").collect(),
        Value::InlineTable(table) => plain_table(&table.clone().into_table()),
    }
}

/// Keeps the tables that say the same as one that is wanted.
fn replace_tables(there: &mut ArrayOfTables, wanted: &ArrayOfTables) {
    let mut known: Vec<Table> = std::mem::take(there).into_iter().collect();
    for table in wanted {
        let place = known.iter().position(|one| plain_table(one) == plain_table(table));
        there.push(place.map_or_else(|| table.clone(), |place| known.remove(place)));
    }
}

/// Keeps the comment behind a value, and in a list those of its elements.
fn replace_value(there: &mut Value, wanted: &Value) {
    let decor = there.decor().clone();
    match (&mut *there, wanted) {
        (Value::Array(there), Value::Array(wanted)) => replace_elements(there, wanted),
        (there, wanted) => *there = wanted.clone(),
    }
    *there.decor_mut() = decor;
}

/// An element of a list with what stands around it. TOML's reader gives a comment behind a comma to the next element.
struct Element {
    value: Value,
    /// The comment on its line, behind its comma.
    comment: String,
}

fn replace_elements(there: &mut Array, wanted: &Array) {
    let (mut known, trailing) = take_elements(there);
    // A new element begins its line as the last one does.
    let lead = known.last().map(|last| blanks(prefix_of(&last.value))).unwrap_or_default();
    let mut comment = String::new();
    for value in wanted {
        let place = known.iter().position(|one| plain_value(&one.value) == plain_value(value));
        let mut element = place.map_or_else(
            || {
                // Behind a comma on the same line stands a blank.
                let lead = if lead.is_empty() && !there.is_empty() { " " } else { lead.as_str() };
                Element { value: value.clone().decorated(lead, ""), comment: String::new() }
            },
            |place| known.remove(place),
        );
        let prefix = format!("{comment}{}", prefix_of(&element.value));
        element.value.decor_mut().set_prefix(prefix);
        comment = element.comment;
        there.push_formatted(element.value);
    }
    there.set_trailing(format!("{comment}{trailing}"));
}

/// Empties a list. The second value is what stands before its end.
fn take_elements(array: &mut Array) -> (Vec<Element>, String) {
    let trailing = array.trailing().as_str().unwrap_or_default().to_owned();
    let mut elements: Vec<Element> = Vec::new();
    let values: Vec<Value> = array.iter().cloned().collect();
    array.clear();
    for mut value in values {
        let prefix = prefix_of(&value).to_owned();
        let (comment, lead) = split_comment(&prefix);
        if let Some(before) = elements.last_mut() {
            comment.clone_into(&mut before.comment);
            value.decor_mut().set_prefix(lead);
        }
        elements.push(Element { value, comment: String::new() });
    }
    let (comment, rest) = split_comment(&trailing);
    if let Some(last) = elements.last_mut() {
        comment.clone_into(&mut last.comment);
        return (elements, rest.to_owned());
    }
    (elements, trailing)
}

/// The comment at the end of a line that has begun, and what follows on the next lines.
fn split_comment(text: &str) -> (&str, &str) {
    let end = text.find('\n').unwrap_or(0);
    text.split_at(end)
}

fn prefix_of(value: &Value) -> &str {
    value.decor().prefix().and_then(toml_edit::RawString::as_str).unwrap_or_default()
}

/// The last line break and the blanks behind it.
fn blanks(text: &str) -> String {
    text[text.rfind('\n').unwrap_or(0)..].chars().take_while(|c| c.is_whitespace()).collect()
}

/// Puts the panels into the document, and ids where those made from titles are others.
fn finish(document: &DocumentMut, mut tables: Vec<Table>, wanted: &Dashboard) -> Result<String, String> {
    // An id that is written may change what another panel's becomes: each pass settles one panel at least.
    for _ in 0..=tables.len() {
        let text = written(document.clone(), &tables);
        let read = parse(&text)?;
        let other = read.panels.iter().zip(&wanted.panels).position(|(read, wanted)| read.id != wanted.id);
        match other {
            None => return Ok(text),
            Some(place) => {
                drop(tables[place].insert("id", toml_edit::value(wanted.panels[place].id.clone())));
            }
        }
    }
    Err("two panels have the same `id`".to_owned())
}

fn written(mut document: DocumentMut, tables: &[Table]) -> String {
    let mut array = ArrayOfTables::new();
    let mut position = 0;
    for table in tables {
        let mut table = table.clone();
        place(&mut table, &mut position);
        array.push(table);
    }
    if !array.is_empty() {
        drop(document.insert("panel", Item::ArrayOfTables(array)));
    }
    document.to_string()
}

/// Numbers a table and those in it in the order of the text.
fn place(table: &mut Table, position: &mut isize) {
    *position += 1;
    table.set_position(Some(*position));
    for (_, item) in table.iter_mut() {
        if let Item::ArrayOfTables(tables) = item {
            tables.iter_mut().for_each(|table| place(table, position));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sonde_shared::dashboard::Threshold;
    use sonde_shared::log::Level;

    const TEXT: &str = r#"# The shop, from outside in.
title = "Shop"   # short
range = "-6h..now"

# What customers feel.
[[panel]]
title = "Checkout"
targets = [
  "shop.checkout.p95_ms", # the slowest
  "shop.cart.p95_ms",
]
unit = "ms"
# Beyond this they leave.
[[panel.threshold]]
at = 800
level = "warn"

# What we earn.
[[panel]]
id = "money"
title = "Orders"
targets = ["shop.orders"]
# The end.
"#;

    fn shop() -> Dashboard {
        parse(TEXT).unwrap()
    }

    #[track_caller]
    fn check(wanted: &Dashboard, expected: &str) {
        assert_eq!(merge(TEXT, wanted).unwrap(), expected);
        assert_eq!(parse(expected).unwrap(), wanted.clone().with_ids());
    }

    #[test]
    fn a_panel_with_another_id_keeps_its_comments() {
        let mut wanted = shop();
        wanted.panels[0].id = "till".into();
        wanted.panels[1].id = "cash".into();
        let text = TEXT.replace("id = \"money\"", "id = \"cash\"");
        check(&wanted, &text.replace("unit = \"ms\"\n", "unit = \"ms\"\nid = \"till\"\n"));
    }

    #[test]
    fn a_list_on_one_line_stays_readable() {
        let text = "title = \"T\"\n[[panel]]\ntitle = \"P\"\ntargets = [\"a\"] # one\n";
        let mut wanted = parse(text).unwrap();
        wanted.panels[0].targets.extend(["b".to_owned(), "c".to_owned()]);
        assert_eq!(merge(text, &wanted).unwrap(), text.replace("[\"a\"]", "[\"a\", \"b\", \"c\"]"));
    }

    #[test]
    fn nothing_changed_changes_nothing() {
        check(&shop(), TEXT);
    }

    #[test]
    fn what_is_edited_keeps_the_comments_around_it() {
        let mut wanted = shop();
        wanted.title = "Web shop".into();
        wanted.panels[0].unit = "s".into();
        wanted.panels[0].targets.insert(1, "shop.new".into());
        let expected = TEXT
            .replace("\"Shop\"", "\"Web shop\"")
            .replace("\"ms\"", "\"s\"")
            .replace("  \"shop.cart", "  \"shop.new\",\n  \"shop.cart");
        check(&wanted, &expected);
    }

    #[test]
    fn a_title_that_changes_leaves_the_id_that_links_use() {
        let mut wanted = shop();
        wanted.panels[0].title = "Till".into();
        let text = merge(TEXT, &wanted).unwrap();
        assert!(text.contains("title = \"Till\"") && text.contains("id = \"checkout\""), "{text}");
        assert_eq!(parse(&text).unwrap(), wanted);
    }

    #[test]
    fn panels_move_with_their_comments_and_go_with_them() {
        let mut wanted = shop();
        wanted.panels.swap(0, 1);
        let text = merge(TEXT, &wanted).unwrap();
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} in {text}"));
        assert!(
            at("# What we earn.") < at("id = \"money\"")
                && at("id = \"money\"") < at("# What customers feel.")
        );
        assert!(at("# Beyond this") < at("at = 800"));
        assert_eq!(parse(&text).unwrap(), wanted);
        wanted.panels.remove(0);
        let text = merge(TEXT, &wanted).unwrap();
        assert!(!text.contains("What we earn") && text.contains("What customers feel"));
    }

    #[test]
    fn thresholds_that_stay_keep_their_comment() {
        let mut wanted = shop();
        wanted.panels[0].thresholds.push(Threshold { at: 2_000.0, level: Level::Error });
        let text = merge(TEXT, &wanted).unwrap();
        assert!(text.contains("# Beyond this they leave.\n[[panel.threshold]]\nat = 800\n"), "{text}");
        assert_eq!(parse(&text).unwrap(), wanted);
    }

    #[test]
    fn a_new_file_reads_as_if_written_by_hand() {
        let panel = Panel { title: "P".into(), targets: vec!["a.b".into()], ..Panel::default() };
        let wanted = Dashboard { title: "New".into(), range: None, panels: vec![panel] };
        let text = "title = \"New\"\n\n[[panel]]\ntitle = \"P\"\ntargets = [\"a.b\"]\n";
        assert_eq!(merge("", &wanted).unwrap(), text);
    }

    #[test]
    fn what_is_no_dashboard_is_told() {
        let bare = Dashboard { panels: vec![Panel { title: "P".into(), ..Panel::default() }], ..shop() };
        assert!(merge(TEXT, &bare).unwrap_err().contains("has no targets"));
        assert!(merge("title = ", &shop()).is_err());
    }

    prop_compose! {
        fn any_panel()(
            names in ("[a-c]{1,3}", prop::option::of("[a-c]{1,2}"), "(ms|s|)"),
            targets in prop::collection::vec("[a-c\"#]{1,4}", 1..4),
            at in prop::collection::vec(-5_i32..5, 0..3),
            min in prop::option::of(0_i32..9),
        ) -> Panel {
            let thresholds = at.into_iter().map(|at| Threshold { at: f64::from(at), level: Level::Warn });
            Panel {
                title: names.0,
                logs: names.1,
                unit: names.2,
                targets,
                thresholds: thresholds.collect(),
                min: min.map(f64::from),
                ..Panel::default()
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_is_what_is_read_again(
            first in prop::collection::vec(any_panel(), 0..4),
            second in prop::collection::vec(any_panel(), 0..4),
            order in any::<u64>(),
        ) {
            let board = |panels| Dashboard { title: "T".into(), range: None, panels }.with_ids();
            let before = board(first);
            let text = merge("# kept\ntitle = \"Old\"\n", &before).unwrap();
            prop_assert_eq!(&parse(&text).unwrap(), &before);
            let mut panels = before.panels.clone();
            for (at, new) in second.into_iter().enumerate() {
                panels.insert((order as usize >> at) % (panels.len() + 1), new);
            }
            let turn = order as usize % panels.len().max(1);
            panels.rotate_left(turn);
            // Ids of those that were there are fixed; new ones are still to get theirs.
            let wanted = Dashboard { panels, ..before.clone() };
            let text = merge(&text, &wanted).unwrap();
            let read = parse(&text).unwrap();
            prop_assert_eq!(&read, &wanted.clone().with_ids(), "{}", text);
            for panel in before.panels {
                let now = read.panels.iter().find(|one| one.id == panel.id).unwrap();
                prop_assert_eq!(now, &panel);
            }
            prop_assert!(text.starts_with("# kept\n"));
        }
    }
}
