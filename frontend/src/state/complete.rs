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
    /// A text in quotes: a component or a level of lines.
    Text(String),
}

/// What the word at the caret means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A metric or a function.
    Name,
    /// The component of `logs("…")`.
    Component,
    /// The level of `logs("…", "…")`.
    Level,
}

/// The word at the caret, as byte places in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it means.
    pub meaning: Meaning,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Suggestion {
    /// What is put into the text.
    pub fn insert(&self) -> String {
        match self {
            Self::Metric(path) | Self::Branch(path) | Self::Text(path) => path.clone(),
            Self::Function(function) => format!("{}(", function.name),
        }
    }

    /// Whether the target goes on behind it.
    pub const fn goes_on(&self) -> bool {
        matches!(self, Self::Branch(_) | Self::Function(_))
    }
}

/// The word at the caret; `None` where nothing is known that could stand there.
pub fn word_at(text: &str, caret: usize) -> Option<Word> {
    let before = text.get(..caret)?;
    let rest = &text[caret..];
    if let Some((quote, start, call)) = open_quote(before) {
        let meaning = match call {
            ("logs", 0) => Meaning::Component,
            ("logs", 1) => Meaning::Level,
            _ => return None,
        };
        let end = rest.find(quote).or_else(|| rest.find([',', ')'])).unwrap_or(rest.len());
        return Some(Word { meaning, start, end: caret + end });
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
    let end = rest.find(|c: char| "(),|".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
    Some(Word { meaning: Meaning::Name, start, end: caret + end })
}

/// The quotation mark that is open at the end of a text, where what it opens begins, and the call that it stands in with the
/// number of arguments before it.
fn open_quote(text: &str) -> Option<(char, usize, (&str, usize))> {
    let mut calls: Vec<(&str, usize)> = Vec::new();
    let (mut quote, mut braces, mut name) = (None, 0_i32, 0);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some((open, _)), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some((c, at + 1)),
            (None, '(') => calls.push((text[name..at].trim(), 0)),
            (None, ')') => drop(calls.pop()),
            (None, '{' | '}') => braces += if c == '{' { 1 } else { -1 },
            (None, ',') if braces <= 0 => calls.last_mut().into_iter().for_each(|call| call.1 += 1),
            _ => {}
        }
        if quote.is_none() && matches!(c, '(' | ',' | '|') {
            name = at + 1;
        }
    }
    let (quote, start) = quote?;
    Some((quote, start, calls.last().copied().unwrap_or_default()))
}

/// Those of some texts that a word may mean: what begins with it first, then what holds it.
pub fn texts_like<'a>(texts: impl Iterator<Item = &'a str> + Clone, word: &str) -> Vec<Suggestion> {
    let begins = |text: &&str| text.starts_with(word);
    let holds = |text: &&str| !text.starts_with(word) && text.contains(word);
    let found = texts.clone().filter(begins).chain(texts.filter(holds));
    found.map(|text| Suggestion::Text(text.to_owned())).collect()
}

/// The functions that a word may mean: those that begin with it first, then those that hold it. A path means none.
pub fn functions_like<'a>(functions: &'a [FunctionName], word: &str) -> Vec<&'a FunctionName> {
    let word = word.to_ascii_lowercase();
    if word.is_empty() || word.contains(['.', '*', '{']) {
        return Vec::new();
    }
    let begins = |function: &&FunctionName| function.name.to_ascii_lowercase().starts_with(&word);
    let holds =
        |function: &&FunctionName| !begins(function) && function.name.to_ascii_lowercase().contains(&word);
    functions.iter().filter(begins).chain(functions.iter().filter(holds)).collect()
}

/// The text with a suggestion in the word's place, and where the caret is then.
pub fn completed(text: &str, word: Word, suggestion: &Suggestion) -> (String, usize) {
    let mut insert = suggestion.insert();
    let (before, mut after) = (&text[..word.start], &text[word.end..]);
    if word.meaning != Meaning::Name {
        // The text is closed, and the caret stands behind it.
        let quote = if before.ends_with('\'') { '\'' } else { '"' };
        after = after.strip_prefix(quote).unwrap_or(after);
        insert.push(quote);
    }
    // A function that is chosen over another one's name has its parenthesis.
    if insert.ends_with('(') {
        after = after.strip_prefix('(').unwrap_or(after);
    }
    ([before, &insert, after].concat(), before.len() + insert.len())
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
            let found = word_at(&text, caret).filter(|word| word.meaning == Meaning::Name);
            assert_eq!(found.map(|word| &text[word.start..word.end]), expected, "{marked}");
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
    fn the_component_and_the_level_of_lines_are_known_within_their_quotes() {
        let check = |marked: &str, expected: Option<(Meaning, &str)>| {
            let caret = marked.find('^').unwrap();
            let text = marked.replacen('^', "", 1);
            let found = word_at(&text, caret).filter(|word| word.meaning != Meaning::Name);
            let found = found.map(|word| (word.meaning, &text[word.start..word.end]));
            assert_eq!(found, expected, "{marked}");
        };
        check("logs(\"^", Some((Meaning::Component, "")));
        check("logs(\"we^b.a\")", Some((Meaning::Component, "web.a")));
        check("sum(a.{b,c}, logs( 'web', 'wa^", Some((Meaning::Level, "wa")));
        check("sum(logs(\"a\", \"^), b)", Some((Meaning::Level, "")));
        check("a.b | alias(\"lo^", None);
        check("alias(logs(\"a\"), \"x^\")", None);
        check("logs(\"a\", \"warn\", \"1^", None);
        check("alias(a, \"logs(\")^", None);
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
        let name = |start, end| Word { meaning: Meaning::Name, start, end };
        let quoted = Word { meaning: Meaning::Component, start: 6, end: 7 };
        let text = Suggestion::Text("web".into());
        assert_eq!(completed("logs(\"w", quoted, &text), ("logs(\"web\"".into(), 10));
        assert_eq!(completed("logs('w', 'x')", quoted, &text), ("logs('web', 'x')".into(), 10));
        let (text, caret) = completed("sum(we)", name(4, 6), &Suggestion::Branch("web.".into()));
        assert_eq!((text.as_str(), caret), ("sum(web.)", 8));
        let (text, caret) = completed("su(a)", name(0, 2), &Suggestion::Function(function("sumSeries")));
        assert_eq!((text.as_str(), caret), ("sumSeries(a)", 10));
        let (text, _) = completed("mo", name(0, 2), &Suggestion::Function(function("movingSum")));
        assert_eq!(text, "movingSum(");
    }
}
