//! Every way to prove who is at the ends of a connection, on one broker that has a listener for each.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kafka_rest_proxy::admin::Admin;
use kafka_rest_proxy::error::{Kind, Result};
use kafka_rest_proxy::model::Cluster;

use crate::harness::certificates::Certificates;
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::{app, free_port};

const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
const PLAIN: &str =
    "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"alice-pw\" user_bob=\"bob-pw\";";
const OAUTH: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
                     unsecuredLoginStringClaim_sub=\"broker\";";

/// A broker with an authorizer; only its plain listener may do everything.
pub struct Secured {
    pub broker: Broker,
    /// Passwords in the clear.
    pub sasl: String,
    /// Passwords over TLS.
    pub sasl_tls: String,
    /// TLS with certificates on both sides.
    tls: String,
    pub certificates: Certificates,
}

pub fn secured() -> &'static Secured {
    static SECURED: OnceLock<Secured> = OnceLock::new();
    SECURED.get_or_init(Secured::start)
}

impl Secured {
    fn start() -> Secured {
        let certificates = Certificates::new();
        certificates.issue("server", &["localhost"]);
        certificates.issue("carol", &[]);
        let [sasl, sasl_tls, tls] =
            [("127.0.0.1", free_port()), ("localhost", free_port()), ("localhost", free_port())]
                .map(|(host, port)| format!("{host}:{port}"));
        let plain = "PLAINTEXT://127.0.0.1:{port}";
        let secured = format!("SASL://{sasl},SASLTLS://{sasl_tls},TLS://{tls}");
        let mut options = OwnOptions::default()
            .set("listeners", &format!("CONTROLLER://127.0.0.1:{{controller_port}},{plain},{secured}"))
            .set("advertised.listeners", &format!("{plain},{secured}"))
            .set(
                "listener.security.protocol.map",
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,SASLTLS:SASL_SSL,TLS:SSL",
            )
            .set("sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER")
            .set("ssl.keystore.type", "PEM")
            .set("ssl.keystore.location", &certificates.path("server.both"))
            .set("ssl.truststore.type", "PEM")
            .set("ssl.truststore.location", &certificates.path("ca.pem"))
            .set("listener.name.tls.ssl.client.auth", "required")
            .set("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            .set("super.users", "User:ANONYMOUS")
            // So that a test sees how sessions end.
            .set("listener.name.sasl.connections.max.reauth.ms", "2000");
        for listener in ["sasl", "sasltls"] {
            for (mechanism, module) in
                [("scram-sha-256", SCRAM), ("scram-sha-512", SCRAM), ("plain", PLAIN), ("oauthbearer", OAUTH)]
            {
                options = options.set(&format!("listener.name.{listener}.{mechanism}.sasl.jaas.config"), module);
            }
        }
        options.scram_users = ["SCRAM-SHA-256", "SCRAM-SHA-512"]
            .map(|mechanism| format!("{mechanism}=[name=alice,password=alice-pw]"))
            .to_vec();
        Secured { broker: Broker::start(options), sasl, sasl_tls, tls, certificates }
    }

    /// Returns a client of one listener with these properties.
    pub fn admin(&self, address: &str, properties: &[(&str, &str)]) -> Admin {
        let set: Vec<String> =
            properties.iter().map(|(name, value)| format!("kafka.properties.{name}={value}")).collect();
        let mut set: Vec<&str> = set.iter().map(String::as_str).collect();
        set.push("kafka.request_timeout=5s");
        Admin::new(&app::config_with(address, &set))
    }

    /// Returns a client that logs in with a password in the clear.
    pub fn admin_of(&self, user: &str, mechanism: &str, password: &str) -> Admin {
        let properties = [
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanisms", mechanism),
            ("sasl.username", user),
            ("sasl.password", password),
        ];
        self.admin(&self.sasl, &properties)
    }

    /// Returns a client of the listener with certificates on both sides.
    fn admin_over_tls(&self, more: &[(&str, &str)]) -> Admin {
        self.admin(&self.tls, &[&[("security.protocol", "ssl")], more].concat())
    }
}

fn assert_refused(answer: Result<Cluster>, text: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), Kind::KafkaAuthentication, "{error}");
    assert!(error.message().contains(text), "{error}");
}

#[tokio::test]
async fn a_password_is_proved_in_three_ways() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let cluster = secured().admin_of("alice", mechanism, "alice-pw").describe_cluster(false).await;
        assert_eq!(cluster.unwrap().brokers.len(), 1, "{mechanism}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_401_at_once() {
    let start = Instant::now();
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let refused = secured().admin_of("alice", mechanism, "wrong").describe_cluster(false).await;
        assert_refused(refused, "Authentication failed");
    }
    // Kafka holds its refusal back for a moment, so that passwords cannot be tried out.
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_mechanism_that_is_not_there_is_told_with_those_that_are() {
    let refused = Admin::new(&app::config_with(
        &secured().sasl,
        &["kafka.properties.security.protocol=sasl_plaintext", "kafka.properties.sasl.mechanisms=GSSAPI"],
    ));
    let error = refused.describe_cluster(false).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    assert!(error.message().contains("PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER"), "{error}");
}

