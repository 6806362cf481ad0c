//! Members in every order, of every length and at every distance from the end of the bytes: what is
//! guessed by the records before is what stands there.

use super::*;

/// Keys that the scanner knows, and some that it does not, or not as guesses.
const KEYS: [&str; 36] = [
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "readOnly",
    "resources",
    "eventType",
    "apiVersion",
    "managementEvent",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "eventCategory",
    "tlsDetails",
    "sessionCredentialFromConsole",
    "@timestamp",
    "insightDetails",
    "digestStartTime",
    "detail",
    "message",
    "configRuleArn",
    "event",
    "eventTimes",
    "",
    "a key of no record, and longer than the longest that any record has",
];

/// Numbers without end, always the same.
struct Dice(u64);

impl Dice {
    /// Returns a number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.roll(among.len())]
    }

    /// Returns a string of JSON, nearly always without escapes.
    fn string(&mut self) -> String {
        let text = "x".repeat(self.roll(141));
        let odd = if self.roll(6) == 0 {
            self.pick(&["\\\"", "\\\\", "\\u00e9", "é", "{", "}", "\\\",\\\"eventName\\\":\\\""])
        } else {
            ""
        };
        let behind = if self.roll(3) == 0 { "y".repeat(self.roll(70)) } else { String::new() };
        format!("\"{text}{odd}{behind}\"")
    }

    fn value(&mut self) -> String {
        match self.roll(10) {
            0 => self.pick(&["null", "true", "false", "0", "-1.5e+3", "{}", "[]"]).to_owned(),
            1 => format!("{{\"eventName\":{},\"a\":[{}]}}", self.string(), self.string()),
            2 => format!("[{},{{\"eventTime\":{}}}]", self.string(), self.string()),
            3 => {
                let identity = self.pick(&["Root", "IAMUser", "AssumedRole"]);
                let filler = ["", "s", "t"].map(|it| it.repeat(200))[self.roll(3)].clone();
                format!("{{\"type\":\"{identity}\",\"arn\":\"{filler}\",\"accountId\":\"1\"}}")
            }
            _ => self.string(),
        }
    }

    /// Returns a key as it may be written.
    fn key(&mut self) -> String {
        let key = self.pick(&KEYS);
        match key.chars().next() {
            Some(first) if self.roll(12) == 0 => {
                format!("\\u{:04x}{}", u32::from(first), key.get(1..).unwrap())
            }
            _ => key.to_owned(),
        }
    }

    /// Returns an object whose members come in any order, some of them twice.
    fn object(&mut self) -> String {
        let members = self.roll(25);
        let style = self.roll(4);
        let blank = match style {
            0 | 1 => "",
            2 => " ",
            _ => "\n    ",
        };
        let colon = if style == 3 { " :\r\n\t" } else { ":" };
        let members: Vec<String> = (0..members)
            .map(|_| {
                let (key, value) = (self.key(), self.value());
                format!("{blank}\"{key}\"{colon}{blank}{value}{blank}")
            })
            .collect();
        format!("{{{blank}{}{blank}}}", members.join(","))
    }
}

/// A scanner of every level, and what it knows of the objects before.
struct Levels(Vec<(level::tests::At, Habits)>);

impl Levels {
    fn new() -> Self {
        Self(level::tests::every().into_iter().map(|at| (at, Habits::default())).collect())
    }

    /// Compares what each level reads with what the twin reads.
    fn check(&mut self, bytes: &[u8], start: usize) {
        let twin = object_by_bytes(bytes, start);
        let place = || String::from_utf8_lossy(bytes);
        for ((level, read), habits) in &mut self.0 {
            match (read(bytes, start, habits), &twin) {
                (Ok(object), Ok(twin)) => {
                    assert_eq!(object.event, twin.event, "{level}: {}", place());
                    assert_eq!(object.end, twin.end, "{level}: {}", place());
                    assert_eq!(kinds(&object), kinds(twin), "{level}: {}", place());
                }
                (Err(_), Err(_)) => {}
                (object, twin) => panic!("{level}: {object:?}, but {twin:?}: {}", place()),
            }
        }
    }
}

