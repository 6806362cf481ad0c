//! The wildcard patterns of actions and resources; knows no statement and no catalog.

/// One token of a pattern's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`, a policy variable, or a missing field.
    Many,
}

/// The characters that a wildcard stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// All but the colon: a wildcard in one of the first five fields of an ARN (S8).
    Field,
    /// Every character.
    Any,
}

impl Class {
    fn has(self, symbol: Symbol) -> bool {
        self == Self::Any || symbol != Symbol::Char(':')
    }
}

/// A character as patterns see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbol {
    /// Any character that no pattern at hand names, and that is no colon.
    Other,
    Char(char),
}

/// What a [`Glob`] reads to get from one position to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Char(char),
    One(Class),
}

impl Step {
    pub(super) fn has(self, symbol: Symbol) -> bool {
        match self {
            Self::Char(char) => symbol == Symbol::Char(char),
            Self::One(class) => class.has(symbol),
        }
    }
}

/// A pattern as an automaton: position `i` is reached when the first `i` steps have been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Glob {
    steps: Vec<Step>,
    // INVARIANT: one longer than `steps`.
    /// Per position, what may be read without leaving it: a `*` stands there.
    loops: Vec<Option<Class>>,
}

impl Glob {
    /// Makes the automaton of one string in which wildcards stand for every character.
    pub(super) fn of_text(tokens: &[Token]) -> Self {
        let mut glob = Self { steps: Vec::with_capacity(tokens.len()), loops: vec![None] };
        glob.append(tokens, Class::Any);
        glob
    }

    fn append(&mut self, tokens: &[Token], class: Class) {
        for token in tokens {
            let step = match *token {
                Token::Char(char) => Step::Char(char),
                Token::One => Step::One(class),
                Token::Many => {
                    if let Some(position) = self.loops.last_mut() {
                        *position = Some(class);
                    }
                    continue;
                }
            };
            self.steps.push(step);
            self.loops.push(None);
        }
    }

    /// Returns the position at which the whole pattern has been read.
    pub(super) fn end(&self) -> usize {
        self.steps.len()
    }

    /// Returns what is read to leave the position for the next one.
    pub(super) fn step(&self, position: usize) -> Option<Step> {
        self.steps.get(position).copied()
    }

    /// Whether the symbol may be read without leaving the position.
    pub(super) fn stays(&self, position: usize, symbol: Symbol) -> bool {
        self.loop_at(position).is_some_and(|class| class.has(symbol))
    }

    /// Returns what may be read without leaving the position, if anything.
    pub(super) fn loop_at(&self, position: usize) -> Option<Class> {
        self.loops.get(position).copied().flatten()
    }

    /// Whether the pattern matches the whole text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut position = 0;
        // The last `*` reached and the text behind what it has eaten so far. Earlier ones need no
        // second try: whatever they could eat, the later one can.
        let mut retry = None;
        loop {
            if self.loop_at(position).is_some() {
                retry = Some((position, rest.clone()));
            }
            let Some(char) = rest.next() else {
                return position == self.end();
            };
            if self.step(position).is_some_and(|step| step.has(Symbol::Char(char))) {
                position += 1;
                continue;
            }
            let Some((star, mut behind)) = retry.take() else {
                return false;
            };
            match behind.next() {
                Some(char) if self.stays(star, Symbol::Char(char)) => {
                    position = star;
                    rest = behind;
                }
                _ => return false,
            }
        }
    }
}

/// A pattern of `Action` or `NotAction`, in lower case: actions compare without case (S5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ActionPattern {
    // INVARIANT: a prefix, a colon and a name; `*:*` for `*`.
    text: Box<str>,
}

impl ActionPattern {
    /// Reads `*` or `prefix:name`; else says what is wrong with it.
    ///
    /// The prefix is a service's or `*` alone. IAM refuses other wildcards in it ("Vendor … is not
    /// valid"), and so does this.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self { text: "*:*".into() });
        }
        let Some((prefix, name)) = text.split_once(':') else {
            return Err("an action is `*` or has a service prefix, such as `s3:GetObject`");
        };
        if name.is_empty() {
            return Err("the action's name is missing behind the colon");
        }
        if name.contains(':') {
            return Err("an action has one colon only");
        }
        match prefix {
            "*" => {}
            "" => return Err("the service prefix is missing before the colon"),
            _ if prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)) => {}
            _ => return Err("the service prefix is `*` alone or letters, digits, `-` and `.`"),
        }
        let text = if name.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            format!("{}:{}", prefix.to_ascii_lowercase(), name.to_lowercase())
        };
        Ok(Self { text: text.into() })
    }

    /// Returns the service prefix; none is `*`.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.text.split_once(':').map(|(prefix, _)| prefix).filter(|prefix| *prefix != "*")
    }

    fn name(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, name)| name)
    }

    /// Returns the automaton of the name.
    pub(super) fn glob(&self) -> Glob {
        Glob::of_text(&tokens(self.name()))
    }

    /// Returns the one name that the pattern matches; none if it has a wildcard.
    pub(super) fn only_name(&self) -> Option<&str> {
        Some(self.name()).filter(|name| !name.contains(['*', '?']))
    }

    /// Whether it matches every action that a service may have, whatever its name: only then does
    /// it match one whose name is not published (S9). A name has at least one character.
    pub(super) fn is_every_name(&self) -> bool {
        let name = self.name();
        let ones = name.bytes().filter(|byte| *byte == b'?').count();
        let many = name.bytes().filter(|byte| *byte == b'*').count();
        many > 0 && ones <= 1 && ones + many == name.len()
    }
}

