//! Reads policy documents by IAM's grammar; knows not what they allow.
//!
//! The grammar is that of IAM's own validation. What IAM refuses is an error that names the place
//! (S10), never a statement that says less or more than its author meant.

use std::fmt;

use serde_json::Value;

use crate::json::{self, Object, Tree};
use crate::printable::{self, grouped};

use super::{ActionPattern, Effect, Policy, ResourcePattern, Selection, Statement, direct};

/// The most actions and resources of a document. IAM takes less than half as many, and each is
/// compared with all ARN formats of the catalogue.
const MOST_PATTERNS: usize = 10_000;

/// How much of a document's text a message quotes, in characters.
const QUOTED: usize = 80;

const POLICY_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];
const STATEMENT_ELEMENTS: [&str; 7] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Why a document is no policy, and where (S10).
///
/// The caller, who knows it, puts the policy's name in front.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is no JSON, or a key of an object occurs twice.
    #[error("line {line}, column {column}: {reason}")]
    Json {
        /// From 1; 0 when the whole text is meant.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What the JSON reader says.
        reason: String,
    },
    /// It has more in its lists than IAM takes.
    #[error(
        "the document: has {} actions and resources, and more than {} are more than IAM takes: give \
         the policy that is in force",
        grouped(*.0),
        grouped(MOST_PATTERNS as u64)
    )]
    TooLarge(u64),
    /// A value is of another type than the grammar asks for.
    #[error("{place}: expected {expected}")]
    Type {
        /// Where the value stands.
        place: Place,
        /// What should stand there.
        expected: &'static str,
    },
    /// An object has a key that is no element of policies, such as `NotResouce`.
    #[error("{place}: unknown element `{element}`")]
    Unknown {
        /// Where the object stands.
        place: Place,
        /// The key.
        element: String,
    },
    /// A statement names a principal: then it is of a resource's policy.
    #[error("{place}: `{element}` belongs to resource policies, not here")]
    Principal {
        /// Where the statement stands.
        place: Place,
        /// `Principal` or `NotPrincipal`.
        element: &'static str,
    },
    /// An element that must be there is missing.
    #[error("{place}: {element} is missing")]
    Missing {
        /// Where the object stands.
        place: Place,
        /// The element, or the two of which one must be there.
        element: &'static str,
    },
    /// Two elements exclude one another.
    #[error("{place}: `{one}` and `{other}` exclude one another")]
    Both {
        /// Where the statement stands.
        place: Place,
        /// Such as `Action`.
        one: &'static str,
        /// Such as `NotAction`.
        other: &'static str,
    },
    /// A list has no element.
    #[error("{place}: the list is empty")]
    Empty {
        /// Where the list stands.
        place: Place,
    },
    /// A text is none of those that the grammar has.
    #[error("{place}: `{text}`: {reason}")]
    Text {
        /// Where the text stands.
        place: Place,
        /// The text, its control characters escaped, its end cut off.
        text: String,
        /// What the grammar has.
        reason: &'static str,
    },
}

/// Where in a document something stands: `Statement[2].Action[0]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the document") } else { write!(f, "`{}`", self.0) }
    }
}

/// The way to a place, of which only an error makes a text.
#[derive(Clone, Copy)]
enum At<'p> {
    Root,
    Key(&'p Self, &'p str),
    Index(&'p Self, usize),
}

impl At<'_> {
    fn place(self) -> Place {
        Place(match self {
            Self::Root => String::new(),
            Self::Key(Self::Root, key) => quoted(key),
            Self::Key(parent, key) => format!("{}.{}", parent.place().0, quoted(key)),
            Self::Index(parent, index) => format!("{}[{index}]", parent.place().0),
        })
    }
}

