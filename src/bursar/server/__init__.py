"""The engine over HTTP: contracts bound to the engine's services, authentication, limits, faults, sandbox control."""