/// A pattern of `Resource` or `NotResource`, or an ARN format of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ResourcePattern {
    /// `*`: every resource, and the `*` of actions that have none.
    Every,
    /// An ARN's six fields (S8).
    Arn(ArnPattern),
}

impl ResourcePattern {
    /// Reads `*` or an ARN pattern; else says what is wrong with it.
    ///
    /// `variables`: whether `${…}` is a policy variable, as in documents of version 2012-10-17, or
    /// stands for itself, as in older ones.
    pub(super) fn parse(text: &str, variables: bool) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self::Every);
        }
        let pattern = if variables && text.contains('$') {
            ArnPattern::of_tokens(tokens_with_variables(text)?)
        } else {
            ArnPattern::of_format(text)
        };
        pattern.map(Self::Arn).ok_or("a resource is `*` or an ARN, such as `arn:aws:s3:::bucket/*`")
    }
}

/// The six fields of an ARN pattern; a wildcard stays within its field (S8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ArnPattern {
    /// The fields with a colon between each two.
    tokens: Vec<Token>,
    /// Where the first five fields end.
    ends: [usize; 5],
}

impl ArnPattern {
    /// Reads an ARN without variables, such as the formats of the catalog.
    pub(super) fn of_format(text: &str) -> Option<Self> {
        Self::of_tokens(tokens(text))
    }

    /// Returns the pattern of every ARN.
    pub(super) fn every() -> Self {
        Self::of_tokens(tokens("arn:*")).expect("it is an ARN")
    }

    /// Takes what stands between the first five colons; missing fields are wildcards.
    fn of_tokens(mut tokens: Vec<Token>) -> Option<Self> {
        let colon = Token::Char(':');
        let mut colons = (0..).zip(&tokens).filter(|(_, token)| **token == colon);
        let mut ends = [0; 5];
        let mut found = 0;
        for (end, (at, _)) in ends.iter_mut().zip(&mut colons) {
            (*end, found) = (at, found + 1);
        }
        let is_arn = tokens.starts_with(&[Token::Char('a'), Token::Char('r'), Token::Char('n')]);
        if !is_arn || ends.first() != Some(&3) {
            return None;
        }
        for end in ends.iter_mut().skip(found) {
            *end = tokens.len();
            tokens.extend([colon, Token::Many]);
        }
        Some(Self { tokens, ends })
    }

    /// Returns one of the six fields.
    pub(super) fn field(&self, at: usize) -> &[Token] {
        let end = |at: usize| self.ends.get(at).copied();
        let start = at.checked_sub(1).and_then(end).map_or(0, |colon| colon + 1);
        self.tokens.get(start..end(at).unwrap_or(self.tokens.len())).unwrap_or_default()
    }

    /// Returns the automaton of the whole ARN.
    pub(super) fn glob(&self) -> Glob {
        let mut glob = Glob { steps: Vec::with_capacity(self.tokens.len()), loops: vec![None] };
        for at in 0..5 {
            glob.append(self.field(at), Class::Field);
            glob.append(&[Token::Char(':')], Class::Field);
        }
        glob.append(self.field(5), Class::Any);
        glob
    }
}

/// Reads `*` and `?`; every other character is itself.
fn tokens(text: &str) -> Vec<Token> {
    if text.is_ascii() {
        return text.bytes().map(|byte| token(byte.into())).collect();
    }
    text.chars().map(token).collect()
}

fn token(char: char) -> Token {
    match char {
        '*' => Token::Many,
        '?' => Token::One,
        _ => Token::Char(char),
    }
}

