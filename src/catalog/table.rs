//! The form of the embedded table; knows not where its facts come from.
//!
//! Lines of fields parted by tabs, the first field says what the line is:
//!
//! ```text
//! version  WORDS
//! date     2026-01-31
//! service  s3  Amazon S3  listed                 (or retired)
//! arn      arn:*:s3:::*                          a pattern of the service above; numbered from 0
//! +        GetObject  0 3                        a tracked action of it and its patterns
//! -        ListAllMyBuckets  *                   an untracked one; `*` no resource type, `?` unknown
//! source   s3.amazonaws.com  s3                  an event source and its namespace
//! event    HeadObject  always  s3:GetObject      an event of the source above and its actions
//! ```
//!
//! The third field of an event is `always` or `serviceNamespace`, its last one `-` if the event is
//! service level only. Lines with `#` in front are comments.

use super::event::{EventSource, Exception, host};
use super::{Action, Catalog, Interned, PatternIndex, Resources, Service};

/// Reads a table; the error is the number of the first line that is not as above.
pub(super) fn parse(text: &str) -> Result<Catalog, usize> {
    let mut reader = Reader::default();
    for (number, line) in (1usize..).zip(text.lines()) {
        if !line.starts_with('#') {
            reader.line(line).ok_or(number)?;
        }
    }
    reader.finish_service();
    let Reader { version, date, mut services, interned, mut sources, .. } = reader;
    services.sort_by(|a, b| a.namespace.cmp(&b.namespace));
    sources.sort_by(|a, b| a.host.cmp(&b.host));
    Ok(Catalog { version, date, services, patterns: interned.patterns, sources })
}

#[derive(Default)]
struct Reader<'a> {
    version: String,
    date: String,
    services: Vec<Service>,
    interned: Interned,
    sources: Vec<EventSource>,
    /// The service whose lines are being read: namespace, name, listed.
    open: Option<(&'a str, &'a str, bool)>,
    open_patterns: Vec<PatternIndex>,
    open_actions: Vec<Action>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) -> Option<()> {
        let mut fields = line.split('\t');
        let tag = fields.next()?;
        let first = fields.next()?;
        match tag {
            "+" | "-" => {
                self.open?;
                let resources = self.resources(fields.next()?)?;
                let tracked = tag == "+";
                self.open_actions.push(Action { name: first.to_owned(), tracked, resources });
            }
            "arn" => {
                self.open?;
                let pattern = self.interned.intern(first)?;
                self.open_patterns.push(pattern);
            }
            "service" => {
                self.finish_service();
                let name = fields.next()?;
                let listed = match fields.next()? {
                    "listed" => true,
                    "retired" => false,
                    _ => return None,
                };
                self.open = Some((first, name, listed));
            }
            "source" => {
                let namespace = fields.next()?.to_owned();
                let exceptions = Vec::new();
                self.sources.push(EventSource { host: host(first), namespace, exceptions });
            }
            "event" => {
                let exception = exception(first, fields.next()?, fields.next()?)?;
                self.sources.last_mut()?.exceptions.push(exception);
            }
            "version" => self.version = first.to_owned(),
            "date" => self.date = first.to_owned(),
            _ => return None,
        }
        fields.next().is_none().then_some(())
    }

    fn resources(&self, field: &str) -> Option<Resources> {
        Some(match field {
            "?" => Resources::Unknown,
            "*" => Resources::None,
            _ => {
                let pattern =
                    |number: &str| self.open_patterns.get(number.parse::<usize>().ok()?).copied();
                Resources::Patterns(field.split(' ').map(pattern).collect::<Option<_>>()?)
            }
        })
    }

    fn finish_service(&mut self) {
        let actions = std::mem::take(&mut self.open_actions);
        self.open_patterns.clear();
        if let Some((namespace, name, listed)) = self.open.take() {
            let service = Service::new(namespace.to_owned(), name.to_owned(), listed, actions);
            self.services.push(service);
        }
    }
}

fn exception(event_name: &str, when: &str, actions: &str) -> Option<Exception> {
    let with_service_namespace = match when {
        "always" => false,
        "serviceNamespace" => true,
        _ => return None,
    };
    let action = |text: &str| {
        text.split_once(':').map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
    };
    let actions = match actions {
        "-" => Vec::new(),
        _ => actions.split(' ').map(action).collect::<Option<_>>()?,
    };
    Some(Exception { event_name: event_name.to_owned(), with_service_namespace, actions })
}
