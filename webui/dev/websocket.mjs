// The server's half of RFC 6455, as far as sending text frames goes.
import { createHash } from "node:crypto";

const kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function frame(text) {
  const body = Buffer.from(text);
  const head =
    body.length < 126
      ? Buffer.from([0x81, body.length])
      : Buffer.from([0x81, 126, body.length >> 8, body.length & 255]);
  return Buffer.concat([head, body]);
}

/** `produce(path, send, close)` returns a function that is called when the client goes away. */
export function acceptWebSocket(request, socket, produce) {
  const accept = createHash("sha1")
    .update(request.headers["sec-websocket-key"] + kGuid)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const stop = produce(
    request.url,
    (text) => socket.writable && socket.write(frame(text)),
    () => socket.end(Buffer.from([0x88, 0x02, 0x03, 0xe8])),
  );
  socket.on("close", stop);
  socket.on("error", stop);
  socket.resume();
}
