use std::sync::RwLock;
use std::time::Duration;

use crate::admin::security::{Mechanism, Sasl, Unsecured};
use crate::config::{Config, Properties};
use crate::tls::Tls;

/// What the properties of librdkafka's names say about connections, as far as this client needs it.
///
/// Has no `Debug`: it holds secrets.
pub(super) struct Settings {
    /// Each as `HOST:PORT`.
    pub(super) bootstrap: Vec<String>,
    pub(super) client_id: String,
    pub(super) family: Family,
    /// `None` for connections in the clear.
    pub(super) tls: Option<Tls>,
    pub(super) sasl: Option<Sasl>,
    /// For a whole operation.
    pub(super) timeout: Duration,
}

/// Which addresses of a host are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

/// What would change which broker or client is trusted, and cannot be honoured.
const NOT_HONOURED: &[&str] = &[
    "ssl.keystore.location",
    "ssl.crl.location",
    "ssl.engine.location",
    "ssl.providers",
    "ssl.cipher.suites",
    "ssl.curves.list",
    "ssl.sigalgs.list",
    "ssl.ca.certificate.stores",
];

impl Settings {
    /// Reads `[kafka.properties]` and over them `[admin.properties]`; the error is a sentence for the operator, without
    /// values that may be secret.
    ///
    /// With a token, that is how it logs in.
    pub(super) fn read(config: &Config, token: Option<&str>) -> Result<Settings, String> {
        let given = Given { sections: [&config.admin.properties, &config.kafka.properties] };
        if let Some(name) = NOT_HONOURED.iter().find(|name| given.is_set(name)) {
            return Err(format!(
                "the property {name} is not supported by administrative operations; use PEM files (ssl.ca.location, \
                 ssl.certificate.location, ssl.key.location) and leave it out of [kafka.properties]"
            ));
        }
        let (tls, sasl) = match given.choice("security.protocol", "plaintext").as_str() {
            "plaintext" => (false, false),
            "ssl" => (true, false),
            "sasl_plaintext" => (false, true),
            "sasl_ssl" => (true, true),
            _ => return Err("security.protocol is none of plaintext, ssl, sasl_plaintext and sasl_ssl".to_owned()),
        };
        Ok(Settings {
            bootstrap: config.kafka.bootstrap_servers.split(',').map(|server| server.trim().to_owned()).collect(),
            client_id: config.kafka.client_id.clone(),
            family: given.family()?,
            tls: if tls { Some(given.tls()?) } else { None },
            sasl: match token {
                Some(token) if sasl => Some(Sasl::Token(RwLock::new(token.to_owned()))),
                None if sasl => Some(given.sasl()?),
                Some(_) | None => None,
            },
            timeout: config.kafka.request_timeout,
        })
    }
}

/// The properties, those that count first in front.
struct Given<'a> {
    sections: [&'a Properties; 2],
}

