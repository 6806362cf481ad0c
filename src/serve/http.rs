//! HTTP/1.1: connections, bounds, and who may ask; carries requests to the desk and answers back.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
    HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request as HttpRequest, Response, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::forward::Forward;
use super::page::Visit;
use super::reply::Reply;
use super::request::{Form, Operation, Request};
use super::signature::{Credentials, Signed};
use crate::report::RequestError;
use crate::time::Time;

/// So many connections are open at once; more wait until one is closed.
const MOST_CONNECTIONS: usize = 2_000;

/// The most bytes of a request's body: an IAM policy, escaped, takes a fourth of it.
const MOST_BODY: usize = 128 << 10;

/// The most bytes of a request's head.
const MOST_HEAD: usize = 16 << 10;

/// So long a client may take for the head of a request, the pause before it included.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// So long it may take for the body.
const BODY_TIME: Duration = Duration::from_secs(15);

/// So long a client may read nothing of an answer.
const WRITE_TIME: Duration = Duration::from_secs(15);

/// So long requests may go on when the program is asked to end.
const GRACE: Duration = Duration::from_secs(10);

/// A pause when the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(50);

/// What a browser may do with a page: show it, with its own style sheet, and send its own forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// A header of AWS's answers.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Who may ask, and what becomes of other operations.
pub struct Options {
    /// Whose signatures are asked for; without, nobody's.
    pub credentials: Option<Credentials>,
    /// Where other operations go; without, they are refused.
    pub forward: Option<Forward>,
    /// The names by which a browser may call this endpoint, beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// The clock by which signatures are judged.
    pub clock: fn() -> Time,
    /// Told of every answer.
    pub observer: Option<Observer>,
}

/// Told of every answer.
pub type Observer = Box<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// A request and its answer, for people.
#[derive(Debug)]
pub struct Exchange<'r> {
    /// Who asked.
    pub peer: SocketAddr,
    /// `POST` or another method.
    pub method: &'r str,
    /// The operation, or the path.
    pub what: &'r str,
    /// The HTTP status.
    pub status: u16,
    /// The error's code.
    pub code: Option<&'static str>,
    /// How long the answer took.
    pub took: Duration,
}

/// A question to the desk, and where the answer goes.
pub(super) struct Call {
    pub(super) question: Question,
    pub(super) answer: oneshot::Sender<Reply>,
}

/// What is asked.
pub(super) enum Question {
    /// An operation.
    Request(Request),
    /// A page.
    Visit(Visit),
}

struct Shared {
    options: Options,
    calls: mpsc::Sender<Call>,
}

/// The other end of a connection.
#[derive(Clone, Copy)]
struct Peer(SocketAddr);

/// Accepts connections until it is told to stop, or `terminated` is, and lets requests that are under
/// way come to their end.
pub(super) async fn accept(
    listener: TcpListener,
    options: Options,
    calls: mpsc::Sender<Call>,
    stop: watch::Sender<bool>,
    terminated: impl Future<Output = ()>,
) {
    let mut stopped = stop.subscribe();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let shared = Arc::new(Shared { options, calls });
    let router = Router::new().route("/", get(visit).post(query)).fallback(get(visit));
    let router = router.with_state(shared);
    let mut terminated = std::pin::pin!(terminated);
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            () = terminated.as_mut() => {
                stop.send_replace(true);
                break;
            }
            accepted = async {
                let place = Arc::clone(&room).acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
        };
        let (Ok(place), Ok((stream, peer))) = accepted else {
            // No room for another file, or the client has gone.
            sleep(PAUSE).await;
            continue;
        };
        let router = router.clone();
        let stopped = stopped.clone();
        tokio::spawn(async move {
            connection(stream, peer, router, stopped).await;
            drop(place);
        });
    }
}

/// Begins to wait for SIGTERM.
pub(super) fn terminated() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut signals = signal(SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        signals.recv().await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    })
}

/// Serves one connection to its end.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    // Without it an answer waits for the client's word on the packet before.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: HttpRequest<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .half_close(true)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = std::pin::pin!(connection);
    // How a connection ends is its client's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}

/// Answers an operation of the Query protocol.
async fn query(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let mut action = String::new();
    let (response, code) = match shared.query(&head, body, &mut action).await {
        Ok(Answer::Reply(reply)) => response(reply),
        Ok(Answer::Forwarded(response)) => (*response, None),
        Err(error) => response(Reply::refusal(&error)),
    };
    let exchange = Exchange {
        peer: peer.0,
        method: head.method.as_str(),
        what: &action,
        status: response.status().as_u16(),
        code,
        took: started.elapsed(),
    };
    shared.tell(&exchange);
    response
}