#[tokio::test]
async fn an_unsecured_token_is_accepted_where_brokers_do() {
    let describe = async |claims: &str| {
        let properties = [
            ("security.protocol", "sasl_plaintext"),
            ("sasl.mechanisms", "OAUTHBEARER"),
            ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
            ("sasl.oauthbearer.config", claims),
        ];
        secured().admin(&secured().sasl, &properties).describe_cluster(false).await
    };
    assert_eq!(describe("principal=erin").await.unwrap().brokers.len(), 1);
    assert_refused(describe("principal=erin lifeSeconds=0").await, "invalid_token");
}

#[tokio::test]
async fn a_session_that_ends_is_begun_again_unnoticed() {
    let admin = secured().admin_of("alice", "SCRAM-SHA-512", "alice-pw");
    // Two sessions long.
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        admin.describe_cluster(false).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_password_goes_over_tls() {
    let ca = secured().certificates.path("ca.pem");
    let properties = [
        ("security.protocol", "sasl_ssl"),
        ("ssl.ca.location", ca.as_str()),
        ("sasl.mechanisms", "SCRAM-SHA-512"),
        ("sasl.username", "alice"),
        ("sasl.password", "alice-pw"),
    ];
    let cluster = secured().admin(&secured().sasl_tls, &properties).describe_cluster(false).await;
    assert_eq!(cluster.unwrap().brokers.len(), 1);
}

#[tokio::test]
async fn certificates_prove_both_sides() {
    let path = |name| secured().certificates.path(name);
    let (ca, certificate, key) = (path("ca.pem"), path("carol.pem"), path("carol.key"));
    let files =
        [("ssl.ca.location", ca.as_str()), ("ssl.certificate.location", &certificate), ("ssl.key.location", &key)];
    let cluster = secured().admin_over_tls(&files).describe_cluster(false).await;
    assert_eq!(cluster.unwrap().brokers.len(), 1);

    let texts = [&ca, &certificate, &key].map(|path| fs::read_to_string(path).unwrap());
    let inline = [("ssl.ca.pem", texts[0].as_str()), ("ssl.certificate.pem", &texts[1]), ("ssl.key.pem", &texts[2])];
    let cluster = secured().admin_over_tls(&inline).describe_cluster(false).await;
    assert_eq!(cluster.unwrap().brokers.len(), 1);
}

#[tokio::test]
async fn a_missing_or_foreign_certificate_is_401() {
    let path = |name| secured().certificates.path(name);
    let (ca, key) = (path("ca.pem"), path("carol.key"));
    let without = secured().admin_over_tls(&[("ssl.ca.location", &ca)]).describe_cluster(false).await;
    assert_refused(without, "does not accept this proxy's certificate");

    let stranger = Certificates::new();
    let foreign = [("ssl.ca.location", stranger.path("ca.pem"))];
    let foreign: Vec<_> = foreign.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_refused(secured().admin_over_tls(&foreign).describe_cluster(false).await, "is not accepted");
    stranger.remove();

    let half = secured().admin_over_tls(&[("ssl.ca.location", &ca), ("ssl.key.location", &key)]);
    let error = half.describe_cluster(false).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Internal);
    assert!(error.message().contains("ssl.certificate.location"), "{error}");
}

#[tokio::test]
async fn how_closely_the_brokers_certificate_is_looked_at_can_be_set() {
    let path = |name| secured().certificates.path(name);
    let (ca, certificate, key) = (path("ca.pem"), path("carol.pem"), path("carol.key"));
    let own = [("ssl.certificate.location", certificate.as_str()), ("ssl.key.location", &key)];
    // The certificate names localhost and not its address.
    let by_address = secured().tls.replace("localhost", "127.0.0.1");
    let client = |more: &[(&str, &str)]| {
        secured().admin(&by_address, &[&own[..], &[("security.protocol", "ssl")], more].concat())
    };
    assert_refused(client(&[("ssl.ca.location", &ca)]).describe_cluster(false).await, "is not accepted");
    let without_name = [("ssl.ca.location", ca.as_str()), ("ssl.endpoint.identification.algorithm", "none")];
    assert!(client(&without_name).describe_cluster(false).await.is_ok());
    assert!(client(&[("enable.ssl.certificate.verification", "false")]).describe_cluster(false).await.is_ok());
}
