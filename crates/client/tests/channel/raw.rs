//! HTTP/2 frames as bytes, for what the h2 crate would not do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// Reads a client's preface and answers it with empty settings.
pub(crate) async fn greet(socket: &mut TcpStream) {
    let mut preface = [0; 24];
    socket.read_exact(&mut preface).await.unwrap();
    write(socket, SETTINGS, 0, &[]).await;
}

/// Reads frames until a call begins.
pub(crate) async fn until_called(socket: &mut TcpStream) {
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        socket.read_exact(&mut payload).await.unwrap();
        match head[3] {
            HEADERS => return,
            SETTINGS if head[4] == 0 => write(socket, SETTINGS, 1, &[]).await,
            _ => {}
        }
    }
}

/// Says that the connection ends, and that no call above `last` was looked at.
pub(crate) async fn go_away(socket: &mut TcpStream, last: u32) {
    let payload = [last.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    write(socket, GOAWAY, 0, &payload).await;
}

async fn write(socket: &mut TcpStream, kind: u8, flags: u8, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags, 0, 0, 0, 0];
    socket.write_all(&[&head, payload].concat()).await.unwrap();
}
