//! The name that was probably meant, where one is not known: of settings, variables and components alike.

/// The known name that is most like one that is not; none where there are no names. Of those that are equally like the first.
pub fn nearest<'a>(known: impl IntoIterator<Item = &'a String>, asked: &str) -> Option<&'a str> {
    known.into_iter().min_by_key(|one| strsim::osa_distance(one, asked)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_the_name_that_was_meant() {
        let known = ["listen", "data", "retention"].map(str::to_owned);
        let check =
            |asked: &str, expected: &str| assert_eq!(nearest(&known, asked), Some(expected), "{asked}");
        check("lisetn", "listen");
        check("retentions", "retention");
        check("", "data");
        assert_eq!(nearest(&[], "data"), None);
    }
}