/// Returns what an object says beside its event.
fn kinds(object: &Object<'_>) -> (bool, bool, bool, usize, String) {
    let Object { is_envelope, is_digest, is_config, event_members, inner, .. } = object;
    (*is_envelope, *is_digest, *is_config, *event_members, format!("{inner:?}"))
}

/// What no object may be read on into.
const BEHIND: &str = r#","eventName":"behind","eventTime":"behind","userIdentity":{"type":"behind"},"userAgent":"behind","awsRegion":"behind"}"#;

#[test]
fn a26_members_in_every_order_are_read_as_the_twin_reads_them() {
    let (mut dice, mut levels) = (Dice(1), Levels::new());
    for _ in 0..4000 {
        let object = dice.object();
        let before = " ".repeat(dice.roll(3));
        let behind = BEHIND.get(..dice.roll(BEHIND.len() + 1)).unwrap();
        levels.check(format!("{before}{object}{behind}").as_bytes(), before.len());
        levels.check(object.as_bytes(), 0);
    }
}

#[test]
fn members_in_every_order_are_incomplete_wherever_they_are_cut_off() {
    let (mut dice, mut levels) = (Dice(2), Levels::new());
    for _ in 0..60 {
        let object = dice.object();
        levels.check(object.as_bytes(), 0);
        for end in 1..object.len() {
            let cut = object.as_bytes().get(..end).unwrap();
            assert_eq!(object_by_bytes(cut, 0).unwrap_err(), Fault::Incomplete);
            levels.check(cut, 0);
        }
    }
}

#[test]
fn a_member_of_any_length_is_read_whole_whatever_the_length_of_the_last_one() {
    let lengths = (0..141).chain((0..141).rev()).chain((0..141).map(|at| at * 67 % 141));
    for key in ["eventTime", "eventName", "userAgent", "eventID"] {
        let mut levels = Levels::new();
        for length in lengths.clone() {
            let text = "x".repeat(length);
            let whole = format!(r#"{{"{key}":"{text}","eventSource":"s","awsRegion":"{text}"}}"#);
            let last = format!(r#"{{"awsRegion":"r","{key}":"{text}"}}"#);
            for json in [whole.clone(), last.clone(), whole + BEHIND, last + BEHIND] {
                for ((level, read), habits) in &mut levels.0 {
                    let event = read(json.as_bytes(), 0, habits).unwrap().event;
                    let found = match key {
                        "eventTime" => event.event_time(),
                        "eventName" => event.event_name(),
                        "eventID" => event.event_id(),
                        _ => Some(text.as_str().into()),
                    };
                    assert_eq!(found, raw(&text), "{level}: {json}");
                }
                levels.check(json.as_bytes(), 0);
            }
        }
    }
}

#[test]
fn values_that_end_at_the_border_of_a_block_end_there() {
    let mut levels = Levels::new();
    for border in [64, 128, 192] {
        for length in border - 4..border + 5 {
            let filler = |around: usize| "x".repeat(length - around);
            for value in [
                format!(r#""{}""#, filler(2)),
                format!(r#""{}\"""#, filler(4)),
                format!(r#""{}\\""#, filler(4)),
                format!(r#"{{"a":"{}"}}"#, filler(8)),
                format!(r#"{{"a":"{}\\"}}"#, filler(10)),
                format!(r#"{{"a":"{}","b":{{}}}}"#, filler(15)),
                format!(r#"{{"a":"{}","b":[]}}"#, filler(15)),
                format!(r#"["{}"]"#, filler(4)),
                format!(r#"["{}",[]]"#, filler(7)),
            ] {
                assert_eq!(value.len(), length);
                for key in ["eventTime", "eventName", "requestParameters", "userIdentity", "x"] {
                    let json = format!(r#"{{"{key}":{value},"eventID":"i"}}"#);
                    let event = object(json.as_bytes(), 0).unwrap().event;
                    assert_eq!(event.event_id(), raw("i"), "{json}");
                    levels.check(json.as_bytes(), 0);
                    levels.check(format!("{{\"{key}\":{value}}}").as_bytes(), 0);
                    levels.check(format!("{{\"{key}\":{value}}}{BEHIND}").as_bytes(), 0);
                }
            }
        }
    }
}
