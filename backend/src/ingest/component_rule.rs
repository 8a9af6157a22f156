//! Which component a syslog message belongs to.
//!
//! Two templates decide: one for app names that are dotted paths already, one for all others. What comes out is always
//! a valid component, whatever the sender put into its names.

use sonde_shared::component::MAX_NAME_BYTES;

/// The template for app names of one node.
pub const DEFAULT_PLAIN: &str = "syslog.{app}";
/// The template for dotted app names.
pub const DEFAULT_DOTTED: &str = "{app}";
/// What stands for a missing name.
const UNKNOWN: &str = "unknown";

/// How to make a component of app name, host and facility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRule {
    plain: Template,
    dotted: Template,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a component rule: {why}; write syslog.{{app}}, with {{app}}, {{host}} and {{facility}} as placeholders"
)]
pub struct RuleError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Default for ComponentRule {
    fn default() -> Self {
        Self::parse(DEFAULT_PLAIN, DEFAULT_DOTTED).expect("the built-in rules are valid")
    }
}

impl ComponentRule {
    /// Reads the template for plain and the one for dotted app names.
    pub fn parse(plain: &str, dotted: &str) -> Result<Self, RuleError> {
        Ok(Self { plain: Template::parse(plain)?, dotted: Template::parse(dotted)? })
    }

    /// The component of a message.
    pub fn component(&self, app: Option<&str>, host: &str, facility: &str) -> String {
        let app = clean(app.unwrap_or_default());
        let template = if app.contains('.') { &self.dotted } else { &self.plain };
        bounded(template.fill(&app, &clean(host), facility))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    App,
    Host,
    Facility,
}

impl Template {
    fn parse(text: &str) -> Result<Self, RuleError> {
        let error = |why| RuleError { text: text.chars().take(64).collect(), why };
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or_else(|| error("a bracket is not closed"))?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(match name {
                "app" => Piece::App,
                "host" => Piece::Host,
                "facility" => Piece::Facility,
                _ => return Err(error("it has an unknown placeholder")),
            });
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let template = Self { pieces };
        let sample = template.fill("a", "h", "f");
        if rest.contains('}') || sample.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(error("it has a stray bracket, a space or a control character"));
        }
        if sample.len() > MAX_NAME_BYTES || sample.split('.').any(str::is_empty) {
            return Err(error("it makes an empty or overlong component"));
        }
        Ok(template)
    }

    fn fill(&self, app: &str, host: &str, facility: &str) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::App => app.to_owned(),
            Piece::Host => host.to_owned(),
            Piece::Facility => facility.to_owned(),
        };
        self.pieces.iter().map(text).collect()
    }
}

/// Nodes of letters, digits, `-` and `_`, joined by dots: what a selector names without escapes.
fn clean(name: &str) -> String {
    let keep = |c: char| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let node = |node: &str| {
        let kept: String = node.chars().map(keep).collect();
        let trimmed = kept.trim_matches('_');
        if trimmed.is_empty() { kept.clone() } else { trimmed.to_owned() }
    };
    let nodes: Vec<String> = name.split('.').filter(|part| !part.is_empty()).map(node).collect();
    if nodes.is_empty() { UNKNOWN.to_owned() } else { nodes.join(".") }
}

/// Cut to what a name may have, at a character and without a dot at the end.
fn bounded(mut component: String) -> String {
    component.truncate(component.floor_char_boundary(MAX_NAME_BYTES));
    let end = component.trim_end_matches('.').len();
    component.truncate(end);
    component
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(app: &str, expected: &str) {
        let app = (!app.is_empty()).then_some(app);
        assert_eq!(ComponentRule::default().component(app, "node1", "auth"), expected);
    }

    #[test]
    fn dotted_names_are_components_and_others_lie_below_syslog() {
        check("sshd", "syslog.sshd");
        check("webapp.backend.git", "webapp.backend.git");
        check("", "syslog.unknown");
        check("postfix/smtpd", "syslog.postfix_smtpd");
        check("(systemd)", "syslog.systemd");
        check("%SYS-5-CONFIG_I", "syslog.SYS-5-CONFIG_I");
        check(".sshd..", "syslog.sshd");
        check("...", "syslog.unknown");
        check("a b.\u{7}*", "a_b.__");
        check("ger\u{e4}t", "syslog.ger\u{e4}t");
    }

    #[test]
    fn rules_can_be_changed_and_are_checked() {
        let rule = ComponentRule::parse("{host}.{facility}.{app}", "apps.{app}").unwrap();
        assert_eq!(rule.component(Some("sshd"), "n1.example.com", "auth"), "n1.example.com.auth.sshd");
        assert_eq!(rule.component(Some("a.b"), "", "auth"), "apps.a.b");
        for text in ["", "{user}", "a.{app", "a.{app}.", "..", "a}b", "a b", "{app}{"] {
            assert!(ComponentRule::parse(text, DEFAULT_DOTTED).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_name_makes_a_valid_component(app in "\\PC{0,300}|[.a\u{0}]{0,9}") {
            let component = ComponentRule::default().component(Some(&app), "h", "f");
            prop_assert!(component.len() <= MAX_NAME_BYTES);
            prop_assert!(component.split('.').all(|node| !node.is_empty()));
            prop_assert!(!component.chars().any(char::is_control));
        }
    }
}
