//! Generated clients, messages and server traits for every service of the mesh.
