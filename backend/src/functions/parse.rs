//! Expressions: paths with wildcards, calls, texts and numbers, and pipes, which are calls written the other way round.
//!
//! Follows the grammar of graphite-web (`render/grammar_unsafe.py`): names of arguments, `template(…)`, paths whose nodes hold
//! `{a,b}`, and characters that a backslash makes part of a path.

use super::FunctionError;
use super::series::Series;

/// Calls may stand in each other so deep, whether in parentheses or by pipes; whoever evaluates or drops them goes as deep.
const MAX_DEPTH: usize = 64;

/// A target or an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// Series by their path.
    Path(String),
    /// A function of arguments.
    Call(Call),
    /// A path or a call in which `$name` stands for a value.
    Template(Box<Expression>, Vec<(String, Expression)>),
    /// A text in quotes.
    Text(String),
    /// A number without a point.
    Whole(i64),
    /// A number with a point, an exponent, or `inf`.
    Number(f64),
    /// `true` or `false`.
    Truth(bool),
    /// `none`.
    Nothing,
    /// Series that a function has at hand and calls another with; no text reads as it.
    Series(Vec<Series>),
}

/// A function's name and its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub name: String,
    /// What it is called with.
    pub arguments: Vec<Expression>,
    /// What it is called with by name.
    pub named: Vec<(String, Expression)>,
    /// How it stands in the target.
    pub text: String,
}

/// Reads a target. White space around it is passed over.
pub fn parse(target: &str) -> Result<Expression, FunctionError> {
    let mut reader = Reader::of(target);
    let expression = reader.piped()?;
    reader.skip_spaces();
    // What stands behind a whole expression is passed over by graphite-web; here it is told.
    if reader.at < target.len() {
        Err(reader.expected("the end, or `|` and a function"))
    } else {
        Ok(expression)
    }
}