impl Policy {
    /// Reads a document of JSON text, with or without a byte order mark.
    ///
    /// # Errors
    ///
    /// Says what is malformed and where (S10). A key that occurs twice in an object is malformed.
    pub fn parse(document: &str) -> Result<Self, PolicyError> {
        let document = document.strip_prefix('\u{feff}').unwrap_or(document);
        match direct::read(document) {
            Some(policy) => Ok(policy),
            None => Self::from_tree(&serde_json::from_str(document)?),
        }
    }

    /// Reads a document that is a JSON value already, as in `get-account-authorization-details`.
    ///
    /// # Errors
    ///
    /// Says what is malformed and where (S10). Keys that occurred twice can no longer be seen.
    pub fn from_value(document: &Value) -> Result<Self, PolicyError> {
        Self::from_tree(&document.into())
    }

    fn from_tree(document: &Tree<'_>) -> Result<Self, PolicyError> {
        let root = At::Root;
        let document = object(document, root)?;
        known(document, &POLICY_ELEMENTS, root)?;
        let variables = match optional_text(document, "Version", root)? {
            // That is the older one.
            None => false,
            Some(text) => has_variables(text).ok_or_else(|| {
                let reason = "expected `2012-10-17` or `2008-10-17`";
                text_error(At::Key(&root, "Version"), text, reason)
            })?,
        };
        optional_text(document, "Id", root)?;
        let at = At::Key(&root, "Statement");
        let statements = match document.get("Statement") {
            None => {
                return Err(PolicyError::Missing { place: root.place(), element: "`Statement`" });
            }
            Some(Tree::List(list)) => {
                entries(list, at, |statement, at| read_statement(statement, variables, at))?
            }
            Some(statement) => vec![read_statement(statement, variables, at)?],
        };
        match patterns(&statements) {
            ..=MOST_PATTERNS => Ok(Self { statements }),
            patterns => Err(PolicyError::TooLarge(patterns as u64)),
        }
    }
}

/// Returns whether a version of the grammar has policy variables; none if there is no such version.
pub(super) fn has_variables(version: &str) -> Option<bool> {
    match version {
        "2012-10-17" => Some(true),
        "2008-10-17" => Some(false),
        _ => None,
    }
}

/// Returns how many actions and resources the statements have.
fn patterns(statements: &[Statement]) -> usize {
    let of_statement = |it: &Statement| it.actions.patterns.len() + it.resources.patterns.len();
    statements.iter().map(of_statement).sum()
}

/// Returns whether the statements have no more in their lists than IAM takes.
pub(super) fn is_within_bounds(statements: &[Statement]) -> bool {
    patterns(statements) <= MOST_PATTERNS
}

