//! What the binary does beside serving.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::CommandFactory;
use kafka_rest_proxy::config::{self, Args, Command, Listen, Server};
use kafka_rest_proxy::upstream;

/// Does what `command` says.
pub fn run(args: &Args, command: &Command) -> ExitCode {
    match command {
        Command::Healthcheck { url, timeout } => health(args, url.as_deref(), *timeout),
        Command::Man => print(|out| {
            let page = clap_mangen::Man::new(Args::command());
            page.render(out)?;
            for command in Args::command().get_subcommands() {
                writeln!(out, ".SS \"kafka-rest-proxy {}\"", command.get_name())?;
                clap_mangen::Man::new(command.clone()).render_options_section(out)?;
            }
            Ok(())
        }),
        Command::Completions { shell } => print(|out| {
            clap_complete::generate(*shell, &mut Args::command(), "kafka-rest-proxy", out);
            Ok(())
        }),
    }
}

fn print(render: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> ExitCode {
    let mut text = Vec::new();
    // Who reads it may have gone: `| head`.
    let printed = render(&mut text).and_then(|()| std::io::stdout().write_all(&text));
    if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn health(args: &Args, url: Option<&str>, limit: Duration) -> ExitCode {
    let asked = match url.map(str::to_owned).map_or_else(|| configured(args), Ok) {
        Ok(url) => ask(&url, limit).map_err(|why| format!("{url}: {why}")),
        Err(why) => Err(why),
    };
    match asked {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn ask(url: &str, limit: Duration) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| format!("no runtime: {why}"))?;
    let asked = runtime.block_on(upstream::ask(url, "/ready", limit));
    // A look-up of a name that hangs is not waited for.
    runtime.shutdown_background();
    let asked = asked?;
    if asked.status == 200 { Ok(asked.text) } else { Err(format!("HTTP {}: {}", asked.status, asked.text)) }
}

fn configured(args: &Args) -> Result<String, String> {
    let server = config::load_server(args, config::environment());
    address(&server).ok_or_else(|| "it listens on any free port: name the one it has with --url".to_owned())
}

/// Returns where the proxy that has these settings can be reached from the same machine; `None` where nobody knows.
fn address(server: &Server) -> Option<String> {
    let first = server.management_listen.first().or_else(|| server.listen.first())?;
    let (scheme, address) = match Listen::of(first) {
        Listen::Plain(address) => ("http", address),
        Listen::Tls(address) => ("https", address),
        Listen::Unix(path) => return Some(format!("unix:{}", path.display())),
    };
    let address = match address.parse::<SocketAddr>() {
        Ok(all) if all.ip().is_unspecified() => SocketAddr::new(loopback(all.ip()), all.port()).to_string(),
        Ok(_) | Err(_) => address.to_owned(),
    };
    (!address.ends_with(":0")).then(|| format!("{scheme}://{address}"))
}

fn loopback(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn address_of(flags: &[&str]) -> Option<String> {
        let args = Args::try_parse_from(["kafka-rest-proxy"].iter().chain(flags)).expect("good flags");
        address(&config::load_server(&args, std::iter::empty()))
    }

    #[test]
    fn the_management_listener_is_asked_or_else_the_first_one() {
        assert_eq!(address_of(&[]).as_deref(), Some("http://127.0.0.1:8082"));
        assert_eq!(address_of(&["--listen", "0.0.0.0:1,a:2"]).as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(address_of(&["--listen", "https://[::]:1"]).as_deref(), Some("https://[::1]:1"));
        assert_eq!(address_of(&["--listen", "unix:/run/x"]).as_deref(), Some("unix:/run/x"));
        assert_eq!(address_of(&["--set", "server.management_listen=a:9"]).as_deref(), Some("http://a:9"));
        assert_eq!(address_of(&["--listen", "0.0.0.0:0"]), None);
    }
}
