//! Callers' own credentials with Kafka: its users, rights and quotas decide. The proxy itself may do everything here, so
//! whatever goes wrong shows as something that is allowed.

mod cost;
mod instances;
mod lifetime;
mod principals;
mod quotas;
mod rights;
mod secrets;
mod tokens;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64_simd::URL_SAFE_NO_PAD;
use kafka_rest_proxy::admin::Admin;
use kafka_rest_proxy::model::{
    Acl, AclOperation, Password, PatternType, Permission, ResourceType, ScramChange, ScramCredential, ScramMechanism,
};
use serde_json::{Value, json};

use crate::harness::app::{self, App};
use crate::harness::http::{Answer, Call, JSON_V2, V2};
use crate::harness::kafka::{Broker, OwnOptions};
use crate::harness::waiting::{PATIENCE, eventually};
use crate::harness::{free_port, unique};

const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
const PLAIN: &str =
    "org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"alice-pw\" user_bob=\"bob-pw\";";
const OAUTH: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
                     unsecuredLoginStringClaim_sub=\"broker\";";

/// A broker with an authorizer: a plain listener on which everything is allowed, and one for callers.
pub struct Secured {
    pub broker: Broker,
    /// Where callers log in.
    pub sasl: String,
    /// May do everything.
    owner: Admin,
}

pub fn secured() -> &'static Secured {
    static SECURED: OnceLock<Secured> = OnceLock::new();
    SECURED.get_or_init(Secured::start)
}

/// Somebody with a password.
#[derive(Clone)]
pub struct User {
    pub name: String,
    pub password: String,
}