impl Effect {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "Allow" => Some(Self::Allow),
            "Deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

fn read_statement(
    statement: &Tree<'_>,
    variables: bool,
    at: At<'_>,
) -> Result<Statement, PolicyError> {
    let statement = object(statement, at)?;
    for element in ["Principal", "NotPrincipal"] {
        if statement.contains_key(element) {
            return Err(PolicyError::Principal { place: at.place(), element });
        }
    }
    known(statement, &STATEMENT_ELEMENTS, at)?;
    optional_text(statement, "Sid", at)?;
    let effect = match optional_text(statement, "Effect", at)? {
        Some(text) => Effect::parse(text).ok_or_else(|| {
            text_error(At::Key(&at, "Effect"), text, "expected `Allow` or `Deny`")
        })?,
        None => return Err(PolicyError::Missing { place: at.place(), element: "`Effect`" }),
    };
    let actions = Choice { element: "Action", complement: "NotAction" };
    let resources = Choice { element: "Resource", complement: "NotResource" };
    Ok(Statement {
        effect,
        conditional: is_conditional(statement, at)?,
        actions: actions.read(statement, at, ActionPattern::parse)?,
        resources: resources.read(statement, at, |text| ResourcePattern::parse(text, variables))?,
    })
}

/// Two elements of which a statement has exactly one.
struct Choice {
    element: &'static str,
    complement: &'static str,
}

impl Choice {
    fn read<T>(
        &self,
        statement: &Object<'_>,
        at: At<'_>,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Selection<T>, PolicyError> {
        let Self { element, complement } = *self;
        let (name, value) = match (statement.get(element), statement.get(complement)) {
            (Some(value), None) => (element, value),
            (None, Some(value)) => (complement, value),
            (Some(_), Some(_)) => {
                let (one, other) = (element, complement);
                return Err(PolicyError::Both { place: at.place(), one, other });
            }
            (None, None) => {
                let element = match element {
                    "Action" => "`Action` or `NotAction`",
                    _ => "`Resource` or `NotResource`",
                };
                return Err(PolicyError::Missing { place: at.place(), element });
            }
        };
        let at = At::Key(&at, name);
        let parse_at = |value: &Tree<'_>, at: At<'_>| match value {
            Tree::Text(text) => parse(text).map_err(|reason| text_error(at, text, reason)),
            _ => Err(PolicyError::Type { place: at.place(), expected: "a string" }),
        };
        let patterns = match value {
            Tree::List(list) => entries(list, at, parse_at)?,
            Tree::Text(_) => vec![parse_at(value, at)?],
            _ => {
                return Err(PolicyError::Type {
                    place: at.place(),
                    expected: "a string or an array",
                });
            }
        };
        Ok(Selection { complement: name == complement, patterns })
    }
}

/// Whether the statement has a condition that tests something: an empty one holds always.
fn is_conditional(statement: &Object<'_>, at: At<'_>) -> Result<bool, PolicyError> {
    let Some(condition) = statement.get("Condition") else {
        return Ok(false);
    };
    tests_something(condition, At::Key(&at, "Condition"))
}

fn tests_something(condition: &Tree<'_>, at: At<'_>) -> Result<bool, PolicyError> {
    let mut tests = false;
    for (operator, keys) in object(condition, at)? {
        tests |= !object(keys, At::Key(&at, operator))?.is_empty();
    }
    Ok(tests)
}

/// Returns whether a condition tests something; none if it is malformed.
pub(super) fn is_test(condition: &Tree<'_>) -> Option<bool> {
    tests_something(condition, At::Root).ok()
}

/// Reads the entries of a list, which has at least one.
fn entries<T>(
    list: &[Tree<'_>],
    at: At<'_>,
    read: impl Fn(&Tree<'_>, At<'_>) -> Result<T, PolicyError>,
) -> Result<Vec<T>, PolicyError> {
    if list.is_empty() {
        return Err(PolicyError::Empty { place: at.place() });
    }
    // A length that is known takes no more memory than it needs.
    let mut entries = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        entries.push(read(entry, At::Index(&at, index))?);
    }
    Ok(entries)
}

fn object<'t>(value: &'t Tree<'t>, at: At<'_>) -> Result<&'t Object<'t>, PolicyError> {
    match value {
        Tree::Object(members) => Ok(members),
        _ => Err(PolicyError::Type { place: at.place(), expected: "an object" }),
    }
}

fn known(map: &Object<'_>, elements: &[&str], at: At<'_>) -> Result<(), PolicyError> {
    match map.keys().find(|key| !elements.contains(&key.as_ref())) {
        None => Ok(()),
        Some(key) => Err(PolicyError::Unknown { place: at.place(), element: quoted(key) }),
    }
}

fn optional_text<'t>(
    map: &'t Object<'_>,
    key: &str,
    at: At<'_>,
) -> Result<Option<&'t str>, PolicyError> {
    match map.get(key) {
        None => Ok(None),
        Some(Tree::Text(text)) => Ok(Some(text)),
        Some(_) => {
            Err(PolicyError::Type { place: At::Key(&at, key).place(), expected: "a string" })
        }
    }
}

fn text_error(at: At<'_>, text: &str, reason: &'static str) -> PolicyError {
    PolicyError::Text { place: at.place(), text: quoted(text), reason }
}

