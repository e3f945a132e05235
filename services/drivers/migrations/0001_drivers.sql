-- The number stands for the driver wherever rows are many. None is ever given again.
CREATE TABLE driver (
    number BIGINT PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    phone TEXT NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('GOOD', 'SUSPENDED')),
    plate TEXT NOT NULL,
    model TEXT NOT NULL,
    seats BIGINT NOT NULL CHECK (seats > 0),
    stars BIGINT NOT NULL CHECK (stars >= 0),
    ratings BIGINT NOT NULL CHECK (ratings >= 0),
    registered_ms BIGINT NOT NULL
) STRICT;

CREATE TABLE driver_rating (
    driver_number BIGINT NOT NULL REFERENCES driver (number) ON DELETE CASCADE,
    rating_id TEXT NOT NULL,
    stars BIGINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
    PRIMARY KEY (driver_number, rating_id)
) STRICT, WITHOUT ROWID;
