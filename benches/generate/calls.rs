//! The calls that records are of, read from `calls.txt`. Does not know who calls.

use crate::template::Template;

/// A service: an event source and its calls.
pub(crate) struct Service {
    /// The event source without `.amazonaws.com`.
    pub(crate) source: String,
    /// How often it is called, against the others.
    pub(crate) weight: u64,
    /// Whether it has one endpoint, which logs in us-east-1.
    pub(crate) global: bool,
    pub(crate) calls: Vec<Call>,
}

/// A call as CloudTrail logs it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) request: Template,
    pub(crate) response: Template,
    pub(crate) resources: Option<Template>,
    pub(crate) additional: Option<Template>,
}

/// What decides a record's `eventType`, `eventCategory` and `readOnly`.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Kind {
    Read,
    Write,
    DataRead,
    DataWrite,
    SignIn,
    Console,
    Service,
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "read" => Self::Read,
            "write" => Self::Write,
            "data-read" => Self::DataRead,
            "data-write" => Self::DataWrite,
            "sign-in" => Self::SignIn,
            "console" => Self::Console,
            "service" => Self::Service,
            _ => return None,
        })
    }

    /// Whether it is a data event.
    pub(crate) fn is_data(self) -> bool {
        matches!(self, Self::DataRead | Self::DataWrite)
    }

    /// The value of `readOnly`.
    pub(crate) fn reads(self) -> bool {
        matches!(self, Self::Read | Self::DataRead)
    }

    /// The value of `eventType`.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Self::SignIn => "AwsConsoleSignIn",
            Self::Console => "AwsConsoleAction",
            Self::Service => "AwsServiceEvent",
            _ => "AwsApiCall",
        }
    }
}

/// What a line of `calls.txt` adds to: the calls of the last line that named some.
struct Reader {
    services: Vec<Service>,
    plain_read: Option<Call>,
    plain_write: Option<Call>,
    open: Vec<Call>,
    plain: bool,
}

/// Returns the services of `calls.txt`, in its order.
pub(crate) fn services() -> Vec<Service> {
    let mut reader = Reader {
        services: vec![],
        plain_read: None,
        plain_write: None,
        open: vec![],
        plain: false,
    };
    let mut lines = include_str!("calls.txt").lines();
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut line = line.to_owned();
        // A quoted text may have line breaks.
        while line.matches("<\">").count() % 2 == 1 {
            line.push('\n');
            line.push_str(lines.next().expect("a quoted text ends"));
        }
        if let Some(member) = line.strip_prefix("  ") {
            reader.member(member);
        } else {
            reader.close();
            reader.start(&line);
        }
    }
    reader.close();
    reader.services
}

impl Reader {
    fn start(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["source", name, weight, rest @ ..] => self.services.push(Service {
                source: (*name).to_owned(),
                weight: weight.parse().expect("a weight"),
                global: !rest.is_empty(),
                calls: vec![],
            }),
            ["plain", kind] => {
                self.plain = true;
                self.open = vec![bare(Kind::of(kind).expect("a kind"), "")];
            }
            [kind, names @ ..] => {
                let kind = Kind::of(kind).expect("a kind");
                self.open = names.iter().map(|name| self.call(kind, name)).collect();
            }
            [] => {}
        }
    }

    /// Returns a call with the plain texts of its kind.
    fn call(&self, kind: Kind, name: &str) -> Call {
        let plain = if kind.reads() { &self.plain_read } else { &self.plain_write };
        match plain {
            Some(plain) if matches!(kind, Kind::Read | Kind::Write) => {
                Call { name: name.to_owned(), ..plain.clone() }
            }
            _ => bare(kind, name),
        }
    }

    fn member(&mut self, line: &str) {
        let (name, text) = line.split_once(' ').expect("a member and its template");
        let template = Template::read(text, line);
        for call in &mut self.open {
            match name {
                "request" => {
                    call.request = template.clone();
                    call.response = Template::read("null", line);
                }
                "response" => call.response = template.clone(),
                "resources" => call.resources = Some(template.clone()),
                "additional" => call.additional = Some(template.clone()),
                _ => unreachable!("{line}: no member `{name}`"),
            }
        }
    }

    fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        if std::mem::take(&mut self.plain) {
            for call in open {
                let place =
                    if call.kind.reads() { &mut self.plain_read } else { &mut self.plain_write };
                *place = Some(call);
            }
        } else if let Some(service) = self.services.last_mut() {
            service.calls.extend(open);
        }
    }
}

fn bare(kind: Kind, name: &str) -> Call {
    Call {
        kind,
        name: name.to_owned(),
        request: Template::read("null", name),
        response: Template::read("null", name),
        resources: None,
        additional: None,
    }
}
