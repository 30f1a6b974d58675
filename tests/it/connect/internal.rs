//! What is between workers stays there, and what is the client's own does not reach them.

use std::collections::BTreeSet;

use serde_json::json;

use crate::connect::requests::{Write, config, reads};
use crate::connect::{Gateway, proxy};
use crate::harness::connect::fake::{Action, FakeWorkers};
use crate::harness::http::JSON;

/// Everything that a request to a worker may have; the last two only where the client sent them.
const SENT: [&str; 8] =
    ["accept", "authorization", "content-length", "content-type", "host", "user-agent", "traceparent", "tracestate"];

#[tokio::test]
async fn a_worker_gets_only_headers_that_it_has_a_use_for() {
    let gateway = Gateway::start(1, &["username=gate", "password=way"]);
    let asks = reads("c").into_iter().chain(Write::all().map(|write| write.ask("c")));
    for ask in asks {
        gateway.fakes.put("c", config());
        gateway.fakes.forget_requests();
        let call = ask
            .at(&gateway.app.url(""))
            .header("authorization", "Basic Y2xpZW50OnNlY3JldA==")
            .header("cookie", "session=1")
            .header("x-connect-authorization", "mac")
            .header("x-connect-request-signature-algorithm", "HmacSHA256")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x-forwarded-host", "elsewhere")
            .header("forwarded", "for=10.0.0.1")
            .header("te", "trailers")
            .header("x-anything", "else")
            .header("accept-language", "en")
            .header("origin", "http://elsewhere");
        call.send().await;

        for request in gateway.fakes.requests() {
            let names: BTreeSet<String> = request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
            let unknown: Vec<_> = names.iter().filter(|name| !SENT.contains(&name.as_str())).collect();
            assert!(unknown.is_empty(), "{ask:?}: {unknown:?}");
            assert_eq!(request.header("authorization"), Some("Basic Z2F0ZTp3YXk="), "{ask:?}");
            assert_eq!(request.header("host"), Some(gateway.fakes[0].id()), "{ask:?}");
        }
        assert!(!gateway.fakes.requests().is_empty(), "{ask:?}");
    }
}

#[tokio::test]
async fn without_credentials_of_its_own_the_gateway_sends_none() {
    let gateway = Gateway::start(1, &[]);
    gateway.get("/connectors").header("authorization", "Basic Y2xpZW50OnNlY3JldA==").send().await.ok();
    assert_eq!(gateway.fakes.requests_to("GET", "/connectors")[0].header("authorization"), None);
}

