"""The connection side of a stream: sockets, and the supervisor that keeps one connected and subscribed."""
