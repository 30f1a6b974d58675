use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::http::uri::Authority;
use hyper::{Method, Uri};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use crate::config::Remote;
use crate::tls::{self, Tls};
use crate::trace;
use crate::upstream::answer::Answer;
use crate::upstream::failure::{Failure, chain};

/// Shorter than servers keep a connection that is idle (Jetty: 30 s), as a request on one that is just being closed is
/// lost.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// Sends requests over connections that are kept; cheap to clone.
#[derive(Clone)]
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    host: Option<HeaderValue>,
    authorization: Option<HeaderValue>,
}

/// A request; what it does not have is not sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// GET, POST ..
    pub method: &'static str,
    /// Path and query as they are sent.
    pub path: String,
    /// The Content-Type as the client of this proxy wrote it.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// Returns a GET.
    pub fn get(path: impl Into<String>) -> Request {
        Request { method: "GET", path: path.into(), content_type: None, body: Bytes::new() }
    }
}

impl Client {
    /// Reads the certificates; connects to nobody. `host` is the `HOST[:PORT]` that requests and certificates have to
    /// name where it is not that of the URL. The error is a sentence for the operator.
    pub fn new(remote: &Remote, connect_timeout: Duration, host: Option<&str>) -> Result<Client, String> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect_timeout));
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls(remote)?).https_or_http();
        let unusable = |_| format!("{} cannot be the name of a server", host.unwrap_or_default());
        let connector = match host {
            None => builder.enable_http1().wrap_connector(tcp),
            Some(host) => {
                let authority: Authority = host.parse().map_err(|_| unusable(()))?;
                let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
                let resolver = FixedServerNameResolver::new(name.try_into().map_err(|_| unusable(()))?);
                builder.with_server_name_resolver(resolver).enable_http1().wrap_connector(tcp)
            }
        };
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .build(connector);
        let host = host.map(HeaderValue::from_str).transpose().map_err(|_| unusable(()))?;
        Ok(Client { pool, host, authorization: authorization(remote)? })
    }

    /// Sends a request to the server at `base` and returns the answer when its head is there, within `limit`.
    pub async fn send(&self, base: &str, request: &Request, limit: Duration) -> Result<Answer, Failure> {
        let outgoing = self.outgoing(base, request)?;
        match timeout(limit, self.pool.request(outgoing)).await {
            Err(_) => Err(Failure::TimedOut(limit)),
            Ok(Ok(answer)) => Ok(Answer::new(answer)),
            Ok(Err(error)) if error.is_connect() => Err(Failure::NotSent(chain(&error))),
            Ok(Err(error)) => Err(Failure::Lost(chain(&error))),
        }
    }

    fn outgoing(&self, base: &str, request: &Request) -> Result<hyper::Request<Full<Bytes>>, Failure> {
        let unusable = |what: &str| Failure::NotSent(format!("the request has {what} that HTTP cannot carry"));
        let uri: Uri = format!("{base}{}", request.path).parse().map_err(|_| unusable("a path"))?;
        let method: Method = request.method.parse().map_err(|_| unusable("a method"))?;
        let mut outgoing = hyper::Request::new(Full::new(request.body.clone()));
        *outgoing.uri_mut() = uri;
        *outgoing.method_mut() = method;
        let headers = outgoing.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("kafka-rest-proxy/", env!("CARGO_PKG_VERSION"))));
        if let Some(content_type) = &request.content_type {
            headers.insert(CONTENT_TYPE, content_type.parse().map_err(|_| unusable("a Content-Type"))?);
        }
        if let Some(context) = trace::current() {
            follow(headers, &context);
        }
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Ok(outgoing)
    }
}

/// Tells whoever is asked whose request it is part of.
fn follow(headers: &mut HeaderMap, context: &trace::Context) {
    let mut insert = |name, value: &str| HeaderValue::from_str(value).ok().map(|value| headers.insert(name, value));
    insert(HeaderName::from_static("traceparent"), &context.traceparent());
    context.state.as_deref().map(|state| insert(HeaderName::from_static("tracestate"), state));
}

fn tls(remote: &Remote) -> Result<ClientConfig, String> {
    if remote.ca_file.is_none() && !remote.urls.iter().any(|url| url.starts_with("https")) {
        // What the system trusts takes a megabyte, and a bare container trusts nobody.
        return tls::trusting_nobody();
    }
    let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let configured = Tls {
        ca_location: text(&remote.ca_file),
        ca_pem: None,
        certificate_location: text(&remote.certificate_file),
        certificate_pem: None,
        key_location: text(&remote.key_file),
        key_pem: None,
        key_password: Some(remote.key_password.0.clone()).filter(|password| !password.is_empty()),
        verify: remote.verify,
        verify_name: remote.verify,
    };
    Ok(ClientConfig::clone(&*configured.client()?))
}

fn authorization(remote: &Remote) -> Result<Option<HeaderValue>, String> {
    let text = match (remote.username.as_str(), remote.bearer_token.0.as_str()) {
        ("", "") => return Ok(None),
        ("", token) => format!("Bearer {token}"),
        (name, _) => format!("Basic {}", STANDARD.encode(format!("{name}:{}", remote.password.0))),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| "the credentials cannot be sent".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(value))
}
