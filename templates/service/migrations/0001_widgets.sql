CREATE TABLE app_widget (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;
