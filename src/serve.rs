//! An endpoint that answers as IAM does: the reports of one set of facts, by AWS's Query protocol for
//! the AWS CLI, boto3 and every SDK, and as pages for people.
//!
//! The facts do not change while it runs, so an answer is a function of request, jobs and time. One
//! thread, the [`Desk`]'s, makes all answers, one after the other; what is asynchronous is in `http`
//! and `forward` alone, and only carries bytes.

mod desk;
mod forward;
mod http;
mod jobs;
mod page;
mod reply;
mod request;
mod signature;
mod state;

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};

use crate::catalog::Catalog;
use crate::coverage::Coverage;
use crate::identities::Identities;
use crate::organization::Organization;
use crate::report::{organizations, service};
use crate::time::Time;

pub use desk::{Choices, Desk};
pub use forward::{Forward, ForwardError};
pub use http::{Exchange, Observer, Options};
pub use jobs::{Job, Jobs, Question};
pub use reply::Reply;
pub use request::{Form, Operation, Request, Rows};
pub use signature::{Credentials, CredentialsError};
pub use state::{Opened, StateError, Store};

use http::Call;

/// So many questions wait for the desk; who asks more waits with asking.
const WAITING: usize = 256;

/// Asks a server to end.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Lets no further connection in, and those that are open come to the end of what they are at.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// A place at which is listened.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Listens at `address`; clients that come before [`Server::start`] wait.
    ///
    /// # Errors
    ///
    /// Those of the system: the address is in use, or not one of this machine.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, stop: watch::Sender::new(false) })
    }

    /// Returns the address, with the port that the system chose if none was given.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Returns what asks it to end.
    pub fn stopper(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Lets clients in. From now on SIGTERM is a request to come to an end, even where the program was
    /// started to ignore other signals, as shells do with what they put into the background.
    ///
    /// # Errors
    ///
    /// Those of the system when it has no threads.
    pub fn start(self, options: Options) -> io::Result<Running> {
        let runtime =
            Builder::new_multi_thread().enable_all().thread_name("trailfold-http").build()?;
        let (calls, waiting) = mpsc::channel(WAITING);
        let inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let terminated = http::terminated()?;
        drop(inside);
        runtime.spawn(http::accept(listener, options, calls, self.stop, terminated));
        Ok(Running { waiting, _runtime: runtime })
    }
}

/// A server that lets clients in.
#[derive(Debug)]
pub struct Running {
    waiting: mpsc::Receiver<Call>,
    /// Its threads end with it.
    _runtime: Runtime,
}

impl Running {
    /// Answers until it is asked to end, by [`Stop`] or SIGTERM; `clock` tells the time of each
    /// question.
    pub fn answer(mut self, desk: &mut Desk<'_>, clock: impl Fn() -> Time) {
        // Nobody can ask any more once the last connection is closed.
        while let Some(Call { question, answer }) = self.waiting.blocking_recv() {
            let reply = match question {
                http::Question::Request(request) => desk.answer(&request, clock()),
                http::Question::Visit(visit) => desk.visit(&visit, clock()),
            };
            // Whoever asked may have gone.
            let _ = answer.send(reply);
        }
    }
}

/// What is served.
pub struct Facts<'a> {
    /// Services and actions.
    pub catalog: &'a Catalog,
    /// What was read.
    pub coverage: &'a Coverage,
    /// The tree.
    pub organization: &'a Organization,
    /// The accesses of its accounts.
    pub accounts: &'a organizations::Activity<'a>,
    /// Users, groups, roles and policies with their accesses, if there is a snapshot of them.
    pub identities: Option<(&'a Identities, &'a service::Activity<'a>)>,
    /// What the reader of a report has to know, a sentence a line: what could not be read, and what
    /// makes reports say something else than AWS's would.
    pub notes: Vec<String>,
}

impl Facts<'_> {
    /// Returns when the period began, as far as that is known.
    pub fn start(&self) -> Option<Time> {
        self.coverage.period.since.or_else(|| self.coverage.first_event())
    }
}

/// Makes the reports.
struct Reporters<'a> {
    organizations: organizations::Reporter<'a>,
    services: Option<service::Reporter<'a>>,
}

impl<'a> Reporters<'a> {
    fn new(facts: &Facts<'a>) -> Self {
        let Facts { catalog, organization, accounts, .. } = *facts;
        Self {
            organizations: organizations::Reporter::new(accounts, organization, catalog),
            services: facts.identities.map(|(identities, activity)| {
                service::Reporter::new(activity, identities, catalog, facts.start())
            }),
        }
    }
}
