//! The series that a call chooses by their tags. They are known by the call, as graphite-web knows them.

use super::{Call, Expression, FunctionError, Series};

impl Call<'_> {
    /// The series that its texts choose as tag expressions. What is no text is passed over, as there.
    pub(in crate::functions) fn tagged(&self) -> Result<Vec<Series>, FunctionError> {
        let texts = self.function.arguments.iter().filter_map(|argument| match argument {
            Expression::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let texts: Vec<&str> = texts.collect();
        let (context, source) = (self.context, self.context.fetched.source);
        context
            .fetch_as(&self.function.text, || source.fetch_tagged(&texts, context.from, context.until))
            .map_err(|error| match error {
                FunctionError::Argument { why, .. } => self.wrong(why),
                other => other,
            })
    }
}