#[tokio::test]
async fn parameters_that_an_endpoint_does_not_have_are_left_out() {
    let gateway = Gateway::start(1, &[]);
    gateway.fakes.put("c", config());
    let cases = [
        ("GET", "/connectors?expand=status&forward=false&expand=info&validated=true", "expand=info&expand=status"),
        ("GET", "/connectors?EXPAND=info&x=%zz&&=", ""),
        ("GET", "/connectors/c?forward=true", ""),
        ("GET", "/connector-plugins?connectorsOnly=false&forward", "connectorsOnly=false"),
        ("GET", "/connector-plugins/FileStreamSource/config?version=1%2e0&a=b", "version=1%2e0"),
        (
            "POST",
            "/connectors/c/restart?forward=false&includeTasks=True&onlyFailed=False",
            "includeTasks=True&onlyFailed=False",
        ),
        ("PUT", "/connectors/c/stop?forward=false", ""),
        ("PUT", "/connectors/c/pause?%66orward=false", ""),
        ("DELETE", "/connectors/c?forward=false&validated", ""),
    ];
    for (method, path, expected) in cases {
        gateway.fakes.forget_requests();
        let answer = gateway.call(method, path).send().await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text());
        let request = &gateway.fakes.requests_to(method, "/conn*")[0];
        assert_eq!(request.query().unwrap_or_default(), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn what_workers_ask_of_each_other_is_not_there() {
    let gateway = Gateway::start(1, &[]);
    gateway.fakes.put("c", config());
    for prefix in ["", "/connect/default"] {
        for (method, path) in [
            ("POST", "/connectors/c/tasks"),
            ("POST", "/connectors/c/tasks/"),
            ("POST", "/connectors/c/%74asks"),
            ("PUT", "/connectors/c/fence"),
            ("PUT", "/connectors/c/fence/"),
            ("PUT", "/connectors/c/%66ence"),
            ("PUT", "/connectors/c;a=b/fence"),
        ] {
            let call = gateway.call(method, &format!("{prefix}{path}"));
            let answer = call.document(JSON, &json!([])).header("x-connect-authorization", "mac").send().await;
            assert_eq!(answer.error(), (404, 404), "{method} {prefix}{path}");
        }
    }
    assert_eq!(gateway.fakes.requests().iter().filter(|request| !matches!(request.path(), "/health" | "/")).count(), 0);
}

#[tokio::test]
async fn what_is_no_endpoint_of_a_worker_is_not_passed_on() {
    let gateway = Gateway::start(1, &[]);
    let paths = [
        "/connectors/c/unknown",
        "/connectors/c/tasks/0",
        "/connectors/c/tasks/0/config",
        "/connector-plugins/x",
        "/admin",
        "/admin/other",
        "/connect/default/unknown",
        "/connect/default/connectors/c/unknown",
        "/connectors//status",
    ];
    for path in paths {
        assert_eq!(gateway.get(path).send().await.error().0, 404, "{path}");
    }
    assert_eq!(gateway.fakes.requests().iter().filter(|request| !matches!(request.path(), "/health" | "/")).count(), 0);
}

#[tokio::test]
async fn the_path_goes_out_as_it_came_in() {
    let gateway = Gateway::start(1, &[]);
    let names = [
        "a%20b",
        "a%3Fb%23c%22d",
        "a%3bb",
        "a+b",
        "a%2Bb",
        "..",
        ".",
        "x;y=z",
        "%C3%A9%c3%a9",
        "a%41",
        "a:b@c",
        "a'b(c)!*",
        "a~b",
        "%2e%2ea",
        "a=b&c",
        "%E2%82%AC",
        "a,b$",
        "a|b",
        "a[1]",
        "a{b}",
    ];
    for name in names {
        for prefix in ["", "/connect/default"] {
            let path = format!("/connectors/{name}/config");
            gateway.fakes.forget_requests();
            let mut wire = gateway.app.wire().await;
            wire.send(format!("GET {prefix}{path} HTTP/1.1\r\nHost: proxy\r\n\r\n")).await;
            let answer = wire.answer().await;
            assert_eq!(answer.status, 404, "{prefix}{path}: {}", answer.text());
            let targets: Vec<String> = gateway.fakes.requests().into_iter().map(|request| request.target).collect();
            assert!(targets.contains(&path), "{prefix}{path}: {targets:?}");
        }
    }
}

#[tokio::test]
async fn the_path_of_a_workers_url_goes_before() {
    let fakes = FakeWorkers::start(1);
    let healthy = json!({"status": "healthy", "message": "Worker has completed startup and is ready."});
    fakes.always("GET", "/below/here/health", Action::json(200, &healthy));
    let app = proxy(&format!("{}/below/here", fakes[0].url()), &[]);
    fakes.always("GET", "/below/here/health", Action::json(200, &json!({"status": "healthy", "message": ""})));
    app.get("/connectors").send().await;
    assert_eq!(fakes.requests_to("GET", "/below/here/connectors").len(), 1);
}

#[tokio::test]
async fn a_body_goes_out_byte_by_byte() {
    let gateway = Gateway::start(1, &[]);
    // Numbers, doubled keys and white space are the worker's to read.
    let body = "{ \"name\" : \"c\",\r\n\"config\":{\"connector.class\":\"FileStreamSource\",\"topic\":\"t\",\"a\":1.50,\"a\":1e3, \"b\":true}}";
    let answer = gateway.call("POST", "/connectors").body("application/json; charset=utf-8", body).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let request = &gateway.fakes.requests_to("POST", "/connectors")[0];
    assert_eq!(String::from_utf8_lossy(&request.body), body);
    assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(request.header("content-length"), Some(body.len().to_string().as_str()));
}