impl Secured {
    pub fn start() -> Secured {
        let sasl = format!("127.0.0.1:{}", free_port());
        let plain = "PLAINTEXT://127.0.0.1:{port}";
        let mut options = OwnOptions::default()
            .set("listeners", &format!("CONTROLLER://127.0.0.1:{{controller_port}},{plain},SASL://{sasl}"))
            .set("advertised.listeners", &format!("{plain},SASL://{sasl}"))
            .set("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT")
            .set("sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER")
            .set("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            .set("super.users", "User:ANONYMOUS");
        let modules = [("scram-sha-256", SCRAM), ("scram-sha-512", SCRAM), ("plain", PLAIN), ("oauthbearer", OAUTH)];
        for (mechanism, module) in modules {
            options = options.set(&format!("listener.name.sasl.{mechanism}.sasl.jaas.config"), module);
        }
        let broker = Broker::start(options);
        let owner = Admin::new(&app::config_with(&broker.kafka().bootstrap, &[]));
        Secured { broker, sasl, owner }
    }

    /// Returns a proxy that passes credentials on, with more settings.
    pub fn proxy(&self, mechanism: &str, more: &[&str]) -> App {
        let settings = self.settings(mechanism);
        let settings: Vec<&str> = settings.iter().map(String::as_str).chain(more.iter().copied()).collect();
        app::spawn_app(app::config_with(&self.broker.kafka().bootstrap, &settings))
    }

    pub fn settings(&self, mechanism: &str) -> Vec<String> {
        vec![
            "auth.methods=basic,bearer".to_owned(),
            "auth.passthrough=basic,bearer".to_owned(),
            format!("auth.passthrough_mechanism={mechanism}"),
            format!("auth.passthrough_bootstrap_servers={}", self.sasl),
            "kafka.request_timeout=5s".to_owned(),
        ]
    }

    /// Makes a user with a password of their own for SCRAM-SHA-256.
    pub async fn user(&self) -> User {
        let user = User { name: unique("user"), password: unique("secret") };
        self.set_password(&user).await;
        user
    }

    pub async fn set_password(&self, user: &User) {
        let credential = ScramCredential { mechanism: ScramMechanism::Sha256, iterations: 4096 };
        let password = Password(user.password.clone());
        let change = ScramChange::Upsert { user: user.name.clone(), credential, password };
        let altered = self.owner.alter_scram(&[change]).await.expect("Kafka answers");
        assert!(altered.iter().all(|(_, outcome)| outcome.is_ok()), "{altered:?}");
        eventually("the user is known", PATIENCE, async || self.admin_of(user).log_in().await.ok()).await;
    }

    fn admin_of(&self, user: &User) -> Admin {
        let set = [
            "kafka.properties.security.protocol=sasl_plaintext".to_owned(),
            "kafka.properties.sasl.mechanisms=SCRAM-SHA-256".to_owned(),
            format!("kafka.properties.sasl.username={}", user.name),
            format!("kafka.properties.sasl.password={}", user.password),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        Admin::new(&app::config_with(&self.sasl, &set))
    }

    /// Allows a user an operation on what begins with a name.
    pub async fn allow(&self, user: &str, operation: AclOperation, resource_type: ResourceType, name: &str) {
        let acl = Acl {
            resource_type,
            resource_name: name.to_owned(),
            pattern_type: if name == "kafka-cluster" { PatternType::Literal } else { PatternType::Prefixed },
            principal: format!("User:{user}"),
            host: "*".to_owned(),
            operation,
            permission: Permission::Allow,
        };
        let made = self.owner.create_acls(&[acl]).await.expect("Kafka answers");
        assert!(made.iter().all(Result::is_ok), "{made:?}");
    }

    /// Makes a topic and lets a user do everything with it.
    pub async fn topic_of(&self, user: &str) -> String {
        let topic = app::topic_on(self.broker.kafka(), 1);
        self.allow(user, AclOperation::All, ResourceType::Topic, &topic).await;
        topic
    }
}

/// Sends it as somebody.
pub trait As {
    fn by(self, user: &User) -> Self;
    fn bearing(self, token: &str) -> Self;
}

impl As for Call {
    fn by(self, user: &User) -> Call {
        let text = base64_simd::STANDARD.encode_to_string(format!("{}:{}", user.name, user.password));
        self.header("authorization", &format!("Basic {text}"))
    }

    fn bearing(self, token: &str) -> Call {
        self.header("authorization", &format!("Bearer {token}"))
    }
}

pub fn user(name: &str, password: &str) -> User {
    User { name: name.to_owned(), password: password.to_owned() }
}

/// Returns a token that nobody signed.
pub fn token(subject: &str, life: Duration) -> String {
    token_with(subject, life, json!({}))
}

/// Returns one with more claims.
pub fn token_with(subject: &str, life: Duration, more: Value) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let mut claims =
        json!({ "sub": subject, "iat": now - 1.0, "exp": now + life.as_secs_f64(), "jti": unique("token") });
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let part = |value: Value| URL_SAFE_NO_PAD.encode_to_string(value.to_string());
    format!("{}.{}.", part(json!({ "alg": "none" })), part(claims))
}

pub fn produce(app: &App, topic: &str) -> Call {
    app.post(&format!("/topics/{topic}")).document(JSON_V2, &json!({ "records": [{ "value": 1 }] }))
}

/// Produces until it works: brokers hear of rights a moment later.
pub async fn produce_until_allowed(app: &App, topic: &str, login: impl Fn(Call) -> Call) {
    eventually("the right is known", PATIENCE, async || {
        let answer = login(produce(app, topic)).send().await;
        assert!(matches!(answer.status, 200 | 403), "{}: {}", answer.status, answer.text());
        (answer.status == 200).then_some(())
    })
    .await;
}

/// Creates an instance and returns its path.
pub async fn create_instance(app: &App, group: &str, name: &str, login: impl Fn(Call) -> Call) -> String {
    let body = json!({ "name": name, "format": "json", "auto.offset.reset": "earliest" });
    let created: Answer = login(app.post(&format!("/consumers/{group}")).document(V2, &body)).send().await;
    created.ok();
    format!("/consumers/{group}/instances/{name}")
}
