//! What is being typed in a target: the word at the caret, what may stand there, and the text with it.

/// A function of targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionName {
    /// Its name.
    pub name: String,
    /// `movingAverage(seriesList, windowSize, …)`.
    pub signature: String,
    /// What it does, in a sentence.
    pub about: String,
}

/// What may stand in the place of the word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// A metric.
    Metric(String),
    /// A node with metrics below it; it ends with a dot.
    Branch(String),
    /// A function.
    Function(FunctionName),
}

impl Suggestion {
    /// What is put into the text.
    pub fn insert(&self) -> String {
        match self {
            Self::Metric(path) | Self::Branch(path) => path.clone(),
            Self::Function(function) => format!("{}(", function.name),
        }
    }

    /// Whether the target goes on behind it.
    pub const fn goes_on(&self) -> bool {
        matches!(self, Self::Branch(_) | Self::Function(_))
    }
}

/// The word at the caret, as byte places in the text; `None` in a text in quotes.
pub fn word_at(text: &str, caret: usize) -> Option<(usize, usize)> {
    let before = text.get(..caret)?;
    let in_quotes = |quote: char| before.matches(quote).count() % 2 == 1;
    if in_quotes('"') || in_quotes('\'') {
        return None;
    }
    // A comma between braces belongs to a glob. It is looked for from the right, so as many are open as are not closed.
    let mut depth = before.matches('{').count() as i32 - before.matches('}').count() as i32;
    let starts = |c: char| {
        depth += i32::from(c == '}') - i32::from(c == '{');
        matches!(c, '(' | ')' | '|') || c.is_whitespace() || (c == ',' && depth <= 0)
    };
    let start = before.rfind(starts).map_or(0, |at| at + 1);
    // Behind a call or a text only a comma or a parenthesis can follow.
    if before[..start].ends_with(')') || before[start..].ends_with(['"', '\'']) {
        return None;
    }
    let rest = &text[caret..];
    let end =
        rest.find(|c: char| "(),|".contains(c) || c.is_whitespace()).map_or(text.len(), |at| caret + at);
    Some((start, end))
}

/// The functions that a word may mean: those that begin with it first, then those that hold it. A path means none.
pub fn functions_like<'a>(functions: &'a [FunctionName], word: &str) -> Vec<&'a FunctionName> {
    let word = word.to_lowercase();
    if word.is_empty() || word.contains(['.', '*', '{']) {
        return Vec::new();
    }
    let begins = |function: &&FunctionName| function.name.to_lowercase().starts_with(&word);
    let holds = |function: &&FunctionName| !begins(function) && function.name.to_lowercase().contains(&word);
    functions.iter().filter(begins).chain(functions.iter().filter(holds)).collect()
}

/// The text with a suggestion in the word's place, and where the caret is then.
pub fn completed(text: &str, (start, end): (usize, usize), suggestion: &Suggestion) -> (String, usize) {
    let insert = suggestion.insert();
    let (before, after) = (&text[..start], &text[end..]);
    // A function that is chosen over another one's name has its parenthesis.
    let after = if insert.ends_with('(') { after.strip_prefix('(').unwrap_or(after) } else { after };
    let text = format!("{before}{insert}{after}");
    (text, before.len() + insert.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> FunctionName {
        FunctionName { name: name.into(), signature: format!("{name}(seriesList)"), about: String::new() }
    }

    #[test]
    fn the_word_at_the_caret_is_found() {
        let check = |marked: &str, expected: Option<&str>| {
            let caret = marked.find('|').unwrap();
            let text = marked.replacen('|', "", 1);
            assert_eq!(word_at(&text, caret).map(|(start, end)| &text[start..end]), expected, "{marked}");
        };
        check("|", Some(""));
        check("web.a|pp", Some("web.app"));
        check("sum(web.app|)", Some("web.app"));
        check("sum(a.b, c.d|)", Some("c.d"));
        check("sum(a.b,|", Some(""));
        check("a.{b,c|", Some("a.{b,c"));
        check("sum(a.{b,c},d|", Some("d"));
        check("sum(a,{b,c|", Some("{b,c"));
        check("mo|(a.b)", Some("mo"));
        check("alias(a.b, \"x|\")", None);
        check("sum(a.b)|", None);
        check("alias(a.b, \"x\"|)", None);
        check("é.b|", Some("é.b"));
        assert_eq!(word_at("é", 1), None);
    }

    #[test]
    fn functions_are_found_by_any_part_of_their_name() {
        let all = ["sumSeries", "movingSum", "movingAverage"].map(function);
        let found =
            |word: &str| functions_like(&all, word).iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
        assert_eq!(found("sum"), ["sumSeries", "movingSum"]);
        assert_eq!(found("SERIES"), ["sumSeries"]);
        assert_eq!(found("web.sum"), Vec::<&str>::new());
        assert_eq!(found(""), Vec::<&str>::new());
    }

    #[test]
    fn a_suggestion_takes_the_words_place() {
        let (text, caret) = completed("sum(we)", (4, 6), &Suggestion::Branch("web.".into()));
        assert_eq!((text.as_str(), caret), ("sum(web.)", 8));
        let (text, caret) = completed("su(a)", (0, 2), &Suggestion::Function(function("sumSeries")));
        assert_eq!((text.as_str(), caret), ("sumSeries(a)", 10));
        let (text, _) = completed("mo", (0, 2), &Suggestion::Function(function("movingSum")));
        assert_eq!(text, "movingSum(");
    }
}
