//! The server kit: one builder gives a service its port, health, reflection, identity, access, deadline and shutdown.
