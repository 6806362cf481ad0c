//! Texts with slots, `i-0<hex:16>`, and how they are filled. Does not know which texts there are.

use std::fmt::Write as _;

use chrono::DateTime;

use crate::draw::Draw;
use crate::world::Account;

/// Where and when a record is made: what its slots are filled from.
pub(crate) struct Scene<'a> {
    pub(crate) account: &'a Account,
    pub(crate) region: &'a str,
    pub(crate) source: &'a str,
    /// Seconds since 1970.
    pub(crate) time: i64,
    /// Decides which role, bucket, key and so on the record is about: the same all through it.
    pub(crate) subject: usize,
}

impl<'a> Scene<'a> {
    fn pick<T>(&self, choices: &'a [T]) -> &'a T {
        choices.get(self.subject % choices.len()).expect("below the length")
    }
}

/// A text with slots.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Slot(Slot),
    Any(Vec<String>),
    Repeat(u64, Template),
}

#[derive(Clone, Copy, Debug)]
enum Slot {
    Account,
    Bucket,
    Date,
    Epoch,
    Function,
    Hex(u64),
    Id(u64),
    Key,
    Number(u64),
    Object,
    Prose,
    Region,
    Role,
    Source,
    Table,
    Time,
    Token(u64),
    User,
    Uuid,
    Word,
}

const WORDS: &[&str] = &[
    "orders",
    "billing",
    "ingest",
    "frontend",
    "payments",
    "search",
    "catalog",
    "reports",
    "etl",
    "gateway",
    "identity",
    "notify",
    "warehouse",
    "staging",
    "metrics",
    "archive",
    "scheduler",
    "media",
    "audit",
    "sessions",
];

/// Texts as JSON has them: escapes, other scripts, pairs of surrogates, and texts that look like
/// members of a record.
const PROSE: &[&str] = &[
    "managed by terraform",
    "nightly backup (do not delete)",
    "Zugriff f\u{fc}r M\u{fc}nchen, B\u{fc}ro 4",
    "\u{65e5}\u{672c}\u{8a9e}\u{306e}\u{8aac}\u{660e}",
    "caf\\u00e9 \\ud83d\\ude80",
    "ship it \u{1f680}",
    "a \\\"quoted\\\" word, a tab\\t, a backslash \\\\",
    "see \\\"eventSource\\\":\\\"quoted.amazonaws.com\\\",\\\"eventTime\\\":\\\"2033-03-03T03:03:03Z\\\"",
    "\\\\",
    "{\\\"Records\\\":[{}]}",
    "O'Brien & S\\u00f8n <ops>",
    "",
];

const OBJECTS: &[&str] = &[
    "year=2026/month=01/part-00017.snappy.parquet",
    "incoming/report \\\"final\\\".csv",
    "photos/M\u{fc}nchen/IMG 0042.jpeg",
    "logs/app.log.gz",
    "a/b/c/{id}/[0]",
    "state/terraform.tfstate",
];

impl Template {
    /// Reads a text with slots; `what` names it in messages.
    pub(crate) fn read(text: &str, what: &str) -> Self {
        let mut rest = text;
        let template = Self::read_to_end(&mut rest, &mut false, what);
        assert!(rest.is_empty(), "{what}: `*>` ends what nothing began");
        template
    }

    fn read_to_end(rest: &mut &str, quoted: &mut bool, what: &str) -> Self {
        let mut pieces = Vec::new();
        while let Some(at) = rest.find(['<', '*']) {
            let (plain, behind) = rest.split_at(at);
            push_text(&mut pieces, plain, *quoted);
            if let Some(behind) = behind.strip_prefix("*>") {
                *rest = behind;
                return Self(pieces);
            } else if let Some(behind) = behind.strip_prefix('*') {
                push_text(&mut pieces, "*", *quoted);
                *rest = behind;
            } else if let Some(behind) = behind.strip_prefix("<\">") {
                *quoted = !*quoted;
                pieces.push(Piece::Text("\"".to_owned()));
                *rest = behind;
            } else if let Some(behind) = behind.strip_prefix("<*") {
                let (most, behind) = behind.split_once('|').expect(what);
                *rest = behind;
                let inner = Self::read_to_end(rest, quoted, what);
                pieces.push(Piece::Repeat(most.parse().expect(what), inner));
            } else {
                let (slot, behind) = behind.trim_start_matches('<').split_once('>').expect(what);
                pieces.push(slot_piece(slot, what));
                *rest = behind;
            }
        }
        push_text(&mut pieces, rest, *quoted);
        *rest = "";
        Self(pieces)
    }