/// Reads also `${…}`: `${*}`, `${?}` and `${$}` are the character itself, a variable is a wildcard
/// (S8), whatever its default value.
fn tokens_with_variables(text: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let mut ahead = chars.clone();
        if char != '$' || ahead.next() != Some('{') {
            tokens.push(token(char));
            continue;
        }
        // A default value stands in single quotes and may hold a brace.
        let mut quoted = false;
        let mut name = String::new();
        loop {
            match ahead.next() {
                Some('}') if !quoted => break,
                Some(char) => {
                    quoted ^= char == '\'';
                    name.push(char);
                }
                None => return Err("a policy variable lacks its closing brace"),
            }
        }
        tokens.push(match name.as_str() {
            "" => return Err("a policy variable lacks its name"),
            "*" => Token::Char('*'),
            "?" => Token::Char('?'),
            "$" => Token::Char('$'),
            _ => Token::Many,
        });
        chars = ahead;
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(text: &str) -> Glob {
        match ResourcePattern::parse(text, true).unwrap() {
            ResourcePattern::Arn(arn) => arn.glob(),
            ResourcePattern::Every => panic!("{text} is no ARN"),
        }
    }

    #[test]
    fn s5_a_wildcard_stands_anywhere_in_an_actions_name() {
        for (pattern, name, expected) in [
            ("getobject", "getobject", true),
            ("getobject", "getobjects", false),
            ("get*", "get", true),
            ("*object", "getobject", true),
            ("g*t*t", "getobject", true),
            ("g*t*x", "getobject", false),
            ("?et*", "getobject", true),
            ("get?", "get", false),
            ("**", "", true),
            ("*ab", "aab", true),
            ("*a?b*", "aaab", true),
        ] {
            assert_eq!(Glob::of_text(&tokens(pattern)).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn s5_an_action_has_a_prefix_and_a_name() {
        for text in ["", "s3", "s3:", ":GetObject", "s3:a:b", "s*:Get", "s3 :Get", "**", "?"] {
            assert!(ActionPattern::parse(text).is_err(), "{text}");
        }
        let pattern = ActionPattern::parse("S3:GetObject").unwrap();
        assert_eq!((pattern.namespace(), pattern.name()), (Some("s3"), "getobject"));
        assert_eq!(ActionPattern::parse("*:*"), ActionPattern::parse("*"));
    }

    #[test]
    fn s9_only_some_patterns_match_every_name() {
        for (text, expected) in [
            ("*", true),
            ("x:*", true),
            ("x:**", true),
            ("x:?*", true),
            ("x:??*", false),
            ("x:a*", false),
            ("x:?", false),
        ] {
            assert_eq!(ActionPattern::parse(text).unwrap().is_every_name(), expected, "{text}");
        }
    }

    #[test]
    fn s8_a_wildcard_in_an_arn_stays_within_its_field() {
        for (pattern, text, expected) in [
            ("arn:aws:s3:::b", "arn:aws:s3:::b", true),
            ("arn:*:b", "arn:aws:s3:::b", false),
            ("arn:*:s3:::b", "arn:aws:s3:::b", true),
            ("arn:aws:*:::b", "arn:aws:s3:x::b", false),
            ("arn:aws:?3:::b", "arn:aws:s3:::b", true),
            ("arn:aws:s3?::b", "arn:aws:s3:::b", false),
            ("arn:aws:logs:*:*:*", "arn:aws:logs:r:a:log-group:x:*", true),
            ("arn:aws:logs:*:*:a?b", "arn:aws:logs:r:a:a:b", true),
            ("arn:aws:s3", "arn:aws:s3:r:a:b:c", true),
            ("arn:aws:s3", "arn:aws:sqs:::b", false),
        ] {
            assert_eq!(arn(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn s8_a_policy_variable_is_a_wildcard_of_its_field() {
        for (pattern, text, expected) in [
            ("arn:aws:s3:::${aws:username}/x", "arn:aws:s3:::me/x", true),
            ("arn:aws:s3:::${aws:username}/x", "arn:aws:s3:::me/y", false),
            ("arn:aws:s3:::${aws:x, 'a}:b'}/x", "arn:aws:s3:::me/x", true),
            ("arn:aws:sqs:${Region}:1:q", "arn:aws:sqs:r:1:q", true),
            ("arn:aws:sqs:${Region}:q", "arn:aws:sqs:r:1:q", false),
            ("arn:aws:s3:::${*}", "arn:aws:s3:::*", true),
            ("arn:aws:s3:::${*}", "arn:aws:s3:::b", false),
            ("arn:aws:s3:::${?}${$}", "arn:aws:s3:::?$", true),
            ("arn:aws:s3:::a$b{c}", "arn:aws:s3:::a$b{c}", true),
        ] {
            assert_eq!(arn(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn s8_a_variable_stands_for_itself_in_an_old_document() {
        let ResourcePattern::Arn(arn) =
            ResourcePattern::parse("arn:aws:s3:::${aws:username}", false).unwrap()
        else {
            panic!("an ARN");
        };
        assert!(arn.glob().matches("arn:aws:s3:::${aws:username}"));
        assert!(!arn.glob().matches("arn:aws:s3:::me"));
    }

    #[test]
    fn s10_what_is_no_resource_is_refused() {
        for text in ["", "bucket", "s3:::b", "arn", "*:*", "**", "?", "arn*:aws:s3:::b"] {
            assert!(ResourcePattern::parse(text, true).is_err(), "{text}");
        }
        for text in ["arn:aws:s3:::${aws:username", "arn:aws:s3:::${}"] {
            assert!(ResourcePattern::parse(text, true).is_err(), "{text}");
        }
    }
}