/// Returns the text as a message may quote it.
fn quoted(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTED).flat_map(char::escape_debug).collect();
    if text.chars().nth(QUOTED).is_some() {
        quoted.push('…');
    }
    quoted
}

impl From<serde_json::Error> for PolicyError {
    fn from(error: serde_json::Error) -> Self {
        let reason = printable::visible(&json::reason(&error)).into_owned();
        Self::Json { line: error.line(), column: error.column(), reason }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn message(document: &str) -> String {
        Policy::parse(document).unwrap_err().to_string()
    }

    fn statement(statement: &str) -> String {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*",
            "Resource":"*"}},{statement}]}}"#
        );
        message(&document)
    }

    #[test]
    fn s5_string_or_array_everywhere_and_one_statement_or_more() {
        let policies = [
            r#"{"Statement":{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::b"}}"#,
            r#"{"Version":"2008-10-17","Id":"i","Statement":[{"Sid":"s","Effect":"Deny",
            "NotAction":["S3:*"],"NotResource":["arn:aws:s3:::b"]}]}"#,
        ]
        .map(|document| Policy::parse(document).unwrap());
        assert_eq!(policies[0], policies[1]);
        assert!(policies[0].statements[0].actions.complement);
    }

    #[test]
    fn s10_broken_json_is_named_by_line_and_column() {
        let document = "{\n  // a comment\n}";
        assert_eq!(message(document), "line 2, column 3: key must be a string");
        assert_eq!(message("{\"Statement\": [${ACCOUNT}]}"), "line 1, column 16: expected value");
        assert!(message("").starts_with("line 1, column 0: EOF while parsing"));
        assert!(message("{\"Statement\": []} x").starts_with("line 1, column 19: trailing"));
        let deep = "[".repeat(100_000);
        assert!(message(&deep).contains("recursion limit"));
    }

    #[test]
    fn s10_more_patterns_than_iam_takes_are_refused() {
        let document = |actions: usize| {
            let actions = vec!["\"s3:GetObject\""; actions].join(",");
            let statement = format!(r#"{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}"#);
            format!(r#"{{"Statement":[{statement}]}}"#)
        };
        assert!(Policy::parse(&document(MOST_PATTERNS - 1)).is_ok());
        let message = message(&document(MOST_PATTERNS));
        assert!(message.starts_with("the document: has 10,001 actions and resources"), "{message}");
    }

    #[test]
    fn s10_a_key_that_occurs_twice_is_refused() {
        let document = "{\"Statement\":{\"Effect\":\"Allow\",\n\"Effect\":\"Deny\"}}";
        assert_eq!(message(document), "line 2, column 8: member `Effect` stands twice");
    }

    #[test]
    fn s10_the_document_is_an_object_with_statements() {
        for (document, expected) in [
            ("[]", "the document: expected an object"),
            ("{}", "the document: `Statement` is missing"),
            (r#"{"Statement":[]}"#, "`Statement`: the list is empty"),
            (r#"{"Statement":null}"#, "`Statement`: expected an object"),
            (r#"{"Statement":[1]}"#, "`Statement[0]`: expected an object"),
            (r#"{"Statements":[]}"#, "the document: unknown element `Statements`"),
            (r#"{"Id":1,"Statement":[]}"#, "`Id`: expected a string"),
            (
                r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
                "the document: unknown element `Action`",
            ),
            (
                r#"{"Version":"2012-10-18","Statement":[]}"#,
                "`Version`: `2012-10-18`: expected `2012-10-17` or `2008-10-17`",
            ),
        ] {
            assert_eq!(message(document), expected, "{document}");
        }
    }

    #[test]
    fn s10_a_malformed_statement_is_named_with_its_place() {
        for (text, expected) in [
            (
                r#"{"Effect":"Deny","Action":"a:b","NotResouce":"*"}"#,
                "`Statement[1]`: unknown element `NotResouce`",
            ),
            (
                r#"{"Effect":"Deny","Principal":"*","Action":"a:b","Resource":"*"}"#,
                "`Statement[1]`: `Principal` belongs to resource policies, not here",
            ),
            (r#"{"Action":"a:b","Resource":"*"}"#, "`Statement[1]`: `Effect` is missing"),
            (
                r#"{"Effect":"allow","Action":"a:b","Resource":"*"}"#,
                "`Statement[1].Effect`: `allow`: expected `Allow` or `Deny`",
            ),
            (
                r#"{"Effect":"Allow","Resource":"*"}"#,
                "`Statement[1]`: `Action` or `NotAction` is missing",
            ),
            (
                r#"{"Effect":"Allow","Action":"a:b"}"#,
                "`Statement[1]`: `Resource` or `NotResource` is missing",
            ),
            (
                r#"{"Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*"}"#,
                "`Statement[1]`: `Action` and `NotAction` exclude one another",
            ),
            (
                r#"{"Effect":"Allow","Action":"a:b","NotResource":"*","Resource":"*"}"#,
                "`Statement[1]`: `Resource` and `NotResource` exclude one another",
            ),
            (
                r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#,
                "`Statement[1].Action`: the list is empty",
            ),
            (
                r#"{"Effect":"Allow","Action":"a:b","Resource":{}}"#,
                "`Statement[1].Resource`: expected a string or an array",
            ),
            (
                r#"{"Effect":"Allow","Action":["a:b",null],"Resource":"*"}"#,
                "`Statement[1].Action[1]`: expected a string",
            ),
            (
                r#"{"Effect":"Allow","Action":["a:b","s3"],"Resource":"*"}"#,
                "`Statement[1].Action[1]`: `s3`: an action is `*` or has a service prefix, such \
                 as `s3:GetObject`",
            ),
            (
                r#"{"Effect":"Allow","NotAction":"s3:","Resource":"*"}"#,
                "`Statement[1].NotAction`: `s3:`: the action's name is missing behind the colon",
            ),
            (
                r#"{"Effect":"Allow","Action":"a:b","Resource":"bu\ncket"}"#,
                "`Statement[1].Resource`: `bu\\ncket`: a resource is `*` or an ARN, such as \
                 `arn:aws:s3:::bucket/*`",
            ),
            (
                r#"{"Effect":"Deny","Action":"a:b","Resource":"*","Condition":[]}"#,
                "`Statement[1].Condition`: expected an object",
            ),
            (
                r#"{"Effect":"Deny","Action":"a:b","Resource":"*","Condition":{"Bool":"x"}}"#,
                "`Statement[1].Condition.Bool`: expected an object",
            ),
        ] {
            assert_eq!(statement(text), expected, "{text}");
        }
    }

    #[test]
    fn s10_long_texts_are_cut_in_messages() {
        let long = "x".repeat(10_000);
        let text = format!(r#"{{"Effect":"Allow","Action":"{long}","Resource":"*"}}"#);
        assert!(statement(&text).len() < 300);
    }

    #[test]
    fn s3_an_empty_condition_holds_always() {
        for (condition, expected) in [
            ("{}", false),
            (r#"{"StringEquals":{}}"#, false),
            (r#"{"StringEquals":{"aws:x":"y"}}"#, true),
        ] {
            let document = format!(
                r#"{{"Statement":{{"Effect":"Deny","Action":"*","Resource":"*",
                "Condition":{condition}}}}}"#
            );
            let policy = Policy::parse(&document).unwrap();
            assert_eq!(policy.statements[0].conditional, expected, "{condition}");
        }
    }

    const STATEMENT_MEMBERS: [&str; 29] = [
        r#""Sid":"s""#,
        r#""Sid":null"#,
        r#""Effect":"Allow""#,
        r#""Effect":"Deny""#,
        r#""Effect":"\u0044eny""#,
        r#""Effect":"deny""#,
        r#""Effect":["Deny"]"#,
        r#""Action":"*""#,
        r#""Action":"S3:Get*""#,
        r#""Action":["s3:getobject","\u0065c2:*"]"#,
        r#""Action":[]"#,
        r#""Action":[["*"]]"#,
        r#""Action":["s3"]"#,
        r#""Action":{}"#,
        r#""NotAction":["iam:*"]"#,
        r#""\u004eotAction":"*""#,
        r#""Resource":"*""#,
        r#""Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]"#,
        r#""Resource":"arn:aws:s3:::${aws:username}""#,
        r#""Resource":["arn:aws:s3:::${"]"#,
        r#""Resource":"bucket""#,
        r#""NotResource":"arn:aws:sqs""#,
        r#""Condition":{}"#,
        r#""Condition":{"Bool":{}}"#,
        r#""Condition":{"Bool":{"aws:a":["true",null]}}"#,
        r#""Condition":{"Bool":{"aws:a":1,"aws:a":1}}"#,
        r#""Condition":{"Bool":"x"}"#,
        r#""Condition":[]"#,
        r#""Principal":"*""#,
    ];

    /// A statement that mostly has what it needs, and what it should not have.
    fn any_statement() -> impl Strategy<Value = String> {
        let whole = [r#""Effect":"Allow""#, r#""Action":"a:b""#, r#""Resource":"*""#];
        let others = vec(select(STATEMENT_MEMBERS.to_vec()), 0..3);
        (0..4usize, others).prop_flat_map(move |(left_out, others)| {
            let kept = whole.iter().enumerate().filter(|(at, _)| *at != left_out);
            let members: Vec<&str> = kept.map(|(_, member)| *member).chain(others).collect();
            Just(members).prop_shuffle().prop_map(|members| format!("{{{}}}", members.join(",")))
        })
    }

    fn any_document() -> impl Strategy<Value = String> {
        let statements = prop_oneof![
            4 => any_statement(),
            4 => vec(any_statement(), 0..3).prop_map(|list| format!("[{}]", list.join(","))),
            1 => Just("null".to_owned()),
            1 => any_statement().prop_map(|statement| format!("[[{statement}]]")),
        ];
        let others = [
            r#""Version":"2012-10-17""#,
            r#""Version":"2008-10-17""#,
            r#""Version":"2020-10-17""#,
            r#""Version":null"#,
            r#""Id":"i""#,
            r#""Id":1"#,
            r#""Statements":[]"#,
            r#""Statement":[]"#,
        ];
        (statements, vec(select(others.to_vec()), 0..3)).prop_flat_map(|(statements, others)| {
            let mut members = vec![format!("\"Statement\": {statements}")];
            members.extend(others.into_iter().map(str::to_owned));
            Just(members).prop_shuffle().prop_map(|members| format!("{{{}}}", members.join(" ,\n")))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn s10_read_in_one_pass_a_document_says_what_it_says_as_a_tree(document in any_document()) {
            let of_tree = serde_json::from_str(&document).ok().and_then(|it| Policy::from_tree(&it).ok());
            let read = direct::read(&document);
            // Where the version stands behind the statements, what a dollar sign says comes too late.
            if read.is_some() || !document.contains('$') {
                prop_assert_eq!(read, of_tree);
            }
        }
    }

    #[test]
    fn s10_an_ordinary_document_is_read_in_one_pass() {
        let document = r#" {"Version": "2012-10-17", "Id": "i", "Statement": [{"Sid": "s",
            "Effect": "Deny", "NotAction": ["s3:*", "iam:Get*"], "Resource": "arn:aws:s3:::${a:b}",
            "Condition": {"Bool": {"a:b": "true"}}}]} "#;
        assert_eq!(direct::read(document), Some(Policy::parse(document).unwrap()));
        for text in ["", "[]", "{}", "null", r#"{"Statement":[]} x"#, &"[".repeat(100_000)] {
            assert_eq!(direct::read(text), None, "{text:.20}");
        }
    }
}
