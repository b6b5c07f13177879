"""HTTP/1.1 (RFC 9112) without I/O: heads, body framing, request targets."""
