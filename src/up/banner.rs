//! What a newcomer sees once the mesh is up: where everything is, and three commands that work when pasted.

use std::fmt::Write;
use std::path::Path;

/// The banner. Whether the data stays when the mesh ends is said as well.
pub(crate) fn banner(directory: &str, services: &[(String, String)], data: &Path, stays: bool) -> String {
    let mut text = format!("freehold {} is up\n\n", env!("CARGO_PKG_VERSION"));
    row(&mut text, "directory", directory);
    for (name, url) in services {
        row(&mut text, name, url);
    }
    row(&mut text, "data", &data.display().to_string());
    text.push_str("\nTry, in another terminal:\n");
    for command in commands(directory, services) {
        let _ = writeln!(text, "  {command}");
    }
    text.push_str(if stays {
        "\nCtrl-C ends it; the data stays.\n"
    } else {
        "\nCtrl-C ends it, and the data.\n"
    });
    text
}

fn row(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<14} {value}");
}

fn commands(directory: &str, services: &[(String, String)]) -> Vec<String> {
    let mut commands = vec![
        format!("grpcurl -plaintext {} freehold.v1.Directory/List", authority(directory)),
        format!("cargo run -- demo --mesh {directory}"),
    ];
    if let Some((_, url)) = services.iter().find(|(name, _)| name == "orders") {
        commands.push(format!("grpcurl -plaintext {} orders.v1.OrdersService/ListOrders", authority(url)));
    }
    commands
}

fn authority(url: &str) -> &str {
    url.strip_prefix("http://").unwrap_or(url)
}
