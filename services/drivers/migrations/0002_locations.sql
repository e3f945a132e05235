-- Where each driver was last.
CREATE TABLE latest_location (
    driver_number BIGINT PRIMARY KEY REFERENCES driver (number) ON DELETE CASCADE,
    time_ms BIGINT NOT NULL,
    latitude_e7 BIGINT NOT NULL,
    longitude_e7 BIGINT NOT NULL,
    heading_degrees BIGINT,
    speed_cm_per_s BIGINT
) STRICT;

-- Where each driver was, an hour a bucket. Nothing in it ever changes; see docs/decisions.
CREATE TABLE track (
    bucket BIGINT NOT NULL,
    driver_number BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    latitude_e7 BIGINT NOT NULL,
    longitude_e7 BIGINT NOT NULL,
    heading_degrees BIGINT,
    speed_cm_per_s BIGINT,
    PRIMARY KEY (bucket, driver_number, time_ms)
) STRICT, WITHOUT ROWID;

-- Drivers that were erased and whose tracks are still to go.
CREATE TABLE erased_track (
    driver_number BIGINT PRIMARY KEY
) STRICT;
