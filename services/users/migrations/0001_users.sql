CREATE TABLE app_user (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    country TEXT NOT NULL,
    note TEXT NOT NULL,
    registered_ms BIGINT NOT NULL
) STRICT;