/// Answers a browser.
async fn visit(
    State(shared): State<Arc<Shared>>,
    Extension(peer): Extension<Peer>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let started = Instant::now();
    let (head, _) = request.into_parts();
    let reply = match shared.visit(&head).await {
        Ok(reply) => reply,
        Err(error) => Reply {
            status: 403,
            content_type: "text/plain; charset=utf-8",
            request_id: None,
            code: Some(error.code),
            body: (error.message + "\n").into_bytes(),
        },
    };
    let (response, code) = response(reply);
    let exchange = Exchange {
        peer: peer.0,
        method: head.method.as_str(),
        what: head.uri.path(),
        status: response.status().as_u16(),
        code,
        took: started.elapsed(),
    };
    shared.tell(&exchange);
    response
}

/// An answer of the desk, or of another endpoint.
enum Answer {
    Reply(Reply),
    Forwarded(Box<Response<Body>>),
}

impl Shared {
    async fn query(
        &self,
        head: &Parts,
        body: Body,
        action: &mut String,
    ) -> Result<Answer, RequestError> {
        check_host(&head.headers, &self.options.hosts)?;
        check_origin(&head.headers)?;
        let body = read(&head.headers, body).await?;
        if let Some(credentials) = &self.options.credentials {
            let signed = Signed {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                headers: &head.headers,
                body: &body,
            };
            credentials.check(&signed, (self.options.clock)())?;
        }
        let form = Form::parse(&body);
        let Some(named) = form.action() else {
            return Err(refusal("MissingAction", "The request must contain the parameter Action."));
        };
        named.clone_into(action);
        match (Operation::named(named), &self.options.forward) {
            (Some(operation), _) => {
                let request = Request::read(operation, &form)?;
                Ok(Answer::Reply(self.ask(Question::Request(request)).await))
            }
            (None, Some(forward)) => match forward.pass(head, body).await {
                Ok(response) => Ok(Answer::Forwarded(Box::new(response))),
                Err(reason) => Ok(Answer::Reply(Reply::failure(&reason))),
            },
            (None, None) => Err(refusal(
                "InvalidAction",
                &format!(
                    "Could not find operation {named}: trailfold serve answers {}, and passes others \
                     on with --forward",
                    Operation::ALL.map(Operation::name).join(", ")
                ),
            )),
        }
    }

    async fn visit(&self, head: &Parts) -> Result<Reply, RequestError> {
        check_host(&head.headers, &self.options.hosts)?;
        if self.options.credentials.is_some() {
            return Err(refusal(
                "AccessDenied",
                "There are no pages where signatures are asked for: a browser cannot sign.",
            ));
        }
        let query = head.uri.query().unwrap_or_default();
        let visit = Visit {
            path: head.uri.path().to_owned(),
            parameters: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        };
        Ok(self.ask(Question::Visit(visit)).await)
    }

    async fn ask(&self, question: Question) -> Reply {
        let (answer, answered) = oneshot::channel();
        let ending = || Reply::failure("the program is ending");
        if self.calls.send(Call { question, answer }).await.is_err() {
            return ending();
        }
        answered.await.unwrap_or_else(|_| ending())
    }

    fn tell(&self, exchange: &Exchange<'_>) {
        if let Some(observer) = &self.options.observer {
            observer(exchange);
        }
    }
}

/// Reads a body that is neither too long nor too slow.
async fn read(headers: &HeaderMap, body: Body) -> Result<axum::body::Bytes, RequestError> {
    let too_long = || {
        let message = format!("A request has {MOST_BODY} bytes at the most.");
        refusal("RequestEntityTooLarge", &message)
    };
    let length = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MOST_BODY as u64) {
        return Err(too_long());
    }
    match timeout(BODY_TIME, to_bytes(body, MOST_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        // Or it broke off, and nobody reads the answer.
        Ok(Err(_)) => Err(too_long()),
        Err(_) => Err(refusal("RequestTimeout", "The request did not come to its end in time.")),
    }
}

/// Refuses names under which this endpoint is not known: a page of somebody else may have its own
/// name lead to this address, and read what it gets here.
fn check_host(headers: &HeaderMap, known: &[String]) -> Result<(), RequestError> {
    let Some(host) = headers.get(HOST) else { return Ok(()) };
    let host = host.to_str().unwrap_or_default();
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let is_local = name == "localhost" || name.ends_with(".localhost");
    if is_address || is_local || known.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
        return Ok(());
    }
    Err(refusal(
        "AccessDenied",
        &format!("This endpoint is not known as `{name}`: --allow-host lets it be called so."),
    ))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Refuses requests that a browser sends for a page of somebody else.
fn check_origin(headers: &HeaderMap) -> Result<(), RequestError> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if origin.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    Err(refusal("AccessDenied", "Requests of other pages are not answered."))
}

fn refusal(code: &'static str, message: &str) -> RequestError {
    RequestError { code, message: message.to_owned() }
}

/// Returns a reply as HTTP has it, and the error's code.
fn response(reply: Reply) -> (Response<Body>, Option<&'static str>) {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    let id = reply.request_id.as_deref().and_then(|id| HeaderValue::from_str(id).ok());
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    // What is left of the request is not worth reading.
    if matches!(reply.status, 408 | 413) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    (response, reply.code)
}

#[cfg(test)]
mod tests;