impl Given<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.sections.iter().find_map(|section| section.get(name))
    }

    /// Returns the value of a property that has two names.
    fn either(&self, name: &str, alias: &str) -> Option<&str> {
        self.sections.iter().find_map(|section| section.get(name).or_else(|| section.get(alias)))
    }

    fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// Returns a value of a closed set, in lower case.
    fn choice(&self, name: &str, default: &str) -> String {
        self.get(name).unwrap_or(default).to_ascii_lowercase()
    }

    /// Reads what librdkafka takes for a boolean.
    fn flag(&self, name: &str, default: bool) -> bool {
        match self.choice(name, "").as_str() {
            "true" | "t" | "1" => true,
            "false" | "f" | "0" => false,
            _ => default,
        }
    }

    fn family(&self) -> Result<Family, String> {
        match self.choice("broker.address.family", "any").as_str() {
            "any" => Ok(Family::Any),
            "v4" => Ok(Family::V4),
            "v6" => Ok(Family::V6),
            _ => Err("broker.address.family is none of any, v4 and v6".to_owned()),
        }
    }

    fn tls(&self) -> Result<Tls, String> {
        let verify_name = match self.choice("ssl.endpoint.identification.algorithm", "https").as_str() {
            "https" => true,
            "none" | "" => false,
            _ => return Err("ssl.endpoint.identification.algorithm is neither https nor none".to_owned()),
        };
        Ok(Tls {
            ca_location: self.text("ssl.ca.location").filter(|location| location != "probe"),
            ca_pem: self.text("ssl.ca.pem"),
            certificate_location: self.text("ssl.certificate.location"),
            certificate_pem: self.text("ssl.certificate.pem"),
            key_location: self.text("ssl.key.location"),
            key_pem: self.text("ssl.key.pem"),
            key_password: self.text("ssl.key.password"),
            verify: self.flag("enable.ssl.certificate.verification", true),
            verify_name,
        })
    }

    fn sasl(&self) -> Result<Sasl, String> {
        let mechanism = self.either("sasl.mechanisms", "sasl.mechanism").unwrap_or("GSSAPI").to_ascii_uppercase();
        let mechanism = match mechanism.as_str() {
            "PLAIN" => Mechanism::Plain,
            "SCRAM-SHA-256" => Mechanism::ScramSha256,
            "SCRAM-SHA-512" => Mechanism::ScramSha512,
            "OAUTHBEARER" => return Ok(Sasl::Bearer(self.unsecured()?)),
            _ => {
                return Err(
                    "administrative operations know the SASL mechanisms PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and \
                            OAUTHBEARER; set one of them as sasl.mechanisms, under [admin.properties] if it is for \
                            these operations alone"
                        .to_owned(),
                );
            }
        };
        let (Some(user), Some(password)) = (self.text("sasl.username"), self.text("sasl.password")) else {
            return Err("sasl.username or sasl.password is not set".to_owned());
        };
        Ok(Sasl::Password { mechanism, user, password })
    }

    fn unsecured(&self) -> Result<Unsecured, String> {
        if self.choice("sasl.oauthbearer.method", "default") != "default"
            || !self.flag("enable.sasl.oauthbearer.unsecure.jwt", false)
        {
            return Err(
                "OAUTHBEARER needs enable.sasl.oauthbearer.unsecure.jwt=true: tokens cannot be fetched".to_owned()
            );
        }
        Unsecured::parse(self.get("sasl.oauthbearer.config").unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Args, load};

    fn settings(properties: &[&str]) -> Result<Settings, String> {
        let args = Args {
            bootstrap_servers: Some("a:9092,b:9093".to_owned()),
            set: properties.iter().map(|property| (*property).to_owned()).collect(),
            ..Args::default()
        };
        Settings::read(&load(&args, std::iter::empty()).unwrap(), None)
    }

    #[test]
    fn without_properties_connections_are_in_the_clear() {
        let settings = settings(&[]).unwrap_or_else(|why| panic!("{why}"));
        assert!(settings.tls.is_none() && settings.sasl.is_none());
        assert_eq!(settings.bootstrap, ["a:9092", "b:9093"]);
    }

    #[test]
    fn properties_of_admin_win_under_either_name() {
        let settings = settings(&[
            "kafka.properties.security.protocol=SASL_SSL",
            "kafka.properties.sasl.mechanisms=GSSAPI",
            "admin.properties.sasl.mechanism=scram-sha-256",
            "kafka.properties.sasl.username=alice",
            "kafka.properties.sasl.password=alice-pw",
            "admin.properties.sasl.username=admin",
        ])
        .unwrap_or_else(|why| panic!("{why}"));
        let Some(Sasl::Password { mechanism, user, password }) = settings.sasl else { panic!("another mechanism") };
        assert_eq!((mechanism, user.as_str(), password.as_str()), (Mechanism::ScramSha256, "admin", "alice-pw"));
        assert!(settings.tls.is_some_and(|tls| tls.verify && tls.verify_name));
    }

    #[test]
    fn what_cannot_be_honoured_is_named() {
        for (properties, named) in [
            (&["kafka.properties.security.protocol=sasl_ssl"][..], "SASL mechanisms"),
            (&["kafka.properties.ssl.keystore.location=client.p12"], "ssl.keystore.location"),
            (
                &["kafka.properties.security.protocol=sasl_ssl", "kafka.properties.sasl.mechanism=PLAIN"],
                "sasl.username",
            ),
            (
                &["kafka.properties.security.protocol=sasl_ssl", "kafka.properties.sasl.mechanism=OAUTHBEARER"],
                "enable.sasl.oauthbearer.unsecure.jwt",
            ),
        ] {
            let Err(why) = settings(properties) else { panic!("{properties:?} are accepted") };
            assert!(why.contains(named), "{why}");
        }
    }
}
