//! The name of a new dashboard, which its address and its file have, made from its title.

use sonde_shared::api::PageInfo;
use sonde_shared::dashboard::slug;
use sonde_shared::letters::is_of_word;

/// A longer name is cut; the server takes some more.
const MOST_BYTES: usize = 80;

/// A name for a title that no dashboard has.
pub fn free_name(page: Option<&PageInfo>, title: &str) -> String {
    let slug = slug(title);
    let mut name = slug.trim_start_matches(|c: char| !is_of_word(c));
    while name.len() > MOST_BYTES {
        name = &name[..name.floor_char_boundary(name.len() - 1)];
    }
    let name = if name.is_empty() { "dashboard" } else { name };
    let is_free = |name: &String| page.is_none_or(|page| page.dashboards.iter().all(|one| one.name != *name));
    let counted = (2..).map(|count: u32| [name, "-", &count.to_string()].concat());
    std::iter::once(name.to_owned()).chain(counted).find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sonde_shared::api::DashboardName;

    #[test]
    fn titles_become_names_that_are_free() {
        let board = |name: &str| DashboardName { name: name.into(), title: String::new(), error: None };
        let page = PageInfo { dashboards: vec![board("mill"), board("mill-2")], ..PageInfo::default() };
        let check =
            |title: &str, expected: &str| assert_eq!(free_name(Some(&page), title), expected, "{title}");
        check("Mill", "mill-3");
        check("The mill: wheels (2)", "the-mill-wheels-2");
        check("../_.etc/passwd", "etc-passwd");
        check("Ärger & Öl", "ärger-öl");
        check("???", "panel");
        check("._", "dashboard");
        check(&"é".repeat(50), &"é".repeat(40));
        assert_eq!(free_name(None, "mill"), "mill");
    }
}