/// The first path in what a text begins with, as functions find it in the names that others have made; `None` where it
/// begins with none.
pub(super) fn first_path(text: &str) -> Option<String> {
    let mut expression = Reader::of(text).piped().ok()?;
    loop {
        match expression {
            Expression::Path(path) => return Some(path),
            Expression::Call(mut call) if !call.arguments.is_empty() => {
                expression = call.arguments.swap_remove(0);
            }
            _ => return None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// So many parentheses are open.
    depth: usize,
    /// So many calls stand in each other in what was read last.
    height: usize,
}

impl<'a> Reader<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, height: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn expected(&self, why: &'static str) -> FunctionError {
        let target = self.text.chars().take(200).collect();
        FunctionError::Syntax { target, at: self.text[..self.at].chars().count(), why }
    }

    /// Passes over a character that stands here, spaces before it too.
    fn take(&mut self, c: char) -> bool {
        self.skip_spaces();
        let is_here = self.rest().starts_with(c);
        self.at += if is_here { c.len_utf8() } else { 0 };
        is_here
    }

    fn piped(&mut self) -> Result<Expression, FunctionError> {
        let start = self.at;
        let mut expression = self.call_or_path()?;
        let mut height = self.height;
        while self.take('|') {
            let Expression::Call(mut call) = self.call_or_path()? else {
                return Err(self.expected("a function behind `|`"));
            };
            height = self.height.max(height + 1);
            self.at_most(height)?;
            call.arguments.insert(0, expression);
            self.text[start..self.at].trim().clone_into(&mut call.text);
            expression = Expression::Call(call);
        }
        self.height = height;
        Ok(expression)
    }

    fn at_most(&self, depth: usize) -> Result<(), FunctionError> {
        if depth > MAX_DEPTH { Err(self.expected("fewer calls within each other")) } else { Ok(()) }
    }

    fn call_or_path(&mut self) -> Result<Expression, FunctionError> {
        self.depth += 1;
        self.at_most(self.depth)?;
        let read = self.one_call_or_path()?;
        self.depth -= 1;
        Ok(read)
    }

    fn one_call_or_path(&mut self) -> Result<Expression, FunctionError> {
        self.skip_spaces();
        let start = self.at;
        if let Some(name) = self.word()
            && self.take('(')
        {
            return if name == "template" { self.template() } else { self.call(name, start) };
        }
        (self.at, self.height) = (start, 0);
        self.path().map(Expression::Path)
    }

    /// A name of a function or an argument.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
        let starts = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        (starts && end > 0).then(|| {
            self.at += end;
            &rest[..end]
        })
    }

    fn call(&mut self, name: &str, start: usize) -> Result<Expression, FunctionError> {
        let (arguments, named) = self.arguments()?;
        self.height += 1;
        self.at_most(self.height)?;
        let text = self.text[start..self.at].to_owned();
        Ok(Expression::Call(Call { name: name.to_owned(), arguments, named, text }))
    }

    /// The height is afterwards that of the highest.
    #[expect(clippy::type_complexity, reason = "positional and named arguments, used here alone")]
    fn arguments(&mut self) -> Result<(Vec<Expression>, Vec<(String, Expression)>), FunctionError> {
        let (mut arguments, mut named) = (Vec::new(), Vec::new());
        let mut highest = 0;
        self.height = 0;
        if self.take(')') {
            return Ok((arguments, named));
        }
        loop {
            match self.argument_name() {
                Some(name) => named.push((name.to_owned(), self.argument()?)),
                None if named.is_empty() => arguments.push(self.argument()?),
                None => return Err(self.expected("a named argument, as the ones before")),
            }
            highest = self.height.max(highest);
            self.height = highest;
            if self.take(')') {
                return Ok((arguments, named));
            }
            if !self.take(',') {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    fn argument_name(&mut self) -> Option<&'a str> {
        self.skip_spaces();
        let start = self.at;
        let name = self.word();
        if name.is_some() && self.take('=') {
            return name;
        }
        self.at = start;
        None
    }

    fn argument(&mut self) -> Result<Expression, FunctionError> {
        self.skip_spaces();
        match self.literal()? {
            Some(literal) => {
                self.height = 0;
                Ok(literal)
            }
            None => self.piped(),
        }
    }

    fn literal(&mut self) -> Result<Option<Expression>, FunctionError> {
        if let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) {
            return self.quoted(quote).map(|text| Some(Expression::Text(text)));
        }
        let rest = self.rest();
        let end = rest.find([',', ')', ' ']).unwrap_or(rest.len());
        let ends_here = rest[end..].trim_start().starts_with([',', ')']) || rest[end..].trim().is_empty();
        let found = read_literal(&rest[..end]).filter(|_| ends_here);
        self.at += if found.is_some() { end } else { 0 };
        Ok(found)
    }

    /// A text in quotes; what a backslash stands before is kept with it.
    fn quoted(&mut self, quote: char) -> Result<String, FunctionError> {
        let start = self.at + 1;
        let mut is_escaped = false;
        for (at, c) in self.text[start..].char_indices() {
            if c == quote && !is_escaped {
                self.at = start + at + 1;
                return Ok(self.text[start..start + at].to_owned());
            }
            is_escaped = c == '\\' && !is_escaped;
        }
        Err(self.expected("the closing quote"))
    }

    fn template(&mut self) -> Result<Expression, FunctionError> {
        let inner = self.call_or_path()?;
        let mut values = Vec::new();
        while self.take(',') {
            let name = self.argument_name().map(str::to_owned);
            let Some(value) = self.literal_only()? else {
                return Err(self.expected("a text or a number for `template`"));
            };
            values.push((name.unwrap_or_else(|| (values.len() + 1).to_string()), value));
        }
        if !self.take(')') {
            return Err(self.expected("`,` or `)`"));
        }
        Ok(Expression::Template(Box::new(inner), values))
    }

    fn literal_only(&mut self) -> Result<Option<Expression>, FunctionError> {
        self.skip_spaces();
        self.literal()
    }

    fn path(&mut self) -> Result<String, FunctionError> {
        let (mut path, mut braces) = (String::new(), 0_usize);
        let mut chars = self.rest().char_indices();
        let mut end = self.rest().len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, escaped)) => path.push(escaped),
                    None => return Err(self.expected("a character behind `\\`")),
                },
                '{' => braces += 1,
                '}' => braces = braces.saturating_sub(1),
                ',' if braces > 0 => {}
                ',' | '(' | ')' | '"' | '\'' | '|' => {
                    end = at;
                    break;
                }
                c if c.is_whitespace() => {
                    end = at;
                    break;
                }
                _ => {}
            }
            if c != '\\' {
                path.push(c);
            }
        }
        if path.is_empty() || braces > 0 {
            return Err(self.expected(if braces > 0 { "a closing `}`" } else { "a path or a function" }));
        }
        self.at += end;
        Ok(path)
    }
}

