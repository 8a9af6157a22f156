//! Files as they come with carbon are read as it reads them; what is wrong is told with its place.

use super::*;

/// In the words and forms of the example that comes with carbon.
const SCHEMAS: &str = "\
# Schema definitions for Whisper files. Entries are scanned in order,
# and first match wins. This file is scanned for changes every 60 seconds.
#
#  [name]
#  pattern = regex
#  retentions = timePerPoint:timeToStore, timePerPoint:timeToStore, ...

# Carbon's internal metrics.
[carbon]
pattern = ^carbon\\.
retentions = 60:90d

[old_style]
PATTERN: ^old\\.
retentions = 10:2160,60:10080,600:262974

[long]
  pattern = \\.count$
  retentions = 10s:6h, 1min:6d,
      10minutes:1800d

[default_1min_for_1day]
pattern = .*
retentions = 60s:1d
";

const AGGREGATIONS: &str = "\
# Aggregation methods for whisper files.
[min]
pattern = \\.min$
xFilesFactor = 0.1
aggregationMethod = min

[max]
pattern = \\.max$
xFilesFactor = 0.1
aggregationMethod = max

[sum]
pattern = \\.count$
xFilesFactor = 0
aggregationMethod = sum

[default_average]
pattern = .*
xFilesFactor = 0.5
aggregationMethod = average
";

fn schemas(text: &str) -> Result<StorageRules, RuleError> {
    let mut rules = StorageRules::default();
    rules.add_schemas(text).map(|()| rules)
}

fn aggregations(text: &str) -> Result<StorageRules, RuleError> {
    let mut rules = StorageRules::default();
    rules.add_aggregations(text).map(|()| rules)
}

#[test]
fn the_first_section_that_matches_counts() {
    let rules = schemas(SCHEMAS).unwrap();
    let check = |path: &str, expected: &[(i64, i64)]| {
        let found: Vec<_> =
            rules.archives(path).unwrap().iter().map(|archive| (archive.secs, archive.points)).collect();
        assert_eq!(found, expected, "{path}");
    };
    check("carbon.agents.x.count", &[(60, 129_600)]);
    check("old.x", &[(10, 2_160), (60, 10_080), (600, 262_974)]);
    check("shop.cart.count", &[(10, 2_160), (60, 8_640), (600, 259_200)]);
    check("shop.cart.ms;host=a", &[(60, 1_440)]);
    assert_eq!(schemas("").unwrap().archives("a"), None);
    assert_eq!(schemas("[a]\npattern = ^b\nretentions = 1:1").unwrap().archives("a"), None);
    assert!(schemas("[a]\nmatch-all = true\nretentions = 1:1").unwrap().archives("a").is_some());
}

#[test]
fn aggregations_are_found_likewise_and_are_whispers_without_a_rule() {
    let rules = aggregations(AGGREGATIONS).unwrap();
    let check = |path: &str, method: Method, x_files_factor: f64| {
        assert_eq!(rules.aggregation(path), Aggregation { method, x_files_factor }, "{path}");
    };
    check("a.min", Method::Min, 0.1);
    check("a.max", Method::Max, 0.1);
    check("a.count", Method::Sum, 0.0);
    check("a.b", Method::Average, 0.5);
    assert_eq!(aggregations("").unwrap().aggregation("a"), Aggregation::default());
    let partly = aggregations("[a]\npattern=a\naggregationMethod = last").unwrap().aggregation("a");
    assert_eq!(partly, Aggregation { method: Method::Last, x_files_factor: 0.5 });
}

#[test]
fn retentions_are_whispers() {
    let check = |text: &str, expected: Option<(i64, i64)>| {
        assert_eq!(archive(text).map(|archive| (archive.secs, archive.points)), expected, "{text}");
    };
    check("60:1440", Some((60, 1_440)));
    check("60s:1440", Some((60, 1_440)));
    check("60:1d", Some((60, 1_440)));
    check("1m:1w", Some((60, 10_080)));
    check("5min:30days", Some((300, 8_640)));
    check("1h:3y", Some((3_600, 26_280)));
    check("1hour:1year", Some((3_600, 8_760)));
    check("7s:1m", Some((7, 8)));
    for wrong in [
        "",
        "60",
        "60:",
        ":1d",
        "0:5",
        "60:0",
        "60:1s",
        "60 :1d",
        "60s:1M",
        "60s:1x",
        "-60:5",
        "6.5s:1d",
        "1d:99999999999999999999",
    ] {
        check(wrong, None);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let check = |read: fn(&str) -> Result<StorageRules, RuleError>, text: &str, expected: &str| {
        let said = read(text).map(drop).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{text:?}: {said}");
    };
    check(
        schemas,
        "[a]\nretentions = 1:1\npattern = a(b",
        "line 3, section [a]: the pattern `a(b` cannot be taken: unclosed group",
    );
    check(
        schemas,
        "[a]\nretentions = 1:1\npattern = (?=a)",
        "line 3, section [a]: the pattern `(?=a)` cannot be taken: look-around",
    );
    check(
        schemas,
        "[b]\n\npattern = a\nretentions = 60s",
        "line 4, section [b]: `60s` is no retention; write precision:age",
    );
    check(schemas, "# x\n[a]\npattern = a", "line 2, section [a]: it has no retentions");
    check(schemas, "[a]\nretentions = 1:1", "line 1, section [a]: it has no pattern");
    check(
        schemas,
        "[a]\npattern = a\nretentions = 60:10,90:100",
        "line 3, section [a]: a coarser precision must be a multiple",
    );
    check(
        schemas,
        "[a]\npattern = a\nretentions = 60:10,60:100",
        "line 3, section [a]: two retentions have one precision",
    );
    check(
        schemas,
        "[a]\npattern = a\nretentions = 60:1d,5m:1h",
        "line 3, section [a]: a coarser precision must reach further",
    );
    check(
        schemas,
        "[a]\npattern = a\nretentions = 60:4,5m:1d",
        "line 3, section [a]: a precision must have as many points",
    );
    check(schemas, "pattern = a", "line 1: a setting stands before");
    check(schemas, "[a\n", "line 1: a section is not closed");
    check(schemas, "[a]\npattern = a\nretentions = 1:1\n[a]", "line 4: there is a section [a] already");
    check(schemas, "[a]\npattern\n", "line 2, section [a]: it is neither");
    check(schemas, "[a]\npattern = a\nPattern = b", "line 3, section [a]: `pattern` stands there twice");
    check(
        aggregations,
        "[a]\npattern = a\naggregationMethod = mean",
        "line 3, section [a]: there is no aggregationMethod `mean`; there are average, ",
    );
    check(
        aggregations,
        "[a]\npattern = a\nxFilesFactor = 1.5",
        "line 3, section [a]: the xFilesFactor `1.5` is not",
    );
    check(aggregations, "[a]\naggregationMethod = sum", "line 1, section [a]: it has no pattern");
}

#[test]
fn settings_are_those_of_pythons_parser() {
    let rules = schemas(
        "\u{feff}[DEFAULT]\nretentions = 10:360\n[a]\r\n  pattern : ^a%%=b\r\n; remark\n[b]\npattern=^b\nretentions = 60:5,\n # inside\n  300:5\n",
    )
    .unwrap();
    assert_eq!(rules.archives("a%=b"), Some([Archive { secs: 10, points: 360 }].as_slice()));
    let expected = [Archive { secs: 60, points: 5 }, Archive { secs: 300, points: 5 }];
    assert_eq!(rules.archives("b"), Some(expected.as_slice()));
    assert_eq!(rules.archives("c"), None);
}