    /// Appends the text with its slots filled.
    pub(crate) fn fill(&self, out: &mut String, scene: &Scene<'_>, draw: &mut Draw) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Slot(slot) => slot.fill(out, scene, draw),
                Piece::Any(choices) => out.push_str(draw.pick::<String>(choices)),
                Piece::Repeat(most, inner) => {
                    for at in 0..=draw.below(*most) {
                        if at > 0 {
                            out.push(',');
                        }
                        inner.fill(out, scene, draw);
                    }
                }
            }
        }
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, quoted: bool) {
    if text.is_empty() {
        return;
    }
    let piece = if quoted {
        let escaped = serde_json::to_string(text).expect("a text");
        let inner = escaped.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        inner.expect("quotes").to_owned()
    } else {
        text.to_owned()
    };
    pieces.push(Piece::Text(piece));
}

fn slot_piece(slot: &str, what: &str) -> Piece {
    let (name, argument) = slot.split_once(':').unwrap_or((slot, ""));
    let number = || argument.parse().expect(what);
    Piece::Slot(match name {
        "any" => return Piece::Any(argument.split(',').map(str::to_owned).collect()),
        // What CloudTrail writes for a secret.
        "removed" => return Piece::Text("<sensitiveDataRemoved>".to_owned()),
        "account" => Slot::Account,
        "bucket" => Slot::Bucket,
        "date" => Slot::Date,
        "epoch" => Slot::Epoch,
        "function" => Slot::Function,
        "hex" => Slot::Hex(number()),
        "id" => Slot::Id(number()),
        "key" => Slot::Key,
        "n" => Slot::Number(number()),
        "object" => Slot::Object,
        "prose" => Slot::Prose,
        "region" => Slot::Region,
        "role" => Slot::Role,
        "source" => Slot::Source,
        "table" => Slot::Table,
        "time" => Slot::Time,
        "token" => Slot::Token(number()),
        "user" => Slot::User,
        "uuid" => Slot::Uuid,
        "word" => Slot::Word,
        _ => unreachable!("{what}: no slot `{name}`"),
    })
}

impl Slot {
    fn fill(self, out: &mut String, scene: &Scene<'_>, draw: &mut Draw) {
        let account = scene.account;
        match self {
            Self::Account => out.push_str(&account.id),
            Self::Bucket => out.push_str(scene.pick::<String>(&account.buckets)),
            Self::Date => write_date(out, scene.time),
            Self::Epoch => write!(out, "{}", scene.time).expect("memory"),
            Self::Function => out.push_str(scene.pick::<String>(&account.functions)),
            Self::Hex(count) => draw.hex(out, count),
            Self::Id(count) => draw.id(out, count),
            Self::Key => out.push_str(scene.pick::<String>(&account.keys)),
            Self::Number(bound) => write!(out, "{}", draw.below(bound)).expect("memory"),
            Self::Object => out.push_str(scene.pick::<&str>(OBJECTS)),
            Self::Prose => out.push_str(draw.pick::<&str>(PROSE)),
            Self::Region => out.push_str(scene.region),
            Self::Role => out.push_str(&scene.pick(&account.roles).name),
            Self::Source => out.push_str(scene.source),
            Self::Table => out.push_str(scene.pick::<String>(&account.tables)),
            Self::Time => write_time(out, scene.time),
            Self::Token(count) => draw.token(out, count),
            Self::User => out.push_str(&scene.pick(&account.users).name),
            Self::Uuid => draw.uuid(out),
            Self::Word => out.push_str(draw.pick::<&str>(WORDS)),
        }
    }
}

/// Returns one of the words that names are made of.
pub(crate) fn word(draw: &mut Draw) -> &'static str {
    draw.pick::<&str>(WORDS)
}

/// Appends an instant as `eventTime` has it.
pub(crate) fn write_time(out: &mut String, seconds: i64) {
    use chrono::{Datelike as _, Timelike as _};
    let time = DateTime::from_timestamp(seconds, 0).expect("a year of four digits");
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    write!(out, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z").expect("memory");
}

/// Appends an instant as it is found in parameters and answers.
fn write_date(out: &mut String, seconds: i64) {
    let time = DateTime::from_timestamp(seconds, 0).expect("a year of four digits");
    write!(out, "{}", time.format("%b %-d, %Y, %-I:%M:%S %p")).expect("memory");
}
