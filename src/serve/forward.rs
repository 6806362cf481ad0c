//! Requests for other operations, passed on to another endpoint as they are.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CONNECTION, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Response, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;

/// So long the other endpoint may take until it begins to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Headers that are for one connection, not for who is behind it.
const OF_A_CONNECTION: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Another endpoint.
#[derive(Debug)]
pub struct Forward {
    endpoint: Uri,
    client: Client<HttpConnector, Body>,
}

/// Why a URL is no endpoint.
#[derive(Debug, Error)]
pub enum ForwardError {
    /// It is no URL.
    #[error("`{0}` is no URL such as http://127.0.0.1:5000")]
    NoUrl(String),
    /// AWS itself checks what a request was signed for.
    #[error(
        "`{0}`: only http is passed on to: a request is signed for the address that it is sent to, so \
         that AWS would refuse it"
    )]
    NotHttp(String),
}

impl Forward {
    /// Makes the endpoint of a URL.
    ///
    /// # Errors
    ///
    /// [`ForwardError`] for what is no `http://HOST[:PORT][/]`.
    pub fn new(url: &str) -> Result<Self, ForwardError> {
        let endpoint: Uri = url.parse().map_err(|_| ForwardError::NoUrl(url.to_owned()))?;
        let is_bare = endpoint.path_and_query().is_none_or(|it| it.as_str() == "/");
        if endpoint.authority().is_none() || !is_bare {
            return Err(ForwardError::NoUrl(url.to_owned()));
        }
        if endpoint.scheme_str() != Some("http") {
            return Err(ForwardError::NotHttp(url.to_owned()));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        connector.set_nodelay(true);
        Ok(Self { endpoint, client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// Passes a request on, with the host that it was signed for, and returns the answer as it is;
    /// a sentence if there is none.
    pub(super) async fn pass(&self, head: &Parts, body: Bytes) -> Result<Response<Body>, String> {
        let mut uri = self.endpoint.clone().into_parts();
        uri.path_and_query = head.uri.path_and_query().cloned();
        let uri = Uri::from_parts(uri).map_err(|error| error.to_string())?;
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = head.headers.clone();
        without_connection(request.headers_mut());
        let answer = tokio::time::timeout(PATIENCE, self.client.request(request)).await;
        let mut response = answer
            .map_err(|_| "the endpoint of --forward does not answer".to_owned())?
            .map_err(|error| format!("the endpoint of --forward cannot be asked: {error}"))?
            .map(Body::new);
        // The other end speaks to this program in its own way.
        *response.version_mut() = Version::default();
        without_connection(response.headers_mut());
        Ok(response)
    }
}

/// Takes away the headers that are for one connection, those among them that it names itself.
fn without_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(OF_A_CONNECTION) {
        headers.remove(name);
    }
}