/// A number, truth or nothing; `None` where it is something else.
fn read_literal(text: &str) -> Option<Expression> {
    match text.to_ascii_lowercase().as_str() {
        "true" => return Some(Expression::Truth(true)),
        "false" => return Some(Expression::Truth(false)),
        "none" => return Some(Expression::Nothing),
        "inf" => return Some(Expression::Number(f64::INFINITY)),
        _ => {}
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'e' | b'E' | b'-'));
    if !is_number {
        return None;
    }
    if digits.bytes().all(|c| c.is_ascii_digit()) {
        return text
            .parse()
            .ok()
            .map(Expression::Whole)
            .or_else(|| text.parse().ok().map(Expression::Number));
    }
    text.parse().ok().map(Expression::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> Expression {
        Expression::Path(text.to_owned())
    }

    fn call(name: &str, arguments: Vec<Expression>) -> Expression {
        Expression::Call(Call { name: name.to_owned(), arguments, named: Vec::new(), text: String::new() })
    }

    /// Without the texts that calls keep of themselves.
    fn bare(expression: Expression) -> Expression {
        let each = |list: Vec<Expression>| list.into_iter().map(bare).collect();
        let named =
            |list: Vec<(String, Expression)>| list.into_iter().map(|(name, one)| (name, bare(one))).collect();
        match expression {
            Expression::Call(call) => Expression::Call(Call {
                arguments: each(call.arguments),
                named: named(call.named),
                text: String::new(),
                ..call
            }),
            Expression::Template(inner, values) => {
                Expression::Template(Box::new(bare(*inner)), named(values))
            }
            other => other,
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Expression) {
        assert_eq!(parse(text).map(bare), Ok(expected), "{text}");
    }

    #[test]
    fn paths_calls_pipes_and_literals() {
        check("a.b", path("a.b"));
        check(" a.{b,c}.*[0-9] ", path("a.{b,c}.*[0-9]"));
        check(r"a\(b\)", path("a(b)"));
        check("f()", call("f", vec![]));
        check(
            "f( a.b , 2,-1.5,1e3,'x',\"y,)\",true,None,inf)",
            call(
                "f",
                vec![
                    path("a.b"),
                    Expression::Whole(2),
                    Expression::Number(-1.5),
                    Expression::Number(1_000.0),
                    Expression::Text("x".into()),
                    Expression::Text("y,)".into()),
                    Expression::Truth(true),
                    Expression::Nothing,
                    Expression::Number(f64::INFINITY),
                ],
            ),
        );
        check("a|f(1) | g()", call("g", vec![call("f", vec![path("a"), Expression::Whole(1)])]));
        check("f(a|g(),b.{c,d})", call("f", vec![call("g", vec![path("a")]), path("b.{c,d}")]));
        check("f(.5,..5)", call("f", vec![Expression::Number(0.5), path("..5")]));
        check("f(1a,2.3.4)", call("f", vec![path("1a"), path("2.3.4")]));
        let named = vec![("x".to_owned(), Expression::Whole(1))];
        let with_name =
            Call { name: "f".into(), arguments: vec![path("a")], named: named.clone(), text: String::new() };
        check("f(a,x=1)", Expression::Call(with_name));
        check("template(a.$x,x=1)", Expression::Template(Box::new(path("a.$x")), named));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let check = |text: &str, expected: usize| match parse(text) {
            Err(FunctionError::Syntax { at, .. }) => assert_eq!(at, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        };
        check("", 0);
        check("f(a", 3);
        check("f(a))", 4);
        check("f a)", 2);
        check("f('a)", 2);
        check("f(x=1,a)", 6);
        check("a.{b", 0);
        check("a|b", 3);
    }

    #[test]
    fn calls_in_each_other_are_so_many_at_most() {
        let check = |text: &str, is_read: bool| {
            let read = parse(text);
            assert_eq!(read.is_ok(), is_read, "{:?}", read.map(|_| ()));
            let told = read.err().map_or(String::new(), |error| error.to_string());
            assert!(is_read || told.contains("fewer calls within each other"), "{told}");
        };
        let nested = |open: &str, depth: usize| format!("{}a{}", open.repeat(depth), ")".repeat(depth));
        check(&nested("f(", 63), true);
        check(&nested("f(", 64), false);
        check(&nested("template(", 63), true);
        check(&"f(".repeat(100_000), false);
        check(&"template(".repeat(100_000), false);
        check(&format!("a{}", "|f()".repeat(64)), true);
        check(&format!("a{}", "|f()".repeat(65)), false);
        check(&format!("a{}", "|f()".repeat(100_000)), false);
        // Pipes in parentheses add up, and those beside each other do not.
        let piped = format!("a{}", "|f()".repeat(30));
        check(&format!("f(f({piped})|f(),1)|f()"), true);
        check(&(0..3).fold(piped.clone(), |inner, _| format!("f({inner}){}", "|f()".repeat(20))), false);
        check(&format!("g({},{})", vec![piped; 100].join(","), nested("f(", 60)), true);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-c(){},.|\"'\\\\ =1e-]{0,40}") {
            drop(parse(&text));
        }
    }
}
